"""How identifiers and secrets are made. Migrations name these functions: their paths are frozen."""

from __future__ import annotations

import secrets
import uuid

from .protocol.secret import digest

__all__ = ["digest", "new_guid", "new_request_id", "new_secret", "new_seed", "new_sid"]

_READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_secret() -> str:
    """256 random bits as 43 URL-safe characters: a code, a token, a client secret."""
    return secrets.token_urlsafe(32)


def new_guid() -> str:
    """A random UUID in text form, as OpenID Connect client ids are."""
    return str(uuid.uuid4())


def new_seed() -> bytes:
    """128 random bits that a refresh token's successor is derived from, beside the token."""
    return secrets.token_bytes(16)


def new_sid() -> str:
    """128 random bits that name one browser session to the applications it signed in to."""
    return secrets.token_urlsafe(16)


def new_request_id() -> str:
    """Twelve characters that a person can read out: 58 random bits, without look-alikes."""
    return "".join(secrets.choice(_READABLE) for _ in range(12))
