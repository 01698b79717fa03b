"""Read an application afresh, for every request that acts on it."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from ..models import Application
from ..models.application import FACTS, facts_of
from ..models.statement import Row, Statement
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.client_authentication import StoredSecret
from ..protocol.errors import UnknownApplication

_SECRETS = ("client_secrets__pk", "client_secrets__digest", "client_secrets__expires_at")

_alone = Statement(
    lambda name: Application.objects.named(name).order_by().values_list(*FACTS),
    name=models.CharField(),
)
_with_secrets = Statement(
    lambda name: Application.objects.named(name).order_by().values_list(*FACTS, *_SECRETS),
    name=models.CharField(),
)


def find(application_id: str, trace: Trace) -> ApplicationFacts:
    """The application of this Application ID, whatever the case. Raises ``UnknownApplication``."""
    return facts_of(trace.take(application_is_known, _alone, application_id)[0])


def find_with_secrets(
    application_id: str, trace: Trace
) -> tuple[ApplicationFacts, tuple[StoredSecret, ...]]:
    """The same, with the application's own secrets, in one statement."""
    rows = trace.take(application_is_known, _with_secrets, application_id)
    secrets = tuple(_secret(*row[-3:]) for row in rows if row[-3] is not None)
    return facts_of(rows[0][:-3]), secrets


@check(
    "application.known",
    spec="RFC 8414 §3",
    fix="Compare the last part of the address with the Application ID on the Settings page.",
)
def application_is_known(statement: Statement, application_id: str) -> list[Row]:
    """The address ends with the Application ID of an application."""
    # PostgreSQL refuses NUL with an exception, so what cannot be a name is not asked for.
    possible = len(application_id) <= 64 and "\0" not in application_id
    rows = statement.rows(name=application_id.lower()) if possible else []
    if not rows:
        raise UnknownApplication(received=application_id[:64])
    return rows


def _secret(pk: int, digest: bytes, expires_at: datetime | None) -> StoredSecret:
    return StoredSecret(pk, bytes(digest), expires_at)
