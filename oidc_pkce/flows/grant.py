"""Revoke what a person allowed a client: its codes and tokens end with the grant."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from .. import audit, signals
from ..models import Grant
from .actor import Actor


@transaction.atomic
def revoke(grant: Grant, *, actor: Actor, now: datetime) -> bool:
    """Revoke one grant; whether it was live."""
    if not Grant.objects.filter(pk=grant.pk).revoke(now):
        return False
    audit.record(
        audit.Action.GRANT_REVOKED,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=grant.application_id,
        application_name=grant.application.name,
        client_id=grant.client_id,
        details={"grant": str(grant.pk), "user": grant.user.get_username()},
    )
    transaction.on_commit(partial(_announce, str(grant.pk)))
    return True


def _announce(grant_id: str) -> None:
    signals.grant_revoked.send_robust(
        sender=Grant, grant_id=grant_id, reason=audit.Action.GRANT_REVOKED.value
    )
