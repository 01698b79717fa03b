"""Nobody locks an application that they could not open again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ...models import Right
from .. import administration
from .changes import PermissionChange


def require_successor(user: Any, permissions: Iterable[PermissionChange]) -> None:
    """Raise ``ValidationError`` where ``has_successor`` says no."""
    if not has_successor(user, permissions):
        raise ValidationError(
            _(
                "Nobody would have the Grant right any more. Give it to somebody else first, or"
                " ask an administrator of all applications to remove it."
            )
        )


def has_successor(user: Any, permissions: Iterable[PermissionChange]) -> bool:
    """Whoever holds Grant by a row alone must leave it to somebody.

    Django's permissions reach every application, so whoever has those stays able to undo it.
    """
    if administration.holds_everywhere(user, Right.GRANT):
        return True
    return any(Right.GRANT in each.rights for each in permissions)
