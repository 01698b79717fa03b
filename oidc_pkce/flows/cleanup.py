"""Free the space of what has expired. Expiry is judged at use; nothing here is a safeguard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction

from ..audit import APPLICATION_ACTIONS
from ..conf import settings
from ..models import (
    AccessToken,
    AuditEvent,
    AuthorizationCode,
    ClientSecret,
    Consent,
    EndedSession,
    Grant,
    LogoutDelivery,
    RefreshToken,
    RequestTrace,
    RevokedToken,
    SigningKey,
    Usage,
)
from . import back_channel_logout

BATCH = 1000

#: In this order children go before the grants that they belong to.
KINDS: Mapping[str, type[models.Model]] = {
    "authorization_codes": AuthorizationCode,
    "refresh_tokens": RefreshToken,
    "access_tokens": AccessToken,
    "revoked_tokens": RevokedToken,
    "logout_deliveries": LogoutDelivery,
    "ended_sessions": EndedSession,
    "grants": Grant,
    "consents": Consent,
    "client_secrets": ClientSecret,
    "request_traces": RequestTrace,
    "audit_events": AuditEvent,
    "usage": Usage,
    "signing_keys": SigningKey,
}

#: Those whose rows carry their own end, by an index; uses end when they were not seen for long.
DATED = tuple(model for model in KINDS.values() if model is not Usage)


def expired(model: type[models.Model], now: datetime) -> models.QuerySet[Any]:
    """The rows of one kind whose term is over."""
    if model is Usage:
        return Usage.objects.filter(last_seen_at__lte=now - settings.audit_lifetime)
    rows = model._base_manager.filter(expires_at__lte=now)
    if model is AuditEvent:  # the changelog of an application that there is begins at its beginning
        rows = rows.exclude(action__in=APPLICATION_ACTIONS, application__isnull=False)
    return rows


def count(now: datetime) -> dict[str, int]:
    """How many rows of each kind have expired."""
    return {kind: expired(model, now).count() for kind, model in KINDS.items()}


def sweep(now: datetime, *, batch: int = BATCH) -> dict[str, int]:
    """Delete what has expired, in short transactions; how many rows of each kind went."""
    return {kind: _sweep(model, now, batch) for kind, model in KINDS.items()}


def _sweep(model: type[models.Model], now: datetime, batch: int) -> int:
    deleted = 0
    while True:
        with transaction.atomic():
            oldest = expired(model, now).order_by(_age(model)).values_list("pk", flat=True)
            keys = list(oldest[:batch])
            if model is LogoutDelivery:
                back_channel_logout.note_given_up(keys, now)
            gone = _delete(model, keys) if keys else 0
        deleted += gone
        if len(keys) < batch:
            return deleted


def _age(model: type[models.Model]) -> str:
    return "last_seen_at" if model is Usage else "expires_at"


def _delete(model: type[models.Model], keys: list[Any]) -> int:
    """One plain statement; what still hangs on a grant goes before it in one for each table."""
    if model is Grant:
        for relation in Grant._meta.related_objects:
            children = relation.related_model._base_manager.filter(
                **{f"{relation.field.name}__in": keys}
            )
            _in_one_statement(children)
    return _in_one_statement(model._base_manager.filter(pk__in=keys))


def _in_one_statement(rows: models.QuerySet[Any]) -> int:
    return int(rows._raw_delete(using=rows.db))
