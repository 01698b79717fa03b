"""Revoke what a person allowed a client: its codes and tokens end with the grant."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from .. import audit, signals
from ..models import Grant
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
    audit.record(
        reason,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=grant.application_id,
        application_name=grant.application.name,
        client_id=grant.client_id,
        details={"grant": str(grant.pk), "user": grant.user.get_username()},
    )
    transaction.on_commit(partial(_announce, str(grant.pk), reason))
    return True


def _announce(grant_id: str, reason: audit.Action) -> None:
    signals.grant_revoked.send_robust(sender=Grant, grant_id=grant_id, reason=reason.value)
