"""An administrator before the Admin Portal, as they see it: by labels, buttons and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.journey import PASSWORD

APPLICATION = re.compile(r"/application/(\d+)/")


def number_of(page: Page) -> int:
    """Of the application that a page is about."""
    found = APPLICATION.search(page.url)
    assert found, page.url
    return int(found[1])


@dataclass(frozen=True)
class Administrator:
    """A window of the portal in which somebody is signed in."""

    page: Page
    base: str

    def sign_in(self, username: str = "robin") -> None:
        """Open the administration and sign in there."""
        self.page.goto(f"{self.base}/admin/")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("link", name="Identity provider").first).to_be_visible()

    def open(self, path: str) -> None:
        """Open a screen by its address below the portal's home."""
        answer = self.page.goto(f"{self.base}/admin/oidc_pkce/{path}")
        assert answer
        assert answer.status == 200, (path, answer.status)

    def add(self, type_name: str, application_id: str, name: str) -> int:
        """Add Web Apps → Custom → Add → Yes → Close; the number of the application that opens."""
        self.open("application/")
        self.page.get_by_role("link", name="Add Web Apps").first.click()
        self.page.get_by_role("link", name="Custom", exact=True).click()
        self.page.get_by_role("link", name=f"Add {type_name}", exact=True).click()
        expect(self.page.get_by_text("Do you want to add this application?")).to_be_visible()
        self.page.get_by_label("Application ID").fill(application_id)
        self.page.get_by_label("Application Name").fill(name)
        self.page.get_by_role("button", name="Yes").click()
        self.told(f"{name} was added.")
        self.page.get_by_role("link", name="Close").click()
        expect(self.page.get_by_role("heading", name="Settings")).to_be_visible()
        return number_of(self.page)

    def turn_to(self, title: str) -> None:
        """One of the pages in the list at the left of an application."""
        pages = self.page.get_by_role("navigation", name="Pages of this application")
        pages.get_by_role("link", name=title, exact=True).click()
        expect(self.page.get_by_role("heading", name=title, exact=True, level=2)).to_be_visible()

    def add_line(self, label: str, text: str) -> None:
        """Type into the field below a list and press its Add."""
        lines = self.page.get_by_role("group", name=label, exact=True)
        lines.get_by_role("textbox").last.fill(text)
        lines.get_by_role("button", name=f"Add: {label}").click()
        expect(lines.get_by_role("button", name=f"Remove: {text}")).to_be_visible()

    def save(self, title: str) -> None:
        """Press Save and wait until the page says so."""
        self.page.get_by_role("button", name="Save", exact=True).click()
        self.told(f"{title} was saved.")

    def give_everybody_the_run_right(self) -> None:
        """On Permissions, with the rights that a new row has anyway."""
        self.turn_to("Permissions")
        self.page.get_by_label("Type", exact=True).select_option(label="Everybody")
        expect(self.page.get_by_role("checkbox", name="Run", exact=True)).to_be_checked()
        self.save("Permissions")
        expect(self.page.get_by_role("checkbox", name="Run: Everybody")).to_be_checked()

    def told(self, sentence: str) -> None:
        """The message above the page."""
        expect(self.page.locator(".messagelist")).to_contain_text(sentence)

    @property
    def badge(self) -> Locator:
        """Not Configured, Ready to Deploy, Deployed."""
        return self.page.locator(".oidc-application-header .oidc-badge").first
