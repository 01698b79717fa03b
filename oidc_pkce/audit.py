"""The audit log: what was done, by whom, and when. Never holds a credential."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from .conf import settings
from .models import AuditEvent


class Action(StrEnum):
    """Everything that is audited."""

    SIGNED_IN = "user.signed_in"
    SIGN_IN_FAILED = "user.sign_in_failed"
    SIGN_IN_BLOCKED = "user.sign_in_blocked"
    SIGNED_OUT = "user.signed_out"
    LOGOUT_GIVEN_UP = "logout.given_up"
    CONSENT_GIVEN = "consent.given"
    CONSENT_REFUSED = "consent.refused"
    CODE_REPLAYED = "code.replayed"
    REFRESH_TOKEN_REPLAYED = "refresh_token.replayed"  # noqa: S105 - the name of an action
    APPLICATION_CREATED = "application.created"
    APPLICATION_UPDATED = "application.updated"
    APPLICATION_DELETED = "application.deleted"
    SECRET_CREATED = "secret.created"  # noqa: S105 - the name of an action
    SERVICE_USER_CREATED = "service_user.created"
    SERVICE_USER_UPDATED = "service_user.updated"
    SERVICE_USER_DELETED = "service_user.deleted"
    GRANT_REVOKED = "grant.revoked"
    ACCESS_TOKEN_REVOKED = "access_token.revoked"  # noqa: S105 - the name of an action
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"


#: What strangers can cause as often as they like: kept for a shorter time, the newest ones only.
FAILURES = (Action.SIGN_IN_FAILED, Action.SIGN_IN_BLOCKED)
NEWEST_FAILURES = 10_000
PRUNE_EVERY = 64  # a failure in so many pays for throwing old ones away


def record(
    action: Action,
    *,
    now: datetime,
    actor_pk: Any = None,
    actor_name: str = "",
    application_pk: int | None = None,
    application_name: str = "",
    client_id: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write one event, in the caller's transaction if there is one."""
    AuditEvent.objects.create(
        at=now,
        action=action,
        actor_id=actor_pk,
        actor_name=actor_name[:255],
        application_id=application_pk,
        application_name=application_name[:255],
        client_id=client_id[:255],
        details=dict(details or {}),
        expires_at=now + _lifetime(action),
    )
    if action in FAILURES and random.randrange(PRUNE_EVERY) == 0:  # noqa: S311 - as with traces
        prune_failures()


def prune_failures() -> None:
    """Delete all but the newest failures of strangers."""
    failures = AuditEvent.objects.filter(action__in=FAILURES)
    oldest = failures.order_by("-pk").values_list("pk", flat=True)[NEWEST_FAILURES:][:1].first()
    if oldest is not None:
        failures.filter(pk__lte=oldest).delete()


def _lifetime(action: Action) -> timedelta:
    return settings.trace_lifetime if action in FAILURES else settings.audit_lifetime
