"""Signing keys: published before they sign, kept after, made once however many ask."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connections

from oidc_pkce.flows import keys
from oidc_pkce.models import AuditEvent, KeyState, SigningKey
from oidc_pkce.protocol import jose
from tests.journeys import make_application
from tests.spec import spec

T0 = datetime(2031, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIFETIME = timedelta(days=90)
MAX_AGE = timedelta(seconds=300)
CHEAP = "EdDSA"

pytestmark = pytest.mark.django_db


def as_a_new_process() -> None:
    keys.clear()


def signing_at(moment: datetime, algorithm: str = CHEAP) -> str:
    """The `kid` with which a process that has just started signs."""
    as_a_new_process()
    return keys.signer(algorithm, moment).kid


def published_at(moment: datetime, algorithm: str = CHEAP) -> list[str]:
    as_a_new_process()
    members = json.loads(keys.jwks(moment))["keys"]
    return [member["kid"] for member in members if member["alg"] == algorithm]


def generations(algorithm: str = CHEAP) -> list[int]:
    same = SigningKey.objects.filter(algorithm=algorithm).order_by("generation")
    return list(same.values_list("generation", flat=True))


def all_at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    """Run something in threads of their own connections; an exception is an answer, too."""
    barrier = Barrier(times)

    def run() -> Any:
        try:
            barrier.wait()
            return act()
        except IntegrityError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(times)]]


def test_the_first_use_makes_a_key_that_signs_at_once() -> None:
    kid = signing_at(T0)

    assert published_at(T0) == [kid]
    assert AuditEvent.objects.filter(action="key.created", details__kid=kid).count() == 1


@pytest.mark.parametrize("made", [keys.signer, keys.rotate])
def test_a_request_that_began_a_moment_earlier_signs_with_the_first_key(
    made: Callable[..., Any],
) -> None:
    kid = made(CHEAP, T0).kid

    assert signing_at(T0 - SECOND) == kid
    assert generations() == [1]


def test_a_request_that_began_before_a_rotation_signs_as_before() -> None:
    kid = signing_at(T0)
    keys.rotate(CHEAP, T0 + SECOND)

    assert signing_at(T0) == kid


def test_a_request_that_began_before_an_emergency_signs_with_the_new_key() -> None:
    signing_at(T0)
    kid = keys.rotate(CHEAP, T0 + SECOND, emergency=True).kid

    assert signing_at(T0) == kid


def test_metadata_may_promise_rs256_whatever_an_application_signs_with() -> None:
    signing_at(T0, "ES256")

    assert len(published_at(T0, "RS256")) == 1


def test_an_algorithm_that_comes_later_gets_its_key_without_waiting_for_the_cache() -> None:
    keys.ring(T0)

    assert keys.signer("ES256", T0).algorithm == "ES256"
    assert keys.signer("ES256", T0) is keys.signer("ES256", T0)


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_at_once_make_one_key() -> None:
    all_at_once(8, lambda: keys._make_first(CHEAP, T0))

    assert generations() == [1]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(10))
def test_processes_that_start_at_once_make_one_key_on_postgresql(attempt: int) -> None:
    all_at_once(20, lambda: keys._make_first(CHEAP, T0))

    assert generations() == [1]


@pytest.mark.django_db(transaction=True)
def test_threads_of_one_process_sign_with_one_key() -> None:
    kids = all_at_once(8, lambda: keys.signer("RS256", T0).kid)

    assert len(set(kids)) == 1
    assert generations("RS256") == [1]


def test_a_process_that_looked_too_early_takes_the_key_of_the_faster_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The faster process commits between the other's two reads."""
    read_number = keys._newest

    def beaten(algorithm: str) -> int:
        number = read_number(algorithm)
        monkeypatch.setattr(keys, "_newest", read_number)
        keys._make_first(algorithm, T0)
        return number

    monkeypatch.setattr(keys, "_newest", beaten)

    keys._make_first(CHEAP, T0)

    assert generations() == [1]


@spec("OpenID Connect Core", "10.1.1")
def test_a_new_key_is_published_for_longer_than_clients_cache_before_it_signs() -> None:
    old = signing_at(T0)
    made = keys.rotate(CHEAP, T0 + LIFETIME)
    begins = made.signs_from

    assert begins - (T0 + LIFETIME) > MAX_AGE
    assert published_at(T0 + LIFETIME) == [old, made.kid]
    assert signing_at(begins - SECOND) == old
    assert signing_at(begins) == made.kid


@spec("OpenID Connect Core", "10.1.1")
def test_a_replaced_key_is_published_until_its_last_token_has_expired() -> None:
    make_application(access_token_lifetime=timedelta(hours=7))
    old = signing_at(T0)
    begins = keys.rotate(CHEAP, T0 + LIFETIME).signs_from

    assert old in published_at(begins + timedelta(hours=7) + SECOND)
    assert old not in published_at(begins + timedelta(hours=7) + 2 * keys.SLACK)


def test_an_old_token_verifies_across_a_rotation() -> None:
    token = jose.sign({"exp": 1}, keys.signer(CHEAP, T0), typ=None)
    begins = keys.rotate(CHEAP, T0 + LIFETIME).signs_from
    as_a_new_process()

    assert keys.verify(token, begins + SECOND, typ=(None,)) == {"exp": 1}


def test_two_rotations_in_a_row_leave_no_moment_without_a_published_signer() -> None:
    first = signing_at(T0)
    second = keys.rotate(CHEAP, T0)
    third = keys.rotate(CHEAP, T0 + timedelta(minutes=1))

    assert signing_at(second.signs_from - SECOND) == first
    assert signing_at(second.signs_from) == second.kid
    assert signing_at(third.signs_from) == third.kid
    assert published_at(third.signs_from) == [first, second.kid, third.kid]


def test_states_follow_from_the_times() -> None:
    signing_at(T0)
    made = keys.rotate(CHEAP, T0)
    old, new = SigningKey.objects.filter(algorithm=CHEAP).order_by("generation")
    begins, ends = made.signs_from, old.expires_at

    assert (keys.state(old, T0), keys.state(new, T0)) == (KeyState.CURRENT, KeyState.NEXT)
    assert (keys.state(old, begins), keys.state(new, begins)) == (
        KeyState.RETIRING,
        KeyState.CURRENT,
    )
    assert keys.state(old, ends) == KeyState.EXPIRED


def test_the_first_rotation_of_an_algorithm_makes_a_key_that_signs_at_once() -> None:
    made = keys.rotate(CHEAP, T0)

    assert signing_at(T0) == made.kid


def test_an_emergency_signs_anew_at_once_and_takes_every_earlier_key_away() -> None:
    signing_at(T0)
    keys.rotate(CHEAP, T0)
    made = keys.rotate(CHEAP, T0 + SECOND, emergency=True)

    assert published_at(T0 + SECOND) == [made.kid]
    assert signing_at(T0 + SECOND) == made.kid


def test_an_emergency_leaves_other_algorithms_alone() -> None:
    other = signing_at(T0, "ES256")
    signing_at(T0)
    keys.rotate(CHEAP, T0, emergency=True)

    assert published_at(T0 + SECOND, "ES256") == [other]


def test_a_key_is_due_when_it_has_signed_long_enough() -> None:
    signing_at(T0)

    assert keys.rotate_if_due(CHEAP, T0 + LIFETIME - SECOND) is None
    assert keys.rotate_if_due(CHEAP, T0 + LIFETIME) is not None
    assert keys.rotate_if_due(CHEAP, T0 + LIFETIME) is None


@pytest.mark.django_db(transaction=True)
def test_cron_on_many_machines_rotates_once() -> None:
    signing_at(T0)
    made = all_at_once(6, lambda: keys.rotate_if_due(CHEAP, T0 + LIFETIME))

    assert len([key for key in made if key is not None]) == 1
    assert generations() == [1, 2]


def test_a_key_that_cannot_be_decrypted_gives_way_to_a_new_one(settings: Any) -> None:
    lost = signing_at(T0)
    settings.SECRET_KEY = "another secret, and the old one is lost"
    replacement = signing_at(T0)

    assert replacement != lost
    assert published_at(T0) == [lost, replacement]
    assert signing_at(T0) == replacement


def test_a_process_that_knows_another_secret_does_not_stop_the_first(settings: Any) -> None:
    ours, secret = signing_at(T0), settings.SECRET_KEY
    settings.SECRET_KEY = "the secret of a worker that was configured wrongly"
    theirs = signing_at(T0)
    settings.SECRET_KEY = secret

    assert signing_at(T0) == ours
    assert {ours, theirs} <= set(keys.ring(T0).verifiers)


def test_an_undecryptable_key_is_logged_once_per_process(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lost = signing_at(T0)
    settings.SECRET_KEY = "another secret, and the old one is lost"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "PROCESS_CACHE_SECONDS": 0}
    as_a_new_process()
    for _ in range(3):
        keys.ring(T0)

    assert [lost in record.getMessage() for record in caplog.records].count(True) == 1


def test_a_fallback_keeps_keys_readable_while_the_secret_is_rolled(settings: Any) -> None:
    kid = signing_at(T0)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next secret"

    assert signing_at(T0) == kid


def test_resealing_lets_the_old_secret_go(settings: Any) -> None:
    kid = signing_at(T0)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next secret"

    assert keys.reseal(T0) == 2  # RS256 has a key, too
    assert keys.reseal(T0) == 0

    settings.SECRET_KEY_FALLBACKS = []
    assert signing_at(T0) == kid


def test_resealing_leaves_what_it_cannot_read(settings: Any) -> None:
    signing_at(T0)
    before = list(SigningKey.objects.values_list("private_key", flat=True))
    settings.SECRET_KEY = "another secret, and the old one is lost"

    assert keys.reseal(T0) == 0
    assert list(SigningKey.objects.values_list("private_key", flat=True)) == before


def test_secrets_of_their_own_make_keys_independent_of_the_projects(settings: Any) -> None:
    own = {"SIGNING_KEY_SECRETS": ["a secret of 32 characters or more, for keys alone"]}
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **own}
    kid = signing_at(T0)
    settings.SECRET_KEY = "rolled"

    assert signing_at(T0) == kid


def test_no_private_key_is_stored_in_the_clear() -> None:
    signing_at(T0)

    assert not SigningKey.objects.filter(private_key__contains="PRIVATE").exists()
