"""Every screen of the portal: for everybody, on every display, in both colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.administrator import Administrator
from tests.browser.conftest import PHONE, Complaints
from tests.browser.journey import Site
from tests.browser.portal_cast import furnish
from tests.browser.portal_screens import SCREENS, Rows
from tests.live_server import ProductionServer

DESKTOP = {"width": 1440, "height": 900}
BOX = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# Django admin's own search field: it has a label, which is a picture and hidden from view.
DJANGOS = ("#searchbar",)


@pytest.fixture(scope="module")
def rows(site: Site, live_provider: ProductionServer) -> dict[str, Any]:
    return furnish(live_provider)


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_suits_every_administrator_and_every_display(
    administrator: Administrator,
    complaints: Complaints,
    axe: Callable[..., None],
    rows: Rows,
    name: str,
) -> None:
    page = administrator.page
    SCREENS[name].open(administrator, rows)

    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            wide, room = page.evaluate(BOX)
            assert wide <= room, f"{name} scrolls sideways at {size['width']} pixels"
            axe(page, without=DJANGOS)
    assert page.locator("h1").count() <= 2  # Django's own site name is one before Django 6.1
    assert not complaints.in_the_portal


def test_the_portal_is_dark_in_the_dark(administrator: Administrator) -> None:
    administrator.open("application/")
    grounds = []
    for scheme in ("light", "dark"):
        administrator.page.emulate_media(color_scheme=scheme)
        ground = "getComputedStyle(document.body).backgroundColor"
        grounds.append(administrator.page.evaluate(ground))

    assert grounds[0] != grounds[1]
