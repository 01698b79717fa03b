"""The signing keys of a process: made once, parsed once, read again every few seconds."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from .. import audit
from ..conf import settings
from ..models import Application, KeyState, SigningKey
from ..models.signing_key import SigningKeyQuerySet
from ..protocol import jose, jwk
from ..protocol.application import TokenType
from .actor import Actor

SLACK = timedelta(minutes=1)  # clocks of clients and workers differ a little
DEFAULT_ALGORITHM = TokenType.RS256.algorithm  # every application's metadata lists it
ATTEMPTS = 3
NOBODY = Actor()  # a process that needs a key, without anybody asking for it

logger = logging.getLogger(__name__)


class Protection(Enum):
    """What decrypts a stored private key."""

    CURRENT_SECRET = auto()
    OLDER_SECRET = auto()
    UNKNOWN_SECRET = auto()


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
    unreadable: set[str] = field(default_factory=set)
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
    return found if found is not None and _is_fresh(found) else _load(now, DEFAULT_ALGORITHM)


def signer(algorithm: str, now: datetime) -> jose.SigningKey:
    """The key that signs with this algorithm now; made on first use, safe against races."""
    found = ring(now)
    if algorithm not in found.signers:
        found = _load(now, algorithm)
    return found.signers[algorithm]


def rotate(
    algorithm: str,
    now: datetime,
    *,
    actor: Actor = NOBODY,
    at_once: bool = False,
    emergency: bool = False,
    after: int | None = None,
) -> SigningKey:
    """Publish a new key; it signs once every client has had time to see it.

    With ``at_once`` it signs at once. With ``emergency`` it does, too, and every earlier key
    disappears: tokens that these signed are no longer valid. ``after`` is the generation that the
    caller took for the newest. Raises ``IntegrityError`` when another process was faster.
    """
    with transaction.atomic():
        lock(algorithm)
        generation = (_newest(algorithm) if after is None else after) + 1
        earlier = SigningKey.objects.filter(algorithm=algorithm, generation__lt=generation)
        is_first = not earlier.published(now).filter(signs_from__lte=now).exists()
        signs_from = now if at_once or emergency or is_first else now + overlap()
        made = _make(algorithm, generation, now, signs_from=signs_from)
        _retire(earlier, made, now, emergency=emergency)
        audit.record(
            audit.Action.KEY_ROTATED,
            now=now,
            actor_pk=actor.pk,
            actor_name=actor.name,
            details={"algorithm": algorithm, "kid": made.kid, "emergency": emergency},
        )
    transaction.on_commit(clear)
    return made


def rotate_if_due(algorithm: str, now: datetime, *, actor: Actor = NOBODY) -> SigningKey | None:
    """Rotate a key that has signed long enough; of all processes that try, one does."""
    same = SigningKey.objects.filter(algorithm=algorithm).order_by("-generation")
    newest = _newest(algorithm)  # first: whoever rotates in between takes this generation's place
    # One that was withdrawn before it signed says nothing about the age of the one that signs.
    judged = same.published(now).first() or same.first()
    if judged is None or judged.signs_from > now - settings.signing_key_lifetime:
        return None
    try:
        return rotate(algorithm, now, actor=actor, after=newest)
    except IntegrityError:
        return None


def lock(algorithm: str) -> None:
    """Let nobody else change the keys of this algorithm until the transaction ends."""
    same = SigningKey.objects.select_for_update().filter(algorithm=algorithm).order_by("pk")
    list(same.values_list("pk", flat=True))


def algorithms(now: datetime) -> list[str]:
    """The algorithms that have a published key."""
    published = SigningKey.objects.published(now).order_by("algorithm")
    return list(published.values_list("algorithm", flat=True).distinct())


def reseal(now: datetime) -> int:
    """Encrypt anew what an older secret encrypts, so that this one can go; how many keys."""
    first, *_ = settings.signing_key_secrets
    resealed = 0
    for key in SigningKey.objects.published(now):
        if protection(key.private_key) is Protection.OLDER_SECRET:
            pem = jwk.decrypt(key.private_key, settings.signing_key_secrets)
            same = SigningKey.objects.filter(pk=key.pk, private_key=key.private_key)
            resealed += same.update(private_key=jwk.encrypt(pem, first))
    return resealed


def protection(private_key: str) -> Protection:
    """Which of the secrets, if any, decrypts a stored private key."""
    secrets = settings.signing_key_secrets
    if _decrypts(private_key, secrets[:1]):
        return Protection.CURRENT_SECRET
    if _decrypts(private_key, secrets[1:]):
        return Protection.OLDER_SECRET
    return Protection.UNKNOWN_SECRET


def _decrypts(private_key: str, secrets: Sequence[str]) -> bool:
    try:
        jwk.decrypt(private_key, secrets)
    except jwk.UndecryptableKey:
        return False
    return True


def state(key: SigningKey, now: datetime) -> KeyState:
    """Where a key stands in its life."""
    if key.expires_at is not None and key.expires_at <= now:
        return KeyState.EXPIRED
    if key.signs_from > now:
        return KeyState.NEXT
    signing = current(key.algorithm, now)
    return KeyState.CURRENT if signing is not None and signing.pk == key.pk else KeyState.RETIRING


def current(algorithm: str, now: datetime) -> SigningKey | None:
    """The key that signs with this algorithm, as the table says."""
    signing = SigningKey.objects.published(now).filter(algorithm=algorithm, signs_from__lte=now)
    return signing.order_by("-generation").first()


def overlap() -> timedelta:
    """How long a key is published before it signs."""
    return settings.metadata_max_age + SLACK


def published_until(replaced_at: datetime) -> datetime:
    """Until when a key is published that another one replaces at this moment."""
    return replaced_at + longest_lifetime() + SLACK


def longest_lifetime() -> timedelta:
    """The longest life of a token that any application issues."""
    longest = Application.objects.aggregate(longest=Max("access_token_lifetime"))["longest"]
    return longest or timedelta(hours=5)


def _is_fresh(ring: KeyRing) -> bool:
    return time.monotonic() - ring.loaded_at <= settings.process_cache_seconds


def _load(now: datetime, needed: str) -> KeyRing:
    """Read the table, unless another thread has just done so; make the key that is missing."""
    with _kept.lock:
        found = _kept.ring
        if found is None or not _is_fresh(found) or needed not in found.signers:
            found = _assemble(_published(now), now)
            if needed not in found.signers:
                _make_first(needed, now)
                found = _assemble(_published(now), now)
            _kept.ring = found
        return found


def _published(now: datetime) -> list[SigningKey]:
    return list(SigningKey.objects.published(now).order_by("algorithm", "generation"))


def _assemble(rows: list[SigningKey], now: datetime) -> KeyRing:
    signers: dict[str, jose.SigningKey] = {}
    for row in rows:
        # A request may have begun before the key that it reads was made.
        moment = max(now, row.created_at)
        opened = _open(row) if row.signs_from <= moment else None
        if opened is not None:
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
            _complain(row.kid)
            return None
    return _kept.signers[row.kid]


def _complain(kid: str) -> None:
    """Once per process: the table is read every few seconds."""
    if kid not in _kept.unreadable:
        _kept.unreadable.add(kid)
        logger.error("no secret decrypts the signing key %s (oidc_pkce.E013)", kid)


def _verifier(row: SigningKey) -> jose.VerificationKey:
    if row.kid not in _kept.verifiers:
        key = jwk.public_key_from_jwk(row.public_jwk)
        _kept.verifiers[row.kid] = jose.VerificationKey(row.kid, row.algorithm, key)
    return _kept.verifiers[row.kid]


def _make_first(algorithm: str, now: datetime) -> None:
    """Make a key that signs at once, unless another process does; then that one serves.

    The number is read BEFORE the keys are read again: whoever was faster either shows among them,
    or collides on the number. A second try is due when the faster one knows another secret.
    """
    for _ in range(ATTEMPTS):
        newest = _newest(algorithm)
        if algorithm in _assemble(_published(now), now).signers:
            return
        try:
            with transaction.atomic():
                made = _make(algorithm, newest + 1, now, signs_from=now)
                details = {"algorithm": algorithm, "kid": made.kid}
                audit.record(audit.Action.KEY_CREATED, now=now, details=details)
        except IntegrityError:
            continue
        return


def _newest(algorithm: str) -> int:
    same = SigningKey.objects.filter(algorithm=algorithm)
    return same.aggregate(n=Max("generation"))["n"] or 0


def _make(algorithm: str, generation: int, now: datetime, *, signs_from: datetime) -> SigningKey:
    """Two processes that make the same generation at once collide on its number."""
    made = SigningKey(
        algorithm=algorithm, generation=generation, created_at=now, signs_from=signs_from
    )
    made.seal(jwk.generate(algorithm))
    made.save(force_insert=True)
    return made


def _retire(
    earlier: SigningKeyQuerySet, made: SigningKey, now: datetime, *, emergency: bool
) -> None:
    """Keep earlier keys published until the last token that they can still sign has expired."""
    if emergency:
        earlier.published(now).update(expires_at=now)
    else:
        earlier.filter(expires_at=None).update(expires_at=published_until(made.signs_from))


def jwks(now: datetime) -> bytes:
    """The JSON Web Key Set: every published key."""
    return ring(now).jwks


def verify(token: str, now: datetime, *, typ: Collection[str | None]) -> dict[str, Any]:
    """The claims of a JWT that one of our published keys signed; times are not judged here.

    A key that another process has just made is read from the table: a token must not be refused
    because this process looked a moment too early. Raises ``InvalidJWT``.
    """
    try:
        return jose.verify(token, ring(now).verifiers, typ=typ)
    except jose.UnknownKey as unknown:
        if not SigningKey.objects.published(now).filter(kid=unknown.kid).exists():
            raise
    return jose.verify(token, _reload(now).verifiers, typ=typ)


def _reload(now: datetime) -> KeyRing:
    with _kept.lock:
        _kept.ring = _assemble(_published(now), now)
        return _kept.ring
