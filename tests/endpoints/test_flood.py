"""A flood of bad requests: what it leaves behind is bounded, in rows and in bytes, for certain."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from oidc_pkce.flows import tracing
from oidc_pkce.flows.tracing import Traced
from oidc_pkce.models import RequestTrace, Usage
from oidc_pkce.protocol.checks import Trace
from oidc_pkce.protocol.errors import InvalidGrant
from tests.journeys import FORM, Browser, Journey, make_application

EVERY = 32  # as shipped
KEPT = 20
LONG = "\U0001f4a7" * 3000  # what takes most bytes in JSON and in UTF-8
ROW = 110_000  # bytes of one trace at the most: 20 candidates beside a value of 300 characters


@pytest.fixture
def prunes_as_shipped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the tests no request tidies up, but in these."""
    monkeypatch.setattr(tracing, "PRUNE_EVERY", EVERY)
    tracing.clear()
    yield
    tracing.clear()


@pytest.fixture(autouse=True)
def few_are_kept(prunes_as_shipped: None, settings: Any, request: Any) -> None:
    settings.OIDC_PKCE = {
        **settings.OIDC_PKCE,
        "TRACES_PER_APPLICATION": KEPT,
        "TRACES_OF_UNKNOWN_APPLICATIONS": KEPT,
    }


def bytes_of(traces: Any) -> int:
    """Of all values of all rows, as a database writes them at the most."""
    return sum(len(json.dumps(row, default=str)) for row in traces.values_list().iterator())


def kept(application_pk: int | None) -> int:
    return RequestTrace.objects.filter(application=application_pk).count()


def refuse(application_pk: int | None) -> None:
    trace = Trace()
    trace.refused("code.known", InvalidGrant("no such code"))
    tracing.record(Traced("token", application_pk, "c"), trace, timezone.now())


def test_a_thousand_bad_requests_for_one_application(signed_in):
    most = 0
    for n in range(1000):
        assert signed_in.redeem(f"code-{n}").status == 400
        most = max(most, kept(signed_in.application.pk) if n % 7 == 0 else 0)

    assert KEPT <= most < KEPT + EVERY
    assert Usage.objects.count() == 0


def test_hundreds_of_bad_requests_for_applications_that_nobody_knows(db):
    browser = Browser()
    for n in range(500):
        answer = browser.post(f"/OAuth2/Token/nowhere-{n}", "grant_type=x", content_type=FORM)
        assert answer.status_code == 404

    assert KEPT <= kept(None) < KEPT + EVERY


def test_many_applications_in_turn_each_stay_within_their_own_bound(db):
    journeys = [Journey(make_application(application_id=f"app{n}")) for n in range(10)]
    for n in range(55):
        for journey in journeys:
            journey.redeem(f"code-{n}")
        Browser().post(f"/OAuth2/Token/nowhere-{n}", "", content_type=FORM)

    for target in (*(journey.application.pk for journey in journeys), None):
        assert KEPT <= kept(target) < KEPT + EVERY


def test_a_flood_at_one_application_takes_nothing_from_another(signed_in):
    other = Journey(make_application(application_id="other"))
    mine = other.redeem("mine").json["request_id"]
    for n in range(200):
        signed_in.redeem(f"code-{n}")
        Browser().post(f"/OAuth2/Token/nowhere-{n}", "", content_type=FORM)

    assert RequestTrace.objects.filter(request_id=mine).exists()


def test_processes_that_live_for_a_few_requests_only_leave_no_more(list_app):
    """None of them gets as far as its thirty-second row: each tidies up after its first one."""
    for _ in range(200):
        tracing.clear()
        for _ in range(3):
            refuse(list_app.pk)

    assert kept(list_app.pk) <= KEPT + 3


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": LONG},
        {"redirect_uri": f"https://a.example/{LONG}"},
        {"scope": " ".join(["x" * 300] * 6)},
        {"state": LONG},
        {"claims": LONG},
        {"response_type": LONG},
        {"prompt": LONG},
        {"resource": [LONG] * 5},
        {LONG[:200]: LONG},
        {"id_token_hint": LONG},
        {"request": LONG},
        {"nonce": LONG, "response_type": "token"},
    ],
    ids=lambda changes: next(iter(changes)).replace(LONG[0], "")[:13] or "name",
)
def test_long_values_make_no_large_rows(signed_in, changes):
    application = signed_in.application
    application.redirect_uris = [f"https://a{n}.example/{'p' * 1900}" for n in range(60)]
    application.client_ids = [f"{n}{'c' * 200}" for n in range(60)] + [signed_in.client_id]
    application.save()

    for _ in range(3):
        signed_in.authorize(**changes)

    for trace in RequestTrace.objects.all():
        assert bytes_of(RequestTrace.objects.filter(pk=trace.pk)) < ROW
        for outcome in trace.outcomes:
            for text in (
                outcome.get("received"),
                outcome.get("description"),
                outcome.get("detail"),
            ):
                assert len(text or "") <= tracing.MAX_TEXT
            assert len(outcome.get("expected") or ()) <= tracing.MAX_CANDIDATES


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": LONG},
        {"redirect_uri": LONG},
        {"code": LONG},
        {"grant_type": LONG},
        {"code_verifier": LONG},
        {"client_secret": LONG},
        {"resource": LONG},
        {"grant_type": "refresh_token", "refresh_token": LONG, "scope": LONG},
        {"grant_type": "password", "username": LONG, "password": LONG},
        {"grant_type": "client_credentials", "scope": LONG},
    ],
    ids="+".join,
)
def test_long_values_at_the_token_endpoint_make_no_large_rows(signed_in, changes):
    code = changes.get("code", signed_in.authorize().code)
    others = {name: value for name, value in changes.items() if name != "code"}

    assert signed_in.redeem(code, **others).status in (400, 401)

    (trace,) = RequestTrace.objects.filter(succeeded=False)
    assert bytes_of(RequestTrace.objects.filter(pk=trace.pk)) < 10_000


def test_what_the_process_remembers_of_its_rows_is_bounded(monkeypatch):
    monkeypatch.setattr(tracing, "MOST_COUNTED", 100)
    for n in range(1000):
        assert tracing._must_prune(n)

    assert len(tracing._written) <= 100


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_bound_holds_for_threads_that_write_at_once():
    application = make_application()

    def flood() -> None:
        for _ in range(150):
            refuse(application.pk)
        connections.close_all()

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert kept(application.pk) < KEPT + EVERY + len(threads)
