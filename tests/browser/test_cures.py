"""An administrator opens a refused request, presses the button, and the same request succeeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.administrator import Administrator
from tests.browser.conftest import PHONE, Complaints
from tests.browser.journey import CHALLENGE, PASSWORD, VERIFIER, Site, received, sign_in
from tests.clients.person import Callback, Person
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer

SECRET = "a-client-secret-of-43-characters-0123456789"
CONFIDENTIAL = {"client_id_type": "Confidential", "client_ids": []}
MACHINE = {**CONFIDENTIAL, "flows": ["ClientCreds"]}


@dataclass
class Scene:
    """One application of the live server, its client, and the administrator who looks after it."""

    site: Site
    administrator: Administrator
    server: ProductionServer
    application_id: str
    sent: list[str] = field(default_factory=list)

    def configure(self, **fields: Any) -> None:
        """The application, as the administrator has made it."""
        own = {"application_id": self.application_id, "name": f"Cured {self.application_id}"}
        uris = {"redirect_uris": [self.site.client.callback]}
        provision(self.server, applications=[{**own, **uris, **fields}])

    def configure_machine(self, **fields: Any) -> None:
        """The same, with a service user as its client."""
        robot = {"client_id": self.robot, "client_secret": SECRET}
        provision(self.server, service_users=[robot])
        self.configure(**{**MACHINE, **fields})

    @property
    def robot(self) -> str:
        return f"{self.application_id}-robot"

    def url(self, endpoint: str) -> str:
        return f"{self.site.base}/OAuth2/{endpoint}/{self.application_id}"

    def authorize(self, **changes: Any) -> Callback:
        """Ada signs in; what arrives at the application."""
        parameters: dict[str, Any] = {
            "response_type": "code",
            "client_id": "my_service_user",
            "redirect_uri": self.site.client.callback,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        ada = Person(self.site.base, "ada", PASSWORD)
        return ada.open(f"{self.url('Authorize')}?{urlencode(parameters)}")

    def token(self, **form: str) -> requests.Response:
        return requests.post(self.url("Token"), data=form, timeout=30)

    def as_machine(self, **form: str) -> requests.Response:
        mine = {"client_id": self.robot, "client_secret": SECRET}
        return self.token(grant_type="client_credentials", **mine, **form)

    def open_refusal(self, check: str) -> Page:
        """The newest refused request, found in the list as an administrator finds it."""
        self.administrator.open(f"requesttrace/?q={self.application_id}&succeeded__exact=0")
        row = self.administrator.page.locator("#result_list tbody tr").first
        expect(row).to_contain_text(check)
        row.get_by_role("link").first.click()
        return self.administrator.page

    def cure(self, check: str, button: str, sentence: str) -> None:
        """Read what would be changed, press the button, and see that it is done."""
        page = self.open_refusal(check)
        cures = page.get_by_role("region", name="What you can do")
        expect(cures).to_contain_text(sentence)
        cures.get_by_role("button", name=button, exact=True).click()
        self.administrator.told("Send the request again.")
        expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)


@pytest.fixture
def scene(
    request: pytest.FixtureRequest,
    site: Site,
    administrator: Administrator,
    live_provider: ProductionServer,
) -> Scene:
    """An application of its own for each test."""
    name = request.node.name.removeprefix("test_").replace("[", "_").strip("]")
    return Scene(site, administrator, live_provider, name[:60])


def test_a_redirect_uri_is_added(page: Page, scene: Scene) -> None:
    scene.configure(redirect_uris=["https://notes.example.com/signed-in"])
    address = scene.site.request(scene.application_id, client_id="my_service_user")
    page.goto(address)
    expect(page.get_by_text("This address is not registered").first).to_be_visible()
    request_id = page.locator("footer code").inner_text()

    scene.administrator.open(f"requesttrace/?q={request_id}")
    expect(scene.administrator.page.locator("#result_list tbody tr")).to_have_count(1)
    callback = scene.site.client.callback
    sentence = f"Add {callback} to Allowed Redirects of Cured {scene.application_id}."
    scene.cure("authorize.redirect_uri", "Add this address", sentence)

    page.goto(address)
    sign_in(page)
    assert received(page, scene.site)["code"]


def test_a_client_is_added_to_the_list(page: Page, scene: Scene) -> None:
    scene.configure()
    address = scene.site.request(scene.application_id, client_id="mobile")
    page.goto(address)
    expect(page.get_by_text("This application is not known here").first).to_be_visible()

    sentence = "Add mobile to the Client ID List"
    scene.cure("authorize.client_id", "Add this client", sentence)

    page.goto(address)
    sign_in(page)
    assert received(page, scene.site)["code"]


def test_a_flow_is_ticked(scene: Scene) -> None:
    scene.configure(flows=["ClientCreds"])
    assert scene.authorize().parameters["error"] == "unsupported_response_type"

    scene.cure("authorize.flow", "Tick this flow", "Tick Auth Code on")

    assert scene.authorize().parameters["code"]


def test_a_legacy_flow_is_ticked_with_a_warning(scene: Scene) -> None:
    scene.configure()
    assert scene.authorize(response_type="token").parameters["error"]

    cures = scene.open_refusal("authorize.flow").get_by_role("region", name="What you can do")
    expect(cures).to_contain_text("change the client if you can")
    scene.cure("authorize.flow", "Tick this flow", "Tick Implicit (legacy) on")

    assert "access_token" in scene.authorize(response_type="token").url


def test_a_grant_is_ticked(scene: Scene) -> None:
    scene.configure_machine(flows=["AuthorizationCode"])
    assert scene.as_machine().status_code == 400

    scene.cure("token.flow", "Tick this flow", "Tick Client Creds on")

    assert scene.as_machine().status_code == 200


def test_refresh_tokens_are_issued_again(scene: Scene) -> None:
    scene.configure(issues_refresh_tokens=True)
    mine = {"client_id": "my_service_user"}
    given = scene.token(
        grant_type="authorization_code",
        code=scene.authorize().parameters["code"],
        redirect_uri=scene.site.client.callback,
        code_verifier=VERIFIER,
        **mine,
    ).json()
    untick(scene, "Issue refresh tokens")
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], **mine}
    assert scene.token(**refresh).status_code == 400

    scene.cure("token.flow", "Issue refresh tokens", "Tick Issue refresh tokens on")

    assert scene.token(**refresh).status_code == 200


def untick(scene: Scene, label: str) -> None:
    """On the Tokens page, by hand."""
    page = scene.administrator.page
    scene.administrator.open(f"application/?q={scene.application_id}")
    page.locator("#result_list tbody a").first.click()
    scene.administrator.turn_to("Tokens")
    page.get_by_role("checkbox", name=label).uncheck()
    scene.administrator.save("Tokens")


def test_an_application_is_enabled(scene: Scene) -> None:
    scene.configure(enabled=False)
    assert scene.authorize().parameters["error"] == "access_denied"

    scene.cure("authorize.enabled", "Enable", "it serves its clients again")

    assert scene.authorize().parameters["code"]


def test_a_person_is_given_the_run_right(scene: Scene) -> None:
    scene.configure(everybody=False)
    assert scene.authorize().parameters["error"] == "access_denied"

    scene.cure("authorize.access", "Give the Run right", "Give ada the Run right on")

    assert scene.authorize().parameters["code"]
    bob = Person(scene.site.base, "bob", PASSWORD)
    asked = scene.site.request(scene.application_id, client_id="my_service_user")
    assert bob.open(asked).parameters["error"] == "access_denied"


def test_a_machine_is_given_the_run_right(scene: Scene) -> None:
    scene.configure_machine(everybody=False)
    assert scene.as_machine().status_code == 400

    scene.cure("client_credentials.access", "Give the Run right", f"Give {scene.robot} the Run")

    assert scene.as_machine().status_code == 200


def test_a_scope_is_defined(scene: Scene) -> None:
    scene.configure(scopes={"notes.read": "Read the notes that you have written"})
    asked = {"scope": "notes.read notes.write"}
    assert scene.authorize(**asked).parameters["error"] == "invalid_scope"

    sentence = "Define the scope notes.write on"
    scene.cure("authorize.scope", "Define this scope", sentence)

    assert scene.authorize(**asked).parameters["code"]


def test_an_address_after_the_sign_out_is_added(page: Page, scene: Scene) -> None:
    scene.configure()
    target = scene.site.client.callback
    query = urlencode({"client_id": "my_service_user", "post_logout_redirect_uri": target})
    address = f"{scene.url('EndSession')}?{query}"
    page.goto(address)
    expect(page.get_by_text("This address is not registered").first).to_be_visible()

    sentence = f"Add {target} to Authorized post-logout redirect URIs"
    scene.cure("end_session.post_logout_redirect_uri", "Add this address", sentence)

    page.goto(address)
    page.wait_for_url(f"{target}**")


def test_a_service_user_is_activated(scene: Scene) -> None:
    idle = {"username": scene.robot, "is_active": False}
    provision(scene.server, people=[idle])
    scene.configure_machine()
    assert scene.as_machine().status_code == 400

    sentence = f"Activate the service user {scene.robot}."
    scene.cure("client.service_user", "Activate", sentence)

    assert scene.as_machine().status_code == 200


def test_a_service_user_is_flagged(scene: Scene) -> None:
    scene.configure_machine(must_be_oauth_client=True)
    page = scene.administrator.page
    scene.administrator.open(f"serviceuser/?q={scene.robot}")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("checkbox", name="Is OAuth confidential client").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    assert scene.as_machine().status_code == 400

    scene.cure("client.service_user", "Flag it", f"Flag the service user {scene.robot} as")

    assert scene.as_machine().status_code == 200


def test_what_is_risky_has_no_button(scene: Scene) -> None:
    scene.configure()
    assert scene.authorize(code_challenge="", code_challenge_method="").parameters["error"]

    page = scene.open_refusal("authorize.code_challenge")
    cures = page.get_by_role("region", name="What you can do")
    expect(cures.get_by_role("button")).to_have_count(0)
    cures.get_by_role("link", name="Open Tokens").click()

    expect(page.get_by_role("heading", name="Tokens", exact=True, level=2)).to_be_visible()


def test_the_cures_suit_every_display(
    scene: Scene, axe: Callable[..., None], complaints: Complaints
) -> None:
    scene.configure(redirect_uris=["https://notes.example.com/signed-in"])
    uri = f"https://{'sub.' * 30}notes.example.com/{'a' * 90}"
    query = urlencode({"client_id": "my_service_user", "redirect_uri": uri})
    assert requests.get(f"{scene.url('Authorize')}?{query}", timeout=30).status_code == 400
    page = scene.open_refusal("authorize.redirect_uri")

    for size in (PHONE, {"width": 1440, "height": 900}):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not page.evaluate(wide)
            axe(page)
    assert not complaints.in_the_portal
