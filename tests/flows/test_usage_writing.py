"""Usage: counts are seldom written, bounded, and never in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from oidc_pkce.flows import usage
from oidc_pkce.models import Application, Usage
from oidc_pkce.protocol.usage import Feature
from tests.flows.counting import NOW, ProcessClock, Written, stored

MINUTE = 60.0
GRANT = {Feature.GRANT_TYPE: "password"}


class Failing:
    """Takes the place of a database that fails at first."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, use: usage.Use, seen: usage.Seen) -> None:
        self.times -= 1
        if self.times >= 0:
            raise DatabaseError("no room left")
        usage.write(use, seen)


@pytest.fixture
def process_clock(monkeypatch: pytest.MonkeyPatch) -> ProcessClock:
    made = ProcessClock()
    monkeypatch.setattr(usage, "_tally", usage.Tally(usage.write, made))
    return made


def note(application: Application, client_id: str = "a", **more: Any) -> None:
    usage.note(application.pk, client_id, GRANT, more.get("now", NOW))


def test_the_first_sight_is_written_at_once_and_the_rest_once_a_minute(list_app, process_clock):
    note(list_app)
    assert stored(list_app) == {"a": 1}

    with CaptureQueriesContext(connection) as queries:
        for _ in range(50):
            note(list_app)
    assert len(queries) == 0
    assert stored(list_app) == {"a": 1}

    process_clock.at += MINUTE
    note(list_app)
    assert stored(list_app) == {"a": 52}


def test_whoever_comes_by_writes_what_is_due(list_app, process_clock):
    """A client that is not seen again is not forgotten, either."""
    for _ in range(3):
        note(list_app, "gone")
    process_clock.at += MINUTE
    note(list_app, "other")

    assert stored(list_app) == {"gone": 3, "other": 1}


def test_no_request_writes_more_than_two_uses(list_app, process_clock):
    for n in range(20):
        note(list_app, f"c{n}")
        note(list_app, f"c{n}")
    process_clock.at += MINUTE
    note(list_app, "c0")

    assert sorted(stored(list_app).values()) == [1] * 18 + [2, 3]
    for _ in range(10):
        note(list_app, "c0")
    assert sorted(stored(list_app).values()) == [2] * 19 + [3]


def test_a_reader_in_this_process_sees_everything(list_app, process_clock):
    for _ in range(7):
        note(list_app)

    (row,) = usage.of(list_app.pk)
    assert row.count == 7
    assert usage.of(list_app.pk)[0].count == 7


def test_a_reader_writes_nothing_of_other_applications(list_app, openid_app, process_clock):
    for application in (list_app, openid_app):
        note(application)
        note(application)
    usage.flush(list_app.pk)

    assert stored(list_app) == {"a": 2}
    assert stored(openid_app) == {"a": 1}


def test_the_last_use_is_the_latest_whoever_writes_last(list_app, process_clock):
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    note(list_app, now=later)
    usage.write(usage.Use(list_app.pk, "a", (("grant_type", "password"),)), usage.Seen(1, earlier))

    (row,) = usage.of(list_app.pk)
    assert (row.first_seen_at, row.last_seen_at, row.count) == (later, later, 2)


def test_two_processes_add_up(list_app):
    clock = ProcessClock()
    for _ in range(2):
        usage.Tally(usage.write, clock).note(
            usage.Use(list_app.pk, "a", (("grant_type", "password"),)), NOW
        )

    assert stored(list_app) == {"a": 2}


def test_strangers_cannot_fill_the_table_with_client_ids(list_app, openid_app, process_clock):
    for n in range(usage.MOST_CLIENTS + 50):
        note(list_app, f"stranger-{n}")
    note(openid_app, "known")
    note(list_app, "stranger-3")
    usage.flush()

    found = stored(list_app)
    assert len(found) == usage.MOST_CLIENTS + 1
    assert found[usage.OTHERS] == 50
    assert found["stranger-3"] == 2
    assert stored(openid_app) == {"known": 1}


def test_strangers_cannot_fill_the_memory(list_app, process_clock, monkeypatch):
    written = Written()
    tally = usage.Tally(written, process_clock)
    monkeypatch.setattr(usage, "MOST_USES", 100)
    for n in range(1000):
        tally.note(usage.Use(list_app.pk, f"stranger-{n}", ()), NOW)

    assert len(tally) <= 100
    assert len(written) == 1000


def test_what_nobody_did_for_a_while_leaves_the_memory(list_app, process_clock):
    tally = usage.Tally(Written(), process_clock)
    for n in range(50):
        tally.note(usage.Use(list_app.pk, f"c{n}", ()), NOW)
    process_clock.at += MINUTE
    for _ in range(60):
        tally.note(usage.Use(list_app.pk, "c0", ()), NOW)

    assert len(tally) == 1


def test_a_long_client_id_is_cut_and_two_of_them_count_as_one(list_app):
    note(list_app, "x" * 255 + "a")
    note(list_app, "x" * 255 + "b")

    assert [(row.client_id, row.count) for row in usage.of(list_app.pk)] == [("x" * 255, 2)]


def test_a_count_that_cannot_be_written_costs_nobody_the_answer(signed_in, monkeypatch, caplog):
    monkeypatch.setattr(usage, "_tally", usage.Tally(Failing(100)))

    assert signed_in.tokens()["access_token"]
    assert "was not counted" in caplog.text


def test_what_could_not_be_written_is_not_lost(list_app, process_clock, monkeypatch):
    monkeypatch.setattr(usage, "_tally", usage.Tally(Failing(1), process_clock))
    note(list_app)
    assert stored(list_app) == {}

    process_clock.at += MINUTE
    note(list_app)
    assert stored(list_app) == {"a": 2}


def test_a_count_for_an_application_that_is_gone_is_dropped(list_app, process_clock):
    pk = list_app.pk
    note(list_app)
    note(list_app)
    list_app.delete()
    usage.flush()

    assert Usage.objects.filter(application=pk).count() == 0


def test_the_rows_go_with_their_application(list_app):
    note(list_app)
    list_app.delete()

    assert Usage.objects.count() == 0


def test_the_end_of_the_process_writes_what_is_pending(list_app, process_clock, monkeypatch):
    note(list_app)
    note(list_app)
    monkeypatch.setattr(usage, "_written_to", {usage._database()})
    usage._at_exit()

    assert stored(list_app) == {"a": 2}


def test_the_end_of_the_tests_writes_nothing_into_another_database(
    list_app, process_clock, monkeypatch
):
    note(list_app)
    note(list_app)
    monkeypatch.setattr(usage, "_written_to", {"a database of tests that is gone"})
    usage._at_exit()

    assert stored(list_app) == {"a": 1}
