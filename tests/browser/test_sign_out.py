"""Signing out in a browser: frames, the way back, and forms of other sites."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import PHONE, Complaints
from tests.browser.journey import CHALLENGE, Site, received, sign_in
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer
from tests.spec import spec

CLIENT = "a2b6f0a8-5a3c-4d0b-9a0e-3f1d0c9b7e55"


@pytest.fixture(scope="module")
def leaving(site: Site, live_provider: ProductionServer) -> Site:
    """An application that is told in a frame, and has an address to return to."""
    application = {
        "application_id": "browser_leaving",
        "name": "Field Notes Archive",
        "template": "Generic OpenID Connect",
        "client_id_type": "Confidential",
        "client_ids": [],
        "openid_client_id": CLIENT,
        "redirect_uris": [site.client.callback],
        "post_logout_redirect_uris": [f"{site.client.origin}/bye"],
        "frontchannel_logout_uri": f"{site.client.origin}/front",
    }
    provision(live_provider, people=[], applications=[application])
    return site


def enter(page: Page, site: Site) -> None:
    request = {
        "response_type": "code",
        "client_id": CLIENT,
        "scope": "openid",
        "redirect_uri": site.client.callback,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    page.goto(f"{site.base}/OAuth2/Authorize/browser_leaving?{urlencode(request)}")
    sign_in(page)
    received(page, site)


def parameters(site: Site) -> dict[str, str]:
    address = f"{site.client.origin}/bye"
    return {"client_id": CLIENT, "post_logout_redirect_uri": address, "state": "a state"}


@spec("OpenID Connect Front-Channel Logout", "3")
@pytest.mark.parametrize("scripts", [True, False])
def test_the_application_is_told_in_a_frame_and_the_person_comes_back(
    new_context: Callable[..., BrowserContext], leaving: Site, scripts: bool
) -> None:
    page = new_context(java_script_enabled=scripts).new_page()
    complaints = Complaints()
    complaints.watch(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, leaving)

    page.goto(f"{leaving.sign_out}?{urlencode(parameters(leaving))}")
    expect(page.get_by_text("localhost")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.wait_for_url(f"{leaving.client.origin}/bye?state=a%20state")

    (frame,) = [url for url in asked if "/front?" in url]
    told = parse_qs(urlsplit(frame).query)
    assert told["iss"] == [f"{leaving.base}/browser_leaving/"]
    assert told["sid"]
    assert not complaints.about_policies


def test_the_link_does_not_wait(page: Page, leaving: Site) -> None:
    enter(page, leaving)
    page.goto(f"{leaving.sign_out}?{urlencode(parameters(leaving))}")
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("link", name="Continue").click()

    page.wait_for_url(f"{leaving.client.origin}/bye?state=a%20state", timeout=2000)


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_form_of_another_site_finds_the_session_that_its_cookie_names(
    page: Page, leaving: Site
) -> None:
    """SameSite=Lax keeps the cookie back at first; without the redirect nobody would be asked."""
    enter(page, leaving)
    fields = "".join(
        f'<input name="{name}" value="{value}">' for name, value in parameters(leaving).items()
    )
    form = f'<form method="post" action="{leaving.sign_out}">{fields}<button>Leave</button></form>'

    def leave(route: Route) -> None:
        route.fulfill(body=form, content_type="text/html")

    page.route(f"{leaving.client.origin}/leave", leave)
    page.goto(f"{leaving.client.origin}/leave")
    page.get_by_role("button", name="Leave").click()

    expect(page.get_by_role("heading", name="Do you want to sign out?")).to_be_visible()
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("heading", name="You are still signed in")).to_be_visible()


@pytest.mark.parametrize("step", ["asked", "told", "stayed"])
def test_each_page_suits_every_person_and_every_screen(
    page: Page, leaving: Site, axe: Callable[[Page], None], step: str
) -> None:
    enter(page, leaving)
    page.goto(f"{leaving.sign_out}?{urlencode(parameters(leaving))}")
    if step == "told":
        page.route(f"{leaving.client.origin}/bye**", lambda route: route.abort())
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Continue")).to_be_visible()
    if step == "stayed":
        page.get_by_role("button", name="Stay signed in").click()
        expect(page.get_by_role("heading", name="You are still signed in")).to_be_visible()

    page.set_viewport_size(PHONE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        axe(page)
