"""A token that a client asks about: the form that Introspect and Revoke share."""

from __future__ import annotations

from dataclasses import dataclass

from .checks import check
from .errors import InvalidRequest
from .parameters import Parameters
from .token import parameters_are_wellformed


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """What the checks of the form see. A ``token_type_hint`` is of no use: one look finds all."""

    parameters: Parameters
    query: Parameters


@check(
    "presented.token",
    spec="RFC 7662 §2.1, RFC 7009 §2.1",
    fix="Send the access token or refresh token as token, in the body.",
)
def token_is_sent(question: PresentedToken) -> None:
    """A token is sent."""
    if question.parameters.get("token") is None:
        raise InvalidRequest("token is missing")


PRESENTED_TOKEN_CHECKS = (parameters_are_wellformed, token_is_sent)
