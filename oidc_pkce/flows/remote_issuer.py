"""The access token of another server: its keys are fetched, kept for a while, and judged by.

Nothing here touches the database. What a stranger sends cannot make this server ask more often than
once in ``ASK_EVERY`` seconds for each issuer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import outbound
from ..protocol import remote_issuer
from ..protocol.checks import Trace, check
from ..protocol.errors import InvalidToken, KeysUnavailable
from ..protocol.jose import InvalidJWT, UnknownKey, VerificationKey
from ..protocol.remote_issuer import UnusableAnswer

ASK_EVERY = 30  # seconds between two requests to one issuer, whether or not it answered
STALE_FOR = 3600  # seconds for which keys still serve when their issuer no longer answers
TIME_LIMIT = 3.0  # seconds for one answer; there are two or three of them
WAIT = 5.0  # seconds that a request waits while another one asks
OK = 200

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    """The keys of one issuer; times are of ``time.monotonic()``."""

    keys: Mapping[str, VerificationKey] = field(default_factory=dict)
    fresh_until: float = float("-inf")
    asked_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_fresh(self) -> bool:
        return time.monotonic() < self.fresh_until

    def usable(self) -> Mapping[str, VerificationKey]:
        """The keys, unless they are older than anybody should trust."""
        return self.keys if time.monotonic() < self.fresh_until + STALE_FOR else {}

    def may_ask(self) -> bool:
        return time.monotonic() >= self.asked_at + ASK_EVERY


_kept: dict[str, _Kept] = {}
_kept_lock = threading.Lock()


def clear() -> None:
    """Forget every key."""
    with _kept_lock:
        _kept.clear()


@check(
    "remote.issuer",
    spec="RFC 9068 §4",
    fix="Name the issuer in ISSUERS of RESOURCE_SERVER, character for character, or send another.",
)
def issuer_is_trusted(claimed: str, issuers: Collection[str]) -> str:
    """The token claims to come from a server whose tokens this API takes."""
    if claimed not in issuers:
        raise InvalidToken(received=claimed, expected=tuple(issuers))
    return claimed


@check(
    "remote.keys",
    spec="RFC 8414 §2",
    fix="Let this server reach the issuer's metadata and keys; the log says why it could not.",
)
def keys_are_at_hand(issuer: str) -> Mapping[str, VerificationKey]:
    """The keys of the issuer are known, or can be fetched."""
    keys = _keys(issuer)
    if not keys:
        raise KeysUnavailable(received=issuer)
    return keys


@check(
    "remote.token",
    spec="RFC 9068 §4, RFC 8725 §3",
    fix="Send an access token, not an ID token, that the issuer signed, before it expires.",
)
def token_is_genuine(
    token: str, issuer: str, keys: Mapping[str, VerificationKey], now: datetime
) -> dict[str, Any]:
    """The token is an access token, signed by a key of its issuer, and live."""
    seconds = int(now.timestamp())
    try:
        return _verify(token, issuer, keys, seconds)
    except InvalidJWT as problem:
        raise InvalidToken(detail=str(problem)) from None


@check(
    "remote.audience",
    spec="RFC 9068 §4",
    fix="Ask the issuer for a token for this API: its AUDIENCE must be in the token's aud.",
)
def token_is_for_this_audience(claims: Mapping[str, Any], audience: str) -> None:
    """The token was issued for this API."""
    named = remote_issuer.audience(claims)
    if audience not in named:
        raise InvalidToken(received=" ".join(named), expected=(audience,))


def identify(
    token: str, *, issuers: Collection[str], audience: str, now: datetime, trace: Trace
) -> dict[str, Any]:
    """The claims of an access token of one of these issuers, for this audience.

    Raises ``InvalidToken``, or ``KeysUnavailable`` when nobody can tell.
    """
    claimed = str(remote_issuer.claimed(token).get("iss", ""))
    issuer = trace.take(issuer_is_trusted, claimed, issuers)
    keys = trace.take(keys_are_at_hand, issuer)
    claims = trace.take(token_is_genuine, token, issuer, keys, now)
    trace.take(token_is_for_this_audience, claims, audience)
    return claims


def _verify(
    token: str, issuer: str, keys: Mapping[str, VerificationKey], now: int
) -> dict[str, Any]:
    """A key that was published a moment ago is asked for, once in a while."""
    try:
        return remote_issuer.verify(token, keys, issuer=issuer, now=now)
    except UnknownKey:
        renewed = _renew(issuer)
        return remote_issuer.verify(token, renewed, issuer=issuer, now=now)


def _keys(issuer: str) -> Mapping[str, VerificationKey]:
    """What is kept, renewed when it is due: by one thread, while the others use what there is."""
    kept = _of(issuer)
    if not kept.is_fresh():
        with _turn(kept, wait=0 if kept.usable() else WAIT) as mine:
            if mine and not kept.is_fresh() and kept.may_ask():
                _ask(issuer, kept)
    return kept.usable()


def _renew(issuer: str) -> Mapping[str, VerificationKey]:
    """The keys as they are now, unless somebody has just asked."""
    kept = _of(issuer)
    with _turn(kept, wait=WAIT) as mine:
        if mine and kept.may_ask():
            _ask(issuer, kept)
    return kept.usable()


def _of(issuer: str) -> _Kept:
    """Issuers come from settings, so there are few."""
    with _kept_lock:
        return _kept.setdefault(issuer, _Kept())


@contextmanager
def _turn(kept: _Kept, *, wait: float) -> Iterator[bool]:
    """The lock of what is kept, waited for so many seconds; gives whether it was had."""
    has = kept.lock.acquire(timeout=wait)
    try:
        yield has
    finally:
        if has:
            kept.lock.release()


def _ask(issuer: str, kept: _Kept) -> None:
    """Fetch metadata and keys; when that fails, what is kept stays."""
    kept.asked_at = time.monotonic()
    try:
        body, cache_control = _fetch(issuer)
        kept.keys = remote_issuer.verification_keys(body)
        seconds = remote_issuer.keep_for(cache_control).total_seconds()
        kept.fresh_until = time.monotonic() + seconds
    except (outbound.OutboundError, UnusableAnswer) as problem:
        logger.warning("the keys of %s were not renewed: %s", issuer, problem)


def _fetch(issuer: str) -> tuple[bytes, str]:
    """The key set and its Cache-Control."""
    metadata = _first_answer(remote_issuer.well_known(issuer))
    keys = _answer(remote_issuer.jwks_uri(metadata.body, issuer))
    return keys.body, keys.headers.get("cache-control", "")


def _first_answer(urls: Collection[str]) -> outbound.Answer:
    *others, last = urls
    for url in others:
        try:
            return _answer(url)
        except UnusableAnswer:
            continue
    return _answer(last)


def _answer(url: str) -> outbound.Answer:
    answer = outbound.get(url, headers={"Accept": "application/json"}, time_limit=TIME_LIMIT)
    if answer.status != OK:
        raise UnusableAnswer(f"{url} answered with {answer.status}")
    return answer
