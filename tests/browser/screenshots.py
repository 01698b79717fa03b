"""Writes docs/images from the running product: `python -m tests.browser.screenshots`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.system_programs import ensure_chromium
from tests.browser import journey, small_png
from tests.browser.conftest import FLAGS
from tests.browser.journey import Site, cast
from tests.browser.relying_party import RelyingParty
from tests.clients.provisioning import provision
from tests.live_server import ROOT, production_server

IMAGES = ROOT / "docs" / "images"
# Nothing is sent there: each picture is taken before the answer.
CLIENT = RelyingParty("https://notes.example.com")
DESKTOP = {"width": 840, "height": 620}
PHONE = {"width": 390, "height": 780}
PICTURES: tuple[tuple[str, Callable[[Page, Site], None], dict[str, int], str], ...] = (
    ("sign-in", journey.login, DESKTOP, "light"),
    ("password", journey.login_password, DESKTOP, "light"),
    ("consent", journey.consent, DESKTOP, "light"),
    ("consent-dark", journey.consent, DESKTOP, "dark"),
    ("native-app-phone", journey.consent_of_a_native_app, PHONE, "light"),
    ("error", journey.error, DESKTOP, "light"),
    ("signed-out", journey.signed_out, DESKTOP, "light"),
)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        production_server(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        provision(server, **cast(CLIENT))
        chromium = playwright.chromium.launch(executable_path=ensure_chromium(), args=FLAGS)
        for name, step, size, scheme in PICTURES:
            picture = take(chromium, Site(server.base, CLIENT), step, size, scheme)
            (IMAGES / f"{name}.png").write_bytes(picture)
            print(f"docs/images/{name}.png  {len(picture) // 1024} KiB")


def take(
    chromium: Browser,
    site: Site,
    step: Callable[[Page, Site], None],
    size: dict[str, int],
    scheme: str,
) -> bytes:
    context = chromium.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=2, locale="en-GB"
    )
    page = context.new_page()
    step(page, site)
    page.evaluate("document.activeElement.blur()")  # no blinking cursor
    picture = page.screenshot(animations="disabled", full_page=True)
    context.close()
    return small_png.reduce(picture)


if __name__ == "__main__":
    main()
