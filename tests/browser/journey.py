"""The provider's pages as a person meets them, and what they do there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, Route, expect

from tests.browser.relying_party import RelyingParty

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PASSWORD = "correct horse battery staple"
NATIVE = "com.example.app:/signed-in"
OPENID_CLIENT = "7d0d3a52-6f8f-43c1-8a51-0d6f5b8f1c11"
SCOPES = "openid profile email notes.read"
CLIENTS = {
    "browser_list": {"client_id": "my_service_user"},
    "browser_openid": {"client_id": OPENID_CLIENT, "scope": SCOPES},
}


@dataclass(frozen=True)
class Site:
    """The live provider, and the application that sends people there."""

    base: str
    client: RelyingParty

    def request(self, application_id: str = "browser_list", **changes: str) -> str:
        """The address of an authorization request."""
        parameters = {
            "response_type": "code",
            **CLIENTS.get(application_id, {}),
            "redirect_uri": self.client.callback,
            "state": "a state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return f"{self.base}/OAuth2/Authorize/{application_id}?{urlencode(parameters)}"

    @property
    def sign_out(self) -> str:
        return f"{self.base}/OAuth2/EndSession"


def cast(client: RelyingParty) -> dict[str, list[dict[str, Any]]]:
    """What the administrator has configured."""
    return {
        "people": [
            *({"username": name, "password": PASSWORD} for name in ("ada", "bob")),
            *(
                {"username": name, "password": PASSWORD, "is_staff": True, "is_superuser": True}
                for name in ("robin", "kim")
            ),
        ],
        "applications": [
            {
                "application_id": "browser_list",
                "name": "Field Notes",
                "redirect_uris": [client.callback, NATIVE],
            },
            {
                "application_id": "browser_openid",
                "name": "Field Notes Online",
                "description": "Keeps what you saw outdoors, on all your devices.",
                "template": "Generic OpenID Connect",
                "client_id_type": "Confidential",
                "client_ids": [],
                "openid_client_id": OPENID_CLIENT,
                "redirect_uris": [client.callback, NATIVE],
                "requires_consent": True,
                "allows_scope_selection": True,
                "scopes": {"notes.read": "Read the notes that you have written"},
            },
        ],
    }


def sign_in(page: Page, username: str = "ada", password: str = PASSWORD) -> None:
    enter_user_name(page, username)
    enter_password(page, password)


def enter_user_name(page: Page, username: str = "ada") -> None:
    page.get_by_label("User name", exact=True).fill(username)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Enter your password")).to_be_visible()


def enter_password(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def received(page: Page, site: Site) -> dict[str, str]:
    """What arrived at the application."""
    page.wait_for_url(f"{site.client.callback}**")
    names = page.locator("dt").all_text_contents()
    return dict(zip(names, page.locator("dd").all_text_contents(), strict=True))


# --- each page of ours, by the shortest way that leads there -----------------------------------


def login(page: Page, site: Site) -> None:
    page.goto(site.request())


def login_password(page: Page, site: Site) -> None:
    login(page, site)
    enter_user_name(page)


def login_error(page: Page, site: Site) -> None:
    login_password(page, site)
    enter_password(page, "not the password")
    expect(page.get_by_role("alert")).to_be_visible()


def consent(page: Page, site: Site) -> None:
    page.goto(site.request("browser_openid", prompt="consent"))
    sign_in(page)
    expect(page.get_by_role("button", name="Allow")).to_be_visible()


def consent_of_a_native_app(page: Page, site: Site) -> None:
    page.goto(site.request(prompt="consent", redirect_uri=NATIVE))
    sign_in(page)
    expect(page.get_by_role("button", name="Allow")).to_be_visible()


def error(page: Page, site: Site) -> None:
    page.goto(site.request(redirect_uri="https://elsewhere.example/callback"))


def sign_out(page: Page, site: Site) -> None:
    consent(page, site)
    page.goto(site.sign_out)


def signed_out(page: Page, site: Site) -> None:
    page.goto(site.sign_out)


def form_post(page: Page, site: Site) -> None:
    """Without the script that would leave the page at once."""
    page.route("**/form_post.js", no_script)
    page.goto(site.request(response_mode="form_post"))
    sign_in(page)
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def no_script(route: Route) -> None:
    route.fulfill(body="", content_type="text/javascript")


PAGES: dict[str, Callable[[Page, Site], None]] = {
    step.__name__: step
    for step in (
        login,
        login_password,
        login_error,
        consent,
        consent_of_a_native_app,
        error,
        sign_out,
        signed_out,
        form_post,
    )
}
