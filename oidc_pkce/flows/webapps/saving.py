"""Create, change and delete an application: one transaction each, audited field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from ... import audit, signals
from ...models import (
    AccessToken,
    Application,
    AuthorizationCode,
    Consent,
    Grant,
    Permission,
    RefreshToken,
    RequestTrace,
    Scope,
)
from .. import metadata
from ..actor import Actor
from . import logo
from .changes import Changes, differences, granted, intended, set_fields, snapshot
from .impersonation import impersonations
from .problems import require_sound


class EditedMeanwhile(Exception):
    """Somebody else changed the application since it was read."""


@transaction.atomic
def create(changes: Changes, *, actor: Actor, now: datetime) -> Application:
    """Create an application. Raises ``ValidationError`` with a sentence per fault."""
    made = Application()
    set_fields(made, changes)
    require_sound(made, changes, impersonations(actor.pk, made, {}))
    made.save(force_insert=True)
    after = intended({}, made, changes)
    _replace_rows(made, changes, {}, after)
    _finish(audit.Action.APPLICATION_CREATED, made, {}, after, actor, now)
    return made


@transaction.atomic
def update(
    application: Application,
    changes: Changes,
    *,
    actor: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Application:
    """Change an application; when nothing differs, nothing is written. Returns it as stored.

    Raises ``ValidationError`` with a sentence per fault, and ``EditedMeanwhile`` when its version
    is not ``expected_version``.
    """
    current = Application.objects.select_for_update().get(pk=application.pk)
    if expected_version not in (None, current.version):
        raise EditedMeanwhile(application.application_id)
    before = snapshot(current)
    set_fields(current, changes)
    require_sound(current, changes, impersonations(actor.pk, current, before))
    after = intended(before, current, changes)
    if before != after:
        _claim_version(current)
        current.save(force_update=True)
        _replace_rows(current, changes, before, after)
        _finish(audit.Action.APPLICATION_UPDATED, current, before, after, actor, now)
    return current


@transaction.atomic
def delete(
    application: Application, *, actor: Actor, now: datetime, expected_version: int | None = None
) -> None:
    """Delete an application with all that hangs on it; the audit log keeps what it was.

    Raises ``EditedMeanwhile`` when its version is not ``expected_version``.
    """
    current = Application.objects.select_for_update().get(pk=application.pk)
    if expected_version not in (None, current.version):
        raise EditedMeanwhile(application.application_id)
    before = snapshot(application)
    _delete_issued(application)
    application.delete()
    _finish(audit.Action.APPLICATION_DELETED, application, before, {}, actor, now)


@transaction.atomic
def withdraw(row: Permission, *, actor: Actor, now: datetime) -> None:
    """Delete one row of Permissions because its user or group goes, and record that it did.

    The version rises, so that whoever has the page open is told. Counting it first also makes
    whoever else changes this application wait.
    """
    counted = Application.objects.filter(pk=row.application_id)
    counted.update(version=F("version") + 1)
    application = counted.get()
    before = {"permissions": granted(application)}
    gone = application.permissions.filter(
        principal=row.principal, user=row.user_id, group=row.group_id
    )
    gone._raw_delete(using=gone.db)
    after = {"permissions": granted(application)}
    departed = {"principal": str(row.principal), "name": row.principal_name}
    action = audit.Action.APPLICATION_UPDATED
    if before != after:
        _finish(action, application, before, after, actor, now, departed=departed)


def _delete_issued(application: Application) -> None:
    """One statement per table, children first: Django's cascade would load a million tokens."""
    issued: tuple[QuerySet[Any], ...] = (
        AuthorizationCode.objects.filter(grant__application=application),
        RefreshToken.objects.filter(grant__application=application),
        AccessToken.objects.filter(application=application),
        Grant.objects.filter(application=application),
        Consent.objects.filter(application=application),
        RequestTrace.objects.filter(application=application),
        Permission.objects.filter(application=application),
    )
    for rows in issued:
        rows._raw_delete(using=rows.db)


def _claim_version(current: Application) -> None:
    """Only one of two that read the same version writes; SQLite has no row locks for this."""
    unchanged = Application.objects.filter(pk=current.pk, version=current.version)
    if not unchanged.update(version=current.version + 1):
        raise EditedMeanwhile(current.application_id)
    current.version += 1


def _replace_rows(
    application: Application,
    changes: Changes,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Write what differs beside the fields; it is short, and nothing refers to its rows."""
    if changes.scopes is not None and before.get("scopes") != after["scopes"]:
        application.scopes.all().delete()
        scopes = [change.row() for change in changes.scopes]
        for scope in scopes:
            scope.application = application
        Scope.objects.bulk_create(scopes)
    if changes.permissions is not None and before.get("permissions") != after["permissions"]:
        rows = application.permissions.all()
        rows._raw_delete(using=rows.db)  # nobody went: receivers need not hear of each row
        permissions = [change.row() for change in changes.permissions]
        for permission in permissions:
            permission.application = application
        Permission.objects.bulk_create(permissions)
    if changes.logo is not None and before.get("logo") != after["logo"]:
        logo.store(application, changes.logo)


def _finish(
    action: audit.Action,
    application: Application,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    **more: Any,
) -> None:
    audit.record(
        action,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=application.pk,
        application_name=application.name,
        details={
            "application_id": application.application_id,
            "version": application.version,
            "changes": differences(before, after),
            **more,
        },
    )
    transaction.on_commit(partial(_announce, action, application.application_id))


def _announce(action: audit.Action, application_id: str) -> None:
    metadata.clear()
    signals.application_changed.send_robust(
        sender=Application, application_id=application_id, action=action.value
    )
