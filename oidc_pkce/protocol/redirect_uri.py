"""Redirect URIs: which may be registered, which may be used, and how a wrong one differs.

They are compared as raw strings (RFC 9700 §2.1). What a browser, a proxy and this module could
read in two ways is refused altogether, at registration and at use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from itertools import combinations
from typing import Literal
from urllib.parse import unquote

from .errors import UnusableRedirectUri
from .near_miss import NearMiss, closest_first

MAX_LENGTH = 2000  # characters

_NEAR = 50  # registered URIs compared in pairs of differences: anybody can ask for an error page

_UNSAFE_SCHEMES = frozenset(
    {"about", "blob", "chrome", "data", "feed", "file", "filesystem", "ftp", "ftps", "intent"}
    | {"jar", "javascript", "livescript", "mailto", "mhtml", "mocha", "resource", "sms", "tel"}
    | {"urn", "vbs", "vbscript", "view-source", "ws", "wss"}
    | {"callto", "content", "res", "search-ms", "shell", "wyciwyg", "x-javascript"}
)
_HANDLERS_OF_WINDOWS = "ms-"  # ms-msdt: and its like run programs
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_AUTHORITY = re.compile(r"(?://([^/?]*))?(.*)")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?")
_HOST_NAME = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_\-]*[A-Za-z0-9_])?)")
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_PORT_FIRST = re.compile(r"[0-9]+(?:[/?]|\Z)")  # localhost:8000/callback would be a scheme
_LOOPBACK_LITERAL = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]+)?((?:[/?].*)?)")
_CSP_HOST = re.compile(r"127\.0\.0\.1|[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*")

_FAULTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\x00-\x20\x7f]"), "it holds a space, a line break or another control character"),
    (re.compile(r"[^\x00-\x7f]"), "it holds a character outside ASCII: write the host in punycode"),
    (re.compile(r"\\|%5[Cc]"), "it holds a backslash, which browsers read as a slash"),
    (re.compile(r"#"), "it has a fragment (#), which RFC 6749 section 3.1.2 forbids"),
    (re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])"), "it holds an encoded control character"),
    (re.compile(r"%(?![0-9A-Fa-f]{2})"), "it holds a % that two hexadecimal digits do not follow"),
    (re.compile(r"[^A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]"), "it holds a character no URI may hold"),
)


def problem(uri: str) -> str | None:
    """Say in a plain sentence why a URI may not be a redirect URI, or None when it may.

    https anywhere, http on a loopback host (RFC 8252 §7.3), private-use schemes (§7.1); nothing
    relative, no fragment (RFC 6749 §3.1.2), nothing that two parsers could read differently.
    """
    if not uri:
        return "it is empty"
    if len(uri) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    for pattern, fault in _FAULTS:
        if pattern.search(uri):
            return fault
    found = _SCHEME.match(uri)
    if not found:
        return "it is relative: begin with https:// or the scheme of your app"
    return _problem_of(_Parts.of(uri))


def matches(registered: Sequence[str], received: str) -> bool:
    """Say whether a received URI is a registered one, compared as raw strings (RFC 9700 §2.1).

    The port of a registered ``http://127.0.0.1`` or ``http://[::1]`` may vary (RFC 8252 §7.3).
    A URI that has a problem matches nothing, even when it was registered.
    """
    if problem(received):
        return False
    if received in registered:
        return True
    loopback = _without_loopback_port(received)
    return loopback is not None and any(
        _without_loopback_port(uri) == loopback for uri in registered
    )


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a received URI is not a registered one, for the trace; ``candidates`` closest first."""

    detail: str
    near_misses: tuple[NearMiss, ...]
    candidates: tuple[str, ...]


def mismatch(registered: Sequence[str], received: str) -> Mismatch | None:
    """How a received URI differs from every registered one; ``None`` when it is one."""
    if matches(registered, received):
        return None
    return differing(registered, received, problem(received))


def require_registered(registered: Sequence[str], received: str) -> None:
    """Raise ``UnusableRedirectUri`` for a received URI that is not a registered one."""
    if found := mismatch(registered, received):
        raise UnusableRedirectUri(
            received=received,
            expected=found.candidates,
            detail=found.detail,
            near_misses=found.near_misses,
        )


def differing(registered: Sequence[str], received: str, fault: str | None = None) -> Mismatch:
    """The same of a URI that is known to differ; ``fault`` is what is wrong with it by itself."""
    uri, differences = _nearest(registered, received) or (None, ())
    detail = f"differs from {uri} by {_named(differences)}" if uri else "not registered"
    candidates = sorted(closest_first(registered, received), key=lambda each: each != uri)
    misses = tuple(difference.miss for difference in differences)
    return Mismatch(fault or detail, misses, tuple(candidates))


def _nearest(
    registered: Sequence[str], received: str
) -> tuple[str, tuple[_Difference, ...]] | None:
    """The registered URI that a received one comes closest to, and at most two differences."""
    if len(received) > MAX_LENGTH:
        return None
    for count in (1, 2):
        for differences in combinations(_DIFFERENCES, count):
            wanted = _under(differences, received)
            for uri in registered if count == 1 else registered[:_NEAR]:
                if uri != received and _under(differences, uri) == wanted:
                    return uri, differences
    return None


def _named(differences: Sequence[_Difference]) -> str:
    return " and ".join(difference.name for difference in differences)


def display_host(uri: str) -> str:
    """Name where a URI leads, for the consent page: ``host[:port]``, or ``scheme:`` of an app.

    Raises ValueError for a URI that has a problem.
    """
    parts = _sound(uri)
    return parts.authority.lower() if parts.is_web else f"{parts.scheme}:"


def kind(uri: str) -> Literal["https", "loopback", "custom"]:
    """Tell a web app, a loopback listener and an app's own scheme apart (RFC 8252 §7).

    Raises ValueError for a URI that has a problem.
    """
    parts = _sound(uri)
    if parts.scheme == "https":
        return "https"
    return "loopback" if parts.scheme == "http" else "custom"


def origin(uri: str) -> str | None:
    """Give ``scheme://host[:port]`` as a browser writes it in ``Origin`` (RFC 6454 §6.2).

    None for a private-use scheme, and for a URI that has a problem.
    """
    if problem(uri):
        return None
    parts = _Parts.of(uri)
    if not parts.is_web:
        return None
    default = "443" if parts.scheme == "https" else "80"
    port = f":{parts.port}" if parts.port and parts.port != default else ""
    return f"{parts.scheme}://{_canonical_host(parts.host)}{port}"


def csp_source(uri: str) -> str:
    """Give the source expression that lets a form's redirect reach a URI (CSP 3 §2.3.1).

    The origin where the grammar can spell it, else ``scheme:``. Raises ValueError for a URI that
    has a problem, so that nothing can leave the header.
    """
    parts = _sound(uri)
    spelled = origin(uri)
    # CSP has no IPv6 hosts, no underscores, and no IPv4 address but 127.0.0.1 (§6.7.2.8).
    if spelled is None or not _CSP_HOST.fullmatch(parts.host) or _other_ipv4(parts.host):
        return f"{parts.scheme}:"
    return spelled


def is_origin(text: str) -> bool:
    """Say whether a Trusted Origin is exactly what a browser would send: https, or loopback http.

    Lower case, no path, no slash at the end, no default port, no ``null``.
    """
    return origin(text) == text


@dataclass(frozen=True, slots=True)
class _Parts:
    """A URI cut up; ``port`` is None where there is no colon."""

    scheme: str
    authority: str
    host: str
    port: str | None
    rest: str

    @classmethod
    def of(cls, uri: str) -> _Parts:
        scheme, _, tail = uri.partition(":")
        found = _AUTHORITY.fullmatch(tail)
        authority, rest = (found[1] or "", found[2]) if found else ("", tail)
        pair = _HOST_AND_PORT.fullmatch(authority)
        host, port = (pair[1], pair[2]) if pair else (authority, None)
        return cls(scheme.lower(), authority, host, port, rest)

    @property
    def is_web(self) -> bool:
        return self.scheme in ("https", "http")


def _sound(uri: str) -> _Parts:
    if fault := problem(uri):
        raise ValueError(fault)
    return _Parts.of(uri)


def _problem_of(parts: _Parts) -> str | None:
    if parts.scheme in _UNSAFE_SCHEMES or parts.scheme.startswith(_HANDLERS_OF_WINDOWS):
        return f"the scheme {parts.scheme}: cannot carry an answer safely"
    if "@" in parts.authority:
        return "it holds a user name or password before the host"
    if _has_dot_segment(parts.rest):
        return "its path holds . or .. segments"
    if parts.port is not None and not _is_port(parts.port):
        return "its port is not a number from 1 to 65535"
    return _problem_of_web(parts) if parts.is_web else _problem_of_custom(parts)


def _has_dot_segment(rest: str) -> bool:
    path = unquote(rest.partition("?")[0])
    # Servers that know path parameters read "..;x" as "..".
    return any(segment.partition(";")[0] in (".", "..") for segment in path.split("/"))


def _is_port(port: str) -> bool:
    return _PORT.fullmatch(port) is not None and int(port) <= 65535


def _problem_of_custom(parts: _Parts) -> str | None:
    if any(mark in parts.authority for mark in "[]%") and _ipv6(parts.host) is None:
        return "its host is neither a name nor an address in the usual notation"
    if not parts.authority and _PORT_FIRST.match(parts.rest):
        return "its scheme is missing: write http:// or https:// before the host"
    return None if parts.authority or parts.rest else "nothing follows its scheme"


def _problem_of_web(parts: _Parts) -> str | None:
    if not parts.host:
        return f"it names no host: write {parts.scheme}://host/path"
    if not _is_host(parts.host):
        return "its host is neither a name nor an address in the usual notation"
    if parts.scheme == "http" and not _is_loopback(parts.host):
        return "http is for localhost, 127.0.0.1 and [::1] only: use https"
    return None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _ipv6(host) is not None
    labels = host.split(".")
    # A browser reads a host that ends in a number as an IPv4 address: 127.1, 0x7f.1, 2130706433.
    if _NUMERIC.fullmatch(labels[-1]):
        return _ipv4(host) is not None
    return len(host) <= 253 and all(len(x) <= 63 and _HOST_NAME.fullmatch(x) for x in labels)


def _is_loopback(host: str) -> bool:
    address = _ipv4(host)
    if address is not None:
        return address.is_loopback
    return host.lower() == "localhost" or _ipv6(host) == IPv6Address("::1")


def _ipv4(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except ValueError:
        return None


def _ipv6(host: str) -> IPv6Address | None:
    """Read a bracketed address; one with a zone is none (RFC 6874 names an interface of a host)."""
    if "%" in host or not (host.startswith("[") and host.endswith("]")):
        return None
    try:
        return IPv6Address(host[1:-1])
    except ValueError:
        return None


def _other_ipv4(host: str) -> bool:
    return host != "127.0.0.1" and _ipv4(host) is not None


def _canonical_host(host: str) -> str:
    address = _ipv6(host)
    return f"[{address.compressed}]" if address else host.lower()


def _without_loopback_port(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK_LITERAL.fullmatch(uri)
    return (found[1], found[2]) if found else None


@dataclass(frozen=True, slots=True)
class _Difference:
    """A known mistake: its name in logs, and how to write a URI so that it no longer shows."""

    miss: NearMiss
    name: str
    without: Callable[[str], str]


def _under(differences: Sequence[_Difference], uri: str) -> str:
    """Rewrite a URI so that these differences no longer show."""
    for difference in differences:
        uri = difference.without(uri)
    return uri


def _decoded(uri: str) -> str:
    for _ in range(3):
        uri = unquote(uri)
    return uri


def _without_slash(uri: str) -> str:
    path, mark, query = uri.partition("?")
    return path.rstrip("/") + mark + query


_DIFFERENCES: tuple[_Difference, ...] = (
    _Difference(NearMiss.LETTER_CASE, "letter case", str.lower),
    _Difference(NearMiss.DOUBLE_ENCODING, "double encoding", _decoded),
    _Difference(NearMiss.TRAILING_SLASH, "trailing slash", _without_slash),
    _Difference(NearMiss.WHITE_SPACE, "white space", str.strip),
    _Difference(NearMiss.SCHEME, "http/https", lambda uri: re.sub(r"\Ahttps?:", "http:", uri)),
    _Difference(
        NearMiss.PORT,
        "port",
        lambda uri: re.sub(r"\A([a-z]+://[^/?:\[]*|[a-z]+://\[[^\]]*\]):[0-9]+", r"\1", uri),
    ),
    _Difference(
        NearMiss.LOOPBACK_NAME,
        "localhost against 127.0.0.1",
        lambda uri: re.sub(
            r"\A(https?://)(?:127\.0\.0\.1|\[::1\])(?=[:/?]|\Z)", r"\1localhost", uri
        ),
    ),
    _Difference(NearMiss.FRAGMENT, "added fragment", lambda uri: uri.partition("#")[0]),
    _Difference(NearMiss.QUERY, "added query", lambda uri: uri.partition("?")[0]),
    _Difference(
        NearMiss.PATH,
        "path",
        lambda uri: re.sub(
            r"\A([A-Za-z][A-Za-z0-9+.\-]*://[^/?#]+).*", r"\1", uri, flags=re.DOTALL
        ),
    ),
)
