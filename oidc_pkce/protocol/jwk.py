"""Signing keys: made, kept, and published as JSON Web Keys (RFC 7517, RFC 7518, RFC 8037)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

ALGORITHMS = ("RS256", "ES256", "EdDSA", "PS256")
RSA_BITS = 2048

_COORDINATE = 32  # bytes, of P-256 and of Ed25519
_THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}
_THUMBPRINT_MEMBERS |= {"OKP": ("crv", "kty", "x")}  # RFC 8037 §2
_DERIVATION = b"oidc_pkce signing keys at rest"


class UndecryptableKey(Exception):
    """A stored private key was encrypted under none of the secrets at hand."""


def generate(algorithm: str) -> PrivateKey:
    """Make a key for an algorithm: RSA of 2048 bits, P-256 or Ed25519 (RFC 7518 §3, RFC 8037).

    Raises ValueError for an algorithm that is not among ``ALGORITHMS``.
    """
    if algorithm in ("RS256", "PS256"):
        return generate_rsa_key(public_exponent=65537, key_size=RSA_BITS)
    if algorithm == "ES256":
        return generate_private_key(SECP256R1())
    if algorithm == "EdDSA":
        return Ed25519PrivateKey.generate()
    raise ValueError(f"unknown algorithm {algorithm!r}")


def fits(key: PrivateKey | PublicKey, algorithm: str) -> bool:
    """Say whether a key is of the kind, curve and size that an algorithm takes (RFC 7518 §3.1)."""
    if isinstance(key, RSAPrivateKey | RSAPublicKey):
        return algorithm in ("RS256", "PS256") and key.key_size >= RSA_BITS
    if isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey):
        return algorithm == "ES256" and isinstance(key.curve, SECP256R1)
    return algorithm == "EdDSA"


def to_pem(key: PrivateKey) -> bytes:
    """Write a private key as PKCS #8 PEM, in the clear: ``encrypt()`` it before it is stored."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def from_pem(pem: bytes) -> PrivateKey:
    """Read a private key that none of ``ALGORITHMS`` would refuse; raises ValueError."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ValueError("the PEM is encrypted with a password") from error
    if not isinstance(key, PrivateKey) or not any(fits(key, name) for name in ALGORITHMS):
        raise ValueError("the PEM holds no RSA (2048 bits), P-256 or Ed25519 key")
    return key


def public_jwk(key: PrivateKey | PublicKey, *, kid: str, algorithm: str) -> dict[str, str]:
    """Give the public half as a member of a JWK Set (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

    Raises ValueError when the key does not fit the algorithm.
    """
    if not fits(key, algorithm):
        raise ValueError(f"the key does not fit {algorithm}")
    public = key.public_key() if isinstance(key, PrivateKey) else key
    kty, numbers = _public_members(public)
    return {"kty": kty, "use": "sig", "alg": algorithm, "kid": kid, **numbers}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Hash the members that make a key what it is (RFC 7638 §3).

    Raises ValueError for an unknown ``kty`` or a missing member.
    """
    try:
        needed = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}
    except KeyError as error:
        raise ValueError(f"the key has no usable member {error}") from error
    return encode(sha256(json.dumps(needed, separators=(",", ":")).encode()).digest())


def public_key_from_jwk(jwk: Mapping[str, str]) -> PublicKey:
    """Read a public key out of a JWK Set; raises ValueError (RFC 7518 §6, RFC 8037 §2)."""
    try:
        key = _read_public(jwk)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a member of the key is missing or is not text") from error
    if not any(fits(key, name) for name in ALGORITHMS):
        raise ValueError("the key is too small")
    return key


def encrypt(pem: bytes, secret: str) -> str:
    """Encrypt a private key for storage: Fernet, keyed by HKDF-SHA256 (RFC 5869) of the secret.

    Raises ValueError for an empty secret.
    """
    return _fernet(secret).encrypt(pem).decode("ascii")


def decrypt(token: str, secrets: Sequence[str]) -> bytes:
    """Decrypt a stored private key under the first secret that fits.

    Raises UndecryptableKey when none does, or when the stored text was damaged.
    """
    try:
        return MultiFernet([_fernet(secret) for secret in secrets if secret]).decrypt(
            token.encode()
        )
    except (InvalidToken, ValueError) as error:
        raise UndecryptableKey("none of the secrets decrypts this signing key") from error


def encode(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Read base64url in its one canonical spelling (RFC 7515 §2); raises ValueError for others."""
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    # The decoder skips foreign characters and stray bits: only the spelling it would write counts.
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data


def _public_members(key: PublicKey) -> tuple[str, dict[str, str]]:
    if isinstance(key, RSAPublicKey):
        rsa = key.public_numbers()
        return "RSA", {"n": _encode_number(rsa.n), "e": _encode_number(rsa.e)}
    if isinstance(key, EllipticCurvePublicKey):
        point = key.public_numbers()
        x, y = (encode(number.to_bytes(_COORDINATE)) for number in (point.x, point.y))
        return "EC", {"crv": "P-256", "x": x, "y": y}
    return "OKP", {"crv": "Ed25519", "x": encode(key.public_bytes_raw())}


def _encode_number(number: int) -> str:
    """Base64urlUInt: as few bytes as hold the number (RFC 7518 §2)."""
    return encode(number.to_bytes((number.bit_length() + 7) // 8))


def _read_public(jwk: Mapping[str, str]) -> PublicKey:
    match jwk["kty"], jwk.get("crv"):
        case "RSA", _:
            return RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        case "EC", "P-256":
            x, y = _coordinate(jwk["x"]), _coordinate(jwk["y"])
            point = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1())
            return point.public_key()
        case "OKP", "Ed25519":
            return Ed25519PublicKey.from_public_bytes(_coordinate(jwk["x"]))
    raise ValueError("unknown kind of key")


def _number(text: str) -> int:
    return int.from_bytes(decode(text))


def _coordinate(text: str) -> bytes:
    data = decode(text)
    if len(data) != _COORDINATE:
        raise ValueError(f"a coordinate of the key is not {_COORDINATE} bytes long")
    return data


def _fernet(secret: str) -> Fernet:
    if not secret:
        raise ValueError("the secret that encrypts signing keys is empty")
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=_DERIVATION).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
