"""Signed authorization requests (OpenID Connect Core §6.1, RFC 9101)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .jose import VerificationKey
from .jwk import public_key_from_jwk

ALGORITHMS = ("RS256", "ES256", "PS256")
MAX_KEYS = 10


def verification_keys(jwks: object) -> dict[str, VerificationKey]:
    """A client's public keys by ``kid``.

    Raises ``ValueError`` with a fragment of a sentence for anything but a set of public keys, each
    with a ``kid`` of its own and an ``alg`` of ``ALGORITHMS`` (RFC 7517 §4).
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise ValueError(f'write {{"keys": […]}} with 1 to {MAX_KEYS} keys')
    found = [_verification_key(key) for key in keys]
    if len({key.kid for key in found}) != len(found):
        raise ValueError("two keys have one kid")
    return {key.kid: key for key in found}


def _verification_key(key: Any) -> VerificationKey:
    if not isinstance(key, Mapping) or not isinstance(key.get("kid"), str) or not key["kid"]:
        raise ValueError("each key needs a kid")
    if key.get("alg") not in ALGORITHMS:
        raise ValueError("each key needs an alg: " + ", ".join(ALGORITHMS))
    if "d" in key or "k" in key:
        raise ValueError(f"the key {key['kid']} is private: register its public half")
    try:
        return VerificationKey(key["kid"], key["alg"], public_key_from_jwk(key))
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"the key {key['kid']} cannot be read, or does not fit its alg") from None
