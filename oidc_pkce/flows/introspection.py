"""Tell a client that may know what a token is worth now (RFC 7662)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Value

from .. import identifiers
from ..models import AccessToken, RefreshToken
from ..models.statement import Statement
from ..protocol import jose
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace
from ..protocol.client_authentication import Client
from ..protocol.errors import InvalidToken
from ..protocol.introspection import (
    BEARER,
    CALLER_CHECKS,
    INACTIVE,
    INTROSPECTION_CHECKS,
    REFRESH_TOKEN,
    IntrospectedToken,
    IntrospectionQuestion,
)
from . import access_token
from .access_token import STORED, Bearer


def introspect(
    application: ApplicationFacts, client: Client, token: str, *, now: datetime, trace: Trace
) -> dict[str, Any]:
    """The members of the answer; whatever is wrong with the token, only the trace tells.

    Raises ``InvalidClient`` when the caller has not proved itself.
    """
    trace.run(CALLER_CHECKS, client)
    found, reason = None, ""
    try:
        bearer, token_type = _find(token, now)
        trace.user_pk = bearer.user_pk
        found = _introspected(bearer, token_type)
    except jose.InvalidJWT as problem:
        reason = str(problem)
    question = IntrospectionQuestion(application, client, found, reason)
    try:
        trace.run(INTROSPECTION_CHECKS, question)
    except InvalidToken:
        return dict(INACTIVE)
    return question.live.members()


def _find(token: str, now: datetime) -> tuple[Bearer, str]:
    """One statement, whichever kind the token is. Raises ``jose.InvalidJWT``."""
    if "." in token:
        return access_token.find(token, now), BEARER
    rows = _by_digest.rows(digest=identifiers.digest(token))
    if not rows:
        raise jose.InvalidJWT("no such token, or it was revoked")
    is_refresh_token, used_at, *values = rows[0]
    bearer = access_token.of_row(iter(values), now)
    if used_at is not None:
        raise jose.InvalidJWT("the refresh token was used")
    return bearer, REFRESH_TOKEN if is_refresh_token else BEARER


def _query(digest: bytes) -> Any:
    """A refresh token looks like an opaque access token: both tables in one statement."""
    never = Value(None, output_field=models.DateTimeField())
    opaque = AccessToken.objects.filter(pk=digest).annotate(refreshes=Value(False), spent_at=never)
    refresh = RefreshToken.objects.filter(pk=digest)
    refresh = refresh.annotate(refreshes=Value(True), spent_at=F("used_at"))
    own = ("refreshes", "spent_at")
    return access_token.stored(opaque, (*own, *STORED)).union(
        access_token.stored(refresh, (*own, *_STORED_OF_REFRESH_TOKEN), holder="grant__"),
        all=True,
    )


#: The same as ``STORED``, where a refresh token has it.
_STORED_OF_REFRESH_TOKEN = (
    *("grant_id", "grant__auth_time", "grant__revoked_at", "grant__requested_claims"),
    *("grant__client_id", "grant__subject", "grant__scope", "grant__resources"),
    *("created_at", "expires_at"),
)

_by_digest = Statement(_query, digest=models.BinaryField())


def _introspected(bearer: Bearer, token_type: str) -> IntrospectedToken:
    return IntrospectedToken(
        application=bearer.application,
        token_type=token_type,
        scope=" ".join(bearer.scopes),
        client_id=bearer.client_id,
        subject=bearer.subject,
        login_name=bearer.login_name,
        audience=bearer.audience if token_type == BEARER else (),
        auth_time=bearer.auth_time,
        issued_at=bearer.issued_at,
        expires_at=bearer.expires_at,
        client_exists=bearer.client_exists,
        access=bearer.access,
    )
