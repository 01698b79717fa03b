"""Chromium, driven by Playwright, and what it notices about our pages."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    sync_playwright,
)

from scripts.system_programs import ensure_chromium
from tests.browser.administrator import Administrator
from tests.browser.journey import Site, cast
from tests.browser.relying_party import relying_party
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent.parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Links change their colour slowly: what is seen on the way is no finding. Nothing is waited for,
# as a page that the browser does not draw at the moment never ends an animation.
SETTLED = "document.getAnimations().forEach(each => each.finish())"
# A script that never answers would hold the whole run.
AXE_RUN = """([rules, exclude]) => Promise.race([
  axe.run({exclude}, {runOnly: {type: 'tag', values: rules}}),
  new Promise((_, fail) => setTimeout(() => fail(new Error("axe took two minutes")), 120_000)),
])"""
PHONE = {"width": 390, "height": 844}


@dataclass
class Complaints:
    """What the browser reported: broken policies, script errors, failed assets."""

    texts: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.texts.append(f"script error: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.texts.append(f"{message.text} ({message.location.get('url', '')})")

    @property
    def about_policies(self) -> list[str]:
        return [text for text in self.texts if "Content Security Policy" in text]

    @property
    def in_the_portal(self) -> list[str]:
        """All but one: Django's administration names no icon, so the browser looks for one."""
        return [text for text in self.texts if "/favicon.ico" not in text]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=ensure_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(live_provider: ProductionServer) -> Iterator[Site]:
    """The live provider with its applications, and the application that people come from."""
    with relying_party() as client:
        provision(live_provider, **cast(client))
        yield Site(live_provider.base, client)


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open further contexts: another person, a phone, no JavaScript, dark, another language."""
    contexts: list[BrowserContext] = []

    def open_context(**options: object) -> BrowserContext:
        contexts.append(browser.new_context(**{"locale": "en-GB", **options}))
        contexts[-1].set_default_timeout(15_000)
        return contexts[-1]

    yield open_context
    for context in contexts:
        context.close()


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], complaints: Complaints) -> Iterator[Page]:
    """A fresh browser window; the test fails when a page broke its Content-Security-Policy."""
    window = new_context().new_page()
    complaints.watch(window)
    yield window
    assert not complaints.about_policies


@pytest.fixture(scope="session")
def signed_in_administrator(browser: Browser, site: Site) -> StorageState:
    """The cookies of an administrator: one sign-in serves many tests."""
    context = browser.new_context(locale="en-GB")
    Administrator(context.new_page(), site.base).sign_in()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def administrator(
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    site: Site,
    signed_in_administrator: StorageState,
) -> Iterator[Administrator]:
    """An administrator in the portal; the test fails when a screen broke the policy."""
    window = new_context(storage_state=signed_in_administrator).new_page()
    complaints.watch(window)
    yield Administrator(window, site.base)
    assert not complaints.about_policies


@pytest.fixture
def axe() -> Callable[..., None]:
    """Assert that axe finds nothing on the page as it stands, but for what is not ours."""

    def check(page: Page, *, without: tuple[str, ...] = ()) -> None:
        if not page.evaluate("typeof window.axe === 'object'"):
            page.evaluate(AXE.read_text())
        page.evaluate(SETTLED)
        found = page.evaluate(AXE_RUN, [AXE_RULES, [[selector] for selector in without]])
        assert not found["violations"], readable(found["violations"])

    return check


def readable(violations: list[dict[str, object]]) -> str:
    short = [
        {"rule": v["id"], "why": v["help"], "where": [n["html"] for n in v["nodes"]]}  # type: ignore[attr-defined]
        for v in violations
    ]
    return json.dumps(short, indent=1)
