"""Test this application: every flow over HTTP, from the request to the token."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from oidc_pkce.models import Grant, RefreshToken
from tests.fixtures import make_user
from tests.journeys import BASE, FORM, SECRET, VERIFIER, give_secret, s256
from tests.portal.running import Runner, verified

pytestmark = pytest.mark.django_db


def test_an_oauth2_client_runs_from_the_request_to_the_token(runner: Runner) -> None:
    answer = runner.send()

    assert "state is the one that was sent." in answer.text
    assert "iss is the issuer of this application." in answer.text
    page = runner.press(answer, "code")
    assert "200 OK" in page.text
    assert verified(page) == 1
    assert "Tokens from before" not in page.text
    assert Grant.objects.get().client_id == "my_service_user"
    assert not page.offers("introspect_access_token")


def test_an_openid_connect_application_runs_with_pkce_alone(openid_runner: Runner) -> None:
    page = openid_runner.tokens()

    assert verified(page) == 2
    for name in ("nonce", "at_hash", "aud", "iss"):
        assert f"{name} is what this client expects." in page.text
    told = openid_runner.press(page, "userinfo")
    assert "200 OK" in told.text
    assert "sub is the one of the ID token." in told.text


def test_an_openid_connect_application_runs_with_its_secret(openid_runner: Runner) -> None:
    give_secret(openid_runner.application)
    openid_runner.application.require_client_secret = True
    openid_runner.application.save()
    answer = openid_runner.send()

    refused = openid_runner.press(answer, "code")
    assert "invalid_client" in refused.text
    page = openid_runner.press(refused, "code", client_secret=SECRET)

    assert verified(page) == 2


def test_an_oauth2_server_runs_with_a_service_user(server_runner: Runner) -> None:
    page = server_runner.tokens(client_secret=SECRET)

    assert verified(page) == 1
    introspected = server_runner.press(page, "introspect_access_token", client_secret=SECRET)
    assert '"active": true' in introspected.text
    refreshed = server_runner.press(introspected, "refresh", client_secret=SECRET)
    assert "200 OK" in refreshed.text
    again = server_runner.press(refreshed, "refresh", client_secret=SECRET)
    assert "200 OK" in again.text
    assert RefreshToken.objects.count() == 3
    revoked = server_runner.press(again, "revoke_refresh_token", client_secret=SECRET)
    assert "200 OK" in revoked.text
    dead = server_runner.press(revoked, "introspect_access_token", client_secret=SECRET)
    assert '"active": false' in dead.text


def test_client_credentials_can_be_tried(server_runner: Runner) -> None:
    typed = {"client_id": "robot", "client_secret": SECRET, "scope": "read"}
    page = server_runner.press(server_runner.open(), "client_credentials", **typed)

    assert "200 OK" in page.text
    assert verified(page) == 1
    assert not page.offers("code")


def test_client_credentials_are_offered_only_where_they_are_ticked(runner: Runner) -> None:
    assert not runner.open().offers("client_credentials")


def test_no_page_offers_the_password_flow(server_runner: Runner) -> None:
    server_runner.application.flows = ["AuthorizationCode", "ResourceCreds"]
    server_runner.application.save()

    assert "password" not in server_runner.open().form("response_type").types.values()
    assert not server_runner.open().offers("password")


@pytest.mark.parametrize(
    "response_type", ["id_token", "id_token token", "code id_token", "code id_token token"]
)
def test_tokens_that_come_through_the_browser_arrive_in_a_form(
    openid_runner: Runner, response_type: str
) -> None:
    openid_runner.application.flows = ["AuthorizationCode", "Implicit"]
    openid_runner.application.save()

    answer = openid_runner.send(query=f"response_type={quote(response_type)}")

    assert "Arrived in a form" in answer.text
    words = response_type.split()
    assert verified(answer) == len(words) - ("code" in words)
    assert answer.offers("code") == ("code" in words)
    assert answer.offers("userinfo") == ("token" in words)
    if "code" in words:
        assert "c_hash is what this client expects." in answer.text
        assert "200 OK" in openid_runner.press(answer, "code").text


def test_an_answer_in_the_fragment_is_said_to_stay_in_the_browser(openid_runner: Runner) -> None:
    page = openid_runner.open(openid_runner.callback_path)

    assert "Nothing arrived." in page.text
    assert "oidc_pkce/test_run.js" in page.html


def test_consent_is_asked_for_on_the_real_page(runner: Runner) -> None:
    runner.application.requires_consent = True
    runner.application.save()

    page = runner.send()

    assert "/OAuth2/Confirm/" in page.path
    form = page.forms[0]
    answer = runner.follow(runner.browser.post(page.path, {**form.fields, "result": "1"}))
    assert answer.offers("code")


def test_prompt_login_signs_the_same_person_in_again_and_the_run_goes_on(runner: Runner) -> None:
    page = runner.send(prompt="login")

    assert "/OAuth2/Login/" in page.path
    typed = {
        **page.forms[0].fields,
        "username": "robin",
        "password": "correct horse battery staple",
    }
    answer = runner.follow(runner.browser.post(page.path, typed))

    assert "200 OK" in runner.press(answer, "code").text


def test_whoever_else_signs_in_on_the_way_gets_no_verifier(runner: Runner, robin: Any) -> None:
    make_user("kim", is_staff=True, is_superuser=True)
    page = runner.send(prompt="login")
    typed = {**page.forms[0].fields, "username": "kim", "password": "correct horse battery staple"}

    answer = runner.follow(runner.browser.post(page.path, typed))

    assert "waits for no answer" in answer.text
    assert not answer.offers("code")


def test_plain_challenges_can_be_tried(runner: Runner) -> None:
    runner.application.allows_plain_pkce = True
    runner.application.save()

    answer = runner.send(code_challenge_method="plain")

    assert "200 OK" in runner.press(answer, "code").text


def test_a_challenge_of_ones_own_goes_with_a_verifier_of_ones_own(runner: Runner) -> None:
    answer = runner.send(code_challenge=s256(VERIFIER))

    assert "was not made by this page" in answer.text
    refused = runner.press(answer, "code")
    assert "invalid_grant" in refused.text
    assert "200 OK" in runner.press(refused, "code", code_verifier=VERIFIER).text
    assert VERIFIER not in refused.text


def test_a_missing_verifier_can_be_tried(runner: Runner) -> None:
    page = runner.press(runner.send(), "code", verifier="none")

    assert "400 Bad Request" in page.text
    assert "code_verifier" not in page.form("code").fields["code"]
    assert "code_verifier=" not in page.text


def test_the_sign_out_goes_to_the_public_endpoint_by_a_form(openid_runner: Runner) -> None:
    openid_runner.switch("on", sign_out="1")
    page = openid_runner.tokens()
    form = page.form("id_token_hint")

    assert form.action == f"{BASE}/OAuth2/EndSession/portal"
    body = urlencode(form.fields)
    response = openid_runner.browser.post(form.action, body, content_type=FORM)

    assert response.status_code == 303
    assert response["Location"] == f"{BASE}{openid_runner.path}"
    assert "_auth_user_id" not in openid_runner.browser.session
