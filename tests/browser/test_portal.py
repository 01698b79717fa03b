"""An administrator configures an application, and its client signs people in at once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from playwright.sync_api import BrowserContext, Page, expect

from demo_site.sample_client.server import make_server
from tests import postgres
from tests.browser.administrator import Administrator
from tests.browser.conftest import Complaints
from tests.browser.journey import VERIFIER, Site, received, sign_in


@contextmanager
def sample_client(site: Site, application_id: str, client_id: str, scope: str) -> Iterator[str]:
    """The demo's public browser client, for an application that need not exist yet."""
    origin = f"http://localhost:{postgres.free_port()}"
    config = {
        "issuer": f"{site.base}/{application_id}/",
        "client_id": client_id,
        "redirect_uri": f"{origin}/callback",
        "scope": scope,
    }
    with make_server("127.0.0.1", int(origin.rpartition(":")[2]), config) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield origin
        server.shutdown()


def signs_in(page: Page, client: str) -> None:
    """A person signs in at the sample client, which verifies what it gets."""
    page.goto(client)
    page.get_by_role("button", name="Sign in").click()
    sign_in(page)
    page.wait_for_url(f"{client}/**")
    expect(page.get_by_role("heading", name="Signed in as ada")).to_be_visible()
    expect(page.locator("#steps li.bad")).to_have_count(0)


def test_an_oauth2_application_is_configured_and_its_client_signs_in_at_once(
    page: Page,
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    site: Site,
) -> None:
    admin = Administrator(page, site.base)
    admin.sign_in()
    with sample_client(site, "tide_tables", "my_service_user", scope="") as client:
        admin.add("OAuth2 Client", "tide_tables", "Tide Tables")
        expect(admin.badge).to_have_text("Not Configured")

        admin.turn_to("General Usage")
        page.get_by_role("radio", name="List", exact=True).check()
        admin.add_line("Client ID List", "my_service_user")
        admin.add_line("Allowed Redirects", f"{client}/callback")
        admin.save("General Usage")
        expect(page.get_by_role("radio", name="List", exact=True)).to_be_checked()
        expect(admin.badge).to_have_text("Ready to Deploy")
        admin.give_everybody_the_run_right()
        expect(admin.badge).to_have_text("Deployed")

        person = new_context().new_page()
        complaints.watch(person)
        signs_in(person, client)
        expect(person.get_by_text(f'"iss": "{site.base}/tide_tables/"')).to_be_visible()
    assert not complaints.in_the_portal


def test_an_openid_connect_application_is_configured_and_signs_in_by_pkce_alone(
    page: Page,
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    site: Site,
) -> None:
    admin = Administrator(page, site.base)
    admin.sign_in()
    admin.add("OpenID Connect", "star_charts", "Star Charts")
    admin.turn_to("Trust")
    client_id = value(page, "OpenID Connect client ID")
    with sample_client(site, "star_charts", client_id, scope="openid profile") as client:
        page.get_by_label("Resource application URL").fill(client)
        admin.add_line("Authorized Redirect URIs", f"{client}/callback")
        admin.save("Trust")
        admin.give_everybody_the_run_right()
        expect(admin.badge).to_have_text("Deployed")

        person = new_context().new_page()
        complaints.watch(person)
        signs_in(person, client)
        expect(person.get_by_text("Signature verified")).to_have_count(2)
    assert not complaints.in_the_portal


def test_a_secret_is_shown_once_and_the_relying_party_signs_in_with_it(
    page: Page, new_context: Callable[..., BrowserContext], complaints: Complaints, site: Site
) -> None:
    admin = Administrator(page, site.base)
    admin.sign_in()
    admin.add("OpenID Connect", "cloud_atlas", "Cloud Atlas")
    admin.turn_to("Trust")
    client_id = value(page, "OpenID Connect client ID")
    page.get_by_label("Require client secret").check()
    page.get_by_label("Resource application URL").fill(site.client.origin)
    admin.add_line("Authorized Redirect URIs", site.client.callback)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="New client secret").click()
    page.get_by_role("button", name="Make a new secret").click()
    secret = value(page, "Client secret")
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", name="Client secrets")).to_be_visible()
    assert secret not in page.content()
    admin.give_everybody_the_run_right()
    expect(admin.badge).to_have_text("Deployed")

    person = new_context().new_page()
    person.goto(site.request("cloud_atlas", client_id=client_id, scope="openid"))
    sign_in(person)
    code = received(person, site)["code"]

    assert "id_token" in redeem(site, "cloud_atlas", code, client_id, secret)
    assert not complaints.in_the_portal


def value(page: Page, words: str) -> str:
    """What stands beside these words, where it can be copied."""
    copy = page.get_by_role("button", name=f"Copy: {words}", exact=True)
    return copy.locator("xpath=preceding-sibling::code").inner_text()


def redeem(
    site: Site, application_id: str, code: str, client_id: str, secret: str
) -> dict[str, str]:
    """The token request of a relying party on a server."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": site.client.callback,
        "code_verifier": VERIFIER,
    }
    credentials = b64encode(f"{quote(client_id)}:{quote(secret)}".encode()).decode()
    request = Request(
        f"{site.base}/OAuth2/Token/{application_id}",
        urlencode(form).encode(),
        {"Authorization": f"Basic {credentials}"},
    )
    with urlopen(request, timeout=10) as answer:
        found: dict[str, str] = json.load(answer)
    return found
