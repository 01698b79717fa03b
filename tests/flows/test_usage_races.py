"""Usage: processes and threads that count at once lose nothing and block nobody."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, connections, transaction

from oidc_pkce.flows import usage
from oidc_pkce.models import Usage
from tests.flows.counting import NOW, ProcessClock, Written, stored
from tests.journeys import make_application


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_processes_that_begin_at_once_lose_nothing_and_make_no_row_twice():
    """Each thread is a process of its own: a tally and a connection."""
    application = make_application()
    barrier = threading.Barrier(6)

    def process(number: int) -> None:
        tally = usage.Tally(usage.write)
        barrier.wait()
        for client in range(20):
            each = (("grant_type", "password"), ("algorithm", "RS256"))
            tally.note(usage.Use(application.pk, f"c{client}", each), NOW)
            tally.note(usage.Use(application.pk, f"c{client}", each), NOW)
        tally.flush()
        connections.close_all()

    threads = [threading.Thread(target=process, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stored(application) == {f"c{n}": 12 for n in range(20)}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_row_holds_none_that_was_made_later():
    """However the rows lie in the table: so no two processes wait for each other."""
    application = make_application()
    use = usage.Use(application.pk, "a", (("grant_type", "password"), ("algorithm", "RS256")))
    usage.write(use, usage.Seen(1, NOW))
    mine = Usage.objects.filter(application=application)
    first, second = mine.order_by("pk").values_list("pk", flat=True)
    mine.filter(pk=first).update(count=1)  # from now on it lies behind the second

    def process() -> None:
        usage.write(use, usage.Seen(1, NOW))
        connections.close_all()

    other = threading.Thread(target=process)
    with transaction.atomic():
        mine.select_for_update().get(pk=first)
        other.start()
        wait_until_somebody_waits()
        mine.select_for_update(nowait=True).get(pk=second)
    other.join()

    assert set(mine.values_list("count", flat=True)) == {2}


def wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    pytest.fail("nobody waits for the row that is held")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_clients_are_never_too_many_however_many_processes_begin(monkeypatch):
    monkeypatch.setattr(usage, "MOST_CLIENTS", 5)
    application = make_application()
    barrier = threading.Barrier(8)

    def process(number: int) -> None:
        barrier.wait()
        usage.Tally(usage.write).note(
            usage.Use(application.pk, f"c{number}", (("grant_type", "password"),)), NOW
        )
        connections.close_all()

    threads = [threading.Thread(target=process, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = stored(application)
    assert len(found) == 6
    assert found[usage.OTHERS] == 3


def test_threads_of_one_process_lose_no_count(list_app):
    written = Written()
    tally = usage.Tally(written, ProcessClock())

    def work() -> None:
        for _ in range(2000):
            tally.note(usage.Use(list_app.pk, "a", ()), NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.flush()

    assert sum(seen.requests for _, seen in written) == 8000
