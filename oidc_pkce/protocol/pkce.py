"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from .near_miss import NearMiss

S256 = "S256"
PLAIN = "plain"

_URL_SAFE = str.maketrans("+/ ", "-_-")  # a + that is not encoded arrives as a space
_WELLFORMED = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """The ``code_challenge`` that a code is bound to, and how it was made (RFC 7636 §4.3)."""

    value: str
    method: str

    def matches(self, verifier: str) -> bool:
        """Say whether this verifier made the challenge, in constant time (RFC 7636 §4.6).

        A malformed verifier and an unknown method are a plain no; nothing is raised.
        """
        if not is_wellformed(verifier) or self.method not in (S256, PLAIN):
            return False
        made = s256(verifier) if self.method == S256 else verifier
        return hmac.compare_digest(made.encode(), self.value.encode(errors="replace"))


def is_wellformed(text: str) -> bool:
    """Say whether a verifier or challenge is 43 to 128 unreserved characters (RFC 7636 §4.1)."""
    return _WELLFORMED.fullmatch(text) is not None


def s256(verifier: str) -> str:
    """Make the S256 challenge of a verifier (RFC 7636 §4.2).

    Raises UnicodeEncodeError for a verifier that is not ASCII.
    """
    return _s256(verifier.encode("ascii"))


# --- what clients get wrong, for the trace -----------------------------------------------------


def near_misses_of_challenge(challenge: str) -> tuple[NearMiss, ...]:
    """What is wrong with a malformed ``code_challenge`` that is nearly right."""
    return tuple(_spelling(challenge)) if is_wellformed(_respelled(challenge)) else ()


def near_misses(verifier: str, challenge: Challenge) -> tuple[NearMiss, ...]:
    """Which known mistake makes this verifier and this challenge differ."""
    if challenge.method == PLAIN:
        hashed = _same(_s256(verifier.encode(errors="replace")), challenge.value)
        return (NearMiss.METHOD_LEFT_OUT,) if hashed else ()
    if _same(verifier, challenge.value):
        might_be = _is_hash(challenge.value)
        return (NearMiss.CHALLENGE_AS_VERIFIER if might_be else NearMiss.VERIFIER_AS_CHALLENGE,)
    for miss, made in _otherwise_hashed(verifier):
        if _same(made, challenge.value):
            return (miss,)
    return tuple(_misspelled(verifier, challenge))


def _otherwise_hashed(verifier: str) -> Iterator[tuple[NearMiss, str]]:
    """What clients have been seen to make of a verifier instead of its S256 challenge."""
    raw = verifier.encode(errors="replace")
    hexadecimal = sha256(raw).hexdigest()
    yield NearMiss.HEXADECIMAL, hexadecimal
    yield NearMiss.HEXADECIMAL, _base64(hexadecimal.encode())
    yield NearMiss.HASHED_TWICE, _s256(_s256(raw).encode())
    try:
        yield NearMiss.HASHED_BYTES, _s256(urlsafe_b64decode(raw + b"=" * (-len(raw) % 4)))
    except ValueError:
        return


def _misspelled(verifier: str, challenge: Challenge) -> Iterator[NearMiss]:
    """A verifier that fits the challenge but has characters or a length that none may have."""
    if _same(_s256(verifier.encode(errors="replace")), challenge.value):
        found = tuple(_spelling(verifier))
        yield from found or (NearMiss.VERIFIER_LENGTH,)
    elif _same(_s256(_respelled(verifier).encode(errors="replace")), challenge.value):
        yield from _spelling(verifier)


def _spelling(text: str) -> Iterator[NearMiss]:
    bare = text.strip()
    if bare != text:
        yield NearMiss.WHITE_SPACE
    if bare.endswith("="):
        yield NearMiss.PADDING
    if bare.translate(_URL_SAFE) != bare:
        yield NearMiss.STANDARD_BASE64


def _respelled(text: str) -> str:
    """The text as base64url without padding would have spelled it."""
    return text.strip().rstrip("=").translate(_URL_SAFE)


def _is_hash(text: str) -> bool:
    """Whether this can be the S256 of anything: 32 bytes have one spelling in base64url."""
    try:
        return len(text) == 43 and _base64(urlsafe_b64decode(text + "=")) == text
    except ValueError:
        return False


def _s256(raw: bytes) -> str:
    return _base64(sha256(raw).digest())


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
