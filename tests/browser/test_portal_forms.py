"""JavaScript off: every form of the portal saves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, StorageState, expect

from tests.browser.administrator import Administrator
from tests.browser.journey import Site
from tests.browser.portal_cast import furnish
from tests.browser.portal_screens import choose_an_import
from tests.live_server import ProductionServer


@pytest.fixture(scope="module")
def rows(site: Site, live_provider: ProductionServer) -> dict[str, Any]:
    return furnish(live_provider, "forms")


@pytest.fixture
def plain(
    new_context: Callable[..., BrowserContext], site: Site, signed_in_administrator: StorageState
) -> Administrator:
    """An administrator whose browser runs no scripts."""
    context = new_context(storage_state=signed_in_administrator, java_script_enabled=False)
    return Administrator(context.new_page(), site.base)


Step = Callable[[Page], None]


def fill(label: str, text: str) -> Step:
    return lambda page: page.get_by_label(label).first.fill(text)


def tick(label: str) -> Step:
    return lambda page: page.get_by_role("checkbox", name=label).check()


def choose(label: str) -> Step:
    return lambda page: page.get_by_role("radio", name=label).check()


def holds(label: str, text: str) -> Step:
    return lambda page: expect(page.get_by_label(label).first).to_have_value(text)


def ticked(label: str) -> Step:
    return lambda page: expect(page.get_by_role("checkbox", name=label)).to_be_checked()


def chosen(label: str) -> Step:
    return lambda page: expect(page.get_by_role("radio", name=label)).to_be_checked()


def share_one_name(page: Page) -> None:
    choose("All users share one name")(page)
    page.locator("#id_shared_user_name").fill("observer")


SAVED: dict[str, tuple[str, Step, Step]] = {
    "settings": (
        "{oauth2}/change",
        fill("Application Name", "Renamed"),
        holds("Application Name", "Renamed"),
    ),
    "general-usage-type": ("{oauth2}/general-usage", choose("Anything"), chosen("Anything")),
    "general-usage-list": (
        "{oauth2}/general-usage",
        fill("Client ID List", "my_service_user\nanother_client"),
        holds("Client ID List", "my_service_user\nanother_client"),
    ),
    "general-usage-redirects": (
        "{oauth2}/general-usage",
        fill("Allowed Redirects", "https://a.example/x\nhttps://b.example/y"),
        holds("Allowed Redirects", "https://a.example/x\nhttps://b.example/y"),
    ),
    "trust": (
        "{openid}/trust",
        fill("Authorized Redirect URIs", "https://c.example/z"),
        holds("Authorized Redirect URIs", "https://c.example/z"),
    ),
    "tokens": ("{openid}/tokens", tick("Issue refresh tokens"), ticked("Issue refresh tokens")),
    "scope": (
        "{oauth2}/scope",
        tick("User must confirm authorization request"),
        ticked("User must confirm authorization request"),
    ),
    "account-mapping": (
        "{oauth2}/account-mapping",
        share_one_name,
        chosen("All users share one name"),
    ),
    "policy": (
        "{oauth2}/policy",
        fill("Allowed networks", "10.0.0.0/8"),
        holds("Allowed networks", "10.0.0.0/8"),
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_page_of_an_application_saves(
    plain: Administrator, rows: dict[str, Any], name: str
) -> None:
    path, change, is_stored = SAVED[name]
    plain.open(f"application/{path.format(**rows)}/")
    change(plain.page)

    press(plain, "Save", told="was saved")

    is_stored(plain.page)


def press(admin: Administrator, button: str, *, told: str) -> None:
    admin.page.get_by_role("button", name=button, exact=True).click()
    admin.told(told)


def test_applications_are_added(plain: Administrator) -> None:
    assert plain.add("OAuth2 Server", "added_plainly", "Added plainly") > 0


def test_applications_are_imported_after_a_preview(plain: Administrator, rows: Any) -> None:
    plain.open("application/add/?tab=import")
    choose_an_import(plain.page, "imported")

    press(plain, "Import", told="Imported:")


def test_an_application_is_cloned(plain: Administrator, rows: dict[str, Any]) -> None:
    plain.open(f"application/{rows['openid']}/clone/")

    press(plain, "Clone", told="was cloned")


def test_an_application_is_disabled_and_enabled(plain: Administrator, rows: dict[str, Any]) -> None:
    for title, told in (("Disable", "is disabled"), ("Enable", "is enabled")):
        plain.open(f"application/{rows['openid']}/change/")
        plain.page.get_by_text("Actions", exact=True).click()
        plain.page.get_by_role("link", name=title, exact=True).click()
        press(plain, title, told=told)


def test_an_application_is_deleted(plain: Administrator, rows: dict[str, Any]) -> None:
    plain.open(f"application/{rows['doomed']}/delete/")

    press(plain, "Delete", told="was deleted")


def test_chosen_applications_are_disabled_by_the_lists_menu(
    plain: Administrator, rows: dict[str, Any]
) -> None:
    plain.open("application/?q=switched_by_list")
    plain.page.locator("input.action-select").first.check()
    plain.page.get_by_label("Action:").select_option(label="Disable")

    press(plain, "Run", told="disabled")


def test_a_permission_is_added_changed_and_removed(
    plain: Administrator, rows: dict[str, Any]
) -> None:
    plain.open(f"application/{rows['api']}/permissions/")
    plain.page.get_by_label("Type", exact=True).select_option(label="User")
    plain.page.get_by_label("Name", exact=True).fill("ada")
    press(plain, "Save", told="was saved")
    plain.page.get_by_role("checkbox", name="Manage: ada").check()
    press(plain, "Save", told="was saved")
    expect(plain.page.get_by_role("checkbox", name="Manage: ada")).to_be_checked()
    plain.page.get_by_role("checkbox", name="Remove: ada").check()
    press(plain, "Save", told="was saved")

    expect(plain.page.get_by_text("Nobody has a right")).to_be_visible()


def test_a_scope_is_added_edited_and_deleted(plain: Administrator, rows: dict[str, Any]) -> None:
    page = plain.page
    plain.open(f"application/{rows['oauth2']}/scope/")
    page.get_by_role("link", name="Add", exact=True).last.click()
    page.get_by_label("Name", exact=False).first.fill("tides.read")
    page.get_by_label("Allowed REST APIs").fill("/tides\n/harbours")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Edit tides.read").click()
    page.get_by_label("Description").fill("Read the tides")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("cell", name="Read the tides")).to_be_visible()
    page.get_by_role("link", name="Delete tides.read").click()
    page.get_by_role("button", name="Delete", exact=True).click()

    expect(page.get_by_role("link", name="tides.read")).to_have_count(0)


@pytest.mark.parametrize("owner", ["application/{openid}/trust", "serviceuser/{robot}/change"])
def test_a_secret_is_made_and_revoked(
    plain: Administrator, rows: dict[str, Any], owner: str
) -> None:
    page = plain.page
    plain.open(f"{owner.format(**rows)}/")
    page.get_by_role("link", name="New client secret").click()
    page.get_by_role("button", name="Make a new secret").click()
    assert len(page.locator("#client-secret").inner_text()) >= 40
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="Revoke").first.click()

    press(plain, "Revoke", told="was revoked")


def test_a_service_user_is_added_and_shut_out(plain: Administrator) -> None:
    plain.open("serviceuser/add/")
    plain.page.get_by_label("Login Name").fill("plain-robot")
    plain.page.get_by_role("button", name="Save", exact=True).click()
    plain.open("serviceuser/?q=plain-robot")
    plain.page.get_by_role("link", name="plain-robot").click()
    plain.page.get_by_role("checkbox", name="Active").uncheck()

    press(plain, "Save", told="was changed successfully")


def test_a_role_is_added_with_a_member_and_an_application(plain: Administrator) -> None:
    page = plain.page
    plain.open("role/add/")
    page.get_by_label("Name").first.fill("Plain sailors")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Plain sailors", exact=True).last.click()
    page.get_by_role("link", name="Members", exact=True).click()
    page.get_by_label("Login Name").fill("bob")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("button", name="Remove bob")).to_be_visible()
    page.get_by_role("link", name="Assigned Applications").click()
    page.get_by_label("Application ID").fill("plain_api")
    page.get_by_role("button", name="Assign", exact=True).click()
    page.get_by_role("button", name=re.compile("^Remove ")).click()

    expect(page.get_by_text("No application has a row about this role.")).to_be_visible()


def test_a_grant_is_revoked(plain: Administrator, rows: dict[str, Any]) -> None:
    plain.open(f"grant/{rows['grant']}/revoke/")

    press(plain, "Revoke", told="revoked")


def test_a_key_is_rotated_and_retired(plain: Administrator, rows: dict[str, Any]) -> None:
    plain.open("signingkey/rotate/ES256/")
    press(plain, "Rotate now", told="is published")
    plain.open(f"signingkey/{rows['key']}/retire/")
    plain.page.locator("#content input[type=submit]").click()

    expect(plain.page.locator(".messagelist")).to_be_visible()
