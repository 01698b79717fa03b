"""Another server's access tokens: its metadata, keys, and what its tokens must say (RFC 9068)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from . import jose
from .access_token import AT_JWT, JWT, is_access_token
from .jose import InvalidJWT, VerificationKey
from .jwk import ALGORITHMS, decode, public_key_from_jwk

LEEWAY = 30  # seconds; two servers' clocks differ
MAX_KEYS = 100
SHORTEST, USUAL, LONGEST = 30, 300, 3600  # seconds for which a key set is kept

AT_JWT_TYPES = (AT_JWT, f"application/{AT_JWT}")
_ALWAYS = ("iss", "sub", "client_id")
_DEFAULT_ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})\b", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


class UnusableAnswer(Exception):
    """What an issuer answered is not its metadata, or not a key set; a sentence."""


def well_known(issuer: str) -> tuple[str, ...]:
    """Where an issuer's metadata may be, in the order of asking.

    OpenID Connect Discovery §4.1, RFC 8414 §3.1.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    host = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{host}{path}/.well-known/openid-configuration",
        f"{host}/.well-known/oauth-authorization-server{path}",
    )


def jwks_uri(body: bytes, issuer: str) -> str:
    """Where the keys are, out of metadata that names exactly this issuer (RFC 8414 §3.3).

    Raises ``UnusableAnswer``.
    """
    metadata = _object(body, "metadata")
    if metadata.get("issuer") != issuer:
        raise UnusableAnswer("the metadata names another issuer")
    found = metadata.get("jwks_uri")
    if not isinstance(found, str) or not found:
        raise UnusableAnswer("the metadata names no jwks_uri")
    return found


def verification_keys(body: bytes) -> dict[str, VerificationKey]:
    """The keys of a set that can verify, by ``kid``; others are passed over (RFC 7517 §5).

    Raises ``UnusableAnswer`` when none is left.
    """
    keys = _object(body, "key set").get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise UnusableAnswer(f"the key set has no keys, or more than {MAX_KEYS}")
    usable = [key for key in map(_verification_key, keys) if key is not None]
    if not usable:
        raise UnusableAnswer("the key set holds no key that can verify")
    return {key.kid: key for key in reversed(usable)}


def keep_for(cache_control: str) -> timedelta:
    """How long an answer may be kept, between 30 seconds and an hour (RFC 9111 §5.2.2)."""
    if _NO_STORE.search(cache_control):
        return timedelta(seconds=SHORTEST)
    said = _MAX_AGE.search(cache_control)
    seconds = int(said[1]) if said else USUAL
    return timedelta(seconds=min(max(seconds, SHORTEST), LONGEST))


def claimed(token: str) -> Mapping[str, Any]:
    """The claims of a token that nobody has verified: good for choosing whom to ask, no more.

    Nothing for what is no JWT.
    """
    return _unverified(token, 1)


def verify(
    token: str, keys: Mapping[str, VerificationKey], *, issuer: str, now: int
) -> dict[str, Any]:
    """The claims of an access token of this issuer; ``now`` in seconds (RFC 9068 §4).

    ``at+jwt`` says by itself what it is; a mere ``JWT`` must have what no ID token has. Whom it is
    for is not judged here. Raises ``InvalidJWT``.
    """
    typ = _unverified(token, 0).get("typ")
    accepted = AT_JWT_TYPES if typ in AT_JWT_TYPES else (JWT,)
    claims = jose.verify(token, keys, typ=accepted)
    if accepted == (JWT,) and not is_access_token(claims):
        raise InvalidJWT("this is not an access token")
    if not all(isinstance(claims.get(name), str) and claims[name] for name in _ALWAYS):
        raise InvalidJWT("iss, sub or client_id is missing")
    if claims["iss"] != issuer:
        raise InvalidJWT("another issuer issued this token")
    if not isinstance(claims.get("scope", ""), str):
        raise InvalidJWT("the scope is not text")
    jose.check_times(claims, now=now, leeway=LEEWAY)
    return claims


def audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom a token is for; nothing where that is not text (RFC 7519 §4.1.3)."""
    found = claims.get("aud")
    entries: list[Any] = found if isinstance(found, list) else [found]
    return tuple(entries) if all(isinstance(entry, str) for entry in entries) else ()


def _unverified(token: str, part: int) -> Mapping[str, Any]:
    parts = token.split(".", 3) if len(token) <= jose.MAX_LENGTH else []
    if len(parts) != 3:
        return {}
    try:
        members = json.loads(decode(parts[part]))
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _object(body: bytes, what: str) -> dict[str, Any]:
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise UnusableAnswer(f"the {what} is not JSON") from None
    if not isinstance(members, dict):
        raise UnusableAnswer(f"the {what} is not an object")
    return members


def _verification_key(key: Any) -> VerificationKey | None:
    """An algorithm that the key does not name is the usual one of its kind, never the token's."""
    if not isinstance(key, dict) or not _is_for_signatures(key):
        return None
    algorithm = key.get("alg", _DEFAULT_ALGORITHMS.get(str(key.get("kty"))))
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        return None
    try:
        return VerificationKey(key["kid"], algorithm, public_key_from_jwk(key))
    except ValueError:
        return None


def _is_for_signatures(key: Mapping[str, Any]) -> bool:
    operations: Any = key.get("key_ops", ["verify"])
    may_verify = isinstance(operations, Collection) and "verify" in operations
    has_kid = isinstance(key.get("kid"), str) and bool(key["kid"])
    return has_kid and key.get("use", "sig") == "sig" and may_verify
