"""A token as its client reads it: header, claims, the signature, and what a client has to check."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_noop

from ...flows import keys
from ...models import Application
from ...protocol import jose
from ..claims import Claim, as_json, claims_of

ACCESS_TOKEN, ID_TOKEN, REFRESH_TOKEN = "access_token", "id_token", "refresh_token"
KINDS = (ID_TOKEN, ACCESS_TOKEN, REFRESH_TOKEN)

#: What ``jose`` raises, for translators.
REASONS = (
    gettext_noop("the signature does not fit"),
    gettext_noop("the token is too long"),
    gettext_noop("the token has not three parts"),
    gettext_noop("a part of the token is not canonical base64url"),
    gettext_noop("a part of the token is not strict JSON"),
    gettext_noop("a part of the token is not an object"),
    gettext_noop("the key is unknown"),
    gettext_noop("the header has a member that we never write"),
    gettext_noop("the header names no possible key"),
    gettext_noop("the algorithm is not the key's own"),
    gettext_noop("the token has expired"),
    gettext_noop("the token is not valid yet"),
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a client knows before it reads a token; ``None`` where it knows nothing."""

    client_id: str
    nonce: str | None = None
    code: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a client checks, and how it came out."""

    good: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A token, cut up. Of an opaque one there is only its text."""

    kind: str
    text: str = field(repr=False)
    header: tuple[Claim, ...] = ()
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_jwt(self) -> bool:
        """Whether it says anything by itself."""
        return bool(self.header)

    @property
    def length(self) -> int:
        """In characters."""
        return len(self.text)


def decode(
    tokens: Mapping[str, str], application: Application, expected: Expected, now: datetime
) -> list[Decoded]:
    """Each token of an answer, in the order in which a client looks at them."""
    return [
        _decode(kind, tokens[kind], application, expected, now)
        for kind in KINDS
        if tokens.get(kind)
    ]


def _decode(
    kind: str, text: str, application: Application, expected: Expected, now: datetime
) -> Decoded:
    try:
        header = jose.unverified_header(text)
    except jose.InvalidJWT as fault:
        told = (Finding(False, _unverified(fault)),) if kind == ID_TOKEN else ()
        return Decoded(kind, text, findings=told)
    claims, findings = _verified(text, header, now)
    if claims is not None:
        findings += _findings(kind, claims, header, application, expected, now)
    head, shown = claims_of(header, now), claims_of(claims or {}, now)
    return Decoded(kind, text, head, shown, tuple(findings))


def _verified(
    text: str, header: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The claims, if one of this server's published keys signed them."""
    typ = header.get("typ")
    accepted: Collection[str | None] = (typ,) if typ is None or isinstance(typ, str) else ()
    try:
        claims = keys.verify(text, now, typ=accepted)
    except jose.InvalidJWT as fault:
        return None, [Finding(False, _unverified(fault))]
    said = gettext("The signature is verified: %(algorithm)s with the published key %(kid)s.")
    values = {"algorithm": header.get("alg"), "kid": header.get("kid")}
    return claims, [Finding(True, said % values)]


def _unverified(fault: jose.InvalidJWT) -> str:
    said, reason = gettext("The signature is not verified: %(reason)s."), str(fault)
    return said % {"reason": gettext(reason)}


def _findings(
    kind: str,
    claims: Mapping[str, Any],
    header: Mapping[str, Any],
    application: Application,
    expected: Expected,
    now: datetime,
) -> list[Finding]:
    found = [_in_time(claims, now), _same("iss", claims.get("iss"), application.effective_issuer)]
    if kind == ID_TOKEN:
        found.append(_names_client(claims, expected.client_id))
        found += _of_id_token(claims, str(header.get("alg")), expected)
    return found


def _of_id_token(
    claims: Mapping[str, Any], algorithm: str, expected: Expected
) -> Iterator[Finding]:
    """OpenID Connect Core §3.1.3.7, §3.2.2.11, §3.3.2.11."""
    if expected.nonce is not None:
        yield _same("nonce", claims.get("nonce"), expected.nonce)
    for name, value in (("at_hash", expected.access_token), ("c_hash", expected.code)):
        if name in claims and value.isascii() and value:
            yield _same(name, claims[name], jose.left_half_hash(value, algorithm))


def _same(name: str, received: Any, wanted: str) -> Finding:
    if received == wanted:
        said = gettext("%(name)s is what this client expects.")
        return Finding(True, said % {"name": name})
    said = gettext("%(name)s is %(received)s, and not %(expected)s.")
    values = {"received": as_json(received), "expected": as_json(wanted)}
    return Finding(False, said % {"name": name, **values})


def _names_client(claims: Mapping[str, Any], client_id: str) -> Finding:
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    return _same("aud", client_id if client_id in listed else audience, client_id)


def _in_time(claims: Mapping[str, Any], now: datetime) -> Finding:
    try:
        jose.check_times(claims, now=int(now.timestamp()))
    except jose.InvalidJWT as fault:
        said, reason = gettext("The times do not fit: %(reason)s."), str(fault)
        return Finding(False, said % {"reason": gettext(reason)})
    return Finding(True, gettext("It is valid at this moment."))
