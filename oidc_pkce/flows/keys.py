"""The signing keys of a process: made once, parsed once, read again every few seconds."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from .. import audit
from ..conf import settings
from ..models import Application, KeyState, SigningKey
from ..protocol import jose, jwk
from ..protocol.application import TokenType

SLACK = timedelta(minutes=1)  # clocks of clients and workers differ a little


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Everything a process needs of the keys, as of one moment."""

    signers: Mapping[str, jose.SigningKey]
    verifiers: Mapping[str, jose.VerificationKey]
    jwks: bytes
    loaded_at: float


@dataclass(slots=True)
class _Kept:
    """What this process keeps. Parsed keys outlive a ring, for parsing is what costs."""

    ring: KeyRing | None = None
    signers: dict[str, jose.SigningKey] = field(default_factory=dict)
    verifiers: dict[str, jose.VerificationKey] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_kept = _Kept()


def clear() -> None:
    """Forget everything; the next use reads the table again."""
    with _kept.lock:
        _kept.ring = None
        _kept.signers.clear()
        _kept.verifiers.clear()


def ring(now: datetime) -> KeyRing:
    """The keys, at most ``PROCESS_CACHE_SECONDS`` old; the first one is made when there is none."""
    found = _kept.ring
    if found is None or time.monotonic() - found.loaded_at > settings.process_cache_seconds:
        found = _load(now)
    return found


def signer(algorithm: str, now: datetime) -> jose.SigningKey:
    """The key that signs with this algorithm now; made on first use, safe against races."""
    found = ring(now)
    if algorithm not in found.signers:
        _make_first(algorithm, now)
        found = _load(now)
    return found.signers[algorithm]


def rotate(algorithm: str, now: datetime, *, emergency: bool = False) -> SigningKey:
    """Publish a new key; it signs once every client has had time to see it.

    With ``emergency`` it signs at once and every earlier key disappears: tokens that these signed
    are no longer valid. Raises ``IntegrityError`` when another process rotates at the same time.
    """
    with transaction.atomic():
        made = _make_next(algorithm, now, signs_from=now if emergency else now + overlap())
        earlier = SigningKey.objects.filter(algorithm=algorithm).exclude(pk=made.pk)
        until = now if emergency else made.signs_from + longest_lifetime() + SLACK
        earlier.filter(expires_at=None).update(expires_at=until)
        if emergency:
            earlier.filter(expires_at__gt=now).update(expires_at=now)
        audit.record(
            audit.Action.KEY_ROTATED,
            now=now,
            details={"algorithm": algorithm, "kid": made.kid, "emergency": emergency},
        )
    transaction.on_commit(clear)
    return made


def due(now: datetime) -> list[str]:
    """The algorithms whose newest key has signed for longer than ``SIGNING_KEY_LIFETIME``."""
    newest = SigningKey.objects.values("algorithm").annotate(newest=Max("signs_from"))
    limit = now - settings.signing_key_lifetime
    return [row["algorithm"] for row in newest if row["newest"] <= limit]


def state(key: SigningKey, now: datetime) -> KeyState:
    """Where a key stands in its life."""
    if key.expires_at is not None and key.expires_at <= now:
        return KeyState.EXPIRED
    if key.signs_from > now:
        return KeyState.NEXT
    current = _current(key.algorithm, now)
    return KeyState.CURRENT if current is not None and current.pk == key.pk else KeyState.RETIRING


def overlap() -> timedelta:
    """How long a key is published before it signs."""
    return settings.metadata_max_age + SLACK


def longest_lifetime() -> timedelta:
    """The longest life of a token that any application issues."""
    longest = Application.objects.aggregate(longest=Max("access_token_lifetime"))["longest"]
    return longest or timedelta(hours=5)


def _load(now: datetime) -> KeyRing:
    with _kept.lock:
        rows = list(SigningKey.objects.published(now).order_by("algorithm", "generation"))
        if not any(row.algorithm == TokenType.RS256.algorithm for row in rows):
            _make_first(TokenType.RS256.algorithm, now)
            rows = list(SigningKey.objects.published(now).order_by("algorithm", "generation"))
        _kept.ring = _assemble(rows, now)
        return _kept.ring


def _assemble(rows: list[SigningKey], now: datetime) -> KeyRing:
    signers: dict[str, jose.SigningKey] = {}
    for row in rows:
        if row.signs_from <= now and (opened := _open(row)) is not None:
            signers[row.algorithm] = opened
    verifiers = {row.kid: _verifier(row) for row in rows}
    jwks = json.dumps({"keys": [row.public_jwk for row in rows]}, separators=(",", ":"))
    return KeyRing(signers, verifiers, jwks.encode(), time.monotonic())


def _open(row: SigningKey) -> jose.SigningKey | None:
    """The parsed private key; one that cannot be decrypted is a check's matter, others go on."""
    if row.kid not in _kept.signers:
        try:
            _kept.signers[row.kid] = row.open()
        except jwk.UndecryptableKey:
            return None
    return _kept.signers[row.kid]


def _verifier(row: SigningKey) -> jose.VerificationKey:
    if row.kid not in _kept.verifiers:
        key = jwk.public_key_from_jwk(row.public_jwk)
        _kept.verifiers[row.kid] = jose.VerificationKey(row.kid, row.algorithm, key)
    return _kept.verifiers[row.kid]


def _make_first(algorithm: str, now: datetime) -> None:
    """Make a key that signs at once; if another process was faster, its key serves."""
    try:
        with transaction.atomic():
            made = _make_next(algorithm, now, signs_from=now)
            details = {"algorithm": algorithm, "kid": made.kid}
            audit.record(audit.Action.KEY_CREATED, now=now, details=details)
    except IntegrityError:
        return


def _make_next(algorithm: str, now: datetime, *, signs_from: datetime) -> SigningKey:
    """The next generation. Two processes that make it at once collide on its number."""
    newest = SigningKey.objects.filter(algorithm=algorithm).aggregate(n=Max("generation"))["n"]
    made = SigningKey(
        algorithm=algorithm,
        generation=(newest or 0) + 1,
        created_at=now,
        signs_from=signs_from,
    )
    made.seal(jwk.generate(algorithm))
    made.save(force_insert=True)
    return made


def _current(algorithm: str, now: datetime) -> SigningKey | None:
    signing = SigningKey.objects.published(now).filter(algorithm=algorithm, signs_from__lte=now)
    return signing.order_by("-generation").first()


def jwks(now: datetime) -> bytes:
    """The JSON Web Key Set: every published key."""
    return ring(now).jwks


def public_keys(now: datetime) -> Mapping[str, Any]:
    """Every published key by its ``kid``."""
    return ring(now).verifiers
