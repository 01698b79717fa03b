"""Read an application afresh, for every request that acts on it."""

from __future__ import annotations

from django.db.models import F

from ..models import Application
from ..protocol.application import ApplicationFacts
from ..protocol.client import StoredSecret
from ..protocol.errors import UnknownApplication


def find(application_id: str) -> ApplicationFacts:
    """The application of this Application ID, whatever the case. Raises ``UnknownApplication``."""
    found = (
        Application.objects.named(application_id).first() if _is_possible(application_id) else None
    )
    if found is None:
        raise UnknownApplication(received=application_id[:64])
    return found.facts()


def find_with_secrets(application_id: str) -> tuple[ApplicationFacts, tuple[StoredSecret, ...]]:
    """The same, with the application's own secrets, in one statement."""
    if not _is_possible(application_id):
        raise UnknownApplication(received=application_id[:64])
    rows = list(
        Application.objects.named(application_id).annotate(
            secret_pk=F("client_secrets__pk"),
            secret_digest=F("client_secrets__digest"),
            secret_expires_at=F("client_secrets__expires_at"),
        )
    )
    if not rows:
        raise UnknownApplication(received=application_id[:64])
    secrets = tuple(
        StoredSecret(row.secret_pk, bytes(row.secret_digest), row.secret_expires_at)
        for row in rows
        if row.secret_pk is not None
    )
    return rows[0].facts(), secrets


def _is_possible(application_id: str) -> bool:
    """Whether this can be an Application ID at all; PostgreSQL refuses NUL with an exception."""
    return len(application_id) <= 64 and "\0" not in application_id
