"""Client secrets, codes and opaque tokens: how one is stored, and which one is strong enough."""

from __future__ import annotations

import hashlib

MIN_LENGTH = 16  # characters; a generated secret has 43
MAX_LENGTH = 255


def digest(secret: str) -> bytes:
    """The SHA-256 of a secret, the only form in which one is stored: 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def problem(secret: str) -> str | None:
    """Say in a plain sentence why a text may not be a client secret, or None when it may.

    Its characters are those of RFC 6749 appendix A.2, so that every client can send it.
    """
    if len(secret) < MIN_LENGTH:
        return f"a client secret has at least {MIN_LENGTH} characters"
    if len(secret) > MAX_LENGTH:
        return f"a client secret has at most {MAX_LENGTH} characters"
    if not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
        return "a client secret consists of printable ASCII characters, without spaces around"
    return None
