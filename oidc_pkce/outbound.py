"""Requests that this server sends: the only module that opens a socket.

A URL from somebody else must not reach what only this machine can reach. The name is resolved
once, every address it has is judged, and the connection goes to an address that was judged: a
second answer of the name server changes nothing. Redirects are not followed, proxies of the
environment are not used, and size and time are bounded.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from .conf import settings

MAX_BODY = 1024 * 1024  # bytes
TIME_LIMIT = 5.0  # seconds for everything but the name server's answer
FORM = "application/x-www-form-urlencoded"

#: Networks whose last 32 bits are an IPv4 address: RFC 6052 §2.1, RFC 8215, RFC 4291 §2.5.5.1.
_WITH_IPV4 = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
_PORTS = {"https": 443, "http": 80}

Address = IPv4Address | IPv6Address


class OutboundError(Exception):
    """A request was not answered; the text is a sentence for whoever runs this server."""


class OutboundRefused(OutboundError):
    """The request was not sent: its URL is none that this server may ask."""


class OutboundFailed(OutboundError):
    """The request was sent, or tried, and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    trusted: bool = False,
    time_limit: float = TIME_LIMIT,
) -> Answer:
    """Send a GET; ``time_limit`` in seconds.

    ``trusted`` says that the operator named the target on the command line: it may be private.
    Raises ``OutboundRefused`` or ``OutboundFailed``.
    """
    return _send("GET", url, b"", dict(headers or {}), trusted=trusted, time_limit=time_limit)


def post(
    url: str,
    body: bytes,
    *,
    content_type: str = FORM,
    headers: Mapping[str, str] | None = None,
    trusted: bool = False,
    time_limit: float = TIME_LIMIT,
) -> Answer:
    """Send a POST; otherwise as ``get()``."""
    sent = {**(headers or {}), "Content-Type": content_type}
    return _send("POST", url, body, sent, trusted=trusted, time_limit=time_limit)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a request goes: the URL, and the addresses that were judged."""

    parts: SplitResult
    addresses: tuple[Address, ...]

    @property
    def port(self) -> int:
        return self.parts.port or _PORTS[self.parts.scheme]

    @property
    def host(self) -> str:
        return self.parts.hostname or ""

    @property
    def path(self) -> str:
        query = f"?{self.parts.query}" if self.parts.query else ""
        return (self.parts.path or "/") + query


class _Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._ends = time.monotonic() + limit

    def left(self) -> float:
        """Seconds that are left. Raises ``TimeoutError`` when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _TimedReader(io.RawIOBase):
    """Reads that end with the deadline, so that a drop each second cannot go on for ever."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(self._deadline.left())
        return self._connected.recv_into(buffer)


class _TimedSocket:
    """What ``http.client`` needs of a socket."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def sendall(self, data: Any) -> None:
        self._connected.settimeout(self._deadline.left())
        self._connected.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connected, self._deadline))

    def close(self) -> None:
        """``http.client`` closes before it reads the body; ``_connection()`` closes after."""


def _send(
    method: str,
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    trusted: bool,
    time_limit: float,
) -> Answer:
    parts = _parts_of(url)
    target = _Target(parts, _resolve(parts))
    _require_permission(target, trusted=trusted)
    deadline = _Deadline(time_limit)
    headers |= {"Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close"}
    with _failures_as_sentences(target, deadline), _connection(target, deadline) as connection:
        connection.request(method, target.path, body or None, headers)
        return _read(connection.getresponse(), target)


def _parts_of(url: str) -> SplitResult:
    """The parts of a URL that can be asked. Raises ``OutboundRefused``."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what raises
    except ValueError:
        raise OutboundRefused(f"{url!r} cannot be read as a URL.") from None
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise OutboundRefused(f"{url!r} holds a character that no URL has.")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise OutboundRefused(f'"{url}" is not an https address.')
    if "@" in parts.netloc or parts.fragment:
        raise OutboundRefused(f'"{url}" names a user or a fragment, which is never sent.')
    return parts


def _resolve(parts: SplitResult) -> tuple[Address, ...]:
    """Every address of the host, in the resolver's order. Raises ``OutboundFailed``."""
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutboundFailed(f"The name {host} has no address.") from None
    return tuple(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))


def _require_permission(target: _Target, *, trusted: bool) -> None:
    """Judge the scheme and EVERY address. Raises ``OutboundRefused``."""
    own_machine = trusted or settings.base_is_loopback
    is_local = all(address.is_loopback for address in target.addresses)
    if target.parts.scheme == "http" and not (is_local and own_machine):
        raise OutboundRefused(
            f"{target.parts.geturl()} is not https; plain http is asked on this machine only,"
            " while ISSUER_BASE is on this machine, too."
        )
    if trusted or (is_local and own_machine):
        return
    private = [address for address in target.addresses if not _is_open(address)]
    if private:
        raise OutboundRefused(
            f"{target.host} has the address {private[0]}, which is not public. If this server may"
            " ask it, add its network to OUTBOUND_TRUSTED_NETWORKS."
        )


def _is_open(address: Address) -> bool:
    """Whether an address is public, or in a network that the operator trusts."""
    networks = map(ip_network, settings.outbound_trusted_networks)
    return any(address in network for network in networks) or all(
        inner.is_global and not inner.is_multicast for inner in (address, *_inside(address))
    )


def _inside(address: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv6Address):
        teredo = address.teredo or ()
        yield from (x for x in (address.ipv4_mapped, address.sixtofour, *teredo) if x is not None)
        if any(address in network for network in _WITH_IPV4):
            yield IPv4Address(int(address) & 0xFFFFFFFF)


@contextmanager
def _connection(target: _Target, deadline: _Deadline) -> Iterator[HTTPConnection]:
    with closing(_connect(target, deadline)) as connected:
        connection = HTTPConnection(target.host, target.port)
        connection.sock = _TimedSocket(connected, deadline)
        yield connection


def _connect(target: _Target, deadline: _Deadline) -> socket.socket:
    """A connection to the first address that takes it, encrypted where the scheme says so."""
    problem: OSError = OSError("no address")
    for address in target.addresses:
        try:
            connected = socket.create_connection((str(address), target.port), deadline.left())
        except OSError as error:
            problem = error
            continue
        return connected if target.parts.scheme == "http" else _encrypt(connected, target, deadline)
    raise problem


def _encrypt(connected: socket.socket, target: _Target, deadline: _Deadline) -> socket.socket:
    """TLS, with the certificate checked for the NAME that was asked, not for the address."""
    try:
        connected.settimeout(deadline.left())
        context = ssl.create_default_context()
        return context.wrap_socket(connected, server_hostname=target.host)
    except OSError:
        connected.close()
        raise


def _read(response: HTTPResponse, target: _Target) -> Answer:
    """The whole body, as long as it is not too long."""
    body = response.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise OutboundFailed(f"{target.host} answered with more than {MAX_BODY} bytes.")
    if response.length:  # read() does not tell an answer that was cut off from a whole one
        raise OutboundFailed(f"{target.host} broke off its answer.")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, MappingProxyType(headers), body)


@contextmanager
def _failures_as_sentences(target: _Target, deadline: _Deadline) -> Iterator[None]:
    host = target.host
    try:
        yield
    except TimeoutError:
        raise OutboundFailed(f"{host} took longer than {deadline.limit:g} seconds.") from None
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        raise OutboundFailed(f"The certificate of {host} does not hold: {why}.") from None
    except ssl.SSLError as error:
        raise OutboundFailed(f"{host} does not speak TLS as it should: {error.reason}.") from None
    except OSError as error:
        why = error.strerror or "the connection broke"
        raise OutboundFailed(f"{host} cannot be reached: {why}.") from None
    except (HTTPException, ValueError):
        raise OutboundFailed(f"{host} did not answer with valid HTTP.") from None
