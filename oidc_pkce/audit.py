"""The audit log: what was done, by whom, and when. Never holds a credential."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from django.db import models
from django.utils.translation import gettext_lazy as _

from .conf import settings
from .models import AuditEvent


class Action(models.TextChoices):
    """Everything that is audited: the word that is stored, and the one that people read."""

    SIGNED_IN = "user.signed_in", _("Signed in")
    SIGN_IN_FAILED = "user.sign_in_failed", _("Sign-in failed")
    SIGN_IN_BLOCKED = "user.sign_in_blocked", _("Sign-in blocked")
    SIGNED_OUT = "user.signed_out", _("Signed out")
    LOGOUT_GIVEN_UP = "logout.given_up", _("Sign-out delivery given up")
    CONSENT_GIVEN = "consent.given", _("Consent given")
    CONSENT_REFUSED = "consent.refused", _("Consent refused")
    CODE_REPLAYED = "code.replayed", _("Authorization code used twice")
    REFRESH_TOKEN_REPLAYED = "refresh_token.replayed", _("Refresh token used twice")
    APPLICATION_CREATED = "application.created", _("Application created")
    APPLICATION_UPDATED = "application.updated", _("Application changed")
    APPLICATION_DELETED = "application.deleted", _("Application deleted")
    SECRET_CREATED = "secret.created", _("Client secret created")
    SECRET_REVOKED = "secret.revoked", _("Client secret revoked")
    SERVICE_USER_CREATED = "service_user.created", _("Service user created")
    SERVICE_USER_UPDATED = "service_user.updated", _("Service user changed")
    SERVICE_USER_DELETED = "service_user.deleted", _("Service user deleted")
    ROLE_CREATED = "role.created", _("Role created")
    ROLE_UPDATED = "role.updated", _("Role changed")
    ROLE_DELETED = "role.deleted", _("Role deleted")
    GRANT_REVOKED = "grant.revoked", _("Grant revoked")
    ACCESS_TOKEN_REVOKED = "access_token.revoked", _("Access token revoked")
    KEY_CREATED = "key.created", _("Signing key created")
    KEY_ROTATED = "key.rotated", _("Signing key rotated")
    KEY_RETIRED = "key.retired", _("Signing key retired")
    REQUEST_EXPLAINED = "request.explained", _("Request explained")
    APPLICATION_WATCHED = "request.watched", _("Requests watched")
    TOKENS_PREVIEWED = "token.previewed", _("Tokens previewed")
    AUDIT_EXPORTED = "audit.exported", _("Audit log exported")


#: What an application's changelog shows, by its first words.
APPLICATION_ACTIONS = tuple(action for action in Action if action.startswith("application."))
SECRET_ACTIONS = tuple(action for action in Action if action.startswith("secret."))

#: What strangers can cause as often as they like: kept for a shorter time, the newest ones only.
FAILURES = (Action.SIGN_IN_FAILED, Action.SIGN_IN_BLOCKED)
NEWEST_FAILURES = 10_000
PRUNE_EVERY = 64  # a failure in so many pays for throwing old ones away


class Told(TypedDict, total=False):
    """What is known of an event beside its action and its time."""

    actor_pk: Any
    actor_name: str
    application_pk: int | None
    application_name: str
    client_id: str
    details: Mapping[str, Any] | None


def record(action: Action, *, now: datetime, **told: Unpack[Told]) -> None:
    """Write one event, in the caller's transaction if there is one."""
    event(action, now=now, **told).save(force_insert=True)
    if action in FAILURES and random.randrange(PRUNE_EVERY) == 0:  # noqa: S311 - as with traces
        prune_failures()


def record_all(events: Iterable[AuditEvent]) -> None:
    """Write many events in one statement; make them with :func:`event`."""
    AuditEvent.objects.bulk_create(events)


def event(
    action: Action,
    *,
    now: datetime,
    actor_pk: Any = None,
    actor_name: str = "",
    application_pk: int | None = None,
    application_name: str = "",
    client_id: str = "",
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """One event, not yet written; names that are too long are cut."""
    return AuditEvent(
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


def prune_failures() -> None:
    """Delete all but the newest failures of strangers."""
    failures = AuditEvent.objects.filter(action__in=FAILURES)
    oldest = failures.order_by("-pk").values_list("pk", flat=True)[NEWEST_FAILURES:][:1].first()
    if oldest is not None:
        failures.filter(pk__lte=oldest).delete()


def _lifetime(action: Action) -> timedelta:
    return settings.trace_lifetime if action in FAILURES else settings.audit_lifetime
