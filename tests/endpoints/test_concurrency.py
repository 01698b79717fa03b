"""Races over HTTP, on PostgreSQL and on an SQLite file: what is spent is spent once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from oidc_pkce.endpoints import token as token_endpoint
from oidc_pkce.flows import issuing
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.revocation import revoke
from oidc_pkce.models import AuditEvent, AuthorizationCode, Grant, RefreshToken, SigningKey, Subject
from oidc_pkce.testing import clear_caches
from tests.fixtures import make_user
from tests.journeys import (
    SECRET,
    Answer,
    Browser,
    Journey,
    make_application,
    make_service_user,
)
from tests.spec import spec

PARALLEL = 50
ROUNDS = 50
REFRESHES = 20
CHAIN = 25  # refreshes in a row, each by twenty at once

pytestmark = pytest.mark.django_db(transaction=True)


Crowd = Callable[[Callable[[], Any]], list[Any]]


@contextmanager
def gathered(number: int) -> Iterator[Crowd]:
    """Do one thing in so many threads at the same moment; each keeps its connection."""
    barrier = Barrier(number)

    def at_once(act: Callable[[], Any]) -> Any:
        barrier.wait(timeout=60)
        return act()

    with ThreadPoolExecutor(number) as pool:
        yield lambda act: list(pool.map(lambda _: at_once(act), range(number)))
        list(pool.map(lambda _: at_once(connections.close_all), range(number)))


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with gathered(PARALLEL) as fifty:
        yield fifty


@pytest.fixture
def twenty() -> Iterator[Crowd]:
    with gathered(REFRESHES) as crowd:
        yield crowd


@pytest.fixture
def person() -> Journey:
    return Journey(make_application()).log_in(make_user("ada"))


@pytest.fixture
def refresher(person: Journey) -> Journey:
    """The same, and the application issues refresh tokens."""
    person.application.issues_refresh_tokens = True
    person.application.save()
    return person


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


# --- refresh ------------------------------------------------------------------------------------


def twenty_refreshes(twenty: Crowd, journey: Journey, token: str) -> str:
    """Twenty at once: one successor, twenty access tokens that all work, one row more."""
    before = RefreshToken.objects.count()
    answers: list[Answer] = twenty(lambda: journey.refresh(token))

    assert Counter((answer.status, answer.error) for answer in answers) == {(200, None): REFRESHES}
    (successor,) = {answer.json["refresh_token"] for answer in answers}
    fresh = {answer.json["access_token"] for answer in answers}
    assert len(fresh) == REFRESHES
    assert all(journey.userinfo(each).status == 200 for each in fresh)
    assert RefreshToken.objects.count() == before + 1
    assert Grant.objects.get().revoked_at is None
    return str(successor)


def nothing_works(journey: Journey, tokens: list[dict[str, Any]]) -> None:
    """Neither the access tokens nor the refresh tokens of these answers are taken."""
    for answer in tokens:
        assert journey.userinfo(answer["access_token"]).status == 401
        assert journey.refresh(answer["refresh_token"]).error == "invalid_grant"


@spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_of_twenty_refreshes_at_once_all_get_one_successor(twenty, refresher, token_type):
    refresher.application.token_type = token_type
    refresher.application.save()
    token = refresher.tokens()["refresh_token"]
    for _ in range(CHAIN):
        token = twenty_refreshes(twenty, refresher, token)

    assert RefreshToken.objects.count() == CHAIN + 1
    assert RefreshToken.objects.filter(used_at=None).count() == 1


@spec("RFC 9700", "4.14.2")
def test_a_flushed_cache_in_between_changes_nothing(twenty, refresher):
    def flush_and_refresh(token: str) -> Answer:
        cache.clear()
        clear_caches()  # as separate processes, which share no memory
        return refresher.refresh(token)

    token = refresher.tokens()["refresh_token"]
    for _ in range(3):
        answers = twenty(partial(flush_and_refresh, token))
        assert {answer.status for answer in answers} == {200}
        (token,) = {answer.json["refresh_token"] for answer in answers}

    assert RefreshToken.objects.count() == 4


@spec("RFC 9700", "4.14.2")
def test_without_a_window_one_of_twenty_is_answered_and_the_family_dies(
    twenty, refresher, settings
):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "REFRESH_TOKEN_REUSE_WINDOW": 0}
    for _ in range(5):
        token = refresher.tokens()["refresh_token"]
        answers = twenty(partial(refresher.refresh, token))

        told = Counter((answer.status, answer.error) for answer in answers)
        assert told == {(200, None): 1, (400, "invalid_grant"): REFRESHES - 1}
        nothing_works(refresher, [answer.json for answer in answers if answer.status == 200])
    assert RefreshToken.objects.count() == 10
    assert AuditEvent.objects.filter(action="refresh_token.replayed").count() == 5


@spec("RFC 9700", "4.14.2")
def test_outside_the_window_twenty_reuses_end_the_family_once(twenty, refresher):
    first = refresher.tokens()
    second = refresher.refresh(first["refresh_token"]).json
    long_ago = timezone.now() - timedelta(seconds=11)
    RefreshToken.objects.exclude(used_at=None).update(used_at=long_ago)

    answers = twenty(lambda: refresher.refresh(first["refresh_token"]))

    assert {(answer.status, answer.error) for answer in answers} == {(400, "invalid_grant")}
    assert AuditEvent.objects.filter(action="refresh_token.replayed").count() == 1
    nothing_works(refresher, [first, second])


class Killed(BaseException):
    """A worker process that dies; nothing of ours catches it."""


def die_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Whoever comes first dies where ``name`` is called."""
    original, lives = getattr(owner, name), iter([None])

    def deadly(*args: Any, **kwargs: Any) -> Any:
        for _ in lives:
            raise Killed
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, deadly)


@spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize(
    ("owner", "name"),
    [(issuing, "issue"), (token_endpoint, "JsonResponse")],
    ids=["before the commit", "before the answer"],
)
def test_a_killed_worker_among_twenty_changes_nothing_for_the_others(
    twenty, refresher, monkeypatch, owner, name
):
    """It dies between claim and commit, or between commit and answer."""

    def refresh() -> Answer | None:
        try:
            return refresher.refresh(token)
        except Killed:
            return None

    for _ in range(5):
        token = refresher.tokens()["refresh_token"]
        before = RefreshToken.objects.count()
        die_once(monkeypatch, owner, name)
        answers = [answer for answer in twenty(refresh) if answer is not None]
        monkeypatch.undo()

        assert len(answers) == REFRESHES - 1
        assert {answer.status for answer in answers} == {200}
        (successor,) = {answer.json["refresh_token"] for answer in answers}
        assert RefreshToken.objects.count() == before + 1
        assert refresher.refresh(successor).status == 200


def amid_refreshes(twenty: Crowd, journey: Journey, happening: Callable[[], Any]) -> None:
    """Something happens among nineteen refreshes of one token; afterwards nothing works."""
    tokens = journey.tokens()
    refresh = partial(journey.refresh, tokens["refresh_token"])
    turns = iter([*[refresh] * 10, happening, *[refresh] * (REFRESHES - 11)])

    def take_a_turn() -> Any:
        return next(turns)()

    answers = [told for told in twenty(take_a_turn) if isinstance(told, Answer)]

    assert len(answers) == REFRESHES - 1
    assert {answer.status for answer in answers} <= {200, 400}
    given = [answer.json for answer in answers if answer.status == 200]
    nothing_works(journey, [tokens, *given])


@spec("RFC 7009", "2.1")
def test_after_a_revocation_among_refreshes_nothing_works(twenty, refresher):
    def revoke_it() -> None:
        grant = Grant.objects.get(revoked_at=None)
        revoke(grant, actor=Actor(name="tests"), now=timezone.now())

    for _ in range(10):
        amid_refreshes(twenty, refresher, revoke_it)


@spec("RFC 6749", "6")
def test_after_a_deactivation_among_refreshes_nothing_works(twenty, refresher):
    people = get_user_model().objects.filter(username="ada")
    for _ in range(10):
        people.update(is_active=True)
        amid_refreshes(twenty, refresher, lambda: people.update(is_active=False))


@spec("RFC 6749", "6")
def test_wrong_refreshes_beside_the_right_one_do_not_spend_the_token(twenty, refresher):
    token = refresher.tokens()["refresh_token"]
    answers = twenty(lambda: refresher.refresh(token, scope="admin"))

    assert {answer.error for answer in answers} == {"invalid_scope"}
    assert RefreshToken.objects.get().used_at is None
    assert refresher.refresh(token).status == 200


@spec("RFC 6749", "4.4")
def test_a_service_user_gets_one_subject_however_many_ask_first(twenty):
    robot = make_user("robot")
    make_service_user(robot, SECRET)
    app = make_application(
        client_id_type="Confidential", client_ids=[], redirect_uris=[], flows=["ClientCreds"]
    )
    Subject.objects.filter(user=robot).delete()
    journey = Journey(app, client_id="robot", secret=SECRET)
    fields = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": SECRET}
    answers = twenty(lambda: journey.post("Token", fields))

    assert {answer.status for answer in answers} == {200}
    told = {journey.userinfo(answer.json["access_token"]).json["sub"] for answer in answers}
    assert told == {str(Subject.objects.get(user=robot).identifier)}


@spec("RFC 7009", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_of_twenty_revocations_at_once_one_is_audited(twenty, refresher, token_type, kind):
    refresher.application.token_type = token_type
    refresher.application.save()
    tokens = refresher.tokens()

    answers = twenty(lambda: refresher.revoke(tokens[kind]))

    assert {(answer.status, answer.response.content) for answer in answers} == {(200, b"")}
    assert refresher.userinfo(tokens["access_token"]).status == 401
    assert AuditEvent.objects.filter(action__endswith=".revoked").count() == 1


@spec("RFC 7009", "2.1")
def test_after_five_revocations_among_fifteen_refreshes_nothing_works(twenty, refresher):
    for _ in range(5):
        first = refresher.tokens()
        turns = iter([refresher.revoke, *[refresher.refresh] * 3] * 5)

        answers = twenty(partial(take_a_turn, turns, first["refresh_token"]))

        assert {answer.status for answer in answers} <= {200, 400}
        told = [answer.json for answer in answers if answer.response.content]
        nothing_works(refresher, [first, *(each for each in told if "access_token" in each)])


def take_a_turn(turns: Iterator[Callable[[str], Answer]], token: str) -> Answer:
    return next(turns)(token)
