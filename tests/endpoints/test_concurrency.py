"""Races over HTTP, on PostgreSQL and on an SQLite file: one code is traded once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from oidc_pkce.models import AuthorizationCode, Grant, SigningKey
from oidc_pkce.testing import clear_caches
from tests.fixtures import make_user
from tests.journeys import Answer, Browser, Journey, make_application
from tests.spec import spec

PARALLEL = 50
ROUNDS = 50

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd() -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """Do one thing in fifty threads at the same moment; each keeps its connection."""
    barrier = Barrier(PARALLEL)

    def at_once(act: Callable[[], Any]) -> Any:
        barrier.wait(timeout=60)
        return act()

    with ThreadPoolExecutor(PARALLEL) as pool:
        yield lambda act: list(pool.map(lambda _: at_once(act), range(PARALLEL)))
        list(pool.map(lambda _: at_once(connections.close_all), range(PARALLEL)))


@pytest.fixture
def person() -> Journey:
    return Journey(make_application()).log_in(make_user("ada"))


def fifty_redemptions(crowd: Any, person: Journey) -> None:
    """Fifty at once: one answer, forty-nine refusals, and nothing that the thief could keep."""
    code = person.authorize().code
    answers: list[Answer] = crowd(lambda: person.redeem(code))

    told = Counter((answer.status, answer.error) for answer in answers)
    assert told == {(200, None): 1, (400, "invalid_grant"): PARALLEL - 1}
    (winner,) = (answer for answer in answers if answer.status == 200)
    assert person.userinfo(winner.json["access_token"]).status == 401  # the others were replays


@spec("RFC 6749", "4.1.2")
@pytest.mark.postgresql
def test_of_fifty_redemptions_at_once_one_succeeds_fifty_times_in_a_row_on_postgresql(
    crowd, person
):
    for _ in range(ROUNDS):
        fifty_redemptions(crowd, person)

    assert AuthorizationCode.objects.filter(used_at=None).count() == 0
    assert Grant.objects.filter(revoked_at=None).count() == 0


@spec("RFC 6749", "4.1.2")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has its own test of this")
def test_of_fifty_redemptions_at_once_one_succeeds_fifty_times_in_a_row_on_sqlite(crowd, person):
    for _ in range(ROUNDS):
        fifty_redemptions(crowd, person)

    assert AuthorizationCode.objects.filter(used_at=None).count() == 0


@spec("RFC 6749", "4.1.3")
def test_wrong_requests_beside_the_right_one_do_not_spend_the_code(crowd, person):
    code = person.authorize().code
    answers = crowd(lambda: person.redeem(code, code_verifier="x" * 43))

    assert {answer.status for answer in answers} == {400}
    right = person.redeem(code)
    assert right.status == 200
    assert person.userinfo(right.json["access_token"]).status == 200


@spec("RFC 6749", "4.1.2")
def test_fifty_people_at_once_each_get_their_own_tokens(crowd, person):
    codes = iter([person.authorize().code for _ in range(PARALLEL)])
    answers = crowd(lambda: person.redeem(next(codes)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["access_token"] for answer in answers}) == PARALLEL


@spec("RFC 7517", "5")
def test_the_first_key_is_made_once_whoever_comes_first(crowd, person):
    def ask() -> bytes:
        clear_caches()  # as separate processes, which share no memory
        return bytes(Browser().get(person.url("Keys")).content)

    assert len(set(crowd(ask))) == 1
    assert SigningKey.objects.count() == 1
