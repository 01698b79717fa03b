"""Who presents an access token, judged by one table of checks wherever one is taken (RFC 6750)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..protocol import jose
from ..protocol.access_token import read_bearer
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.client import serves_client
from ..protocol.credential import Credential
from ..protocol.errors import InvalidToken, MissingToken
from ..protocol.near_miss import NearMiss
from . import access_token
from .access_token import Bearer


@dataclass(frozen=True, slots=True)
class BearerQuestion:
    """What the checks of a bearer token see."""

    token: str | None = field(repr=False)
    bearer: Bearer | None
    expected: ApplicationFacts | None
    reason: str

    @property
    def credential(self) -> Credential:
        """The token that was presented."""
        return Credential("access_token", self.token or "")


@check(
    "bearer.readable",
    spec="RFC 6750 §2",
    fix="Send the access token once: in the Authorization header, or in the body.",
)
def bearer_is_readable(authorization: str | None, in_body: str | None) -> str | None:
    """The access token is sent in one place only."""
    return read_bearer(authorization, in_body)


@check(
    "bearer.present",
    spec="RFC 6750 §3.1",
    fix="Send the access token as Authorization: Bearer, or as access_token in the body.",
)
def token_is_present(question: BearerQuestion) -> None:
    """An access token is sent."""
    if question.token is None:
        raise MissingToken


@check(
    "bearer.token",
    spec="RFC 6750 §3.1, RFC 9068 §4",
    fix="Send the access token that this application issued, before it expires.",
)
def token_is_valid(question: BearerQuestion) -> None:
    """The access token is one of ours, live, and its grant is not revoked."""
    if question.bearer is None:
        is_id_token = question.reason == access_token.NO_ACCESS_TOKEN
        raise InvalidToken(
            detail=question.reason,
            near_misses=[NearMiss.ID_TOKEN_AS_ACCESS_TOKEN] if is_id_token else (),
            credential=question.credential,
        )


@check(
    "bearer.application",
    spec="RFC 9068 §4",
    fix="Send the token to the application that issued it.",
)
def token_is_this_applications(question: BearerQuestion) -> None:
    """The access token was issued by the application that is asked."""
    expected, bearer = question.expected, question.bearer
    if expected is not None and bearer is not None and bearer.application.pk != expected.pk:
        raise InvalidToken(
            detail="another application issued this token",
            near_misses=[NearMiss.TOKEN_OF_ANOTHER_APPLICATION],
            credential=question.credential,
            elsewhere=bearer.application.pk,
        )


@check(
    "bearer.client",
    spec="RFC 6750 §3.1",
    fix="Add this client to the application's Client ID List again.",
)
def client_is_still_served(question: BearerQuestion) -> None:
    """The client that the token was issued to is still one of this application's."""
    bearer = question.bearer
    if bearer is None:
        return
    if not serves_client(bearer.application, bearer.client_id, exists=bearer.client_exists):
        raise InvalidToken(
            received=bearer.client_id,
            detail="the application serves this client no more",
            credential=question.credential,
        )


@check(
    "bearer.access",
    spec="RFC 6750 §3.1",
    fix="Activate the user and give the Run right on the Permissions page.",
)
def user_may_use_the_application(question: BearerQuestion) -> None:
    """The user may use this application now."""
    bearer = question.bearer
    reason = bearer.access.refusal(bearer.application) if bearer else "no user"
    if reason:
        raise InvalidToken(detail=reason, credential=question.credential)


BEARER_CHECKS = (
    token_is_present,
    token_is_valid,
    token_is_this_applications,
    client_is_still_served,
    user_may_use_the_application,
)


def identify(
    token: str | None,
    *,
    now: datetime,
    trace: Trace,
    expected: ApplicationFacts | None = None,
) -> Bearer:
    """Who presents this token, to one application or to any. Raises a ``BearerError``."""
    bearer, reason = None, ""
    if token is not None:
        try:
            bearer = access_token.find(token, now)
            trace.user_pk = bearer.user_pk
        except jose.InvalidJWT as problem:
            reason = str(problem)
    trace.run(BEARER_CHECKS, BearerQuestion(token, bearer, expected, reason))
    assert bearer is not None  # noqa: S101 - token_is_valid has just passed
    return bearer
