"""The mistakes that are made again and again, each by a name: what was sent is nearly right."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import takewhile


class NearMiss(StrEnum):
    """How what was received differs from what would have been right."""

    TRAILING_SLASH = "trailing_slash"
    SCHEME = "scheme"
    PORT = "port"
    LETTER_CASE = "letter_case"
    WHITE_SPACE = "white_space"
    LOOPBACK_NAME = "loopback_name"
    DOUBLE_ENCODING = "double_encoding"
    QUERY = "query"
    FRAGMENT = "fragment"
    PATH = "path"
    COMMAS = "commas"
    CHALLENGE_AS_VERIFIER = "challenge_as_verifier"
    VERIFIER_AS_CHALLENGE = "verifier_as_challenge"
    METHOD_LEFT_OUT = "method_left_out"
    PADDING = "padding"
    STANDARD_BASE64 = "standard_base64"
    HEXADECIMAL = "hexadecimal"
    HASHED_TWICE = "hashed_twice"
    HASHED_BYTES = "hashed_bytes"
    VERIFIER_LENGTH = "verifier_length"
    SECRET_OF_PUBLIC_CLIENT = "secret_of_public_client"  # noqa: S105 - a name, not a secret
    CODE_OF_ANOTHER_APPLICATION = "code_of_another_application"
    TOKEN_OF_ANOTHER_APPLICATION = "token_of_another_application"  # noqa: S105 - a name
    ID_TOKEN_AS_ACCESS_TOKEN = "id_token_as_access_token"  # noqa: S105 - a name


def of_word(known: Iterable[str], received: str) -> tuple[NearMiss, ...]:
    """How a word differs from the known one that was meant: white space around it, letter case."""
    bare = received.strip()
    spaces = (NearMiss.WHITE_SPACE,) if bare != received else ()
    words = list(known)
    if bare in words:
        return spaces
    if bare.casefold() in {word.casefold() for word in words}:
        return (*spaces, NearMiss.LETTER_CASE)
    return ()


def closest_first(candidates: Iterable[str], received: str) -> tuple[str, ...]:
    """The candidates in the order of what they begin and end with in common with a text."""
    wanted = received.strip().casefold()
    return tuple(sorted(candidates, key=lambda each: -_in_common(each.casefold(), wanted)))


def _in_common(one: str, other: str) -> int:
    same = _beginning(one, other)
    return same + _beginning(one[same:][::-1], other[same:][::-1])


def _beginning(one: str, other: str) -> int:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)
