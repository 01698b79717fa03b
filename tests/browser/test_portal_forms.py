"""The comfort of an application's forms, by keyboard; and every form without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from tests.browser.administrator import Administrator
from tests.browser.conftest import PHONE, Complaints
from tests.browser.journey import Site

PASTE = """(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
}"""


@pytest.fixture
def admin(page: Page, site: Site) -> Administrator:
    """Somebody with every right, on the list of applications."""
    made = Administrator(page, site.base)
    made.sign_in()
    return made


def entries(page: Page, name: str) -> list[str]:
    """What the form would send of a list."""
    return page.locator(f"textarea[name={name}]").input_value().split("\n")


def test_a_list_is_edited_by_keyboard(admin: Administrator, complaints: Complaints) -> None:
    page = admin.page
    made = admin.add("OAuth2 Client", "by_keyboard", "By Keyboard")
    admin.open(f"application/{made}/general-usage/")
    page.get_by_role("radio", name="List", exact=True).check()

    page.get_by_role("group", name="Client ID List").get_by_role("textbox").last.focus()
    for client in ("first", "second", "third"):
        page.keyboard.type(client)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove: second").press("Enter")
    expect(page.get_by_role("button", name="Remove: third")).to_be_focused()
    page.get_by_role("button", name="Remove: third").press("Enter")
    expect(page.get_by_role("button", name="Remove: first")).to_be_focused()
    assert entries(page, "client_ids") == ["first"]

    page.get_by_role("button", name="Remove: first").press("Enter")
    page.keyboard.type("typed but not added")
    assert entries(page, "client_ids") == ["typed but not added"]
    assert not complaints.in_the_portal


def test_several_lines_that_are_pasted_make_several_rows(admin: Administrator) -> None:
    page = admin.page
    made = admin.add("OAuth2 Server", "by_pasting", "By Pasting")
    admin.open(f"application/{made}/general-usage/")
    field = page.get_by_role("group", name="Allowed Redirects").get_by_role("textbox").last

    field.evaluate(PASTE, "https://a.example/1\r\n\n https://a.example/2 \nhttps://a.example/3")
    admin.save("General Usage")

    rows = page.get_by_role("group", name="Allowed Redirects").get_by_role("listitem")
    expect(rows).to_have_count(3)
    assert entries(page, "redirect_uris")[1] == "https://a.example/2"


def test_the_bad_row_of_a_list_is_marked_and_the_summary_leads_there(admin: Administrator) -> None:
    page = admin.page
    made = admin.add("OAuth2 Client", "bad_row", "Bad Row")
    admin.open(f"application/{made}/general-usage/")
    for address in ("https://a.example/", "javascript:alert(1)"):
        admin.add_line("Allowed Redirects", address)
    page.get_by_role("button", name="Save", exact=True).click()

    marked = page.locator("[aria-invalid=true]:visible")
    expect(marked).to_have_count(1)
    expect(marked).to_have_value("javascript:alert(1)")
    page.get_by_role("alert").get_by_role("link", name="Allowed Redirects").click()
    group = page.get_by_role("group", name="Allowed Redirects")
    expect(group.get_by_role("textbox").last).to_be_focused()


def test_fields_are_shown_with_the_choice_that_needs_them(admin: Administrator) -> None:
    page = admin.page
    made = admin.add("OAuth2 Client", "by_choice", "By Choice")
    admin.open(f"application/{made}/general-usage/")
    flag, clients = page.get_by_label("Must be OAuth Client"), page.get_by_text("Client ID List:")

    for choice, seen in (("Anything", (0, 0)), ("List", (0, 1)), ("Confidential", (1, 0))):
        page.get_by_role("radio", name=choice, exact=True).check()
        expect(flag).to_be_visible(visible=bool(seen[0]))
        expect(clients).to_be_visible(visible=bool(seen[1]))


def test_leaving_with_unsaved_changes_asks_and_saving_does_not(admin: Administrator) -> None:
    page = admin.page
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    made = admin.add("OAuth2 Client", "guarded", "Guarded")
    admin.open(f"application/{made}/tokens/")
    admin.open("application/")
    assert asked == []

    admin.open(f"application/{made}/change/")
    page.get_by_label("Application Name").fill("Renamed")
    admin.save("Settings")
    assert asked == []

    page.get_by_label("Application Name").fill("Forgotten")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/application/")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
def test_every_form_saves_without_javascript(
    new_context: Callable[..., BrowserContext], site: Site, size: dict[str, int] | None
) -> None:
    context = new_context(java_script_enabled=False, **({"viewport": size} if size else {}))
    page = context.new_page()
    admin = Administrator(page, site.base)
    admin.sign_in()
    suffix = "phone" if size else "desktop"
    made = admin.add("OAuth2 Client", f"scriptless_{suffix}", "Scriptless")

    admin.open(f"application/{made}/general-usage/")
    page.get_by_role("radio", name="List", exact=True).check()
    page.get_by_label("Client ID List").fill("one\ntwo")
    page.get_by_label("Allowed Redirects").fill("https://a.example/\nhttps://b.example/")
    admin.save("General Usage")
    expect(page.get_by_label("Client ID List")).to_have_value("one\ntwo")

    admin.open(f"application/{made}/tokens/")
    page.get_by_label("Token Lifetime:", exact=True).fill("2 hours")
    admin.save("Tokens")
    expect(page.get_by_label("Token Lifetime:", exact=True)).to_have_value("0.02:00:00")

    admin.open(f"application/{made}/change/")
    logo = {"name": "logo", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    page.get_by_label("Logo:", exact=True).set_input_files(logo)  # type: ignore[arg-type]
    admin.save("Settings")
    expect(page.get_by_alt_text("The present logo")).to_have_count(1)
    page.get_by_label("Remove the logo").check()
    admin.save("Settings")
    expect(page.get_by_alt_text("The present logo")).to_have_count(0)
