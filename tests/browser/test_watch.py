"""Watch in a browser: requests appear by themselves, and the page says when that ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, StorageState, expect

from tests.browser.administrator import Administrator, number_of
from tests.browser.conftest import Complaints
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer

REDIRECT = "https://watched.example/signed-in"
SOON = 10_000  # milliseconds: the page asks every two seconds


@pytest.fixture
def application(administrator: Administrator, live_provider: ProductionServer) -> str:
    """Where the pages of an application are that only this file watches."""
    watched = {"application_id": "watched", "name": "Watched", "redirect_uris": [REDIRECT]}
    provision(live_provider, applications=[watched])
    administrator.open("application/?q=watched")
    administrator.page.locator("#result_list tbody a").first.click()
    expect(administrator.page.get_by_role("heading", name="Watched")).to_be_visible()
    return f"application/{number_of(administrator.page)}/"


def ask(page: Page, base: str, **changes: str) -> None:
    """A client asks for a code; another tab, so the page that watches stays in sight."""
    asked = {
        "response_type": "code",
        "client_id": "my_service_user",
        "redirect_uri": REDIRECT,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        **changes,
    }
    page.request.get(f"{base}/OAuth2/Authorize/watched", params=asked, max_redirects=0)


def begin(administrator: Administrator, application: str) -> Page:
    page = administrator.page
    administrator.open(f"{application}watch/")
    if page.get_by_role("button", name="Watch for 10 minutes").is_visible():
        page.get_by_role("button", name="Watch for 10 minutes").click()
    expect(page.get_by_role("button", name="Stop watching")).to_be_visible()
    return page


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop watching").click()
    expect(page.get_by_role("button", name="Watch for 10 minutes")).to_be_visible()


def test_requests_appear_by_themselves_and_are_told(
    administrator: Administrator, application: str, complaints: Complaints
) -> None:
    page = begin(administrator, application)
    requests = page.locator(".oidc-watch > li")
    before = requests.count()
    expect(page.get_by_role("link", name="Refresh")).to_be_hidden()

    ask(page, administrator.base)
    expect(requests).to_have_count(before + 1, timeout=SOON)
    expect(requests.first).to_contain_text("succeeded")
    ask(page, administrator.base, redirect_uri=f"{REDIRECT}/")
    expect(requests).to_have_count(before + 2, timeout=SOON)

    expect(requests.first).to_contain_text("is not one of the Allowed Redirects")
    expect(requests.first.locator(".oidc-check-failed")).to_contain_text("authorize.redirect_uri")
    expect(page.get_by_role("status").last).to_have_text("1 new request, 1 refused")
    requests.first.get_by_role("link", name="Why?").click()
    expect(page.get_by_text("authorize.redirect_uri").first).to_be_visible()
    stop(begin(administrator, application))
    assert complaints.in_the_portal == []


def test_a_watch_that_somebody_else_stops_says_so(
    administrator: Administrator, application: str, complaints: Complaints
) -> None:
    page = begin(administrator, application)
    elsewhere = page.context.new_page()
    elsewhere.goto(page.url)
    stop(elsewhere)

    page.bring_to_front()
    expect(page.get_by_text("The watch has ended.")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("timer")).to_be_hidden()
    expect(page.get_by_role("button", name="Stop watching")).to_be_hidden()
    expect(page.get_by_role("button", name="Watch for 10 minutes")).to_be_visible()
    assert complaints.in_the_portal == []


def test_a_session_that_ends_leaves_a_sentence_and_a_way_back(
    administrator: Administrator, application: str
) -> None:
    page = begin(administrator, application)
    cookies = page.context.cookies()
    page.context.clear_cookies()

    expect(page.get_by_text("Your session has ended")).to_be_visible(timeout=SOON)
    assert page.locator(".oidc-watch input").count() == 0
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.get_by_role("link", name="Sign in again").click()
    stop(page)


def test_a_page_out_of_sight_asks_nothing(administrator: Administrator, application: str) -> None:
    page = begin(administrator, application)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide = "Object.defineProperty(document, 'visibilityState', {get: () => window.seen})"
    page.evaluate(f"window.seen = 'hidden'; {hide}")
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(5000)
    assert asked == []

    page.evaluate("window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    assert any("watch-news" in url for url in asked)
    stop(page)


def test_without_javascript_the_page_is_refreshed_by_a_link(
    administrator: Administrator,
    application: str,
    new_context: Callable[..., BrowserContext],
    signed_in_administrator: StorageState,
) -> None:
    context = new_context(storage_state=signed_in_administrator, java_script_enabled=False)
    plain = Administrator(context.new_page(), administrator.base)
    page = begin(plain, application)
    before = page.locator(".oidc-watch > li").count()
    ask(page, plain.base, redirect_uri=f"{REDIRECT}/plain")

    page.get_by_role("link", name="Refresh").click()

    expect(page.locator(".oidc-watch > li")).to_have_count(before + 1)
    stop(page)
