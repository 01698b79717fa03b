"""The audit log: what was done, by whom, and when. Never holds a credential."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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
    CONSENT_GIVEN = "consent.given"
    CONSENT_REFUSED = "consent.refused"
    CODE_REPLAYED = "code.replayed"
    APPLICATION_CREATED = "application.created"
    APPLICATION_UPDATED = "application.updated"
    APPLICATION_DELETED = "application.deleted"
    SECRET_CREATED = "secret.created"  # noqa: S105 - the name of an action
    SERVICE_USER_CREATED = "service_user.created"
    SERVICE_USER_UPDATED = "service_user.updated"
    SERVICE_USER_DELETED = "service_user.deleted"
    GRANT_REVOKED = "grant.revoked"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"


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
        expires_at=now + settings.audit_lifetime,
    )
