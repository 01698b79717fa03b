"""Tokens that nobody issued, made out of one that we did: the JOSE family of attacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.protocol import jwk
from tests.journeys import claims_of

Header = dict[str, Any]
Forgery = tuple[str, str]  # what is wrong with it, and the token


def sign(header: Header, claims: dict[str, Any], key: Any = None) -> str:
    """Sign whatever header and claims with a real RS256 key of ours, or with a foreign one."""
    key = key or keys.signer("RS256", timezone.now()).private_key
    content = f"{b64(header)}.{b64(claims)}"
    return f"{content}.{b64(key.sign(content.encode(), PKCS1v15(), SHA256()))}"


def b64(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def all_of(token: str) -> Iterator[Forgery]:
    """Every forgery of an RS256 access token of ours."""
    yield from of_the_envelope(token)
    yield from _with_other_claims(dict(jwt.get_unverified_header(token)), claims_of(token))


def of_the_envelope(token: str) -> Iterator[Forgery]:
    """Forgeries of an RS256 token of ours of any kind, which says what the real one says."""
    header, claims = dict(jwt.get_unverified_header(token)), claims_of(token)
    yield from _unsigned(header, claims)
    yield from _signed_by_the_public_key(header, claims)
    yield from _with_a_header_of_its_own(header, claims)


def spoilt(token: str, step: int = 1) -> Iterator[Forgery]:
    """The token with one character changed, and cut off at either end."""
    for at in range(0, len(token), step):
        other = "A" if token[at] != "A" else "B"
        yield f"character {at}", token[:at] + other + token[at + 1 :]
    for at in range(1, len(token), 7 * step):
        yield f"the first {at}", token[:at]
        yield f"without the first {at}", token[at:]


def _unsigned(header: Header, claims: dict[str, Any]) -> Iterator[Forgery]:
    for alg in ("none", "None", "NONE", ""):
        for signature in ("", "AA"):
            yield f"alg {alg}", f"{b64({**header, 'alg': alg})}.{b64(claims)}.{signature}"


def _signed_by_the_public_key(header: Header, claims: dict[str, Any]) -> Iterator[Forgery]:
    public = keys.signer("RS256", timezone.now()).private_key.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    content = f"{b64({**header, 'alg': 'HS256'})}.{b64(claims)}"
    for key in (pem, pem.strip(), keys.jwks(timezone.now())):
        yield "HS256", f"{content}.{b64(hmac.new(key, content.encode(), hashlib.sha256).digest())}"


def _with_a_header_of_its_own(header: Header, claims: dict[str, Any]) -> Iterator[Forgery]:
    foreign = jwk.generate("RS256")
    public = jwk.public_jwk(foreign, kid="mine", algorithm="RS256")
    values: dict[str, Any] = {"jwk": public, "crit": ["exp"], "b64": False, "x5c": ["AA=="]}
    for member in ("jwk", "jku", "x5u", "x5c", "crit", "b64", "cty", "zip"):
        value = values.get(member, "https://evil.example/keys")
        yield member, sign({**header, member: value}, claims)
        yield f"foreign {member}", sign({**header, "kid": "mine", member: value}, claims, foreign)
    yield "foreign key", sign(header, claims, foreign)
    for typ in ("ID", "logout+jwt", "jwt", "", None, 7):
        yield f"typ {typ}", sign({**header, "typ": typ}, claims)
    for kid in ("unknown", "", None, "../../etc/passwd", 7):
        yield f"kid {kid}", sign({**header, "kid": kid}, claims)
    for alg in ("PS256", "RS512", "ES256", "EdDSA", "rs256"):
        yield f"alg {alg}", sign({**header, "alg": alg}, claims)


def _with_other_claims(header: Header, claims: dict[str, Any]) -> Iterator[Forgery]:
    """Under our own signature: what another part of this server might sign one day."""
    for changes in (
        *({"exp": None}, {"exp": int(time.time())}, {"exp": "9999999999"}, {"exp": True}),
        *({"nbf": 9999999999}, {"iss": "https://evil.example/"}, {"iss": None}),
        *({"app_id": "other"}, {"app_id": None}, {"scope": None}, {"client_id": None}),
        *({"jti": None}, {"jti": "x"}, {"gid": "x"}, {"gid": {"a": 1}}),
        {"gid": "0123456789abcdef0123456789abcdef"},
    ):
        changed = {**claims, **changes}
        told = {name: value for name, value in changed.items() if value is not None}
        yield str(changes), sign(header, told)
