"""prompt, max_age and the hints, over HTTP: every cell of the table, and who is asked for what."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oidc_pkce.models import Application, Consent, Grant
from tests.fixtures import make_user
from tests.journeys import Answer, Browser, Journey, claims_of, last_trace
from tests.spec import spec

SCOPE = "openid profile"
STATES = ("nobody", "consent is not asked", "not yet allowed", "allowed before")

#: The first thing that happens, in each of STATES.
TABLE: dict[str | None, tuple[str, str, str, str]] = {
    None: ("login", "code", "confirm", "code"),
    "none": ("login_required", "code", "consent_required", "code"),
    "login": ("login", "login", "login", "login"),
    "select_account": ("login", "login", "login", "login"),
    "consent": ("login", "confirm", "confirm", "confirm"),
    "login consent": ("login", "login", "login", "login"),
    "consent login": ("login", "login", "login", "login"),
    "select_account consent": ("login", "login", "login", "login"),
    "login select_account": ("login", "login", "login", "login"),
    "login consent select_account": ("login", "login", "login", "login"),
}
CELLS = [
    pytest.param(prompt, state, first, id=f"{prompt}, {state}")
    for prompt, row in TABLE.items()
    for state, first in zip(STATES, row, strict=True)
]


def in_state(openid: Journey, state: str) -> Journey:
    """The browser before the application, in one of STATES."""
    if state in {"not yet allowed", "allowed before"}:
        Application.objects.update(requires_consent=True)
    if state == "allowed before":
        openid.decide(openid.authorize(scope=SCOPE))
    if state == "nobody":
        openid.browser.logout()
    Grant.objects.all().delete()
    return openid


def first_step(answer: Answer) -> str:
    if answer.error:
        return answer.error
    for page in ("Login", "Confirm"):
        if f"/OAuth2/{page}/" in answer.location:
            return page.lower()
    return "code" if answer.code else "?"


@spec("OpenID Connect Core", "3.1.2.1")
@spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("prompt", "state", "first"), CELLS)
def test_each_cell_asks_for_what_is_owed_and_for_nothing_twice(
    openid, prompt, state, first, method
):
    journey = in_state(openid, state)

    answer = journey.authorize(method=method, scope=SCOPE, prompt=prompt, state="s")

    assert first_step(answer) == first
    assert Grant.objects.count() == (first == "code")
    if first == "login":
        answer = journey.sign_in(answer, "ada")
    if ("consent" in (prompt or "") or state == "not yet allowed") and not answer.error:
        assert first_step(answer) == "confirm"
        answer = journey.decide(answer)
    assert answer.query["state"] == "s"
    assert first_step(answer) == ("code" if not first.endswith("_required") else first)


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("other", ["login", "consent", "select_account", "none login consent"])
def test_none_stands_alone(openid, state, other):
    answer = in_state(openid, state).authorize(scope=SCOPE, prompt=f"none {other}")

    assert answer.error == "invalid_request"
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("prompt", ["NONE", "none,login", "create", "Login"])
def test_what_is_no_prompt_is_refused(openid, prompt):
    assert openid.authorize(scope=SCOPE, prompt=prompt).error == "invalid_request"


@spec("OpenID Connect Core", "3.1.2.1")
def test_select_account_lets_the_person_be_somebody_else(openid):
    make_user("grace")
    before = claims_of(openid.tokens(scope="openid")["id_token"])["sub"]

    answer = openid.sign_in(openid.authorize(scope="openid", prompt="select_account"), "grace")

    assert claims_of(openid.redeem(answer.code).json["id_token"])["sub"] != before


@spec("OpenID Connect Core", "2")
@pytest.mark.parametrize("max_age", [None, "0", "1", "3600", "999999999"])
def test_auth_time_is_always_there_and_true(openid, max_age):
    answer = openid.authorize(scope="openid", max_age=max_age)
    if "/OAuth2/Login/" in answer.location:
        answer = openid.sign_in(answer, "ada")

    told = claims_of(openid.redeem(answer.code).json["id_token"])["auth_time"]

    assert isinstance(told, int)
    assert abs(time.time() - told) < 10


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("max_age", [None, "3600"])
def test_a_hint_decides_silently_whose_session_it_must_be(openid, bob, max_age):
    hint = openid.tokens(scope="openid")["id_token"]
    asked = {"scope": "openid", "prompt": "none", "id_token_hint": hint, "max_age": max_age}

    assert openid.authorize(**asked).code
    assert openid.authorize(method="post", **asked).code
    openid.browser.force_login(bob)
    assert openid.authorize(**asked).error == "login_required"
    assert last_trace().failed_check == "authorize.hinted_person"
    openid.browser.logout()
    assert openid.authorize(**asked).error == "login_required"


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("prompt", [None, "none", "login", "consent"])
def test_a_posted_request_needs_neither_cookies_nor_a_csrf_token(openid, prompt):
    stranger = Journey(
        openid.application, client_id=openid.client_id, browser=Browser(enforce_csrf_checks=True)
    )

    answer = stranger.authorize(method="post", scope="openid", prompt=prompt)

    assert first_step(answer) == ("login_required" if prompt == "none" else "login")
    assert "csrftoken" not in stranger.browser.cookies


@spec("OpenID Connect Core", "3.1.2.1")
def test_display_is_ignored_whatever_it_says(journey):
    for display in ("page", "popup", "touch", "wap", "none of these", '"><script>'):
        page = journey.follow(journey.authorize(display=display))
        assert page.status == 200
        assert "<script>" not in page.html


# --- who was deactivated after signing in ---------------------------------------------------------


def deactivate() -> None:
    get_user_model().objects.update(is_active=False)


@spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("prompt", [None, "none", "consent"])
def test_who_was_deactivated_after_signing_in_is_denied(openid, prompt):
    deactivate()

    answer = openid.authorize(scope="openid", prompt=prompt, state="s")

    assert answer.query == {
        "error": "access_denied",
        "error_description": "access denied",
        "state": "s",
        "iss": "https://id.example.com/portal/",
    }
    assert "not active" in last_trace().outcomes[-1]["detail"]
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "3.1.2.6")
def test_who_was_deactivated_before_the_consent_page_was_posted_is_denied(openid):
    Application.objects.update(requires_consent=True)
    page = openid.consent_page(openid.authorize(scope="openid"))
    deactivate()

    assert openid.post_decision(page).error == "access_denied"
    assert (Grant.objects.count(), Consent.objects.count()) == (0, 0)


def test_somebody_else_can_sign_in_where_a_deactivated_person_was(openid):
    make_user("grace")
    get_user_model().objects.filter(username="ada").update(is_active=False)

    assert openid.sign_in(openid.authorize(scope="openid", prompt="login"), "grace").code


def change_password() -> None:
    ada = get_user_model().objects.get(username="ada")
    ada.set_password("another one entirely")
    ada.save()


def change_session(openid: Journey, key: str, value: Any) -> None:
    session = openid.browser.session
    session[key] = value
    session.save()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: change_password(), id="the password was changed since"),
        pytest.param(lambda j: change_session(j, HASH_SESSION_KEY, ""), id="no hash"),
        pytest.param(lambda j: change_session(j, HASH_SESSION_KEY, "0" * 64), id="a wrong hash"),
        pytest.param(lambda j: change_session(j, SESSION_KEY, "999999"), id="no such user"),
        pytest.param(lambda j: change_session(j, "_auth_user_backend", "x.Y"), id="no backend"),
        pytest.param(lambda _: Session.objects.all().delete(), id="no session"),
    ],
)
def test_a_session_that_does_not_hold_is_nobodys(openid, spoil):
    deactivate()
    spoil(openid)

    assert openid.authorize(scope="openid", prompt="none").error == "login_required"
    assert "/OAuth2/Login/" in openid.authorize(scope="openid").location


@pytest.mark.parametrize("active", [True, False])
def test_only_a_session_with_a_user_who_is_gone_costs_a_statement(openid, active):
    def statements(journey: Journey) -> int:
        journey.authorize(scope="openid", prompt="none")
        with CaptureQueriesContext(connection) as captured:
            journey.authorize(scope="openid", prompt="none")
        return sum("auth_user" in each["sql"] for each in captured)

    stranger = Journey(openid.application, client_id=openid.client_id)
    assert statements(stranger) == 0
    if not active:
        deactivate()
    # Django's own look, the deactivated one's, and the question who may.
    assert statements(openid) == (2 if active else 3)
