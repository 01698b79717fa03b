"""What a token is worth now, and who may know that: the rules, in order (RFC 7662)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .access import Access
from .application import ApplicationFacts
from .checks import check
from .client import serves_client
from .client_authentication import Client
from .errors import InvalidClient, InvalidToken
from .near_miss import NearMiss

BEARER = "Bearer"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a type

INACTIVE = {"active": False}


@dataclass(frozen=True, slots=True)
class IntrospectedToken:
    """A live token of any application; times are seconds since the epoch.

    A refresh token is for nobody but this server, so its ``audience`` is empty. ``client_exists``
    is the answer of the database for a Confidential application.
    """

    application: ApplicationFacts
    token_type: str
    scope: str
    client_id: str
    subject: str
    login_name: str
    audience: tuple[str, ...]
    auth_time: int
    issued_at: int
    expires_at: int
    client_exists: bool
    access: Access

    def members(self) -> dict[str, Any]:
        """The JSON members of an active token (§2.2)."""
        members: dict[str, Any] = {
            "active": True,
            "scope": self.scope,
            "client_id": self.client_id,
            "token_type": self.token_type,
            "exp": self.expires_at,
            "iat": self.issued_at,
            "auth_time": self.auth_time,
            "sub": self.subject,
            "iss": self.application.issuer,
            "app_id": self.application.application_id,
            "unique_name": self.login_name,
        }
        if self.audience:
            members["aud"] = self.audience[0] if len(self.audience) == 1 else list(self.audience)
        return members


@dataclass(frozen=True, slots=True)
class IntrospectionQuestion:
    """What the checks see; ``token`` is ``None``, and ``reason`` says why, when none is live."""

    application: ApplicationFacts
    client: Client
    token: IntrospectedToken | None
    reason: str = ""

    @property
    def live(self) -> IntrospectedToken:
        assert self.token is not None  # noqa: S101 - token_is_live comes first in the table
        return self.token


@check(
    "introspection.caller",
    spec="RFC 7662 §2.1, §4",
    fix="Ask with a client secret: of this OpenID Connect application, or of a service user.",
)
def caller_proves_itself(client: Client) -> None:
    """Whoever asks has proved itself by a secret, so that nobody can try out tokens here."""
    if not client.is_authenticated:
        raise InvalidClient(received=client.client_id, detail="a public client asked")


CALLER_CHECKS = (caller_proves_itself,)


@check(
    "introspection.token",
    spec="RFC 7662 §2.2",
    fix="Get a fresh token; an ID token is none.",
)
def token_is_live(question: IntrospectionQuestion) -> None:
    """The token is one of ours, has not expired, and neither it nor its grant is revoked."""
    if question.token is None:
        raise InvalidToken(detail=question.reason)


@check(
    "introspection.application",
    spec="RFC 7662 §4",
    fix="Ask at the endpoint of the application that issued the token.",
)
def token_is_this_applications(question: IntrospectionQuestion) -> None:
    """The token was issued by the application that is asked."""
    if question.live.application.pk != question.application.pk:
        raise InvalidToken(
            detail="another application issued this token",
            near_misses=[NearMiss.TOKEN_OF_ANOTHER_APPLICATION],
            elsewhere=question.live.application.pk,
        )


@check(
    "introspection.owner",
    spec="RFC 7662 §2.2, §4",
    fix="Name the service user that asks as Audience, or ask as the client it was issued to.",
)
def caller_may_know(question: IntrospectionQuestion) -> None:
    """The token was issued to whoever asks, or is meant for it."""
    token, asks = question.live, question.client.client_id
    if asks != token.client_id and asks not in token.audience:
        raise InvalidToken(
            received=asks,
            expected=[token.client_id, *token.audience],
            detail="the token was issued to another client and is not for this one",
        )


@check(
    "introspection.refresh",
    spec="RFC 7662 §2.2",
    fix="Tick Issue refresh tokens on the Tokens page.",
)
def token_can_be_used(question: IntrospectionQuestion) -> None:
    """A refresh token can still be traded: the application offers that."""
    token = question.live
    if token.token_type == REFRESH_TOKEN and not question.application.issues_refresh_tokens:
        raise InvalidToken(detail="the application no longer offers refresh tokens")


@check(
    "introspection.client",
    spec="RFC 7662 §2.2",
    fix="Add this client to the application's Client ID List again.",
)
def client_is_still_served(question: IntrospectionQuestion) -> None:
    """The client that the token was issued to is still one of this application's."""
    token = question.live
    if not serves_client(question.application, token.client_id, exists=token.client_exists):
        detail = "the application serves this client no more"
        raise InvalidToken(received=token.client_id, detail=detail)


@check(
    "introspection.access",
    spec="RFC 7662 §2.2",
    fix="Activate the user and give the Run right on the Permissions page.",
)
def user_may_use_the_application(question: IntrospectionQuestion) -> None:
    """The user may use this application now."""
    if reason := question.live.access.refusal(question.application):
        raise InvalidToken(detail=reason)


INTROSPECTION_CHECKS = (
    token_is_live,
    token_is_this_applications,
    caller_may_know,
    token_can_be_used,
    client_is_still_served,
    user_may_use_the_application,
)
