"""Who may administer what: Django's permissions for every application, rows of Permissions for one.

Django's ``change_application`` is CyberArk's "Application Management"; the rights Grant, View,
Manage and Delete of a row reach one application. Every screen, list, action and API call asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from ..models import Application, Permission, Right, ServiceUser
from ..models.application import ApplicationQuerySet

ADMINISTRATIVE = (Right.GRANT, Right.VIEW, Right.MANAGE, Right.DELETE)

#: Which Django permissions give a right on every application. Who may do more may also look.
_EVERYWHERE: Mapping[Right, tuple[str, ...]] = {
    Right.GRANT: ("change_permission",),
    Right.VIEW: (
        "view_application",
        "change_application",
        "delete_application",
        "change_permission",
    ),
    Right.MANAGE: ("change_application",),
    Right.DELETE: ("delete_application",),
}


def may_administer(user: Any) -> bool:
    """Whether this user may come in at all: active, and staff or a service user."""
    if not getattr(user, "is_active", False):
        return False
    is_staff = bool(getattr(user, "is_staff", False))
    return is_staff or ServiceUser.objects.filter(pk=user.pk).exists()


def may_add(user: Any) -> bool:
    """Whether this user may add applications."""
    return bool(user.is_active and user.has_perm("oidc_pkce.add_application"))


def holds_everywhere(user: Any, right: Right) -> bool:
    """Whether Django's permissions give this right on every application."""
    names = _EVERYWHERE.get(right, ())
    return bool(user.is_active) and any(user.has_perm(f"oidc_pkce.{name}") for name in names)


def rights(user: Any, application: Application) -> frozenset[Right]:
    """The administrative rights that this user holds on one application: one statement at most."""
    everywhere = {right for right in ADMINISTRATIVE if holds_everywhere(user, right)}
    if not user.is_active or len(everywhere) == len(ADMINISTRATIVE):
        return frozenset(everywhere)
    rows = Permission.objects.reaching(user).filter(application=application)
    given = {
        right
        for row in rows.only(*(right.value for right in ADMINISTRATIVE))
        for right in ADMINISTRATIVE
        if getattr(row, right.value)
    }
    held = everywhere | given
    return frozenset(held | {Right.VIEW} if held else held)


def holding(user: Any, right: Right = Right.VIEW) -> ApplicationQuerySet:
    """The applications on which this user holds a right; every administrative right brings View."""
    if holds_everywhere(user, right):
        return Application.objects.all()
    if not user.is_active:
        return Application.objects.none()
    asked = ADMINISTRATIVE if right is Right.VIEW else (right,)
    given = Q(*((one.value, True) for one in asked), _connector=Q.OR)
    rows = Permission.objects.reaching(user).filter(given)
    return Application.objects.filter(pk__in=rows.values("application"))
