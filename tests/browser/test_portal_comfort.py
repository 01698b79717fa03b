"""What the portal's script adds: guarded changes, lists, copies; and hands on the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, Locator, Page, expect

from tests.browser.administrator import Administrator, number_of
from tests.browser.conftest import Complaints
from tests.browser.journey import Site
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer


@pytest.fixture
def application(administrator: Administrator, live_provider: ProductionServer) -> str:
    """Where the pages of an application are that only this file changes."""
    comfort = {"application_id": "comfort", "name": "Comfort"}
    provision(live_provider, applications=[comfort])
    administrator.open("application/?q=comfort")
    administrator.page.locator("#result_list tbody a").first.click()
    expect(administrator.page.get_by_role("heading", name="Comfort")).to_be_visible()
    return f"application/{number_of(administrator.page)}/"


def test_hands_on_the_keyboard_suffice_to_save(
    administrator: Administrator, application: str
) -> None:
    page = administrator.page
    administrator.open(f"{application}general-usage/")
    tab_to(page, page.get_by_role("radio", name="List", exact=True))
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Anything")).to_be_checked()
    expect(page.get_by_role("group", name="Client ID List")).to_be_hidden()
    page.keyboard.press("ArrowDown")

    redirects = page.get_by_role("group", name="Allowed Redirects")
    tab_to(page, redirects.get_by_role("textbox").last)
    page.keyboard.type("https://keys.example/typed")
    page.keyboard.press("Enter")
    expect(redirects.get_by_role("textbox")).to_have_count(3)
    page.keyboard.type("https://keys.example/not-added-yet")
    tab_to(page, page.get_by_role("button", name="Save", exact=True))
    page.keyboard.press("Enter")

    administrator.told("General Usage was saved.")
    for uri in ("https://keys.example/typed", "https://keys.example/not-added-yet"):
        expect(redirects.get_by_role("button", name=f"Remove: {uri}")).to_be_visible()
    tab_to(page, redirects.get_by_role("button", name="Remove: https://keys.example/typed"))
    page.keyboard.press("Space")
    expect(redirects.get_by_role("textbox")).to_have_count(3)


def test_the_actions_menu_opens_and_closes_by_the_keyboard(
    administrator: Administrator, application: str
) -> None:
    page = administrator.page
    administrator.open(f"{application}change/")
    menu = page.get_by_text("Actions", exact=True)
    clone = page.get_by_role("link", name="Clone", exact=True)

    tab_to(page, menu)
    expect(clone).to_be_hidden()
    page.keyboard.press("Enter")
    expect(clone).to_be_visible()
    page.keyboard.press("Space")
    expect(clone).to_be_hidden()
    page.keyboard.press("Enter")
    tab_to(page, clone)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Clone", exact=True)).to_be_visible()


def tab_to(page: Page, target: Locator, most: int = 90) -> None:
    """Press Tab until the target has the focus, which must be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("it => it === document.activeElement"):
            assert page.evaluate(IS_SEEN), "nobody sees where the focus is"
            return
    raise AssertionError("Tab does not lead there")


IS_SEEN = """(() => {
  const style = getComputedStyle(document.activeElement);
  const resting = getComputedStyle(document.body);
  return style.outlineStyle !== 'none' || style.boxShadow !== 'none'
    || style.borderColor !== resting.borderColor;
})()"""


def test_unsaved_changes_are_guarded(administrator: Administrator, application: str) -> None:
    page = administrator.page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    administrator.open(f"{application}change/")
    page.get_by_label("Application Description").fill("Not saved yet")
    page.get_by_role("link", name="Tokens", exact=True).click(no_wait_after=True)
    page.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    expect(page.get_by_label("Application Description")).to_have_value("Not saved yet")


def test_saving_asks_nothing_and_neither_does_leaving_what_is_as_it_was(
    administrator: Administrator, application: str
) -> None:
    page = administrator.page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    administrator.open(f"{application}change/")
    page.get_by_label("Application Description").fill("Saved at once")
    administrator.save("Settings")
    page.get_by_label("Application Description").fill("Changed")
    page.get_by_label("Application Description").fill("Saved at once")
    administrator.turn_to("Tokens")

    assert asked == []


def test_what_was_refused_is_still_guarded(administrator: Administrator, application: str) -> None:
    page = administrator.page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    administrator.open(f"{application}general-usage/")
    page.get_by_role("textbox", name="Issuer").fill("no address")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox", name="Issuer").click()  # browsers ask only those who did something
    administrator.turn_to("Tokens")

    assert asked == ["beforeunload"]


def test_addresses_are_copied(administrator: Administrator, application: str, site: Site) -> None:
    page = administrator.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.base)
    administrator.open(f"{application}change/")

    page.get_by_role("button", name="Copy: Issuer").click()

    expect(page.get_by_role("button", name="Copied: Issuer")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.base}/comfort/"


def test_several_lines_that_are_pasted_become_several_entries(
    administrator: Administrator, application: str, site: Site
) -> None:
    page = administrator.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.base)
    administrator.open(f"{application}general-usage/")
    clients = page.get_by_role("group", name="Client ID List")
    before = clients.get_by_role("textbox").count()

    page.evaluate("navigator.clipboard.writeText('one_client\\ntwo_client\\nthree_client')")
    clients.get_by_role("textbox").last.focus()
    page.keyboard.press("Control+V")

    expect(clients.get_by_role("textbox")).to_have_count(before + 3)
    expect(clients.get_by_role("button", name="Remove: two_client")).to_be_visible()


def test_the_second_of_two_administrators_is_told_and_keeps_what_he_typed(
    administrator: Administrator,
    application: str,
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    site: Site,
    axe: Callable[..., Any],
) -> None:
    second = Administrator(new_context().new_page(), site.base)
    complaints.watch(second.page)
    second.sign_in("kim")
    second.open(f"{application}general-usage/")
    administrator.open(f"{application}general-usage/")
    administrator.add_line("Allowed Redirects", "https://first.example/came")
    administrator.save("General Usage")

    second.add_line("Allowed Redirects", "https://second.example/typed")
    second.page.get_by_role("button", name="Save", exact=True).click()

    told = second.page.get_by_role("alert")
    expect(told).to_contain_text("robin changed this application while you were editing it")
    typed = second.page.get_by_role("button", name="Remove: https://second.example/typed")
    expect(typed).to_be_visible()
    axe(second.page)
    second.page.get_by_role("link", name="Open this page as it is stored now").click()
    second.page.get_by_role("button", name="Remove: https://first.example/came").wait_for()
    second.add_line("Allowed Redirects", "https://second.example/typed")
    second.save("General Usage")
