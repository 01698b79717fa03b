"""The scope parameter (RFC 6749 §3.3) and the scopes that OpenID Connect defines (Core §5.4)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from .errors import InvalidScope
from .near_miss import NearMiss, of_word

OPENID = "openid"
MAX_TOKENS = 100  # a list is split and looked up on every request
MAX_TOKEN_LENGTH = 255

_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

STANDARD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "openid": ("sub",),
        "profile": (
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ),
        "email": ("email", "email_verified"),
        "address": ("address",),
        "phone": ("phone_number", "phone_number_verified"),
        "offline_access": (),
    }
)


def parse(text: str) -> tuple[str, ...]:
    """Split a scope parameter into its tokens, the first of equal ones kept in place.

    Several spaces count as one. Raises InvalidScope for a character outside RFC 6749 §3.3, more
    than 100 tokens, or a token of more than 255 characters.
    """
    pieces = [piece for piece in text.split(" ", MAX_TOKENS * 2) if piece]
    if len(pieces) > MAX_TOKENS:
        raise InvalidScope(f"more than {MAX_TOKENS} scopes were asked for")
    for piece in pieces:
        _require_token(piece)
    return tuple(dict.fromkeys(pieces))


def render(scopes: Iterable[str]) -> str:
    """Join scope tokens as they travel in requests, answers and claims; none give ''."""
    return " ".join(scopes)


def near_misses(known: Collection[str], name: str) -> tuple[NearMiss, ...]:
    """What is wrong with a scope that is nearly known: its letter case, or commas for spaces."""
    pieces = [piece for piece in name.split(",") if piece]
    if "," in name and pieces and all(piece in known for piece in pieces):
        return (NearMiss.COMMAS,)
    return of_word(known, name)


def _require_token(piece: str) -> None:
    if len(piece) > MAX_TOKEN_LENGTH:
        raise InvalidScope(f"a scope is longer than {MAX_TOKEN_LENGTH} characters")
    if not _TOKEN.fullmatch(piece):
        raise InvalidScope("scope holds a character that RFC 6749 section 3.3 does not allow")
