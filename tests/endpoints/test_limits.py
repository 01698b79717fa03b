"""Limits, over HTTP: sizes, failed attempts, and how many passwords are looked at at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Barrier, Event, Lock
from typing import Any

import pytest
from django.contrib import admin

from oidc_pkce import throttling
from oidc_pkce.models import AuditEvent, Grant
from oidc_pkce.portal.sign_in import LimitedAuthenticationForm
from oidc_pkce.protocol.errors import TemporarilyUnavailable
from oidc_pkce.protocol.parameters import MAX_VALUE_LENGTH
from tests.journeys import (
    FORM,
    PASSWORD,
    SECRET,
    Answer,
    Browser,
    Journey,
    encode,
    last_trace,
    make_application,
    path_of,
)
from tests.spec import spec

TOO_LONG = "x" * (MAX_VALUE_LENGTH + 1)
HUGE = "x" * 300_000  # more than a body may hold

AUTHORIZE = (
    *("response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"),
    *("prompt", "max_age", "id_token_hint", "login_hint", "acr_values", "claims", "display"),
    *("response_mode", "resource", "ui_locales", "claims_locales", "nozso", "request"),
    *("request_uri", "registration", "unknown"),
)
TOKEN = (
    *("grant_type", "code", "redirect_uri", "client_id", "client_secret", "code_verifier"),
    *("refresh_token", "scope", "resource", "username", "user_name", "password", "state"),
    *("nonce", "assertion", "client_assertion", "unknown"),
)
END_SESSION = (
    *("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint"),
    *("ui_locales", "unknown"),
)


def limits(settings: Any, **values: Any) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **values}


# --- sizes --------------------------------------------------------------------------------------


@spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("name", AUTHORIZE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_oversized_parameter_of_authorize_is_named(signed_in, name, method):
    answer = signed_in.authorize(method=method, **{name: TOO_LONG})

    assert answer.error == "invalid_request"
    assert answer.query["error_description"] == f"the parameter {name} is too long"
    assert Grant.objects.count() == 0


@spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_oversized_client_or_redirect_uri_is_a_page(signed_in, name, method):
    for value in (TOO_LONG, "x" * 2001):
        answer = signed_in.authorize(method=method, **{name: value})
        assert (answer.status, answer.location) == (400, "")
        assert "x" * 500 not in answer.html


@spec("RFC 6749", "4.1.1")
def test_a_state_of_a_thousand_characters_comes_back(signed_in):
    state = "s" * 1000

    assert signed_in.authorize(state=state).query["state"] == state


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize("name", TOKEN)
def test_an_oversized_parameter_of_the_token_endpoint_is_named(confidential, name):
    answer = confidential.post(
        "Token", {"grant_type": "authorization_code", "client_id": "robot", name: TOO_LONG}
    )

    assert answer.told == (400, "invalid_request", f"the parameter {name} is too long")


@spec("RFC 7009", "2.1")
@spec("RFC 7662", "2.1")
@pytest.mark.parametrize("endpoint", ["Introspect", "Revoke"])
@pytest.mark.parametrize(
    "name", ["token", "token_type_hint", "client_id", "client_secret", "unknown"]
)
def test_an_oversized_parameter_beside_a_token_is_named(confidential, endpoint, name):
    fields = {"token": "t", "client_id": "robot", "client_secret": SECRET, name: TOO_LONG}
    answer = confidential.post(endpoint, fields)

    assert answer.told == (400, "invalid_request", f"the parameter {name} is too long")


@spec("RFC 6750", "3.1")
def test_an_oversized_bearer_token_is_refused(signed_in):
    body = Answer(
        Browser().post(
            signed_in.url("UserInfo"), encode({"access_token": TOO_LONG}), content_type=FORM
        )
    )
    assert body.told == (400, "invalid_request", "the parameter access_token is too long")
    for token in (TOO_LONG, f"{TOO_LONG}.{TOO_LONG}.{TOO_LONG}"):
        assert signed_in.userinfo(token).told[:2] == (401, "invalid_token")


@spec("RFC 6749", "2.3.1")
def test_an_oversized_authorization_header_is_refused(confidential):
    for scheme in ("Basic", "Bearer", "Digest", ""):
        header = {"Authorization": f"{scheme} {'A' * 20_000}"}
        answer = confidential.redeem("c", client_secret=None, headers=header)
        assert answer.told[:2] == (401, "invalid_client")


@spec("OpenID Connect RP-Initiated Logout", "4")
@pytest.mark.parametrize("name", END_SESSION)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_oversized_parameter_of_end_session_leads_nowhere(signed_in, name, method):
    url = signed_in.url("EndSession")
    if method == "get":
        answer = Answer(signed_in.browser.get(url, {name: TOO_LONG}))
    else:
        body = encode({name: TOO_LONG})
        answer = Answer(signed_in.browser.post(url, body, content_type=FORM))

    assert answer.status in (200, 400)
    assert answer.location == ""
    assert "x" * 500 not in answer.html


@pytest.mark.parametrize("name", ["username", "password", "ticket", "step", "unknown"])
def test_an_oversized_field_of_the_sign_in_page_is_shown_within_bounds(journey, name):
    address = path_of(journey.authorize().location)
    data = {"username": "ada", "password": "wrong", name: TOO_LONG}
    answer = Answer(journey.browser.post(address, data))

    assert answer.status in (200, 400)
    assert "x" * 500 not in answer.html


@pytest.mark.parametrize("name", ["result", "scope", "ticket", "unknown"])
def test_an_oversized_field_of_the_consent_page_grants_nothing_more(asking, name):
    page = asking.consent_page(asking.authorize(scope="read"))
    answer = asking.post_decision(page, **{name: TOO_LONG})

    assert answer.status in (200, 303, 400)
    assert {grant.scope for grant in Grant.objects.all()} <= {"", "read"}


@spec("RFC 9110", "15.5.14")
@pytest.mark.parametrize(
    ("endpoint", "content_type", "body"),
    [
        *((name, FORM, encode({"unknown": HUGE})) for name in ("Authorize", "Token", "UserInfo")),
        *((name, FORM, encode({"unknown": HUGE})) for name in ("EndSession", "Confirm", "Login")),
        *((name, FORM, encode({"unknown": HUGE})) for name in ("Introspect", "Revoke")),
        ("UserInfo", "application/json", f'"{HUGE}"'),
    ],
    ids=lambda value: value[:32],
)
def test_a_huge_body_is_refused_before_it_is_read(signed_in, endpoint, content_type, body):
    started = time.monotonic()
    answer = signed_in.browser.post(signed_in.url(endpoint), body, content_type=content_type)

    assert answer.status_code == 400
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "endpoint", ["Authorize", "Token", "UserInfo", "EndSession", "Introspect", "Revoke"]
)
def test_a_thousand_fields_are_refused(signed_in, endpoint):
    body = encode({f"p{n}": "1" for n in range(1000)})
    answer = Answer(signed_in.browser.post(signed_in.url(endpoint), body, content_type=FORM))

    assert answer.status in (200, 400)
    assert answer.location == ""


@pytest.mark.parametrize("length", [64, 65, 10_000])
@pytest.mark.parametrize(
    "path",
    [
        *("/OAuth2/Authorize/{}", "/OAuth2/Token/{}", "/OAuth2/UserInfo/{}", "/OAuth2/Keys/{}"),
        *("/OAuth2/EndSession/{}", "/{}/.well-known/openid-configuration"),
    ],
)
def test_an_application_id_of_any_length_is_unknown(db, path, length):
    browser = Browser()
    send = browser.post if "Token" in path else browser.get

    assert send(path.format("x" * length)).status_code == 404


def test_a_name_that_is_too_long_is_refused_without_being_shown(signed_in):
    answer = signed_in.post("Token", {"grant_type": "authorization_code", "n" * 9000: "1"})

    assert answer.told == (
        400,
        "invalid_request",
        "the name of a parameter is too long or not UTF-8 text",
    )


# --- attempts -----------------------------------------------------------------------------------


@spec("RFC 6819", "5.1.4.2.3")
def test_an_ipv6_subscriber_counts_as_one_address_at_the_token_endpoint(confidential, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=3)

    def redeem(address: str, secret: str) -> Answer:
        fields = {"grant_type": "authorization_code", "client_id": "robot"}
        body = encode({**fields, "client_secret": secret, "code": "c", "redirect_uri": "x"})
        url = confidential.url("Token")
        return Answer(Browser(REMOTE_ADDR=address).post(url, body, content_type=FORM))

    for n in range(3):
        assert redeem(f"2001:db8:1:2:{n}::{n}", "w" * 43).error == "invalid_client"

    assert redeem("2001:db8:1:2::ffff", SECRET).error == "invalid_client"
    assert last_trace().failed_check == "client.attempts"
    assert redeem("2001:db8:1:3::1", SECRET).error == "invalid_grant"


@spec("RFC 6819", "5.1.4.2.3")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("a name", "unknown"),
        ("192.0.2.1:80", "unknown"),
    ],
)
def test_the_address_that_counts_is_the_subscribers(address, network):
    assert throttling.network_of(address) == network


# --- passwords at once ----------------------------------------------------------------------------


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[ExitStack]:
    """Every place is taken; close it to free them."""
    monkeypatch.setattr(throttling, "SLOT_WAIT", 0.01)
    limits(settings, PASSWORD_HASHES_AT_ONCE=3, ATTEMPTS_PER_ACCOUNT=1, ATTEMPTS_PER_ADDRESS=1)
    with ExitStack() as places:
        for _ in range(3):
            places.enter_context(throttling.password_slot())
        yield places


@spec("RFC 9110", "15.6.4")
def test_the_sign_in_page_asks_for_patience_when_too_many_sign_in(journey, ada, full):
    for _ in range(3):
        answer = journey.sign_in(journey.authorize(), "ada")
        assert answer.status == 503
        assert answer.response.headers["Retry-After"] == "2"
        assert "Many people are signing in at this moment" in answer.html
        assert 'value="ada"' in answer.html
        assert last_trace().failed_check == "server.available"
        assert last_trace().error == "temporarily_unavailable"
    assert AuditEvent.objects.count() == 0

    full.close()
    assert journey.sign_in(journey.authorize(), "ada").code


@spec("RFC 9110", "15.6.4")
def test_the_token_endpoint_asks_for_patience_when_too_many_sign_in(robot, ada, full):
    app = make_application(client_id_type="Confidential", client_ids=[], flows=["ResourceCreds"])
    journey = Journey(app, client_id="robot", secret=SECRET)
    fields = {
        "grant_type": "password",
        "username": "ada",
        "password": PASSWORD,
        "client_id": "robot",
        "client_secret": SECRET,
    }
    for _ in range(3):
        answer = journey.post("Token", fields)
        assert answer.told == (
            503,
            "temporarily_unavailable",
            "the server is busy, try again in a moment",
        )
        assert answer.response.headers["Retry-After"] == "2"
        assert answer.response.headers["Cache-Control"] == "no-store"
        assert last_trace().failed_check == "server.available"
    assert AuditEvent.objects.filter(action__startswith="user.").count() == 0

    full.close()
    assert journey.post("Token", fields).status == 200


def test_the_other_grants_need_no_place(signed_in, confidential, full):
    for journey in (signed_in, confidential):
        journey.application.issues_refresh_tokens = True
        journey.application.save()
        assert journey.refresh(journey.tokens()["refresh_token"]).status == 200


def test_the_administrations_sign_in_asks_for_patience_too(ada, full, client, monkeypatch):
    monkeypatch.setattr(admin.site, "login_form", LimitedAuthenticationForm)
    ada.is_staff = True
    ada.save()
    data = {"username": "ada", "password": PASSWORD, "next": "/admin/"}
    for _ in range(3):
        answer = client.post("/admin/login/", data)
        assert "Many people are signing in at this moment" in answer.content.decode()

    full.close()
    assert client.post("/admin/login/", data).status_code == 302


def test_never_more_passwords_at_once_than_allowed_from_the_first_moment(monkeypatch, settings):
    limits(settings, PASSWORD_HASHES_AT_ONCE=3)
    throttling._password_places.cache_clear()
    barrier, lock = Barrier(40), Lock()
    inside: list[int] = [0]
    most: list[int] = [0]

    def look_at_a_password(_: int) -> None:
        barrier.wait(timeout=30)
        with suppress(TemporarilyUnavailable), throttling.password_slot():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(look_at_a_password, range(40)))

    assert (inside[0], most[0]) == (0, 3)


def test_a_place_is_free_again_whatever_happens_in_it(settings, monkeypatch):
    limits(settings, PASSWORD_HASHES_AT_ONCE=1)
    monkeypatch.setattr(throttling, "SLOT_WAIT", 0.01)
    for _ in range(3):
        with pytest.raises(RuntimeError), throttling.password_slot():
            raise RuntimeError
    with (
        throttling.password_slot(),
        pytest.raises(TemporarilyUnavailable),
        throttling.password_slot(),
    ):
        pytest.fail("there was room for two")


def test_of_those_who_find_no_place_half_as_many_wait_and_the_others_go(settings, monkeypatch):
    """Whoever waits holds a thread, and token requests need threads."""
    limits(settings, PASSWORD_HASHES_AT_ONCE=2)
    monkeypatch.setattr(throttling, "SLOT_WAIT", 20)
    throttling._password_places.cache_clear()
    leave, refused, entered = Event(), [], []

    def look_at_a_password(_: int) -> None:
        try:
            with throttling.password_slot():
                entered.append(1)
                leave.wait(timeout=30)
        except TemporarilyUnavailable:
            refused.append(1)
            if len(refused) == 3:
                leave.set()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(look_at_a_password, range(6)))

    assert (len(entered), len(refused)) == (3, 3)
