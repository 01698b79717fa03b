"""Revoke what a person allowed a client: its codes and tokens end with the grant (RFC 7009)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from .. import audit, identifiers, signals
from ..models import (
    AccessToken,
    Application,
    AuditEvent,
    ClientAuthentication,
    Grant,
    RefreshToken,
    RevokedToken,
)
from ..models.statement import Row, Statement, columns, instance
from ..protocol import jose
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace
from ..protocol.client_authentication import Client, ClientRecord
from ..protocol.errors import InvalidToken
from ..protocol.revocation import REVOCATION_CHECKS, RevocableToken, RevocationQuestion
from . import access_token
from . import application as applications
from .actor import Actor


@transaction.atomic
def revoke(
    grant: Grant,
    *,
    actor: Actor,
    now: datetime,
    reason: audit.Action = audit.Action.GRANT_REVOKED,
) -> bool:
    """Revoke one grant, in one conditional statement; whether it was live."""
    if not Grant.objects.filter(pk=grant.pk).revoke(now):
        return False
    audit.record_all([_event(grant, actor, now, reason)])
    transaction.on_commit(partial(_announce, str(grant.pk), reason))
    return True


def _event(grant: Grant, actor: Actor, now: datetime, reason: audit.Action) -> AuditEvent:
    return audit.event(
        reason,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=grant.application_id,
        application_name=grant.application.name,
        client_id=grant.client_id,
        details={"grant": str(grant.pk), "user": grant.user.get_username()},
    )


def _announce(grant_id: str, reason: audit.Action) -> None:
    signals.grant_revoked.send_robust(sender=Grant, grant_id=grant_id, reason=reason.value)


# --- many, at an administrator's request ---------------------------------------------------------

BATCH = 500  # rows of a transaction: whoever waits for one of them waits briefly
MOST = 10_000  # grants of one request, which must not run into the server's time limit


@dataclass(frozen=True, slots=True)
class Revoked:
    """How many grants were revoked, and whether live ones are left."""

    count: int
    is_complete: bool


def revoke_all(
    grants: QuerySet[Grant], *, actor: Actor, now: datetime, most: int = MOST
) -> Revoked:
    """Revoke the live ones of these grants, ``most`` of them at the most: ask again for the rest.

    In short transactions, each grant with an audit event and a signal of its own, exactly once,
    whoever else revokes at the same time. Memory holds their keys, and a batch of them as a whole.
    """
    live = grants.filter(revoked_at=None, expires_at__gt=now).order_by()
    found = list(live.values_list("pk", flat=True)[: most + 1])
    chosen = sorted(found[:most])
    batches = (chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH))
    count = sum(_revoke_batch(batch, actor, now) for batch in batches)
    return Revoked(count, is_complete=len(found) <= most)


@transaction.atomic
def _revoke_batch(pks: Sequence[uuid.UUID], actor: Actor, now: datetime) -> int:
    """Revoke those that nobody was faster with; how many."""
    still = Grant.objects.filter(pk__in=pks, revoked_at=None)
    still = still.select_related("application", "user").order_by("pk")  # no two wait in a circle
    rows = list(still.select_for_update(of=("self",)))
    Grant.objects.filter(pk__in=[row.pk for row in rows]).revoke(now)
    reason = audit.Action.GRANT_REVOKED
    audit.record_all(_event(row, actor, now, reason) for row in rows)
    for row in rows:
        transaction.on_commit(partial(_announce, str(row.pk), reason))
    return len(rows)


# --- at a client's request ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Presented:
    """What is known of a token that a client wants revoked.

    ``claims`` are those of a JWT that has not expired, ``holder`` is the client of an opaque access
    token; a refresh token has neither. ``reason`` is for the trace, where there is no such token.
    """

    digest: bytes
    claims: Mapping[str, Any]
    reason: str
    grant: Grant | None = None
    holder: str | None = None
    is_refresh_token: bool = False


def find(
    application_id: str, names: Sequence[str], token: str, now: datetime, trace: Trace
) -> tuple[ApplicationFacts, tuple[ClientRecord, ...], Presented]:
    """The application, its clients of these names, and the token, all in one statement.

    Raises ``UnknownApplication``.
    """
    claims, reason = _claims(token, now)
    digest = identifiers.digest(token)
    found, records, row = applications.read_with_clients(
        *(_with_token, application_id, names, now, trace),
        digest=digest,
        grant_id=access_token.as_uuid(claims.get("gid")),
    )
    grant, holder, is_refresh_token = _read(row, found)
    return found, records, Presented(digest, claims, reason, grant, holder, is_refresh_token)


def revoke_token(
    application: ApplicationFacts,
    client: Client,
    presented: Presented,
    *,
    now: datetime,
    trace: Trace,
) -> bool:
    """Revoke a token for its owner; whether anything was live. Whatever is wrong is only traced.

    A refresh token takes its grant along, also when it was spent: the successor goes, too.
    """
    question = RevocationQuestion(client, _token(application, presented), presented.reason)
    try:
        trace.run(REVOCATION_CHECKS, question)
    except InvalidToken:
        return False
    if presented.grant is None or presented.grant.revoked_at is None:
        return _revoke(application, client, presented, now)
    return False


def _claims(token: str, now: datetime) -> tuple[Mapping[str, Any], str]:
    """What a JWT says, and what to say where that is nothing: an expired one opens nothing."""
    unknown = "this application issued no such token, or it is gone"
    if "." not in token:
        return {}, unknown
    try:
        return access_token.live_claims(token, now), unknown
    except jose.InvalidJWT as problem:
        return {}, str(problem)


def _query(name: str, client: str, now: datetime, digest: bytes, grant_id: uuid.UUID) -> Any:
    """Only grants and opaque tokens of the application itself are seen."""
    refresh = RefreshToken.objects.filter(pk=digest)
    opaque = AccessToken.objects.filter(pk=digest, application=OuterRef("pk"))
    grant = Coalesce(
        Subquery(refresh.values("grant_id")),
        Subquery(AccessToken.objects.filter(pk=digest).values("grant_id")),
        Value(grant_id, output_field=models.UUIDField()),
    )
    return (
        applications.with_client(name, client, now)
        .annotate(
            presented=FilteredRelation("grants", condition=Q(grants__pk=grant)),
            holder=Subquery(opaque.values("client_id")),
            is_refresh_token=Exists(refresh),
        )
        .values_list(
            *applications.CLIENT_COLUMNS,
            *("holder", "is_refresh_token"),
            *columns(Grant, "presented__"),
            *columns(get_user_model(), "presented__user__"),
        )
    )


_with_token = Statement(
    _query,
    name=models.CharField(),
    client=models.CharField(),
    now=models.DateTimeField(),
    digest=models.BinaryField(),
    grant_id=models.UUIDField(),
)


def _read(row: Row, found: ApplicationFacts) -> tuple[Grant | None, str | None, bool]:
    values = iter(row)
    holder, is_refresh_token = next(values), next(values)
    grant = instance(Grant, values)
    if not grant.client_id:  # no row was joined
        return None, holder, False
    grant.user = instance(get_user_model(), values)
    grant.application = Application(pk=found.pk, name=found.name)
    return grant, holder, bool(is_refresh_token)


def _token(application: ApplicationFacts, presented: Presented) -> RevocableToken | None:
    """The token as the rules see it; a client's own, which has no grant, was issued to a secret."""
    grant = presented.grant
    owner = _owner_of_jwt(application, presented) if presented.claims else _owner_of_row(presented)
    if owner is None:
        return None
    proved = ClientAuthentication.SECRET if grant is None else grant.client_authentication
    return RevocableToken(owner, was_authenticated=proved == ClientAuthentication.SECRET)


def _owner_of_jwt(application: ApplicationFacts, presented: Presented) -> str | None:
    claims = presented.claims
    if (claims["app_id"], claims.get("iss")) != (application.application_id, application.issuer):
        return None
    if ("gid" in claims) != (presented.grant is not None):  # deleted, and its tokens with it
        return None
    return str(claims["client_id"])


def _owner_of_row(presented: Presented) -> str | None:
    if presented.is_refresh_token and presented.grant is not None:
        return presented.grant.client_id
    return presented.holder


def _revoke(
    application: ApplicationFacts, client: Client, presented: Presented, now: datetime
) -> bool:
    actor = Actor(name=client.client_id)
    if presented.is_refresh_token and presented.grant is not None:
        return revoke(presented.grant, actor=actor, now=now)
    return _revoke_singly(application, presented, actor, now)


@transaction.atomic
def _revoke_singly(
    application: ApplicationFacts, presented: Presented, actor: Actor, now: datetime
) -> bool:
    """Revoke one access token and leave its grant alone; whether it was live."""
    if not _end(presented, now):
        return False
    grant = presented.grant
    audit.record(
        audit.Action.ACCESS_TOKEN_REVOKED,
        now=now,
        actor_name=actor.name,
        application_pk=application.pk,
        application_name=application.name,
        client_id=actor.name,
        details={"grant": str(grant.pk), "user": grant.user.get_username()} if grant else {},
    )
    return True


def _end(presented: Presented, now: datetime) -> bool:
    """An opaque token is a row that goes; a JWT is remembered until it would have expired."""
    if not presented.claims:
        return AccessToken.objects.revoke(presented.digest, now)
    jti = access_token.as_uuid(presented.claims["jti"])
    expires_at = datetime.fromtimestamp(presented.claims["exp"], UTC)
    return jti is not None and RevokedToken.objects.add(jti, expires_at)
