"""Every page of ours: readable by everybody, on every screen, in both colours and languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, Complaints
from tests.browser.journey import PAGES, Site

DESKTOP = {"width": 1440, "height": 900}
BOX = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_suits_every_person_and_every_screen(
    page: Page, complaints: Complaints, axe: Callable[[Page], None], site: Site, name: str
) -> None:
    PAGES[name](page, site)

    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            # A colour on its way to another one has neither's contrast.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            wide, room = page.evaluate(BOX)
            assert wide <= room, f"{name} scrolls sideways at {size['width']} pixels"
            axe(page)
    assert not complaints.about_policies
    assert page.locator("h1").count() == 1


def test_pages_are_dark_in_the_dark(page: Page, site: Site) -> None:
    page.goto(site.request())
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert grounds[0] != grounds[1]
