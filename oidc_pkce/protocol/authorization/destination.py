"""Whom to answer, and how: the rules, in order. What fails here is a page, never a redirect.

RFC 6749 §4.1.2.1, RFC 9700 §2.1, OAuth 2.0 Multiple Response Types §2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from .. import redirect_uri
from ..checks import Trace, check
from ..client import known_clients, serves_client
from ..errors import UnknownClient, UnreadableRequest, UnusableRedirectUri
from ..near_miss import closest_first, of_word
from ..response_mode import Mode
from .question import Question

RESPONSE_MODES: tuple[Mode, ...] = ("query", "fragment", "form_post")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an answer may travel; only a verified redirect URI makes one."""

    redirect_uri: str
    mode: Mode
    state: str | None


@check(
    "authorize.readable",
    spec="RFC 6749 §3.1",
    fix="Send client_id and redirect_uri exactly once, percent-encoded as UTF-8.",
)
def destination_is_readable(question: Question) -> None:
    """client_id and redirect_uri are sent once and can be read."""
    for name in ("client_id", "redirect_uri"):
        if name in question.parameters.repeated:
            raise UnreadableRequest(f"{name} is repeated")
        if name in question.parameters.malformed:
            raise UnreadableRequest(question.parameters.malformed[name])


@check(
    "authorize.client_id",
    spec="RFC 6749 §4.1.1",
    fix="Add this client to the application's Client ID List, or send the id that it shows.",
)
def client_is_known(question: Question) -> None:
    """client_id names a client that this application serves."""
    client_id, application = question.get("client_id"), question.application
    if client_id is None:
        raise UnknownClient("client_id is missing")
    if not serves_client(application, client_id, exists=question.client_exists):
        known = closest_first(known_clients(application), client_id)
        misses = of_word(known, client_id)
        raise UnknownClient(received=client_id, expected=known, near_misses=misses)


@check(
    "authorize.redirect_uri",
    spec="RFC 9700 §2.1",
    fix="Add this exact URI to Allowed Redirects.",
)
def redirect_uri_is_registered(question: Question) -> None:
    """redirect_uri equals, character for character, one of Allowed Redirects."""
    received, registered = question.get("redirect_uri"), question.application.redirect_uris
    if received is None:
        raise UnusableRedirectUri("redirect_uri is missing", expected=registered)
    redirect_uri.require_registered(registered, received)


DESTINATION_CHECKS = (
    destination_is_readable,
    client_is_known,
    redirect_uri_is_registered,
)


def find_destination(question: Question, trace: Trace) -> Destination:
    """Who asked, and where the answer goes. Raises a ``DirectError`` when that is not certain."""
    trace.run(DESTINATION_CHECKS, question)
    parameters = question.parameters
    received = parameters.get("redirect_uri") or ""
    repeated = "state" in parameters.repeated or "state" in parameters.malformed
    state = None if repeated else parameters.get("state")
    return Destination(received, _mode(question, received), state)


def _mode(question: Question, uri: str) -> Mode:
    """How an answer travels, a refusal too: as asked, else as the response type has it (§2.1, §5).

    An unusable wish and a query for tokens are refused, in the mode that would be right.
    """
    default: Mode = "fragment" if question.response_type.is_front_channel else "query"
    asked = question.get("response_mode")
    if asked is None or asked == "query" or not usable_mode(asked, uri):
        return default
    return asked


def usable_mode(mode: str, uri: str) -> TypeGuard[Mode]:
    """Whether an answer can travel in this mode; a form is only ever posted to http(s)."""
    if mode == "form_post":
        return redirect_uri.origin(uri) is not None
    return mode in RESPONSE_MODES
