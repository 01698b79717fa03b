"""Roles: create, rename and delete them, their members, and the applications they reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from .. import audit
from ..models import Application, Permission, Principal, Right, Role
from . import webapps
from .actor import Actor
from .webapps import Changes, PermissionChange
from .webapps.succession import require_successor

#: What a role is given on an application that is assigned to it.
ASSIGNED = frozenset({Right.VIEW, Right.RUN})
NAMED_MEMBERS = 100  # of a deleted role; the audit log counts the others


def users_have_roles() -> bool:
    """A host's own user model may have been made without groups."""
    return hasattr(get_user_model(), "groups")


def members(role: Role) -> QuerySet[Any]:
    """The users of a role, by login name; none where users have no groups."""
    model: Any = get_user_model()
    everybody: QuerySet[Any] = model._base_manager.order_by(model.USERNAME_FIELD)
    return everybody.filter(groups=role.pk) if users_have_roles() else everybody.none()


@transaction.atomic
def create(name: str, *, actor: Actor, now: datetime) -> Role:
    """Create a role. Raises ``ValidationError`` for a name that is taken or impossible."""
    made = Group(name=name)  # as a Group, for a project's signals know no other sender
    made.full_clean()
    made.save(force_insert=True)
    role = cast("Role", Role.objects.get(pk=made.pk))
    _record(audit.Action.ROLE_CREATED, role, _changed("name", None, name), actor, now)
    return role


@transaction.atomic
def rename(role: Role, name: str, *, actor: Actor, now: datetime) -> Role:
    """Give a role another name. Raises as ``create`` does; the same name changes nothing."""
    stored = Group.objects.select_for_update().get(pk=role.pk)
    before, stored.name = stored.name, name
    if before != name:
        stored.full_clean()
        stored.save(update_fields=["name"])
        role.name = name
        _record(audit.Action.ROLE_UPDATED, role, _changed("name", before, name), actor, now)
    return role


@transaction.atomic
def delete(role: Role, *, actor: Actor, now: datetime) -> None:
    """Delete a role; its members lose what it gave, and applications their rows about it."""
    names = [user.get_username() for user in members(role)[:NAMED_MEMBERS]]
    lost = {"members": members(role).count(), "first_members": names}
    details = {**_changed("name", role.name, None), **lost}
    _record(audit.Action.ROLE_DELETED, role, details, actor, now)
    Group.objects.get(pk=role.pk).delete()


def add_member(role: Role, login_name: str, *, actor: Actor, now: datetime) -> Any:
    """Let a user join; the user. Raises ``ValidationError`` unless there is one to add."""
    found: Any = _named(login_name)
    if found is None:
        raise ValidationError(
            _("There is no user with the login name “%(name)s”.") % {"name": login_name}
        )
    if not _set_membership(role, found, True, actor, now):
        raise ValidationError(
            _("“%(name)s” is a member of this role already.") % {"name": found.get_username()}
        )
    return found


def remove_member(role: Role, user: Any, *, actor: Actor, now: datetime) -> bool:
    """Let a user go; whether the user was a member."""
    return _set_membership(role, user, False, actor, now)


@transaction.atomic
def assign(role: Role, application: Application, *, actor: Actor, now: datetime) -> bool:
    """Give a role View and Run on an application; whether that changed anything.

    A role that has a row there keeps its other rights. Raises as ``webapps.update`` does.
    """
    rows = _rows(application)
    mine = next((row for row in rows if _is_about(row, role)), None)
    if mine is not None and mine.rights >= ASSIGNED:
        return False
    held = mine.rights if mine is not None else frozenset[Right]()
    row = PermissionChange(Principal.GROUP, held | ASSIGNED, name=role.name, pk=role.pk)
    others = (other for other in rows if not _is_about(other, role))
    _save(application, (*others, row), actor, now)
    return True


@transaction.atomic
def unassign(role: Role, application: Application, *, user: Any, now: datetime) -> bool:
    """Take a role's row off an application, whatever it gave; whether there was one.

    Raises as ``webapps.update`` does, and ``ValidationError`` when nobody could give it back.
    """
    rows = _rows(application)
    others = tuple(row for row in rows if not _is_about(row, role))
    if len(others) == len(rows):
        return False
    require_successor(user, others)
    _save(application, others, Actor.of(user), now)
    return True


def _named(login_name: str) -> Any:
    model: Any = get_user_model()
    normal = model.normalize_username(login_name) if login_name else login_name
    return model._base_manager.filter(**{model.USERNAME_FIELD: normal}).first()


@transaction.atomic
def _set_membership(role: Role, user: Any, member: bool, actor: Actor, now: datetime) -> bool:
    Role.objects.select_for_update().get(pk=role.pk)  # two at once must not both record it
    if user.groups.filter(pk=role.pk).exists() == member:
        return False
    (user.groups.add if member else user.groups.remove)(role.pk)
    name = user.get_username()
    details = _changed("members", None if member else name, name if member else None)
    _record(audit.Action.ROLE_UPDATED, role, details, actor, now)
    return True


def _rows(application: Application) -> list[PermissionChange]:
    """The rows as they are stored, after a lock that keeps others from changing them."""
    Application.objects.select_for_update().get(pk=application.pk)
    stored = Permission.objects.filter(application=application).select_related("user", "group")
    return list(map(PermissionChange.of, stored))


def _is_about(row: PermissionChange, role: Role) -> bool:
    return row.principal == Principal.GROUP and row.pk == role.pk


def _save(
    application: Application, rows: tuple[PermissionChange, ...], actor: Actor, now: datetime
) -> None:
    """SQLite locks no rows: the version says whether somebody was faster after all."""
    webapps.update(
        application,
        Changes(permissions=rows),
        actor=actor,
        now=now,
        expected_version=application.version,
    )


def _changed(name: str, before: Any, after: Any) -> dict[str, Any]:
    return {"changes": {name: {"before": before, "after": after}}}


def _record(
    action: audit.Action, role: Role, details: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    audit.record(
        action,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        details={"role": role.name, "role_id": role.pk, **details},
    )
