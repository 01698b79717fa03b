"""The administration's own sign-in counts failures as our sign-in page does."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client as Browser

from oidc_pkce.models import AuditEvent
from oidc_pkce.portal.sign_in import LimitedAuthenticationForm
from tests.fixtures import make_user
from tests.journeys import PASSWORD, path_of

TOO_MANY = "Too many attempts. Wait a few minutes, then try again."
LIMIT = 3


@pytest.fixture(autouse=True)
def limited(settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Few attempts, and the form in its place, for a member of staff called Robin."""
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": LIMIT}
    monkeypatch.setattr(admin.site, "login_form", LimitedAuthenticationForm)
    make_user("robin", is_staff=True)


def attempt(password: str, username: str = "robin", **environment: str) -> HttpResponse:
    data = {"username": username, "password": password}
    return Browser().post("/admin/login/?next=/admin/", data, **environment)


def test_after_too_many_failures_the_right_password_does_not_help_either():
    for _ in range(LIMIT):
        assert TOO_MANY not in attempt("wrong").content.decode()

    refused = attempt(PASSWORD)

    assert refused.status_code == 200
    assert TOO_MANY in refused.content.decode()


def test_successes_are_never_counted():
    for _ in range(3 * LIMIT):
        assert attempt(PASSWORD).status_code == 302


def test_a_form_without_a_password_counts_for_nothing():
    for _ in range(3 * LIMIT):
        attempt("")

    assert attempt(PASSWORD).status_code == 302


def test_the_counters_are_those_of_our_sign_in_page(journey):
    for _ in range(LIMIT):
        attempt("wrong", "Robin")

    address = path_of(journey.authorize().location)
    answer = journey.browser.post(address, {"username": "robin", "password": PASSWORD})

    assert answer.status_code == 429


def test_the_address_is_the_one_that_trusted_proxies_name(settings):
    settings.OIDC_PKCE = {
        **settings.OIDC_PKCE,
        "ATTEMPTS_PER_ADDRESS": LIMIT,
        "TRUSTED_PROXIES": ["127.0.0.1/32"],
    }
    for number in range(LIMIT):
        attempt("wrong", f"name{number}", HTTP_X_FORWARDED_FOR="192.0.2.1")

    assert attempt(PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.2").status_code == 302
    assert TOO_MANY in attempt(PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.1").content.decode()


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_refused_sign_ins_are_audited_and_the_limit_once():
    for _ in range(LIMIT + 2):
        attempt("wrong")

    assert actions() == ["user.sign_in_failed"] * LIMIT + ["user.sign_in_blocked"]


def test_what_was_typed_is_not_kept():
    attempt("a-password", username="a-password-typed-too-early")

    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name) == (None, "")
    assert event.details == {"address": "127.0.0.1", "page": "administration"}
    assert "typed" not in str(vars(event))


def test_who_signs_in_to_the_administration_is_audited():
    attempt(PASSWORD)

    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("user.signed_in", "robin")
    assert event.details["page"] == "administration"


def test_a_person_without_administration_is_refused_and_audited(ada):
    assert attempt(PASSWORD, username="ada").status_code == 200

    assert actions() == ["user.sign_in_failed"]


def test_a_form_without_a_password_leaves_nothing():
    attempt("")

    assert actions() == []
