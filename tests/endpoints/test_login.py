"""The sign-in page: who gets in, what is counted, and what a stranger can learn."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce import audit, throttling
from oidc_pkce.flows import login, tracing
from oidc_pkce.flows.login import Attempt, SignInBlocked, SignInRefused
from oidc_pkce.models import AuditEvent, Grant
from oidc_pkce.protocol.errors import TemporarilyUnavailable
from tests.fixtures import make_user
from tests.journeys import (
    PASSWORD,
    Answer,
    Browser,
    Journey,
    make_application,
    make_service_user,
    path_of,
)
from tests.spec import spec

WRONG = "User name or password is wrong"
TOO_MANY = "Too many attempts"


def page_of(journey: Journey, **changes: Any) -> tuple[str, Answer]:
    """The address of a sign-in page, and the page."""
    address = path_of(journey.authorize(**changes).location)
    return address, Answer(journey.browser.get(address))


def attempt(journey: Journey, username: str, password: str = "wrong", **environment: str) -> Answer:
    """Post the sign-in form, perhaps from another address."""
    address = path_of(journey.authorize().location)
    data = {"username": username, "password": password}
    return Answer(journey.browser.post(address, data, **environment))


def limits(settings: Any, **values: Any) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **values}


# --- the page -----------------------------------------------------------------------------------


def test_the_user_name_comes_first_and_then_the_password(journey, ada):
    address, page = page_of(journey)
    assert "Next" in page.html

    second = Answer(journey.browser.post(address, {"username": "ada", "password": ""}))
    assert second.status == 200
    assert "Enter your password" in second.html
    assert 'value="ada"' in second.html
    assert "Start over" in second.html
    assert Session.objects.count() == 0

    done = Answer(journey.browser.post(address, {"username": "ada", "password": PASSWORD}))
    assert done.code


def test_a_scripted_client_finds_its_two_inputs_on_both_steps(journey):
    address, first = page_of(journey)
    second = Answer(journey.browser.post(address, {"username": "x", "password": ""}))

    for page in (first, second):
        assert len(re.findall("<form", page.html)) == 1
        assert 'name="username"' in page.html
        assert 'name="password"' in page.html


def test_start_over_leads_to_the_first_step_of_the_same_request(journey, ada):
    address, _ = page_of(journey, state="kept")
    second = Answer(journey.browser.post(address, {"username": "bob"}))
    again = re.search(r'href="(https://id.example.com[^"]*)"', second.html)
    assert again
    location = path_of(again.group(1).replace("&amp;", "&"))

    done = Answer(journey.browser.post(location, {"username": "ada", "password": PASSWORD}))
    assert done.query["state"] == "kept"


def test_what_was_typed_is_escaped(journey):
    address, _ = page_of(journey)
    evil = '"><script>alert(1)</script>'
    page = Answer(journey.browser.post(address, {"username": evil, "password": "x"}))

    assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert(1)" in page.html


def test_who_is_signed_in_already_goes_on(journey, ada):
    address, _ = page_of(journey)
    journey.log_in(ada)

    assert Answer(journey.browser.get(address)).code


@spec("RFC 6749", "10.12")
@pytest.mark.parametrize(
    "ticket", ["", "x", "a:b:c", "é", "\0", "x" * 100_000], ids=lambda text: text[:5]
)
def test_a_forged_ticket_is_a_page(journey, ada, ticket):
    for method in ("get", "post"):
        send = getattr(journey.browser, method)
        answer = Answer(send(journey.url("Login"), {"ticket": ticket}))
        assert (answer.status, answer.location) == (400, "")
        assert "no longer valid" in answer.html


@spec("RFC 6749", "10.12")
def test_a_ticket_of_another_application_or_of_yesterday_is_a_page(journey, settings):
    make_application(application_id="other")
    address, _ = page_of(journey)
    ticket = address.partition("?")[2]

    assert Answer(journey.browser.get(f"/OAuth2/Login/other?{ticket}")).status == 400
    assert Answer(journey.browser.get(f"/OAuth2/Confirm/other?{ticket}")).status == 400
    limits(settings, INTERACTION_LIFETIME=-1)
    assert Answer(journey.browser.get(address)).status == 400


@spec("RFC 6749", "4.1.2.1")
def test_what_changed_during_the_sign_in_counts(journey, list_app, ada):
    address, _ = page_of(journey)
    list_app.redirect_uris = ["https://other.example/cb"]
    list_app.save()

    answer = Answer(journey.browser.post(address, {"username": "ada", "password": PASSWORD}))

    assert (answer.status, answer.location) == (400, "")
    assert Grant.objects.count() == 0


# --- sessions -----------------------------------------------------------------------------------


@spec("RFC 6819", "4.4.1.5")
def test_the_session_key_is_another_after_sign_in(list_app, ada):
    journey = Journey(list_app)
    session = journey.browser.session  # an anonymous one, perhaps set by an attacker
    session["host"] = "kept"
    session.save()
    before = journey.browser.cookies["sessionid"].value

    assert journey.sign_in(journey.authorize(), "ada").code

    after = journey.browser.cookies["sessionid"].value
    assert after != before
    assert not Session.objects.filter(pk=before).exists()


def test_a_sign_in_over_another_persons_session_takes_nothing_along(list_app, ada, bob):
    journey = Journey(list_app).log_in(bob)
    session = journey.browser.session
    session["secret of bob"] = 1
    session.save()

    journey.sign_in(journey.authorize(prompt="login"), "ada")

    assert "secret of bob" not in journey.browser.session
    assert journey.browser.session["_auth_user_id"] == str(ada.pk)


@spec("RFC 6749", "10.12")
def test_the_form_needs_its_csrf_token(list_app, ada):
    journey = Journey(list_app, browser=Browser(enforce_csrf_checks=True))
    address, page = page_of(journey)
    data = {"username": "ada", "password": PASSWORD}

    assert journey.browser.post(address, data).status_code == 403
    assert Session.objects.count() == 0
    token = page.hidden("csrfmiddlewaretoken")
    answer = Answer(journey.browser.post(address, {**data, "csrfmiddlewaretoken": token}))
    assert answer.code


# --- enumeration --------------------------------------------------------------------------------


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    ran = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.ran += 1
        return super().encode(password, salt)


@spec("RFC 6819", "4.3.5")
def test_known_and_unknown_people_get_the_same_page_at_the_same_cost(
    journey, db, settings, monkeypatch
):
    monkeypatch.setattr(tracing, "PRUNE_EVERY", 1)  # else one in so many pays for old traces
    settings.PASSWORD_HASHERS = [f"{__name__}.{CountingHasher.__name__}"]
    make_user("lovelace")
    make_user("inactive", is_active=False)
    make_service_user(make_user("machine"))

    def cost(username: str, password: str) -> tuple[Any, ...]:
        address = path_of(journey.authorize().location)
        CountingHasher.ran = 0
        with CaptureQueriesContext(connection) as queries:
            answer = Answer(
                journey.browser.post(address, {"username": username, "password": password})
            )
        text = answer.html.replace(username, "NAME")
        text = re.sub(r'(ticket(?:=|" value=")|csrfmiddlewaretoken" value=")[^"]*', "", text)
        text = re.sub(r"<code>[A-Z0-9]{12}</code>", "", text)
        return answer.status, text, len(queries), CountingHasher.ran > 0

    for password in ("wrong", "w" * 4096, "w" * 5000, ""):
        seen = {cost(name, password) for name in ("lovelace", "nobody", "inactive", "machine")}
        assert len(seen) == 1, password
    assert cost("lovelace", "wrong")[-1] is True
    assert cost("nobody", "wrong")[-1] is True
    assert {cost(name, PASSWORD)[:2] for name in ("nobody", "inactive", "machine")} == {
        cost("nobody", "wrong")[:2]
    }


def test_a_service_user_and_an_inactive_user_do_not_sign_in(journey, db):
    make_user("inactive", is_active=False)
    make_service_user(make_user("robot"))

    for name in ("inactive", "robot"):
        answer = attempt(journey, name, PASSWORD)
        assert answer.status == 200
        assert WRONG in answer.html
    assert Session.objects.count() == 0


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "p" * 100_000),
        ("u" * 100_000, "x"),
        ("a\0da", PASSWORD),
        ("ada", PASSWORD + "\0"),
        ("é" * 300, "x"),
        ("' or 1=1 --", "' or 1=1 --"),
    ],
    ids=["long password", "long name", "NUL", "NUL in the password", "not ASCII", "SQL"],
)
def test_what_no_account_can_hold_is_refused_quickly(journey, ada, username, password):
    started = time.monotonic()
    answer = attempt(journey, username, password)

    assert WRONG in answer.html
    assert time.monotonic() - started < 1


# --- attempt limits -----------------------------------------------------------------------------


@spec("RFC 6819", "5.1.4.2.3")
def test_failures_are_limited_by_account_whatever_the_address_and_the_spelling(
    journey, ada, settings
):
    limits(settings, ATTEMPTS_PER_ACCOUNT=3)
    for n, name in enumerate(("ada", "ADA", " Ada ")):
        assert WRONG in attempt(journey, name, REMOTE_ADDR=f"192.0.2.{n}").html

    blocked = attempt(journey, "ada", PASSWORD, REMOTE_ADDR="192.0.2.99")

    assert blocked.status == 429
    assert TOO_MANY in blocked.html
    assert Session.objects.count() == 0
    assert AuditEvent.objects.filter(action="user.sign_in_blocked").count() == 1
    make_user("bob")
    assert attempt(journey, "bob", PASSWORD).code


@spec("RFC 6819", "5.1.4.2.3")
def test_an_unknown_account_is_limited_just_so(journey, settings, db):
    limits(settings, ATTEMPTS_PER_ACCOUNT=2)
    answers = [attempt(journey, "nobody").status for _ in range(3)]

    assert answers == [200, 200, 429]


@spec("RFC 6819", "5.1.4.2.3")
def test_failures_are_limited_by_address_whatever_the_account(journey, ada, settings):
    limits(settings, ATTEMPTS_PER_ADDRESS=3)
    for n in range(3):
        attempt(journey, f"name{n}", REMOTE_ADDR="192.0.2.1")

    assert attempt(journey, "ada", PASSWORD, REMOTE_ADDR="192.0.2.1").status == 429
    assert attempt(journey, "ada", PASSWORD, REMOTE_ADDR="192.0.2.2").code


@spec("RFC 6819", "5.1.4.2.3")
def test_an_ipv6_subscriber_counts_as_one_address(journey, ada, settings):
    limits(settings, ATTEMPTS_PER_ADDRESS=3)
    for n in range(3):
        attempt(journey, f"name{n}", REMOTE_ADDR=f"2001:db8:1:2:{n}::{n}")

    assert attempt(journey, "ada", PASSWORD, REMOTE_ADDR="2001:db8:1:2::ffff").status == 429
    assert attempt(journey, "ada", PASSWORD, REMOTE_ADDR="2001:db8:1:3::1").code


def test_an_ipv4_address_is_the_same_behind_an_ipv6_socket():
    assert throttling.network_of("::ffff:192.0.2.1") == throttling.network_of("192.0.2.1")


def test_forwarded_headers_count_only_from_trusted_proxies(journey, ada, settings):
    limits(settings, ATTEMPTS_PER_ADDRESS=3)
    for n in range(3):
        forged = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": f"198.51.100.{n}"}
        attempt(journey, f"name{n}", **forged)

    forged = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "198.51.100.77"}
    assert attempt(journey, "ada", PASSWORD, **forged).status == 429


def test_behind_a_trusted_proxy_the_last_untrusted_hop_counts(journey, ada, settings):
    limits(settings, ATTEMPTS_PER_ADDRESS=3, TRUSTED_PROXIES=("10.0.0.0/8",))

    def behind(hops: str) -> dict[str, str]:
        return {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": hops}

    for n in range(3):
        attempt(journey, f"name{n}", **behind(f"203.0.113.{n}, 198.51.100.7, 10.0.0.2"))

    assert attempt(journey, "ada", PASSWORD, **behind("1.1.1.1, 198.51.100.7")).status == 429
    assert attempt(journey, "ada", PASSWORD, **behind("198.51.100.8")).code


@spec("RFC 6819", "5.1.4.2.3")
def test_successes_are_never_counted(list_app, ada, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=2, ATTEMPTS_PER_ADDRESS=2)

    for _ in range(6):
        journey = Journey(list_app)
        assert journey.sign_in(journey.authorize(), "ada").code


def test_a_flushed_cache_costs_a_few_attempts_and_nothing_else(journey, ada, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=1)
    attempt(journey, "ada")
    assert attempt(journey, "ada", PASSWORD).status == 429
    cache.clear()
    assert attempt(journey, "ada", PASSWORD).code


def test_the_window_ends(journey, ada, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=1, ATTEMPT_WINDOW=timedelta(seconds=1).total_seconds())
    attempt(journey, "ada")
    time.sleep(1.1)

    assert attempt(journey, "ada", PASSWORD).code


def test_what_was_typed_as_a_user_name_is_not_kept(journey, db):
    attempt(journey, "my-password-typed-into-the-wrong-field")

    for event in AuditEvent.objects.all():
        assert "my-password" not in f"{event.actor_name} {event.details}"
    assert AuditEvent.objects.filter(action="user.sign_in_failed").count() == 1


def test_no_number_of_parallel_guesses_reaches_the_hasher_more_often_than_allowed(
    journey, ada, settings
):
    limits(settings, ATTEMPTS_PER_ACCOUNT=3, PASSWORD_HASHES_AT_ONCE=10)  # all of them find room
    asked = []

    def slow_backend(**credentials):
        """While one guess is being hashed, the others arrive."""
        asked.append(credentials)
        if len(asked) < 10:
            guess()

    def guess():
        with contextlib.suppress(SignInRefused):
            login.sign_in(attempt, slow_backend)

    facts = journey.application.facts()
    attempt = Attempt("ada", "wrong", "192.0.2.1", facts, timezone.now())
    guess()

    assert len(asked) == 3


def test_parallel_guesses_that_find_no_room_are_not_counted_and_gain_nothing(
    journey, ada, settings, monkeypatch
):
    monkeypatch.setattr(throttling, "SLOT_WAIT", 0.01)
    limits(settings, ATTEMPTS_PER_ACCOUNT=3, PASSWORD_HASHES_AT_ONCE=2)
    asked, told = [], []

    def slow_backend(**credentials):
        asked.append(credentials)
        if len(asked) < 10:
            guess()

    def guess():
        try:
            login.sign_in(attempt, slow_backend)
        except (SignInRefused, TemporarilyUnavailable) as refusal:
            told.append(type(refusal))

    facts = journey.application.facts()
    attempt = Attempt("ada", "wrong", "192.0.2.1", facts, timezone.now())
    guess()
    assert (len(asked), told) == (2, [TemporarilyUnavailable, SignInRefused, SignInRefused])

    for _ in range(5):
        guess()
    assert len(asked) == 3
    assert told[-1] is SignInBlocked


def test_audited_failures_of_strangers_are_bounded(journey, ada, monkeypatch, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": 1000}
    monkeypatch.setattr(audit, "PRUNE_EVERY", 1)
    monkeypatch.setattr(audit, "NEWEST_FAILURES", 5)

    for _ in range(9):
        journey.sign_in(journey.authorize(), "ada", "wrong")
    journey.sign_in(journey.authorize(), "ada")

    failures = AuditEvent.objects.filter(action=audit.Action.SIGN_IN_FAILED)
    assert failures.count() == 5
    assert AuditEvent.objects.filter(action=audit.Action.SIGNED_IN).count() == 1


def test_a_page_posted_with_too_much_is_a_page_of_ours(journey):
    address = path_of(journey.authorize().location)

    for data in ({"username": "u" * 300_000}, {f"field{n}": "1" for n in range(1500)}):
        answer = journey.browser.post(address, data)
        assert answer.status_code == 400
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert b"u" * 300 not in answer.content


def test_a_user_name_is_shown_again_within_its_bound(journey):
    address = path_of(journey.authorize().location)

    page = journey.browser.post(address, {"username": "u" * 5000}).content

    assert b"u" * 254 in page
    assert b"u" * 255 not in page


def test_start_over_still_asks_for_another_account(asking):
    consent = asking.follow(asking.authorize())
    other = re.search(r'href="([^"]*switch=1)"', consent.html)[1].replace("&amp;", "&")

    page = Answer(asking.browser.post(path_of(other), {"username": "bob"}))

    assert "switch=1" in re.search(r'href="([^"]*/OAuth2/Login/[^"]*)"', page.html)[1]


def test_a_blocked_address_cannot_fill_the_counters_of_accounts(settings):
    settings.OIDC_PKCE = {
        **settings.OIDC_PKCE,
        "ATTEMPTS_PER_ADDRESS": 2,
        "ATTEMPTS_PER_ACCOUNT": 4,
    }
    for _ in range(9):
        throttling.reserve(throttling.sign_in_counters("ada", "192.0.2.1"))

    assert throttling.reserve(throttling.sign_in_counters("ada", "192.0.2.2"))
