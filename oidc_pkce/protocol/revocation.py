"""Who may revoke a token: the rules, in order (RFC 7009).

A refusal stays in the trace: the answer is the same whether or not there was such a token (§2.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from .checks import check
from .client_authentication import Client
from .errors import InvalidToken


@dataclass(frozen=True, slots=True)
class RevocableToken:
    """A token of the application that is asked: to whom it was issued, and to a secret or not."""

    client_id: str
    was_authenticated: bool


@dataclass(frozen=True, slots=True)
class RevocationQuestion:
    """What the checks see; ``token`` is ``None``, and ``reason`` says why, when there is none."""

    client: Client
    token: RevocableToken | None
    reason: str = ""

    @property
    def known(self) -> RevocableToken:
        assert self.token is not None  # noqa: S101 - token_is_known comes first in the table
        return self.token


@check(
    "revocation.token",
    spec="RFC 7009 §2.2",
    fix="Nothing: what is unknown, expired or revoked opens nothing.",
)
def token_is_known(question: RevocationQuestion) -> None:
    """The token was issued by the application that is asked, and has not expired."""
    if question.token is None:
        raise InvalidToken(detail=question.reason)


@check(
    "revocation.client",
    spec="RFC 7009 §2.1",
    fix="Revoke with the client_id to which the token was issued.",
)
def token_is_this_clients(question: RevocationQuestion) -> None:
    """The token was issued to the client that wants it revoked."""
    received, stored = question.client.client_id, question.known.client_id
    if received != stored:
        raise InvalidToken(
            received=received,
            expected=[stored],
            detail="the token was issued to another client",
        )


@check(
    "revocation.client_authentication",
    spec="RFC 7009 §2.1, §5",
    fix="Send the client's secret: what was issued to one is never revoked without one.",
)
def client_proves_itself_as_before(question: RevocationQuestion) -> None:
    """What was issued to a secret is revoked with a secret."""
    if question.known.was_authenticated and not question.client.is_authenticated:
        raise InvalidToken(detail="the token was issued to a secret, and none was sent")


REVOCATION_CHECKS = (token_is_known, token_is_this_clients, client_proves_itself_as_before)
