"""Writes docs/images from the running product: `python -m tests.browser.screenshots`.

Names of pictures as arguments take only those, the portal's as `portal/grants`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.system_programs import ensure_chromium
from tests.browser import journey, small_png
from tests.browser.administrator import Administrator
from tests.browser.conftest import FLAGS
from tests.browser.journey import Site, cast
from tests.browser.portal_cast import furnish
from tests.browser.portal_screens import SCREENS, Rows
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


# The portal: `hard` ones and their like are for tests alone.
PORTAL = (
    *("home", "web-apps", "add-web-apps", "add-web-apps-custom", "add-web-apps-import-preview"),
    *("add-web-app", "actions", "settings", "general-usage", "trust", "client-secret-new"),
    *("tokens", "scope", "permissions", "account-mapping", "policy", "changelog"),
    *("test-an-application", "test-an-application-answer", "test-an-application-tokens"),
    *("token-preview-shown", "watching", "posture", "posture-profile", "snippets"),
    *("service-user", "role-members", "role-applications", "grants", "grant"),
    *("signing-keys", "signing-key-rotate", "audit-log", "requests", "request"),
    "sign-out-deliveries",
)
WINDOW = {"width": 1280, "height": 720}
TALLEST = 1500  # pixels: a picture says what a screen is like, not all of it
# A picture names neither the port nor the day of the machine that took it.
ADDRESS = "https://id.example.com"
DAY = "2030-01-15"
NEUTRAL = r"""([old, address, day]) => {
  const months = ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.",
                  "Nov.", "Dec."];
  const dates = new RegExp(`(${months.join("|").replaceAll(".", "\\.")}) (\\d+), (\\d{4})`, "g");
  const shift = Date.parse(day) - Date.parse(new Date().toISOString().slice(0, 10));
  const moved = (_, month, date, year) => {
    const found = new Date(Date.UTC(year, months.indexOf(month), date) + shift);
    return `${months[found.getUTCMonth()]} ${found.getUTCDate()}, ${found.getUTCFullYear()}`;
  };
  const names = [[old, address], [encodeURIComponent(old), encodeURIComponent(address)],
                 [new URL(old).host, new URL(address).host]];
  const neutral = (text) => names.reduce((told, [from, to]) => told.replaceAll(from, to), text)
    .replace(/\b1\d{9}\b/g, (seconds) => Number(seconds) + shift / 1000)
    .replace(dates, moved);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = neutral(texts.currentNode.data);
  }
  for (const input of document.querySelectorAll("input")) {
    input.placeholder = neutral(input.placeholder);
    input.value = neutral(input.value);
  }
  document.activeElement.blur();
  window.scrollTo(0, 0);
}"""


def main() -> None:
    wanted = sys.argv[1:]
    (IMAGES / "portal").mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        production_server(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        provision(server, **cast(CLIENT))
        chromium = playwright.chromium.launch(executable_path=ensure_chromium(), args=FLAGS)
        for name, step, size, scheme in PICTURES:
            if not wanted or name in wanted:
                keep(name, take(chromium, Site(server.base, CLIENT), step, size, scheme))
        rows = furnish(server, "pictures")
        for name, picture in portal(chromium, server.base, rows, wanted):
            keep(name, picture)


def keep(name: str, picture: bytes) -> None:
    small = small_png.reduce(picture)
    (IMAGES / f"{name}.png").write_bytes(small)
    print(f"docs/images/{name}.png  {len(small) // 1024} KiB", flush=True)


def portal(
    chromium: Browser, base: str, rows: Rows, wanted: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Screens of an administrator, one after the other in one window."""
    names = [name for name in PORTAL if not wanted or f"portal/{name}" in wanted]
    context = chromium.new_context(viewport=WINDOW, color_scheme="light", locale="en-GB")
    admin = Administrator(context.new_page(), base)
    admin.sign_in()
    for name in names:
        SCREENS[name].open(admin, rows)
        yield f"portal/{name}", photograph(admin.page, base)
    context.close()


def photograph(page: Page, base: str) -> bytes:
    """The whole page, without a blinking cursor; Save stands at its end, where nothing scrolls."""
    page.evaluate(NEUTRAL, [base, ADDRESS, DAY])
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**WINDOW, "height": max(WINDOW["height"], min(height, TALLEST))})
    picture = page.screenshot(animations="disabled")
    page.set_viewport_size(WINDOW)
    return picture


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
    return picture


if __name__ == "__main__":
    main()
