"""Signed JSON Web Tokens, written one way and read one way (RFC 7515, RFC 7519, RFC 8725)."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from typing import Any

from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm

from . import jwk, strict_json

MAX_KEY_ID = 255
MAX_LENGTH = 16 * 1024  # characters; our largest token is a tenth of it

_HEADER_MEMBERS = frozenset({"alg", "typ", "kid"})  # no crit, jwk, jku, x5c, x5u, b64, cty
_SIGNERS: Mapping[str, Algorithm] = {
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "EdDSA": OKPAlgorithm(),
}


class InvalidJWT(Exception):
    """A token is malformed, forged, of another kind, or out of time. The reason is private."""


class UnknownKey(InvalidJWT):
    """None of the keys at hand has the ``kid`` of the header; perhaps a newer one has."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        super().__init__("the key is unknown")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A parsed private key under its name. Raises ValueError when it does not fit ``algorithm``."""

    kid: str
    algorithm: str
    private_key: jwk.PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        _require_fit(self.private_key, self.algorithm)


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A parsed public key under its name. Raises ValueError when it does not fit ``algorithm``."""

    kid: str
    algorithm: str
    public_key: jwk.PublicKey = field(repr=False)

    def __post_init__(self) -> None:
        _require_fit(self.public_key, self.algorithm)


def sign(claims: Mapping[str, Any], key: SigningKey, *, typ: str | None) -> str:
    """Make a compact JWS with the header ``alg, typ, kid``, in this order (RFC 7515 §7.1).

    The payload is ASCII-only JSON. Raises TypeError or ValueError for what JSON cannot hold.
    """
    header = {"alg": key.algorithm, "typ": typ, "kid": key.kid}
    if typ is None:
        del header["typ"]
    signed = f"{jwk.encode(_write(header))}.{jwk.encode(_write(claims))}"
    signature = _SIGNERS[key.algorithm].sign(signed.encode("ascii"), key.private_key)
    return f"{signed}.{jwk.encode(signature)}"


def verify(
    token: str, keys: Mapping[str, VerificationKey], *, typ: Collection[str | None]
) -> dict[str, Any]:
    """Check a token's shape, key and signature, and give its claims (RFC 8725 §3).

    ``typ`` holds the accepted types, None for a header without one. The key decides the algorithm,
    never the header. Times are not judged here: see ``check_times()``. Raises InvalidJWT.
    """
    signed, header, payload, signature = _split(token)
    key = _key_for(_read(header), keys, typ)
    if not _SIGNERS[key.algorithm].verify(signed, key.public_key, signature):
        raise InvalidJWT("the signature does not fit")
    return _read(payload)


def unverified_header(token: str) -> dict[str, Any]:
    """Give the header as it stands: good for choosing among keys, and for nothing else.

    Raises InvalidJWT for what has not the shape of a token.
    """
    return _read(_split(token)[1])


def check_times(claims: Mapping[str, Any], *, now: int, leeway: int = 0) -> None:
    """Require an ``exp`` ahead and any ``nbf`` behind ``now`` (RFC 7519 §4.1.4, §4.1.5); seconds.

    An ``iat`` must be a number, no more: clocks of two servers differ. Raises InvalidJWT.
    """
    if now >= _numeric_date(claims, "exp") + leeway:
        raise InvalidJWT("the token has expired")
    if "nbf" in claims and now + leeway < _numeric_date(claims, "nbf"):
        raise InvalidJWT("the token is not valid yet")
    if "iat" in claims:
        _numeric_date(claims, "iat")


def left_half_hash(value: str, algorithm: str) -> str:
    """Make ``at_hash`` or ``c_hash`` for a token or code (OpenID Connect Core §3.1.3.6, §3.3.2.11).

    EdDSA takes SHA-512, the hash inside Ed25519. Raises ValueError for an unknown algorithm.
    """
    if algorithm not in _SIGNERS:
        raise ValueError(f"unknown algorithm {algorithm!r}")
    digest = (sha512 if algorithm == "EdDSA" else sha256)(value.encode("ascii")).digest()
    return jwk.encode(digest[: len(digest) // 2])


def _require_fit(key: jwk.PrivateKey | jwk.PublicKey, algorithm: str) -> None:
    if not jwk.fits(key, algorithm):
        raise ValueError(f"the key does not fit {algorithm}")


def _write(members: Mapping[str, Any]) -> bytes:
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def _split(token: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Give what was signed, and header, payload and signature out of their one spelling."""
    if len(token) > MAX_LENGTH:
        raise InvalidJWT("the token is too long")
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidJWT("the token has not three parts")
    try:
        header, payload, signature = map(jwk.decode, parts)
    except ValueError as error:
        raise InvalidJWT("a part of the token is not canonical base64url") from error
    return token.rpartition(".")[0].encode("ascii"), header, payload, signature


def _key_for(
    header: Mapping[str, Any], keys: Mapping[str, VerificationKey], typ: Collection[str | None]
) -> VerificationKey:
    if not header.keys() <= _HEADER_MEMBERS:
        raise InvalidJWT("the header has a member that we never write")
    # A null is not an absent member, though get() would give None for both.
    if not all(isinstance(value, str) for value in header.values()):
        raise InvalidJWT("a member of the header is not text")
    # What is looked up, in a database perhaps, is what a key may be called.
    if not is_key_id(header.get("kid", "")):
        raise InvalidJWT("the header names no possible key")
    if header.get("typ") not in typ:
        raise InvalidJWT("the token is of another type")
    key = keys.get(header.get("kid", ""))
    if key is None:
        raise UnknownKey(header.get("kid", ""))
    if header.get("alg") != key.algorithm:
        raise InvalidJWT("the algorithm is not the key's own")
    return key


def is_key_id(text: str) -> bool:
    """Whether a key may be called so: up to 255 printable ASCII characters, or nothing."""
    return len(text) <= MAX_KEY_ID and text.isascii() and text.isprintable()


def _read(part: bytes) -> dict[str, Any]:
    try:
        members = strict_json.read(part.decode())
    except ValueError as error:
        raise InvalidJWT("a part of the token is not strict JSON") from error
    if not isinstance(members, dict):
        raise InvalidJWT("a part of the token is not an object")
    return members


def _numeric_date(claims: Mapping[str, Any], name: str) -> int | float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidJWT(f"{name} is missing or not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidJWT(f"{name} is out of range")
    return value
