"""Read an application afresh, for every request that acts on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, Subquery

from ..models import Application, ClientSecret, ServiceUser
from ..models.application_facts import FACTS, facts_of, scope_names
from ..models.client_secret import LIVE_SECRETS
from ..models.statement import Row, Statement
from ..protocol.application import ApplicationFacts, ClientIdType
from ..protocol.checks import Trace, check
from ..protocol.client_authentication import ClientRecord, StoredSecret
from ..protocol.errors import UnknownApplication

_SECRET = ("pk", "digest", "expires_at", "last_used_at")
_OWN_SECRET = tuple(f"client_secrets__{column}" for column in _SECRET)
_SERVICE_USER = ("service_user", "user_is_active", "is_flagged")
_SECRETS = tuple(f"secret_{n}_{column}" for n in range(LIVE_SECRETS) for column in _SECRET)

#: The columns that :func:`read_with_clients` reads, in their order.
CLIENT_COLUMNS = (*FACTS, *_OWN_SECRET, *_SERVICE_USER, *_SECRETS)


def _facts(name: str) -> Any:
    return Application.objects.named(name).order_by().annotate(**scope_names())


def with_client(name: str, client: str, now: datetime) -> Any:
    """The application, its own secrets (a row for each), and the service user of this name."""
    return _facts(name).annotate(**service_user(client), **_live_secrets(client, now))


def service_user(client: str) -> dict[str, Any]:
    """What to annotate: the service user of this login name, whether active and flagged."""
    named = _named(client)
    # A host's own user model may say in Python who is active: then is_active() asks it.
    active = named.filter(user__is_active=True) if _has_active_column() else named
    return {
        "service_user": Subquery(named.values("pk")[:1]),
        "user_is_active": Exists(active),
        "is_flagged": Exists(named.filter(is_oauth_confidential_client=True)),
    }


def is_active(pk: Any, annotated: object) -> bool:
    """Whether a service user is active: as annotated, else as its user says, in a statement."""
    if pk is None or _has_active_column():
        return bool(annotated)
    user: Any = get_user_model()._base_manager.filter(pk=pk).first()
    return user is not None and bool(user.is_active)


def is_client(client: Any) -> Exists:
    """What to annotate: whether this is the login name of a service user."""
    return Exists(_named(client))


def client_exists(application: ApplicationFacts, client_id: str | None) -> bool:
    """Whether a Confidential application has such a client; of others nothing is asked."""
    confidential = application.client_id_type is ClientIdType.CONFIDENTIAL
    if application.is_openid_connect or not confidential or not client_id or "\0" in client_id:
        return False
    return bool(_named(client_id).exists())


def _named(client: Any) -> Any:
    return ServiceUser.objects.filter(**{f"user__{_login()}": client})


def _live_secrets(client: str, now: datetime) -> dict[str, Any]:
    mine = ClientSecret.objects.live(now).filter(**{f"service_user__user__{_login()}": client})
    newest = mine.order_by("-pk")
    return {
        f"secret_{number}_{column}": Subquery(newest.values(column)[number : number + 1])
        for number in range(LIVE_SECRETS)
        for column in _SECRET
    }


def _login() -> str:
    return str(get_user_model().USERNAME_FIELD)


def _has_active_column() -> bool:
    return any(field.name == "is_active" for field in get_user_model()._meta.concrete_fields)


_alone = Statement(lambda name: _facts(name).values_list(*FACTS), name=models.CharField())
_with_client = Statement(
    lambda name, client, now: with_client(name, client, now).values_list(*CLIENT_COLUMNS),
    name=models.CharField(),
    client=models.CharField(),
    now=models.DateTimeField(),
)


def find(application_id: str, trace: Trace) -> ApplicationFacts:
    """The application of this Application ID, whatever the case. Raises ``UnknownApplication``."""
    return facts_of(trace.take(application_is_known, _alone, application_id)[0])


def find_with_clients(
    application_id: str, names: Sequence[str], now: datetime, trace: Trace
) -> tuple[ApplicationFacts, tuple[ClientRecord, ...]]:
    """The same, with what is stored of the clients of these names: one statement for each name.

    Hardly ever are there two: Basic credentials with an escape can be read in two ways. Of a client
    that presents no secret nothing has to be known.
    """
    if not names:
        return find(application_id, trace), ()
    found, records, _ = read_with_clients(_with_client, application_id, names, now, trace)
    return found, records


def read_with_clients(
    statement: Statement,
    application_id: str,
    names: Sequence[str],
    now: datetime,
    trace: Trace,
    **values: Any,
) -> tuple[ApplicationFacts, tuple[ClientRecord, ...], Row]:
    """The same by a statement that goes on behind ``CLIENT_COLUMNS``; what it says there, too."""
    first, *others = [name for name in dict.fromkeys(names) if "\0" not in name] or [""]
    values.update(client=first, now=now)
    rows = trace.take(application_is_known, statement, application_id, **values)
    application = facts_of(rows[0][: len(FACTS)])
    records = list(_records(application, first, rows))
    for name in others:
        more = _with_client.rows(name=application_id.lower(), client=name, now=now)
        records += _records(application, name, more)
    return application, tuple(records), rows[0][len(CLIENT_COLUMNS) :]


@check(
    "application.known",
    spec="RFC 8414 §3",
    fix="Compare the last part of the address with the Application ID on the Settings page.",
)
def application_is_known(statement: Statement, application_id: str, **values: Any) -> list[Row]:
    """The address ends with the Application ID of an application."""
    # PostgreSQL refuses NUL with an exception, and the Kelvin sign folds to a k: what cannot be a
    # name is not asked for.
    possible = len(application_id) <= 64 and application_id.isascii() and "\0" not in application_id
    rows = statement.rows(name=application_id.lower(), **values) if possible else []
    if not rows:
        raise UnknownApplication(received=application_id[:64])
    return rows


def _records(
    application: ApplicationFacts, name: str, rows: Sequence[Row]
) -> tuple[ClientRecord, ...]:
    """What the rows say of a client that keeps a secret; of a public one nothing is stored."""
    at = len(FACTS) + len(_OWN_SECRET)
    if application.is_openid_connect:
        own = (row[len(FACTS) : at] for row in rows)
        return (ClientRecord(application.openid_client_id, _secrets(own)),)
    pk, annotated, is_flagged, *secrets = rows[0][at : len(CLIENT_COLUMNS)]
    if application.client_id_type.is_public or pk is None:
        return ()
    active, width = is_active(pk, annotated), len(_SECRET)
    pairs = (secrets[n : n + width] for n in range(0, len(secrets), width))
    return (ClientRecord(name, _secrets(pairs), pk, active, bool(is_flagged)),)


def _secrets(rows: Any) -> tuple[StoredSecret, ...]:
    return tuple(
        StoredSecret(pk, bytes(digest), until, used) for pk, digest, until, used in rows if pk
    )
