"""Pages speak the person's language, or the one that the application asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.journey import Site
from tests.spec import spec


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize(("locale", "asked"), [("de-DE", ""), ("en-GB", "xx de en")])
def test_pages_speak_the_persons_language(
    new_context: Callable[..., BrowserContext], site: Site, locale: str, asked: str
) -> None:
    page = new_context(locale=locale).new_page()

    page.goto(site.request(ui_locales=asked))

    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("h1").text_content() == "Anmelden"
    assert page.get_by_label("Benutzername", exact=True).is_visible()
