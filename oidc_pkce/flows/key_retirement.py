"""Withdraw one signing key at once: it is old and not needed, or somebody else may know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from .. import audit
from ..models import KeyState, SigningKey
from . import keys
from .actor import Actor


class KeyStillSigns(Exception):
    """The key is the one that signs now: it can only be withdrawn together with a replacement."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A key that was withdrawn, and the one that signs in its place if one was made for that."""

    key: SigningKey
    replacement: SigningKey | None = None


def retire(pk: int, now: datetime, *, actor: Actor, replace: bool = False) -> Retired | None:
    """Withdraw one published key at once: what it has signed is no longer valid.

    Other keys stay as they are. ``None`` when the key is not published, or no longer. Raises
    :class:`KeyStillSigns` for the current key, unless ``replace`` makes one that signs at once, and
    ``IntegrityError`` when another process rotates at the same moment.
    """
    with transaction.atomic():
        key = _locked(pk, now)
        if key is None:
            return None
        was = keys.state(key, now)
        if was is KeyState.CURRENT and not replace:
            raise KeyStillSigns
        SigningKey.objects.filter(pk=pk).update(expires_at=now)
        _record(key, was, actor, now)
        replacement = None
        if was is KeyState.CURRENT:
            replacement = keys.rotate(key.algorithm, now, actor=actor, at_once=True)
        elif was is KeyState.NEXT:
            _prolong_current(key.algorithm, now)
    transaction.on_commit(keys.clear)
    return Retired(key, replacement)


def _locked(pk: int, now: datetime) -> SigningKey | None:
    """The published key, with its siblings locked: its state follows from theirs."""
    key = SigningKey.objects.filter(pk=pk).first()
    if key is None:
        return None
    keys.lock(key.algorithm)
    return SigningKey.objects.published(now).filter(pk=pk).first()


def _prolong_current(algorithm: str, now: datetime) -> None:
    """The current key signs for longer than was planned when its successor was made."""
    signing = keys.current(algorithm, now)
    if signing is None:
        return
    later = SigningKey.objects.published(now).filter(
        algorithm=algorithm, generation__gt=signing.generation
    )
    successor = later.order_by("signs_from").first()
    until = keys.published_until(successor.signs_from) if successor else None
    SigningKey.objects.filter(pk=signing.pk).update(expires_at=until)


def _record(key: SigningKey, was: KeyState, actor: Actor, now: datetime) -> None:
    audit.record(
        audit.Action.KEY_RETIRED,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        details={"algorithm": key.algorithm, "kid": key.kid, "was": was.value},
    )
