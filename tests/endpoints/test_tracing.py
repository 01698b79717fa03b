"""Request traces: what an administrator can look up, bounded, and never in the way."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oidc_pkce.flows import tracing
from oidc_pkce.models import RequestTrace
from oidc_pkce.protocol.checks import registry
from tests.journeys import (
    CALLBACK,
    FORM,
    Answer,
    Browser,
    Journey,
    last_trace,
    make_application,
)

UNKNOWN = "/OAuth2/Token/nowhere"


def trace_settings(settings: Any, **values: Any) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **values}


def test_a_refused_request_shows_an_id_under_which_it_is_kept(signed_in):
    shown = {
        signed_in.authorize(client_id="unknown").html.partition("<code>")[2][:12],
        signed_in.redeem("x").json["request_id"],
        signed_in.userinfo("x").json["request_id"],
        Answer(Browser().post(UNKNOWN, "", content_type=FORM)).json["request_id"],
    }

    assert shown == set(RequestTrace.objects.values_list("request_id", flat=True))
    assert all(len(name) == 12 for name in shown)


def test_a_refusal_that_travels_to_the_client_is_kept_too(signed_in):
    signed_in.authorize(scope="unknown", client_id="my_service_user")
    trace = last_trace()

    assert (trace.endpoint, trace.failed_check, trace.error) == (
        "authorize",
        "authorize.scope",
        "invalid_scope",
    )
    assert (trace.client_id, trace.succeeded) == ("my_service_user", False)
    assert trace.application_id == signed_in.application.pk


def test_a_refused_consent_is_kept_under_its_check(asking):
    asking.decide(asking.authorize(scope="read"), "0")

    assert last_trace().failed_check == "consent.allowed"


def test_the_checks_stand_in_their_order_with_what_they_compared(signed_in):
    signed_in.authorize(redirect_uri="http://localhost:5000/Callback")
    outcomes = last_trace().outcomes

    assert [item["passed"] for item in outcomes] == [True] * (len(outcomes) - 1) + [False]
    assert outcomes[-1]["received"] == "http://localhost:5000/Callback"
    assert outcomes[-1]["expected"] == ["http://localhost:5000/callback"]
    assert "letter case" in outcomes[-1]["detail"]


def test_a_check_that_ends_nothing_stands_where_it_ran(openid):
    """A hint that is not believed only means that the person is asked."""
    openid.browser.get("/OAuth2/EndSession/portal", {"id_token_hint": "x"})
    trace = last_trace()

    assert [(item["check"], item["passed"]) for item in trace.outcomes] == [
        ("application.known", True),
        ("end_session.parameters", True),
        ("end_session.id_token_hint", False),
        ("end_session.post_logout_redirect_uri", True),
    ]
    assert (trace.failed_check, trace.succeeded) == ("end_session.id_token_hint", False)


def test_the_refusal_that_ended_a_request_stands_for_it(openid):
    """The person saw a page about the address, whatever was wrong with the hint."""
    asked = {"id_token_hint": "x", "post_logout_redirect_uri": "https://elsewhere.example/"}
    page = openid.browser.get("/OAuth2/EndSession/portal", asked)
    trace = last_trace()

    assert [item["check"] for item in trace.outcomes if not item["passed"]] == [
        "end_session.id_token_hint",
        "end_session.post_logout_redirect_uri",
    ]
    assert trace.failed_check == "end_session.post_logout_redirect_uri"
    assert trace.request_id in page.content.decode()


def test_a_refusal_stands_before_what_was_looked_at_to_answer_it(openid):
    """Whether an answer may travel is judged after the request object was refused."""
    openid.authorize(request="x")
    order = [item["check"] for item in last_trace().outcomes]

    assert last_trace().failed_check == "authorize.request_object"
    assert order.index("authorize.request_object") < order.index("authorize.redirect_uri")


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "x"}, {"scope": "x"}, {"prompt": "none login"}, {"state": ["a", "b"]}],
    ids=str,
)
def test_every_failed_check_is_one_of_the_registry(signed_in, changes):
    signed_in.authorize(**changes)
    failed = registry()[last_trace().failed_check]

    assert failed.spec
    assert failed.fix
    assert failed.sentence


def test_successes_are_sampled(signed_in, settings):
    trace_settings(settings, TRACED_SUCCESSES=0)
    signed_in.tokens()
    assert RequestTrace.objects.count() == 0

    trace_settings(settings, TRACED_SUCCESSES=1)
    token = signed_in.tokens()["access_token"]
    signed_in.userinfo(token)
    kept = list(RequestTrace.objects.order_by("pk"))
    assert [trace.endpoint for trace in kept] == ["authorize", "token", "userinfo"]
    for trace in kept:
        assert trace.succeeded
        assert (trace.failed_check, trace.error) == ("", "")
        assert (trace.client_id, trace.user.username) == ("my_service_user", "ada")
        assert all(outcome["passed"] for outcome in trace.outcomes)


def test_failures_are_kept_whatever_the_sample(signed_in, settings):
    trace_settings(settings, TRACED_SUCCESSES=0)
    signed_in.redeem("x")

    assert RequestTrace.objects.count() == 1


def test_documents_and_their_readers_leave_no_trace(list_app):
    Browser().get("/OAuth2/Keys/my_app")
    Browser().get("/my_app/.well-known/openid-configuration")

    assert RequestTrace.objects.count() == 0


def test_each_application_keeps_its_newest_and_takes_none_of_another(
    signed_in, settings, monkeypatch
):
    monkeypatch.setattr(tracing, "PRUNE_EVERY", 1)
    trace_settings(settings, TRACES_PER_APPLICATION=5, TRACES_OF_UNKNOWN_APPLICATIONS=3)
    other = Journey(make_application(application_id="other"))
    for _ in range(3):
        other.redeem("x")
    kept = [signed_in.redeem("x").json["request_id"] for _ in range(12)][-5:]
    for n in range(9):
        Browser().post(f"/OAuth2/Token/nowhere{n}", "", content_type=FORM)

    mine = RequestTrace.objects.filter(application=signed_in.application)
    assert list(mine.order_by("pk").values_list("request_id", flat=True)) == kept
    assert RequestTrace.objects.filter(application=other.application).count() == 3
    assert RequestTrace.objects.filter(application=None).count() == 3


def test_the_bound_holds_for_applications_that_take_turns(signed_in, settings, monkeypatch):
    """Traces of all applications share one sequence, and none may slip past its steps."""
    monkeypatch.setattr(tracing, "PRUNE_EVERY", 4)
    trace_settings(settings, TRACES_PER_APPLICATION=20)
    other = Journey(make_application(application_id="other"))
    for _ in range(160):
        signed_in.redeem("x")
        other.redeem("x")

    for application in (signed_in.application, other.application):
        # Which request throws old traces away is chance: 100 in a row that do not are none.
        assert RequestTrace.objects.filter(application=application).count() <= 20 + 100


def test_a_trace_is_written_after_the_requests_own_commit(signed_in):
    code = signed_in.authorize().code
    signed_in.redeem(code)
    with CaptureQueriesContext(connection) as queries:
        signed_in.redeem(code)

    statements = [
        query["sql"].split()[0] + " " + part
        for query in queries
        for part in ("grant", "trace")
        if f'oidc_pkce_{"requesttrace" if part == "trace" else "grant"}"' in query["sql"]
        and query["sql"].startswith(("UPDATE", "INSERT"))
    ]
    assert statements == ["UPDATE grant", "INSERT trace"]
    between = [query["sql"] for query in queries]
    update = next(n for n, sql in enumerate(between) if sql.startswith("UPDATE"))
    insert = next(n for n, sql in enumerate(between) if 'INTO "oidc_pkce_requesttrace"' in sql)
    assert any(sql.startswith("RELEASE SAVEPOINT") for sql in between[update:insert])


@pytest.mark.parametrize("text", ["\u2028\x1b[31m", "é" * 500, "\u202e", "x" * 8000, "<script>"])
def test_whatever_arrives_can_be_stored_and_shown(signed_in, text):
    page = signed_in.authorize(redirect_uri=text, state=text)
    trace = last_trace()

    assert page.status == 400
    assert trace.request_id in page.html
    received = trace.outcomes[-1]["received"]
    assert received.isprintable()
    assert len(received) <= 300
    assert "<script>" not in page.html


def test_a_service_users_refusal_names_the_rule_and_not_the_secret(confidential):
    confidential.redeem("x", client_secret="wrong-secret-of-43-characters-0123456789-ab")
    trace = last_trace()

    assert trace.failed_check == "client.known"
    assert trace.client_id == "robot"
    assert "wrong-secret" not in str(trace.outcomes)


@pytest.mark.parametrize(
    "misplaced",
    [
        lambda code: {"redirect_uri": f"{CALLBACK}?responseType=code&code={code}"},
        lambda code: {"client_id": code},
        lambda code: {"grant_type": code},
    ],
)
def test_a_code_in_the_wrong_place_is_not_kept(signed_in, misplaced):
    code = signed_in.authorize().code

    assert signed_in.redeem(code, **misplaced(code)).status == 400

    assert code not in str(RequestTrace.objects.values())
    assert last_trace().outcomes


def test_a_token_in_the_redirect_uri_of_a_request_is_not_kept(journey):
    journey.authorize(redirect_uri=f"{CALLBACK}?access_token=canary-token&x=1#code=canary-code")

    kept = str(RequestTrace.objects.values())
    assert "canary" not in kept
    assert "access_token=" in kept
