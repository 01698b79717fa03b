"""Trading a refresh token for fresh tokens: the rules, in order (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from .. import scope
from ..access import Access
from ..application import ApplicationFacts
from ..checks import check
from ..client_authentication import Client
from ..credential import Credential
from ..errors import InvalidClient, InvalidGrant, InvalidRequest, InvalidScope
from ..near_miss import NearMiss, of_word
from ..parameters import Parameters
from ..token import MAX_CREDENTIAL, resources_are_granted, user_may_use_the_application

_DERIVATION = b"oidc_pkce successor of a refresh token"


class SpentRefreshToken(InvalidGrant):
    """The token was used before, too long ago, and everything else about the request is right."""


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A request for fresh tokens; ``None`` where nothing was sent."""

    token: str | None = field(repr=False)  # credentials must not reach a log line
    scope: str | None
    resources: tuple[str, ...] = ()

    @classmethod
    def read(cls, parameters: Parameters) -> RefreshRequest:
        """Take the request's own parameters out of the form."""
        get = parameters.get
        return cls(get("refresh_token"), get("scope"), parameters.all("resource"))


@dataclass(frozen=True, slots=True)
class RefreshTokenFacts:
    """What is stored of a refresh token and of the grant that it belongs to."""

    application_pk: int
    client_id: str
    was_authenticated: bool
    scope: str
    resources: tuple[str, ...]
    seed: bytes = field(repr=False)
    expires_at: datetime
    used_at: datetime | None
    grant_is_revoked: bool


@dataclass(frozen=True, slots=True)
class RefreshQuestion:
    """What the checks of a refresh see; ``token`` is ``None`` when no such token exists.

    ``window`` is how long after its use a token is still answered, with the same successor.
    """

    request: RefreshRequest
    application: ApplicationFacts
    client: Client
    token: RefreshTokenFacts | None
    access: Access | None
    window: timedelta
    now: datetime

    @property
    def stored(self) -> RefreshTokenFacts:
        assert self.token is not None  # noqa: S101 - token_is_known comes first in the table
        return self.token

    @property
    def credential(self) -> Credential:
        """The refresh token that was presented."""
        return Credential("refresh_token", self.request.token or "")

    @property
    def rotates(self) -> bool:
        """Public clients always rotate, others as the application says (RFC 9700 §2.2.2).

        A token that was spent has a successor, whatever the application says by now.
        """
        was_spent = self.stored.used_at is not None
        return (
            self.application.rotates_refresh_tokens or not self.client.is_authenticated or was_spent
        )

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the fresh access token is for: all that was granted, or what is asked of it."""
        return scope.parse(self.stored.scope if self.request.scope is None else self.request.scope)


@check(
    "refresh.parameters",
    spec="RFC 6749 §6",
    fix="Send the refresh_token of the last token answer.",
)
def refresh_token_is_sent(question: RefreshQuestion) -> None:
    """refresh_token is sent."""
    token = question.request.token
    if token is None:
        raise InvalidRequest("refresh_token is missing")
    if len(token) > MAX_CREDENTIAL:
        raise InvalidRequest("refresh_token is too long")


@check(
    "refresh.known",
    spec="RFC 6749 §5.2",
    fix="Send the newest refresh token, unchanged; each answer may carry a new one.",
)
def token_is_known(question: RefreshQuestion) -> None:
    """The refresh token is one that this server issued and still remembers."""
    if question.token is None:
        length = len(question.request.token or "")
        raise InvalidGrant(
            detail=f"no such refresh token; {length} characters were sent",
            credential=question.credential,
        )


@check(
    "refresh.application",
    spec="RFC 6749 §6",
    fix="Refresh at the token endpoint of the application that issued the token.",
)
def token_is_this_applications(question: RefreshQuestion) -> None:
    """The refresh token was issued by this application."""
    if question.stored.application_pk != question.application.pk:
        raise InvalidGrant(
            detail="the refresh token was issued by another application",
            near_misses=[NearMiss.TOKEN_OF_ANOTHER_APPLICATION],
            credential=question.credential,
            elsewhere=question.stored.application_pk,
        )


@check(
    "refresh.client",
    spec="RFC 6749 §6, §10.4",
    fix="Refresh with the client_id to which the token was issued.",
)
def token_is_this_clients(question: RefreshQuestion) -> None:
    """The refresh token was issued to this client."""
    received, stored = question.client.client_id, question.stored.client_id
    if received != stored:
        raise InvalidGrant(
            received=received,
            expected=[stored],
            detail="the refresh token was issued to another client",
            near_misses=of_word([stored], received),
            credential=question.credential,
        )


@check(
    "refresh.client_authentication",
    spec="RFC 6749 §6",
    fix="Prove the client as it did when it redeemed the code: with its secret.",
)
def client_proves_itself_as_before(question: RefreshQuestion) -> None:
    """What was issued to a secret is refreshed with a secret."""
    if question.stored.was_authenticated and not question.client.is_authenticated:
        raise InvalidClient(
            detail="the token was issued to a secret, and none was sent",
            credential=question.credential,
        )


@check(
    "refresh.lifetime",
    spec="RFC 6749 §1.5",
    fix="Send the person through sign-in again; lifetimes stand on the Tokens page.",
)
def token_is_live(question: RefreshQuestion) -> None:
    """The refresh token has not expired; rotation does not prolong it."""
    if question.now >= question.stored.expires_at:
        raise InvalidGrant(
            detail=f"it expired at {question.stored.expires_at:%Y-%m-%d %H:%M:%S}Z",
            credential=question.credential,
        )


@check(
    "refresh.grant",
    spec="RFC 7009 §2.1, RFC 9700 §4.14.2",
    fix="Send the person through sign-in again.",
)
def grant_is_live(question: RefreshQuestion) -> None:
    """The grant has not been revoked."""
    if question.stored.grant_is_revoked:
        raise InvalidGrant(detail="the grant was revoked", credential=question.credential)


@check(
    "refresh.scope",
    spec="RFC 6749 §6",
    fix="Ask for scopes that were granted, or leave scope out.",
)
def scope_only_narrows(question: RefreshQuestion) -> None:
    """Every requested scope was granted."""
    granted = question.stored.scope.split()
    for name in question.scopes:
        if name not in granted:
            raise InvalidScope(
                f"scope {name} was not granted",
                received=name,
                expected=sorted(granted),
                near_misses=scope.near_misses(granted, name),
            )


@check(
    "refresh.single_use",
    spec="RFC 9700 §4.14.2",
    fix="Keep the refresh token of each answer; the use of an older one ends the grant.",
)
def token_is_unspent(question: RefreshQuestion) -> None:
    """The refresh token has not been used before, or only a moment ago."""
    used_at = question.stored.used_at
    if used_at is not None and question.now >= used_at + question.window:
        raise SpentRefreshToken(
            detail="the refresh token was used before", credential=question.credential
        )


REFRESH_CHECKS = (
    refresh_token_is_sent,
    token_is_known,
    token_is_this_applications,
    token_is_this_clients,
    client_proves_itself_as_before,
    token_is_live,
    grant_is_live,
    scope_only_narrows,
    resources_are_granted,
    user_may_use_the_application,
    token_is_unspent,
)


def successors(token: str, seed: bytes, secrets: Sequence[str]) -> Iterator[str]:
    """What follows a refresh token under each server secret, the present one first.

    The same token has the same successor, in whichever process and however often it is asked for,
    and nothing in the database makes one: secret, seed and token are all needed (RFC 2104).
    """
    for secret in secrets:
        key = hmac.digest(secret.encode(), _DERIVATION, sha256)
        derived = hmac.digest(key, seed + token.encode(errors="replace"), sha256)
        yield urlsafe_b64encode(derived).rstrip(b"=").decode("ascii")
