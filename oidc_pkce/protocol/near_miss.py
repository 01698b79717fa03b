"""The mistakes that are made again and again, each by a name: what was sent is nearly right."""

from __future__ import annotations

from enum import StrEnum


class NearMiss(StrEnum):
    """How what was received differs from what would have been right."""

    TRAILING_SLASH = "trailing_slash"
    SCHEME = "scheme"
    PORT = "port"
    LETTER_CASE = "letter_case"
    LOOPBACK_NAME = "loopback_name"
    DOUBLE_ENCODING = "double_encoding"
    CHALLENGE_AS_VERIFIER = "challenge_as_verifier"
    SECRET_OF_PUBLIC_CLIENT = "secret_of_public_client"  # noqa: S105 - a name, not a secret
    CODE_OF_ANOTHER_APPLICATION = "code_of_another_application"
