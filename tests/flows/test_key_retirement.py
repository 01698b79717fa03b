"""One key is withdrawn; what remains still signs and is published for long enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from oidc_pkce.flows import keys
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.key_retirement import KeyStillSigns, Retired, retire
from oidc_pkce.models import AuditEvent, KeyState, SigningKey
from tests.flows.test_keys import (
    CHEAP,
    LIFETIME,
    SECOND,
    T0,
    all_at_once,
    generations,
    published_at,
    signing_at,
)

pytestmark = pytest.mark.django_db
ROBIN = Actor(name="robin")


def row(kid: str) -> SigningKey:
    return SigningKey.objects.get(kid=kid)


def withdraw(kid: str, now: Any, *, replace: bool = False) -> Retired | None:
    return retire(row(kid).pk, now, actor=ROBIN, replace=replace)


def test_a_retiring_key_goes_and_the_others_stay() -> None:
    old = signing_at(T0)
    begins = keys.rotate(CHEAP, T0).signs_from
    current = signing_at(begins)

    withdraw(old, begins)

    assert published_at(begins) == [current]
    assert signing_at(begins) == current


def test_the_current_key_stays_unless_it_is_replaced() -> None:
    current = signing_at(T0)

    with pytest.raises(KeyStillSigns):
        withdraw(current, T0 + SECOND)

    assert published_at(T0 + SECOND) == [current]
    assert not AuditEvent.objects.filter(action="key.retired").exists()


def test_a_replaced_key_goes_alone() -> None:
    old = signing_at(T0)
    begins = keys.rotate(CHEAP, T0).signs_from
    current = signing_at(begins)

    done = withdraw(current, begins + SECOND, replace=True)

    assert done is not None
    assert done.replacement is not None
    assert signing_at(begins + SECOND) == done.replacement.kid
    assert published_at(begins + SECOND) == [old, done.replacement.kid]


def test_a_replacement_signs_at_once_although_a_next_key_waits() -> None:
    current = signing_at(T0)
    waiting = keys.rotate(CHEAP, T0)

    done = withdraw(current, T0 + SECOND, replace=True)

    assert done is not None
    assert done.replacement is not None
    assert signing_at(T0 + SECOND) == done.replacement.kid
    assert signing_at(waiting.signs_from) == done.replacement.kid
    assert row(waiting.kid).expires_at is not None


def test_without_its_successor_the_current_key_goes_on() -> None:
    current = signing_at(T0)
    waiting = keys.rotate(CHEAP, T0)
    assert row(current).expires_at is not None

    withdraw(waiting.kid, T0 + SECOND)

    assert row(current).expires_at is None
    assert signing_at(waiting.signs_from + LIFETIME) == current


def test_a_withdrawn_successor_does_not_put_off_the_next_rotation() -> None:
    signing_at(T0)
    waiting = keys.rotate(CHEAP, T0 + LIFETIME)
    withdraw(waiting.kid, T0 + LIFETIME)

    assert keys.rotate_if_due(CHEAP, T0 + LIFETIME + SECOND) is not None


def test_the_current_key_is_published_until_what_it_signs_meanwhile_has_expired() -> None:
    current = signing_at(T0)
    second = keys.rotate(CHEAP, T0)
    third = keys.rotate(CHEAP, T0 + timedelta(minutes=4))

    withdraw(second.kid, T0 + timedelta(minutes=4))

    assert signing_at(third.signs_from - SECOND) == current
    assert row(current).expires_at == keys.published_until(third.signs_from)


def test_a_key_that_is_gone_is_not_withdrawn_again() -> None:
    current = signing_at(T0)
    withdraw(current, T0, replace=True)
    until = row(current).expires_at

    assert withdraw(current, T0 + SECOND) is None
    assert retire(10**9, T0, actor=ROBIN) is None
    assert row(current).expires_at == until
    assert AuditEvent.objects.filter(action="key.retired").count() == 1


def test_it_is_audited_with_the_state_that_it_had() -> None:
    current = signing_at(T0)

    withdraw(current, T0, replace=True)

    retired, rotated = AuditEvent.objects.order_by("pk").exclude(action="key.created")
    assert (retired.action, retired.actor_name) == ("key.retired", "robin")
    assert retired.details == {"algorithm": CHEAP, "kid": current, "was": KeyState.CURRENT}
    assert (rotated.action, rotated.actor_name) == ("key.rotated", "robin")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_of_many_administrators_one_replaces_the_current_key(attempt: int) -> None:
    pk = row(signing_at(T0)).pk

    done = all_at_once(6, lambda: retire(pk, T0, actor=ROBIN, replace=True))

    assert len([one for one in done if isinstance(one, Retired)]) == 1
    assert generations() == [1, 2]
    assert len(published_at(T0)) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_a_rotation_and_a_withdrawal_at_once_leave_a_signer(attempt: int) -> None:
    current = signing_at(T0)
    waiting = row(keys.rotate(CHEAP, T0).kid)
    acts = [lambda: retire(waiting.pk, T0, actor=ROBIN), lambda: keys.rotate(CHEAP, T0)]

    def take_turn() -> object:
        return acts.pop()()

    all_at_once(2, take_turn)

    newest = SigningKey.objects.get(generation=3)
    assert signing_at(T0) == current
    assert row(current).expires_at == keys.published_until(newest.signs_from)
    assert signing_at(newest.signs_from) == newest.kid
