"""Who creates an application may go on administering it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...models import Principal
from .. import administration
from .changes import Changes, PermissionChange

OWNING = frozenset(administration.ADMINISTRATIVE)


def owned_by(user: Any, changes: Changes) -> Changes:
    """What to create with: CyberArk's creator holds Grant, View, Manage and Delete.

    Whoever holds them on every application already needs no row of their own.
    """
    if all(administration.holds_everywhere(user, right) for right in OWNING):
        return changes
    rows = changes.permissions or ()
    theirs = [row for row in rows if _is_about(row, user)]
    rights = OWNING.union(*(row.rights for row in theirs))
    owner = PermissionChange(Principal.USER, rights, user.get_username(), user.pk)
    others = tuple(row for row in rows if not _is_about(row, user))
    return replace(changes, permissions=(*others, owner))


def _is_about(row: PermissionChange, user: Any) -> bool:
    return row.principal == Principal.USER and row.pk == user.pk
