"""Who the bearer of an access token is (OpenID Connect Core §5.3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef

from ..conf import settings
from ..models import AccessToken, Grant, RevokedToken
from ..models.statement import Statement, columns, instance
from ..protocol import jose
from ..protocol.access import Access
from ..protocol.access_token import AT_JWT, JWT, is_access_token
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.client import serves_client
from ..protocol.errors import InvalidToken, MissingToken
from . import access, keys


@dataclass(frozen=True, slots=True)
class Bearer:
    """What an access token turned out to be, JWT or opaque."""

    user: Any
    subject: str
    client_id: str
    audience: tuple[str, ...]
    scopes: tuple[str, ...]
    auth_time: int
    access: Access


@dataclass(frozen=True, slots=True)
class BearerQuestion:
    """What the checks of a bearer token see."""

    application: ApplicationFacts
    token: str | None
    bearer: Bearer | None
    reason: str


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
    """The access token is this application's, live, and its grant is not revoked."""
    if question.bearer is None:
        raise InvalidToken(detail=question.reason)


@check(
    "bearer.client",
    spec="RFC 6750 §3.1",
    fix="Add this client to the application's Client ID List again.",
)
def client_is_still_served(question: BearerQuestion) -> None:
    """The client that the token was issued to is still one of this application's."""
    client_id = question.bearer.client_id if question.bearer else ""
    if not serves_client(question.application, client_id, exists=True):
        raise InvalidToken(received=client_id, detail="the application serves this client no more")


@check(
    "bearer.access",
    spec="RFC 6750 §3.1",
    fix="Activate the user and give the Run right on the Permissions page.",
)
def user_may_use_the_application(question: BearerQuestion) -> None:
    """The user may use this application now."""
    answer = question.bearer.access if question.bearer else None
    reason = answer.refusal(question.application) if answer else "no user"
    if reason:
        raise InvalidToken(detail=reason)


BEARER_CHECKS = (
    token_is_present,
    token_is_valid,
    client_is_still_served,
    user_may_use_the_application,
)


def userinfo(
    application: ApplicationFacts, token: str | None, *, now: datetime, trace: Trace
) -> tuple[Bearer, dict[str, Any]]:
    """The claims that the token's scopes ask for. Raises ``MissingToken`` or ``InvalidToken``."""
    bearer = identify(application, token, now=now, trace=trace)
    members: dict[str, Any] = {
        "sub": bearer.subject,
        "aud": bearer.audience[0] if len(bearer.audience) == 1 else list(bearer.audience),
        "unique_name": settings.claims_provider.login_name(bearer.user),
        "auth_time": bearer.auth_time,
    }
    told = settings.claims_provider.userinfo(bearer.user, bearer.scopes)
    return bearer, {**told, **members}


def identify(
    application: ApplicationFacts, token: str | None, *, now: datetime, trace: Trace
) -> Bearer:
    """Who presents this token to this application, judged by the table of checks."""
    bearer, reason = None, ""
    if token is not None:
        try:
            bearer = _bearer(application, token, now)
        except jose.InvalidJWT as problem:
            reason = str(problem)
    trace.run(BEARER_CHECKS, BearerQuestion(application, token, bearer, reason))
    assert bearer is not None  # noqa: S101 - token_is_valid has just passed
    return bearer


def _bearer(application: ApplicationFacts, token: str, now: datetime) -> Bearer:
    """A token with dots is a JWT, any other one opaque. Raises ``InvalidJWT`` for both."""
    if "." in token:
        return _from_claims(_claims(application, token, now), now)
    return _from_row(application, token, now)


def _claims(application: ApplicationFacts, token: str, now: datetime) -> Mapping[str, Any]:
    claims = keys.verify(token, now, typ=(JWT, AT_JWT))
    jose.check_times(claims, now=int(now.timestamp()))
    if not is_access_token(claims):
        raise jose.InvalidJWT("this is not an access token")
    if claims.get("iss") != application.issuer:
        raise jose.InvalidJWT("another application issued this token")
    if claims.get("app_id") != application.application_id:
        raise jose.InvalidJWT("another application issued this token")
    return claims


def _grant_query(grant_id: uuid.UUID, jti: uuid.UUID, now: datetime) -> Any:
    answers = access.expressions(user="user_id", application=OuterRef("application_id"))
    revoked = Exists(RevokedToken.objects.naming(jti, now))
    return (
        Grant.objects.live(now)
        .filter(~revoked, pk=grant_id)
        .annotate(**answers)
        .values_list(*answers, *columns(Grant), *columns(get_user_model(), "user__"))
    )


_live_grant = Statement(
    _grant_query,
    grant_id=models.UUIDField(),
    jti=models.UUIDField(),
    now=models.DateTimeField(),
)


def _from_claims(claims: Mapping[str, Any], now: datetime) -> Bearer:
    """The live grant of a token that was not revoked singly, with its user: one statement."""
    grant_id, jti = _uuid(claims.get("gid")), _uuid(claims.get("jti"))
    rows = _live_grant.rows(grant_id=grant_id, jti=jti, now=now) if grant_id and jti else []
    if not rows:
        raise jose.InvalidJWT("the grant is revoked or gone, or the token was revoked")
    values = iter(rows[0])
    has_run_right, is_service_user = islice(values, 2)
    grant, user = instance(Grant, values), instance(get_user_model(), values)
    audience = claims.get("aud") or ()
    return Bearer(
        user=user,
        subject=grant.subject,
        client_id=grant.client_id,
        audience=(audience,) if isinstance(audience, str) else tuple(audience),
        scopes=tuple(str(claims["scope"]).split()),
        auth_time=int(grant.auth_time.timestamp()),
        access=access.answer(user, has_run_right=has_run_right, is_service_user=is_service_user),
    )


def _from_row(application: ApplicationFacts, token: str, now: datetime) -> Bearer:
    row: Any = (
        AccessToken.objects.for_token(token)
        .filter(application=application.pk, expires_at__gt=now, grant__revoked_at=None)
        .select_related("user", "grant")
        .annotate(**access.expressions(user="user_id", application=OuterRef("application_id")))
        .first()
    )
    if row is None:
        raise jose.InvalidJWT("no such token, or it expired or was revoked")
    auth_time = row.grant.auth_time if row.grant else datetime.fromtimestamp(0, UTC)
    return Bearer(
        user=row.user,
        subject=row.subject,
        client_id=row.client_id,
        audience=tuple(row.audience),
        scopes=tuple(row.scope.split()),
        auth_time=int(auth_time.timestamp()),
        access=access.answer(
            row.user, has_run_right=row.has_run_right, is_service_user=row.is_service_user
        ),
    )


def _uuid(value: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=str(value))
    except ValueError:
        return None
