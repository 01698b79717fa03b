"""The shape of an authorization response (OAuth 2.0 Multiple Response Types §2, RFC 9207)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

Mode = Literal["query", "fragment", "form_post"]
Fields = tuple[tuple[str, str], ...]

_DESCRIPTION_MARKS = {'"': "'", "\\": "/"}


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """What goes back to the client, and how.

    ``redirect_uri`` is a verified one; ``fields`` stand in the order in which they travel.
    Raises ValueError for a form that would be posted elsewhere than to http or https.
    """

    redirect_uri: str
    mode: Mode
    fields: Fields = field(repr=False)  # codes and tokens must not reach a log line

    def __post_init__(self) -> None:
        if self.mode == "form_post" and not _takes_forms(self.redirect_uri):
            raise ValueError("form_post reaches http and https only")

    def location(self) -> str:
        """Give the URI to redirect to (RFC 6749 §4.1.2, §4.2.2).

        Raises ValueError for form_post, where a page posts ``fields`` to ``redirect_uri``.
        """
        if self.mode == "form_post":
            raise ValueError("a form_post response is a page, not a redirect")
        pairs = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in self.fields)
        return f"{self.redirect_uri}{self._mark()}{pairs}"

    def _mark(self) -> str:
        if self.mode == "fragment":
            return "#"
        if "?" not in self.redirect_uri:
            return "?"
        return "" if self.redirect_uri.endswith(("?", "&")) else "&"


def success(
    redirect_uri: str,
    mode: Mode,
    *,
    response_type: str,
    issuer: str,
    state: str | None,
    code: str | None,
    front_channel: Sequence[tuple[str, str]] = (),
) -> AuthorizationResponse:
    """Answer an authorization request that was granted (RFC 6749 §4.1.2, RFC 9207 §2).

    Raises ValueError for a front-channel token in a query, where logs and referrers would show it
    (OAuth 2.0 Multiple Response Types §5), and for a form posted to an app's own scheme.
    """
    if mode == "query" and front_channel:
        raise ValueError("a token never travels in a query")
    return AuthorizationResponse(
        redirect_uri,
        mode,
        (
            *_present("state", state),
            ("responseType", ", ".join(response_type.split())),
            ("iss", issuer),
            *front_channel,
            *_present("code", code),  # last: a published client takes all that follows "code="
        ),
    )


def error(
    redirect_uri: str,
    mode: Mode,
    *,
    error: str,
    description: str,
    issuer: str,
    state: str | None,
) -> AuthorizationResponse:
    """Answer an authorization request that was refused (RFC 6749 §4.1.2.1, RFC 9207 §2).

    A form that could not reach an app's own scheme becomes a query: a refusal must arrive.
    """
    if mode == "form_post" and not _takes_forms(redirect_uri):
        mode = "query"
    return AuthorizationResponse(
        redirect_uri,
        mode,
        (
            ("error", error),
            *_present("error_description", _legible(description) or None),
            *_present("state", state),
            ("iss", issuer),
        ),
    )


def _takes_forms(redirect_uri: str) -> bool:
    return redirect_uri.lower().startswith(("https://", "http://"))


def _present(name: str, value: str | None) -> Fields:
    return () if value is None else ((name, value),)


def _legible(description: str) -> str:
    """Keep to the characters that RFC 6749 §5.2 allows in an ``error_description``."""
    marked = (_DESCRIPTION_MARKS.get(character, character) for character in description)
    return "".join(character if " " <= character <= "~" else "?" for character in marked)
