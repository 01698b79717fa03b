"""A sign-out, whoever does it, ends what the browser session granted, and notes whom to tell."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib import auth
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce import receivers, signals
from oidc_pkce.models import Application, AuditEvent, Grant, LogoutDelivery, Subject
from tests.fixtures import make_user
from tests.journeys import FORM, Answer, Journey, encode, make_application
from tests.spec import spec

TELL = "https://rp.example/back"


@pytest.fixture
def telling(list_app: Application, ada: Any) -> Journey:
    """Ada before an application that wants to be told, with a scope that outlives sessions."""
    list_app.backchannel_logout_uri = TELL
    list_app.client_ids = ["my_service_user", "another_client"]
    list_app.save()
    for name in ("read", "offline_access", "offline_access2", "my_offline_access"):
        list_app.scopes.create(name=name)
    return Journey(list_app).log_in(ada)


def sign_out(journey: Journey) -> None:
    """As a page of the host project does it."""
    request = HttpRequest()
    request.session = journey.browser.session
    request.user = auth.get_user(request)
    auth.logout(request)


def told() -> list[tuple[str, str]]:
    rows = LogoutDelivery.objects.order_by("application", "client_id")
    return list(rows.values_list("application__application_id", "client_id"))


@spec("OpenID Connect Back-Channel Logout", "2.7")
@pytest.mark.parametrize(
    ("scope", "lives"),
    [
        ("", False),
        ("read", False),
        ("offline_access2 my_offline_access", False),
        ("offline_access", True),
        ("read offline_access", True),
        ("offline_access read", True),
        ("my_offline_access offline_access read", True),
    ],
)
def test_a_grant_ends_with_its_session_unless_it_is_for_offline_use(telling, scope, lives):
    tokens = telling.tokens(scope=scope or None)

    sign_out(telling)

    assert Grant.objects.live(timezone.now()).exists() is lives
    assert telling.userinfo(tokens["access_token"]).status == (200 if lives else 401)
    assert told() == [("my_app", "my_service_user")]


@pytest.mark.parametrize("page", ["host", "admin", "ours"])
def test_every_page_that_signs_out_counts(telling, page):
    telling.tokens()
    if page == "host":
        sign_out(telling)
    elif page == "admin":
        auth.get_user_model().objects.update(is_staff=True)
        telling.browser.post("/admin/logout/")
    else:
        page = Answer(telling.browser.get("/OAuth2/EndSession"))
        answer = {"sign_out_ticket": page.hidden("sign_out_ticket"), "result": "1"}
        telling.browser.post("/OAuth2/EndSession", encode(answer), content_type=FORM)

    assert not Grant.objects.live(timezone.now()).exists()
    assert told() == [("my_app", "my_service_user")]
    event = AuditEvent.objects.get(action="user.signed_out")
    assert (event.actor_name, event.details) == ("ada", {"grants": 1, "applications": 1})


def test_other_sessions_and_other_people_stay(telling, ada):
    telling.tokens()
    others = [Journey(telling.application).log_in(person) for person in (ada, make_user("bob"))]
    tokens = [other.tokens()["access_token"] for other in others]

    sign_out(telling)

    assert [o.userinfo(t).status for o, t in zip(others, tokens, strict=True)] == [200, 200]
    assert len(told()) == 1


@spec("OpenID Connect Back-Channel Logout", "2.4")
def test_each_client_of_each_application_is_told_once(telling, openid_app):
    openid_app.backchannel_logout_uri = "https://portal.example/back"
    openid_app.save()
    make_application(application_id="silent", client_ids=["silent"])
    silent = Application.objects.get(application_id="silent")
    for _ in range(2):
        telling.tokens()
        Journey(telling.application, "another_client", browser=telling.browser).tokens()
        Journey(openid_app, openid_app.openid_client_id, browser=telling.browser).tokens()
        Journey(silent, "silent", browser=telling.browser).tokens()
    sid = telling.browser.session[receivers.SID]

    sign_out(telling)

    assert sorted(told()) == [
        ("my_app", "another_client"),
        ("my_app", "my_service_user"),
        ("portal", openid_app.openid_client_id),
    ]
    delivery = LogoutDelivery.objects.first()
    assert delivery.subject == str(Subject.objects.get().identifier)
    assert delivery.sid == sid
    assert delivery.next_attempt_at == delivery.created_at
    assert (delivery.expires_at - delivery.created_at).total_seconds() == 24 * 3600


@spec("OpenID Connect Core", "8.1")
def test_a_pairwise_application_is_told_its_own_subject(telling):
    telling.application.subject_type = "pairwise"
    telling.application.save()
    subject = telling.userinfo(telling.tokens()["access_token"]).json["sub"]

    sign_out(telling)

    assert LogoutDelivery.objects.get().subject == subject
    assert subject != str(Subject.objects.get().identifier)


def test_an_application_whose_grant_has_ended_before_is_told_too(telling):
    """Its own session may well go on."""
    telling.tokens()
    Grant.objects.update(revoked_at=timezone.now())

    sign_out(telling)

    assert told() == [("my_app", "my_service_user")]
    assert AuditEvent.objects.get(action="user.signed_out").details["grants"] == 0


def test_what_was_granted_before_a_fresh_sign_in_ends_as_well(telling, ada):
    telling.tokens()
    telling.browser.force_login(ada)
    telling.tokens()

    sign_out(telling)

    assert not Grant.objects.live(timezone.now()).exists()
    assert len(told()) == 1


def test_another_person_in_the_same_browser_has_another_session(telling):
    before = telling.browser.session[receivers.SID]
    telling.browser.force_login(make_user("bob"))

    assert telling.browser.session[receivers.SID] != before


def test_a_session_without_a_name_ends_nothing(telling):
    """It began before this app was installed; grants without a session are nobody's here."""
    telling.tokens()
    Grant.objects.update(sid="")
    session = telling.browser.session
    del session[receivers.SID]
    session.save()

    sign_out(telling)

    assert Grant.objects.live(timezone.now()).count() == 1
    assert told() == []
    assert AuditEvent.objects.filter(action="user.signed_out").count() == 1


def test_who_is_not_signed_in_leaves_nothing_behind(db):
    request = HttpRequest()
    request.session = Journey(Application()).browser.session
    request.user = auth.get_user(request)
    auth.logout(request)

    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("fault", [DatabaseError("full"), RuntimeError("a bug")])
def test_a_failure_keeps_nobody_signed_in_and_ends_nothing_by_half(
    telling, monkeypatch, caplog, fault
):
    telling.tokens()

    def fail(*args: Any, **kwargs: Any) -> None:
        with connection.cursor() as cursor:
            if isinstance(fault, DatabaseError):
                cursor.execute("SELECT 1 FROM nowhere")
        raise fault

    monkeypatch.setattr("oidc_pkce.audit.record", fail)
    with caplog.at_level(logging.ERROR, "oidc_pkce.receivers"):
        sign_out(telling)

    assert "was not ended" in caplog.text
    assert not telling.browser.session.get("_auth_user_id")
    assert telling.authorize(prompt="none").error == "login_required"
    assert Grant.objects.live(timezone.now()).count() == 1
    assert told() == []


def test_the_host_hears_of_each_grant_after_the_commit(telling, django_capture_on_commit_callbacks):
    telling.tokens()
    telling.tokens()
    ended = {str(pk) for pk in Grant.objects.values_list("pk", flat=True)}
    telling.tokens(scope="offline_access")
    heard: list[tuple[str, str]] = []

    def hear(sender: Any, grant_id: str, reason: str, **kwargs: Any) -> None:
        heard.append((grant_id, reason))

    signals.grant_revoked.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            sign_out(telling)
            assert heard == []
    finally:
        signals.grant_revoked.disconnect(hear)

    assert sorted(heard) == sorted((grant, "user.signed_out") for grant in ended)


def test_many_grants_cost_no_more_statements_than_one(telling):
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            sign_out(telling)
        return len(queries)

    telling.tokens()
    one = statements()
    telling.log_in(auth.get_user_model().objects.get())
    for _ in range(5):
        telling.tokens()

    assert statements() == one


def test_a_session_that_expires_tells_nobody(telling):
    telling.tokens()
    session = telling.browser.session
    session.set_expiry(-1)
    session.save()

    assert telling.authorize(prompt="none").error == "login_required"
    assert told() == []
