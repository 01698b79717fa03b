"""A stranger walks the demo: the sample client, the sign-in, the consent, verified tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from demo_site import seed
from tests.browser.conftest import Complaints
from tests.browser.journey import sign_in
from tests.demo_site.running_demo import RunningDemo, running_demo
from tests.spec import spec

ADA, GRACE, ADMINISTRATOR = seed.PEOPLE


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


def begin(page: Page, client: str, person: seed.DemoPerson) -> None:
    page.goto(client)
    page.get_by_role("button", name="Sign in").click()
    sign_in(page, person.username, person.password)


@spec("RFC 7636", "4")
def test_a_stranger_sees_verified_tokens(
    page: Page, complaints: Complaints, demo: RunningDemo
) -> None:
    begin(page, demo.clients[0], ADA)
    page.get_by_role("button", name="Allow").click()

    page.wait_for_url(f"{demo.clients[0]}/**")
    expect(page.get_by_role("heading", name="Signed in as ada")).to_be_visible()
    expect(page.get_by_text("Signature verified")).to_have_count(1)
    expect(page.locator("#steps li")).not_to_have_count(0)
    expect(page.locator("#steps li.bad")).to_have_count(0)
    expect(page.get_by_text(f'"iss": "{demo.base}/sample_app/"')).to_be_visible()
    assert not complaints.texts


@spec("OpenID Connect Core", "3.1")
def test_a_stranger_allows_only_a_part(
    page: Page, complaints: Complaints, demo: RunningDemo
) -> None:
    begin(page, demo.clients[1], GRACE)
    page.get_by_role("checkbox", name="notes.read").uncheck()
    page.get_by_role("button", name="Allow").click()

    page.wait_for_url(f"{demo.clients[1]}/**")
    expect(page.get_by_role("heading", name="Signed in as Grace Darling")).to_be_visible()
    expect(page.get_by_text("Signature verified")).to_have_count(2)
    expect(page.get_by_text('"scope": "openid profile email"').first).to_be_visible()
    assert not complaints.texts


@spec("RFC 6749", "6")
@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_stranger_refreshes_and_signs_out(
    page: Page, complaints: Complaints, demo: RunningDemo
) -> None:
    begin(page, demo.clients[1], ADA)
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{demo.clients[1]}/**")

    page.get_by_role("button", name="Refresh the tokens").click()
    expect(page.get_by_text("traded for new tokens")).to_be_visible()
    page.get_by_role("button", name="Refresh the tokens").click()
    expect(page.get_by_text("traded for new tokens")).to_have_count(2)
    expect(page.locator("#steps li.bad")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()

    page.wait_for_url(f"{demo.clients[1]}/")
    expect(page.get_by_role("heading", name="Sign in with PKCE")).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert not complaints.texts


def test_a_stranger_who_denies_is_told_so_by_the_client(page: Page, demo: RunningDemo) -> None:
    begin(page, demo.clients[1], ADMINISTRATOR)
    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("heading", name="You were not signed in")).to_be_visible()


def test_one_sign_in_serves_both_applications(page: Page, demo: RunningDemo) -> None:
    begin(page, demo.clients[0], GRACE)
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{demo.clients[0]}/**")

    page.goto(demo.clients[1])
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Allow Sample OpenID Connect")).to_be_visible()
