"""Test this application in a browser: the whole flow as a client, for every type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, StorageState, expect

from tests.browser.administrator import Administrator, number_of
from tests.browser.conftest import Complaints
from tests.browser.journey import PASSWORD, Site
from tests.browser.portal_screens import SWITCH_ON
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer

SECRET = "a-secret-of-thirty-two-characters"
APPLICATIONS = [
    {
        "application_id": "tried_client",
        "name": "Tried Client",
        "client_ids": ["my_service_user"],
        "issues_refresh_tokens": True,
        "requires_consent": True,
        "scopes": {"notes.read": "Read the notes that you have written"},
    },
    {
        "application_id": "tried_server",
        "name": "Tried Server",
        "template": "OAuth2Server",
        "client_id_type": "Confidential",
        "client_ids": [],
        "flows": ["AuthorizationCode", "ClientCreds"],
        "audience": "company://audience",
    },
    {
        "application_id": "tried_openid",
        "name": "Tried OpenID",
        "template": "Generic OpenID Connect",
        "client_id_type": "Confidential",
        "client_ids": [],
        "flows": ["AuthorizationCode", "Implicit"],
        "redirect_uris": ["https://online.notes.example.com/signed-in"],
    },
]


@pytest.fixture(scope="module")
def applications(site: Site, live_provider: ProductionServer) -> None:
    robot = {"client_id": "tried-robot", "client_secret": SECRET}
    provision(live_provider, service_users=[robot], applications=APPLICATIONS)


def open_test_of(administrator: Administrator, application_id: str) -> Page:
    page = administrator.page
    administrator.open(f"application/?q={application_id}")
    page.locator("#result_list tbody a").first.click()
    page.get_by_role("link", name="Test this application", exact=True).click()
    assert number_of(page)
    switch = page.get_by_role("button", name=SWITCH_ON)
    if switch.count():
        switch.click()
        administrator.told("Added to Allowed Redirects")
    return page


def send(page: Page) -> None:
    page.get_by_role("button", name="Send the request").click()


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("heading", name=button, exact=True, level=2)).to_be_visible()


def answered(page: Page, status: str = "200 OK") -> None:
    expect(page.get_by_role("status").first).to_contain_text(status)


def type_secret(page: Page) -> None:
    page.get_by_label("client_secret").fill(SECRET)


@pytest.fixture(params=[True, False], ids=["with-javascript", "without-javascript"])
def tester(
    request: pytest.FixtureRequest,
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    site: Site,
    signed_in_administrator: StorageState,
    applications: None,
) -> Iterator[Administrator]:
    """An administrator, once with and once without JavaScript."""
    context = new_context(storage_state=signed_in_administrator, java_script_enabled=request.param)
    window = context.new_page()
    complaints.watch(window)
    yield Administrator(window, site.base)
    assert not complaints.in_the_portal


def test_an_oauth2_client_of_type_list(tester: Administrator) -> None:
    page = open_test_of(tester, "tried_client")
    page.get_by_label("prompt", exact=True).fill("consent")
    send(page)
    page.get_by_role("button", name="Allow").click()

    expect(page.get_by_text("state is the one that was sent.")).to_be_visible()
    press(page, "Exchange the code")
    answered(page)
    expect(page.get_by_text("The signature is verified: RS256")).to_have_count(1)
    press(page, "Refresh")
    answered(page)
    press(page, "Revoke the refresh token")
    answered(page)
    press(page, "Refresh")
    answered(page, "400 Bad Request")
    expect(page.get_by_role("link", name="Why was this refused?")).to_be_visible()


def test_an_oauth2_server(tester: Administrator) -> None:
    page = open_test_of(tester, "tried_server")
    page.locator("#id_client_id").fill("tried-robot")
    send(page)
    page.get_by_label("client_secret").fill("not the secret at all, I am afraid")
    press(page, "Exchange the code")
    answered(page, "401 Unauthorized")

    type_secret(page)
    press(page, "Exchange the code")

    answered(page)
    type_secret(page)
    press(page, "Introspect the access token")
    expect(page.get_by_text('"active": true')).to_be_visible()
    assert SECRET not in page.content()


def test_client_credentials(tester: Administrator) -> None:
    page = open_test_of(tester, "tried_server")
    page.locator("#machine_client_id").fill("tried-robot")
    type_secret(page)
    page.get_by_role("button", name="Ask for a token").click()

    answered(page)
    expect(page.get_by_text("The signature is verified: RS256")).to_have_count(1)


def test_an_openid_connect_application(tester: Administrator) -> None:
    page = open_test_of(tester, "tried_openid")
    send(page)
    press(page, "Exchange the code")
    answered(page)
    expect(page.get_by_text("The signature is verified: RS256")).to_have_count(2)
    press(page, "UserInfo")
    expect(page.get_by_text("sub is the one of the ID token.")).to_be_visible()


def test_tokens_through_the_browser(tester: Administrator) -> None:
    page = open_test_of(tester, "tried_openid")
    page.get_by_role("link", name="id_token token", exact=True).click()
    send(page)
    if page.get_by_role("button", name="Continue").count():  # the form that cannot post itself
        page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", name="Arrived in a form")).to_be_visible()
    expect(page.get_by_text("The signature is verified: RS256")).to_have_count(2)


def test_the_fragment_is_read_where_there_is_javascript(
    administrator: Administrator, applications: None
) -> None:
    page = open_test_of(administrator, "tried_openid")
    page.get_by_role("link", name="id_token", exact=True).click()
    page.get_by_label("response_mode").fill("fragment")
    send(page)

    expect(page.get_by_role("heading", name="Arrived in a form")).to_be_visible()
    expect(page.get_by_text("The signature is verified: RS256")).to_have_count(1)
    assert "id_token" not in page.url


def test_the_sign_out_leads_back_to_the_test(
    new_context: Callable[..., Any], complaints: Complaints, site: Site, applications: None
) -> None:
    alone = Administrator(new_context().new_page(), site.base)
    complaints.watch(alone.page)
    alone.sign_in("kim")
    page = open_test_of(alone, "tried_openid")
    page.get_by_role("button", name="Switch on: Authorized post-logout redirect URIs").click()
    alone.told("Added to Authorized post-logout redirect URIs")
    send(page)
    press(page, "Exchange the code")
    page.get_by_role("button", name="Sign out (EndSession)").click()

    page.get_by_label("Username").fill("kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(
        page.get_by_role("heading", name="Test this application", exact=True, level=2)
    ).to_be_visible()
    assert not complaints.about_policies
