"""What happened to an application, and what its record says that it is now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from ...audit import APPLICATION_ACTIONS, SECRET_ACTIONS
from ...models import Application, AuditEvent
from .changes import FIELDS


def of(application: Application) -> QuerySet[AuditEvent]:
    """Every change of an application and of its secrets, newest first."""
    shown = (*APPLICATION_ACTIONS, *SECRET_ACTIONS)
    return AuditEvent.objects.filter(application=application, action__in=shown)


def replay(events: Iterable[AuditEvent]) -> dict[str, Any]:
    """The state that these events lead to, in the shape of ``changes.snapshot``.

    In whatever order they come, the oldest counts first. Users and groups bear the names that they
    had when somebody last changed the permissions: a rename is no change of an application.
    """
    state = _nothing()
    for event in sorted(events, key=lambda event: event.pk):
        for name, pair in event.details.get("changes", {}).items():
            state[name] = pair["after"]
    return state


def _nothing() -> dict[str, Any]:
    """Before its creation: events name only what differs from this."""
    return {**dict.fromkeys((*FIELDS, "logo")), "scopes": [], "permissions": []}
