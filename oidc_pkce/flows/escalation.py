"""What nobody may get by way of another: the rights of a service user, or of a role.

Whoever makes a service user's secret can act as it, and whoever joins a role gets what it carries.
A superuser holds everything; anybody else reaches only what gives them nothing new.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from ..models import Application, Permission, Right, Role
from . import administration

#: View shows and changes nothing, and the rows of a role's members give it as a matter of course.
_CHANGING = (Right.GRANT, Right.MANAGE, Right.DELETE)


def acting_as_gives_more(other: Any, user: Any) -> bool:
    """Whether ``user`` could do more as ``other``; judged as if ``other`` were active."""
    if _is_superuser(user):
        return False
    # Afresh: permissions are kept on the instance, and those of an inactive user are none.
    active = get_user_model()._base_manager.get(pk=other.pk)
    active.is_active = True
    if _is_superuser(active) or not _all_permissions(active) <= _all_permissions(user):
        return True
    return any(
        _beyond(administration.holding(active, right), user, right).exists() for right in _CHANGING
    )


def joining_gives_more(role: Role, user: Any) -> bool:
    """Whether a member of ``role`` can do what ``user`` cannot."""
    if _is_superuser(user):
        return False
    if not carried(role) <= _all_permissions(user):
        return True
    rows = Permission.objects.filter(group=role.pk)
    return any(
        _beyond(
            Application.objects.filter(pk__in=rows.giving(right).values("application")), user, right
        ).exists()
        for right in _CHANGING
    )


def carried(role: Role) -> set[str]:
    """The names of the Django permissions of a role, as ``has_perm`` takes them."""
    names = role.permissions.values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in names}


def _beyond(applications: Any, user: Any, right: Right) -> Any:
    return applications.exclude(pk__in=administration.holding(user, right).values("pk"))


def _is_superuser(user: Any) -> bool:
    return bool(user.is_active and getattr(user, "is_superuser", False))


def _all_permissions(user: Any) -> set[str]:
    """A host's own user model may have been made without PermissionsMixin."""
    return set(user.get_all_permissions()) if hasattr(user, "get_all_permissions") else set()
