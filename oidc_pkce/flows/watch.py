"""Watch an application for ten minutes: every request of it is traced, and its newest are shown.

Watching is reading requests: whoever begins is audited, and sees what arrives from then on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from .. import audit
from ..models import Application, AuditEvent, RequestTrace, Right
from . import records
from .actor import Actor

DURATION = timedelta(minutes=10)
SHOWN = 50  # requests at once
KEPT_IN_SIGHT = timedelta(hours=1)  # a watch that has ended is still shown for so long

_STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Watch:
    """One person's look at the requests of one application."""

    application: Application
    began_at: datetime
    ends_at: datetime

    def is_on(self, now: datetime) -> bool:
        """Whether requests are still awaited."""
        return now < self.ends_at

    def remaining(self, now: datetime) -> int:
        """Whole seconds until it ends."""
        return max(0, round((self.ends_at - now).total_seconds()))


def may_watch(user: Any, rights: Collection[Right]) -> bool:
    """Whether this user may see the requests of an application on which they hold these rights.

    The same people as :func:`records.requests` lets see them.
    """
    return Right.MANAGE in rights or bool(user.has_perm("oidc_pkce.view_requesttrace"))


@transaction.atomic
def begin(application: Application, *, actor: Actor, now: datetime) -> None:
    """Trace every request for ten minutes from now; a second watcher prolongs the first one's.

    Straight into the column: it configures nothing, so nobody who edits the application is stale.
    """
    until = now + DURATION
    shorter = Q(watched_until=None) | Q(watched_until__lt=until)
    Application.objects.filter(shorter, pk=application.pk).update(watched_until=until)
    _record(application, actor, now, {"minutes": DURATION // timedelta(minutes=1)})


@transaction.atomic
def stop(application: Application, *, actor: Actor, now: datetime) -> None:
    """Go back to tracing a sample of what succeeds, for everybody who watches."""
    watched = Application.objects.filter(pk=application.pk, watched_until__gt=now)
    if watched.update(watched_until=now):
        _record(application, actor, now, {_STOPPED: True})


def find(application: Application, user: Any, now: datetime) -> Watch | None:
    """The watch that this user has begun last, while it lasts and for an hour: one statement."""
    mine = AuditEvent.objects.filter(
        action=audit.Action.APPLICATION_WATCHED,
        application=application,
        actor=user.pk,
        at__gt=now - KEPT_IN_SIGHT,
    )
    newest = list(mine[:2])
    stopped_at = [each.at for each in newest[:1] if _STOPPED in each.details]
    event = next((each for each in newest if _STOPPED not in each.details), None)
    if event is None:
        return None
    ends = (event.at + DURATION, application.watched_until or event.at, *stopped_at)
    return Watch(application, event.at, max(event.at, min(ends)))


def requests(watch: Watch, user: Any, *, after: int = 0) -> QuerySet[RequestTrace]:
    """The newest requests of a watch that this user may see, the newest first."""
    return (
        records.requests(user)
        .filter(
            application=watch.application,
            pk__gt=after,
            at__gte=watch.began_at,
            at__lt=watch.ends_at,
        )
        .order_by("-pk")[:SHOWN]
    )


def _record(application: Application, actor: Actor, now: datetime, details: dict[str, Any]) -> None:
    audit.record(
        audit.Action.APPLICATION_WATCHED,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=application.pk,
        application_name=application.name,
        details=details,
    )
