"""Every screen of the Admin Portal: the table that tests and pictures share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

from playwright.sync_api import Page

from tests.browser.administrator import Administrator
from tests.browser.journey import CHALLENGE

Rows = Mapping[str, Any]

#: The list of redirect URIs is called otherwise on an OpenID Connect application.
SWITCH_ON = re.compile("Switch on: (Allowed Redirects|Authorized Redirect URIs)")


def nothing_more(_: Page) -> None:
    """The address is enough."""


@dataclass(frozen=True)
class Screen:
    """Where it is, and what is done there before anybody looks."""

    path: str
    then: Callable[[Page], None] = nothing_more

    def open(self, admin: Administrator, rows: Rows) -> None:
        admin.open(self.path.format(**rows))
        self.then(admin.page)


def open_menu(page: Page) -> None:
    page.get_by_text("Actions", exact=True).click()


def fail_to_save(page: Page) -> None:
    page.get_by_label("Issuer").fill("not an address")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("alert").wait_for()


def make_a_secret(page: Page) -> None:
    page.get_by_role("button", name="Make a new secret").click()
    page.locator("#client-secret").wait_for()


def preview_tokens(page: Page) -> None:
    page.get_by_role("button", name="Show the preview").click()
    page.get_by_role("heading", name="Preview", exact=False).last.wait_for()


def choose_an_import(page: Page, application_id: str = "field_notes") -> None:
    usage = {"ClientIDType": 0, "AllowedClients": ["my_service_user", "another_client"]}
    document = {
        "ServiceName": application_id,
        "Name": "Field Notes",
        "TemplateName": "OAuth2ServerClient",
        "OAuthProfile": {**usage, "Redirects": ["https://notes.example.com/signed-in"]},
    }
    file = {
        "name": "field-notes.json",
        "mimeType": "application/json",
        "buffer": json.dumps([document]).encode(),
    }
    page.get_by_label("File").set_input_files(files=[file])  # type: ignore[list-item]
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Import", exact=True).wait_for()


def open_the_unsuited(page: Page) -> None:
    page.get_by_text("What does not suit this application").click()


def open_rights(page: Page) -> None:
    page.get_by_text("What each right brings").click()


def begin_to_watch(page: Page) -> None:
    page.get_by_role("button", name="Watch for 10 minutes").click()
    page.get_by_role("button", name="Stop watching").wait_for()


def watch_a_client(page: Page) -> None:
    """Two requests arrive, of which one is refused."""
    begin_to_watch(page)
    sent = {
        "response_type": "code",
        "client_id": "my_service_user",
        "redirect_uri": "https://notes.example.com/signed-in",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": "notes.read",
    }
    authorize = urljoin(page.url, "/OAuth2/Authorize/field_notes")
    for changed in ({}, {"redirect_uri": "https://notes.example.com/signed-in/"}):
        page.request.get(f"{authorize}?{urlencode({**sent, **changed})}", max_redirects=0)
    page.locator("[data-request]").nth(1).wait_for()


def open_rules(page: Page) -> None:
    for rule in page.locator(".oidc-part > .oidc-rules summary").all()[:4]:
        rule.click()


def send_as_a_client(page: Page) -> None:
    """Our redirect URI is switched on where nobody has done so yet."""
    switch = page.get_by_role("button", name=SWITCH_ON)
    if switch.count():
        switch.click()
    page.get_by_role("button", name="Send the request").click()
    page.get_by_role("heading", name="What a client checks first").wait_for()


def exchange_the_code(page: Page) -> None:
    send_as_a_client(page)
    page.get_by_role("button", name="Exchange the code").click()
    page.get_by_role("heading", name="Tokens", exact=True).wait_for()


def open_the_tokens(page: Page) -> None:
    exchange_the_code(page)
    for each in page.get_by_text("The token itself").all():
        each.click()


SCREENS: dict[str, Screen] = {
    "home": Screen(""),
    "web-apps": Screen("application/"),
    "web-apps-none": Screen("application/?q=nothing+of+this+name"),
    "add-web-apps": Screen("application/add/"),
    "add-web-apps-custom": Screen("application/add/?tab=custom"),
    "add-web-apps-import": Screen("application/add/?tab=import"),
    "add-web-apps-import-preview": Screen("application/add/?tab=import", choose_an_import),
    "add-web-app": Screen("application/add/oauth2-client/"),
    "add-web-app-from-search": Screen("application/add/grafana/"),
    "settings": Screen("application/{notes}/change/"),
    "settings-hard": Screen("application/{hard}/change/"),
    "actions": Screen("application/{notes}/change/", open_menu),
    "general-usage": Screen("application/{notes}/general-usage/"),
    "general-usage-server": Screen("application/{api}/general-usage/"),
    "general-usage-hard": Screen("application/{hard}/general-usage/"),
    "general-usage-empty": Screen("application/{bare}/general-usage/"),
    "general-usage-refused": Screen("application/{notes}/general-usage/", fail_to_save),
    "trust": Screen("application/{online}/trust/"),
    "client-secret": Screen("application/{online}/client-secret/"),
    "client-secret-new": Screen("serviceuser/{helper}/client-secret/", make_a_secret),
    "client-secret-revoke": Screen("application/{online}/client-secret/{secret}/revoke/"),
    "tokens": Screen("application/{notes}/tokens/"),
    "token-preview": Screen("application/{online}/token-preview/"),
    "token-preview-shown": Screen("application/{online}/token-preview/", preview_tokens),
    "token-preview-refused": Screen("application/{bare}/token-preview/", preview_tokens),
    "tokens-openid": Screen("application/{online}/tokens/"),
    "scope": Screen("application/{notes}/scope/?tried=/notes/17"),
    "scope-hard": Screen("application/{hard}/scope/"),
    "scope-empty": Screen("application/{bare}/scope/"),
    "scope-definition": Screen("application/{notes}/scope-definition/?name=notes.read"),
    "scope-delete": Screen("application/{notes}/scope-delete/?name=notes.read"),
    "permissions": Screen("application/{notes}/permissions/?who=ada", open_rights),
    "permissions-hard": Screen("application/{hard}/permissions/"),
    "permissions-empty": Screen("application/{bare}/permissions/"),
    "account-mapping": Screen("application/{notes}/account-mapping/"),
    "policy": Screen("application/{notes}/policy/"),
    "changelog": Screen("application/{notes}/changelog/"),
    "changelog-hard": Screen("application/{hard}/changelog/"),
    "watch": Screen("application/{notes}/watch/"),
    "watching": Screen("application/{notes}/watch/", watch_a_client),
    "watching-nothing": Screen("application/{bare}/watch/", begin_to_watch),
    "posture": Screen("application/{notes}/posture/", open_rules),
    "posture-hard": Screen("application/{hard}/posture/"),
    "posture-openid": Screen("application/{online}/posture/"),
    "posture-profile": Screen("application/{notes}/posture-profile/?profile=fapi2"),
    "test-an-application": Screen("application/{notes}/test/"),
    "test-an-application-machine": Screen("application/{hard}/test/"),
    "test-an-application-answer": Screen("application/{online}/test/", send_as_a_client),
    "test-an-application-stopped": Screen("application/{notes}/test-callback/?code=c&state=s"),
    "test-an-application-tokens": Screen("application/{online}/test/", exchange_the_code),
    "test-an-application-tokens-open": Screen("application/{online}/test/", open_the_tokens),
    "snippets": Screen("application/{notes}/snippets/"),
    "snippets-openid": Screen("application/{online}/snippets/?client=authjs", open_the_unsuited),
    "snippets-hard": Screen("application/{hard}/snippets/?client=go"),
    "snippets-machine": Screen("application/{api}/snippets/?client_id=a%0Ab"),
    "snippets-none": Screen("application/{bare}/snippets/"),
    "clone": Screen("application/{notes}/clone/"),
    "disable": Screen("application/{notes}/disable/"),
    "delete": Screen("application/{hard}/delete/"),
    "service-users": Screen("serviceuser/"),
    "service-user-add": Screen("serviceuser/add/"),
    "service-user": Screen("serviceuser/{service_user}/change/"),
    "service-user-secret-revoke": Screen(
        "serviceuser/{service_user}/client-secret/{service_secret}/revoke/"
    ),
    "roles": Screen("role/"),
    "role-add": Screen("role/add/"),
    "role": Screen("role/{role}/change/"),
    "role-members": Screen("role/{role}/members/"),
    "role-rights": Screen("role/{role}/rights/"),
    "role-applications": Screen("role/{role}/applications/"),
    "grants": Screen("grant/"),
    "grant": Screen("grant/{grant}/change/"),
    "grant-revoke": Screen("grant/{grant}/revoke/"),
    "signing-keys": Screen("signingkey/"),
    "signing-key": Screen("signingkey/{key}/change/"),
    "signing-key-rotate": Screen("signingkey/rotate/RS256/"),
    "signing-key-retire": Screen("signingkey/{key}/retire/"),
    "audit-log": Screen("auditevent/"),
    "audit-event": Screen("auditevent/{event}/change/"),
    "requests": Screen("requesttrace/"),
    "request": Screen("requesttrace/{request}/change/"),
    "request-why": Screen("requesttrace/why/"),
    "request-checks": Screen("requesttrace/checks/"),
    "sign-out-deliveries": Screen("logoutdelivery/"),
    "sign-out-delivery": Screen("logoutdelivery/{delivery}/change/"),
}
