"""Limits on failed attempts, by account and by address. Successes are never counted.

The counters live in Django's default cache: they are a brake, not a correctness rule, so a flush
costs nothing but a few free attempts.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore, Lock

from django.core.cache import cache

from .conf import settings
from .protocol.errors import TemporarilyUnavailable

SLOT_WAIT = 1.0  # seconds; longer, and those who wait hold every thread
_IPV6_SUBSCRIBER = 64  # one subscriber commands a whole /64, so it counts as one address


@dataclass(frozen=True, slots=True)
class Counter:
    """One thing that may fail only so often within the window."""

    kind: str
    value: str
    limit: int

    @property
    def key(self) -> str:
        """The cache key; what was typed as a user name is not readable in it."""
        hashed = hashlib.sha256(self.value.encode("utf-8", "surrogatepass")).hexdigest()
        return f"oidc_pkce.attempts.{self.kind}.{hashed}"


def sign_in_counters(username: str, address: str) -> tuple[Counter, ...]:
    """What a failed sign-in counts against: the account whatever its case, and the address."""
    where = Counter("address", network_of(address), settings.attempts_per_address)
    account = Counter("account", username.strip().casefold(), settings.attempts_per_account)
    return (where, account)


def client_counters(application_id: str, client_id: str, address: str) -> tuple[Counter, ...]:
    """What a wrong client secret counts against.

    The client is counted per address: its id is public, and a stranger who sends wrong secrets
    must not lock the real client out. Secrets are too long to be guessed from many addresses.
    Nor may people: a client that is told passwords sends all their mistakes from its own address.
    """
    where = network_of(address)
    client = f"{application_id.lower()}|{client_id}|{where}"
    return (
        Counter("client", client, settings.attempts_per_account),
        Counter("client_address", where, settings.attempts_per_address),
    )


def blocked(counters: Iterable[Counter]) -> bool:
    """Whether any of these has failed too often."""
    if not settings.throttling:
        return False
    counters = tuple(counters)
    found = cache.get_many([counter.key for counter in counters])
    return any(found.get(counter.key, 0) >= counter.limit for counter in counters)


def reserve(counters: Iterable[Counter]) -> bool:
    """Count an attempt before it is made; false when one of these has failed too often.

    Counting first leaves no gap for parallel attempts. The first that is full ends it: a blocked
    address cannot fill the counters of accounts. :func:`release` forgives a success.
    """
    if not settings.throttling:
        return True
    return all(_increase(counter.key) <= counter.limit for counter in counters)


def release(counters: Iterable[Counter]) -> None:
    """Forgive an attempt that succeeded."""
    if settings.throttling:
        for counter in counters:
            _decrease(counter.key)


def failed(counters: Iterable[Counter]) -> None:
    """Count one failure against each."""
    if not settings.throttling:
        return
    for counter in counters:
        _increase(counter.key)


@contextmanager
def password_slot() -> Iterator[None]:
    """A place among those whose passwords are being looked at in this process.

    When all are taken, half as many may wait a moment; whoever waits holds a thread, which others
    need. Raises ``TemporarilyUnavailable``.
    """
    with _making_places:
        places = _password_places(settings.password_hashes_at_once)
    if not places.enter():
        raise TemporarilyUnavailable(detail="too many passwords are being looked at")
    try:
        yield
    finally:
        places.slots.release()


_making_places = Lock()  # without it, the first two requests may each make places of their own


@dataclass(frozen=True, slots=True)
class _Places:
    """Where passwords are looked at, and where one waits for that."""

    slots: BoundedSemaphore
    queue: BoundedSemaphore

    def enter(self) -> bool:
        """Take a slot, after waiting a moment where there is room for that."""
        if self.slots.acquire(blocking=False):
            return True
        if not self.queue.acquire(blocking=False):
            return False
        try:
            return self.slots.acquire(timeout=SLOT_WAIT)
        finally:
            self.queue.release()


@lru_cache(maxsize=4)
def _password_places(number: int) -> _Places:
    return _Places(BoundedSemaphore(number), BoundedSemaphore(max(1, number // 2)))


def network_of(address: str) -> str:
    """The address that counts: IPv4 as it is, IPv6 by its /64, anything else as one unknown."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, _IPV6_SUBSCRIBER), strict=False))
    return str(ip)


def client_address(remote: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """Who sent the request: the last hop that is not one of our own trusted proxies."""
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    address = remote
    while hops and _is_trusted(address, trusted):
        address = hops.pop()
    return address


def _increase(key: str) -> int:
    """Add one and say how many there are; the window begins with the first."""
    window = int(settings.attempt_window.total_seconds())
    if cache.add(key, 1, window):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # it expired between the two calls
        cache.set(key, 1, window)
        return 1


def _decrease(key: str) -> None:
    with suppress(ValueError):  # it expired meanwhile: there is nothing left to forgive
        cache.decr(key)


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network) for network in trusted)
