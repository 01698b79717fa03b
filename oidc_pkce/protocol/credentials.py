"""How a client says who it is at a back-channel endpoint (RFC 6749 §2.3.1, RFC 7617)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_to_bytes

from .errors import InvalidClient, InvalidRequest, OAuthError

MAX_HEADER_LENGTH = 8192  # characters

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # RFC 7617 §2

Candidate = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class PresentedCredentials:
    """What was presented, not yet looked at. A candidate is a ``client_id`` and its secret.

    Basic credentials can have two readings, to be tried in order; there is none where no client was
    named. Without a secret the method is ``none``; ``in_header`` tells that Basic was used all the
    same, so a refusal is a 401.
    """

    method: Literal["client_secret_basic", "client_secret_post", "none"]
    candidates: tuple[Candidate, ...] = field(repr=False)
    in_header: bool = False


def present(
    authorization: str | None, client_id: str | None, client_secret: str | None
) -> PresentedCredentials:
    """Collect the credentials of a request: its Authorization header and its two body fields.

    Raises InvalidRequest for two methods at once, InvalidClient for a header that is not
    well-formed Basic or a body that names another client (RFC 6749 §2.3, §5.2).
    """
    if authorization:
        return _in_header(authorization, client_id, client_secret)
    if not client_id:
        return PresentedCredentials("none", ())
    if client_secret:
        return PresentedCredentials("client_secret_post", ((client_id, client_secret),))
    return PresentedCredentials("none", ((client_id, None),))


def names(
    authorization: str | None, client_id: str | None, client_secret: str | None
) -> tuple[str, ...]:
    """Each ``client_id`` whose secret is presented; none where that cannot be read."""
    try:
        presented = present(authorization, client_id, client_secret)
    except OAuthError:
        return ()
    return tuple(dict.fromkeys(name for name, secret in presented.candidates if secret))


def _in_header(
    authorization: str, client_id: str | None, client_secret: str | None
) -> PresentedCredentials:
    if client_secret:
        raise InvalidRequest("the client authenticates in two ways at once")
    candidates = _readings(_basic(authorization))
    if client_id:
        candidates = tuple(pair for pair in candidates if pair[0] == client_id)
    if not candidates:
        raise _refusal("the header and client_id name two clients, or none")
    if candidates[0][1] is None:
        return PresentedCredentials("none", candidates, in_header=True)
    return PresentedCredentials("client_secret_basic", candidates, in_header=True)


def _basic(authorization: str) -> str:
    scheme, _, encoded = authorization.strip(" ").partition(" ")
    if scheme.lower() != "basic" or len(authorization) > MAX_HEADER_LENGTH:
        raise _refusal("the Authorization header is not Basic, or too long")
    try:
        return b64decode(encoded.strip(" ").encode("ascii"), validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise _refusal("the Basic credentials are not base64 of UTF-8 text") from error


def _readings(credentials: str) -> tuple[Candidate, ...]:
    """Decode as RFC 6749 §2.3.1 has it, then read raw: login names hold ``@``, secrets ``+``."""
    client_id, colon, secret = credentials.partition(":")
    if not colon or _CONTROL.search(credentials):
        raise _refusal("the Basic credentials hold no colon, or a control character")
    decoded = _decoded(client_id), _decoded(secret)
    readings = dict.fromkeys((decoded, (client_id, secret)))
    # An empty secret is one that the client may leave out (RFC 6749 §2.3.1).
    return tuple((name, text or None) for name, text in readings if name and text is not None)


def _decoded(text: str) -> str | None:
    """Undo application/x-www-form-urlencoded; None where that gives no usable text."""
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(decoded) else decoded


def _refusal(detail: str) -> InvalidClient:
    refusal = InvalidClient(detail=detail)
    refusal.challenge = True  # the Authorization header was used: 401 (RFC 6749 §5.2)
    return refusal
