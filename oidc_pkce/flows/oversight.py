"""Which records an administrator may look at, and which of the grants they may revoke.

Django's permissions open all records of a kind; the right Manage on an application opens those of
that application. Every screen, action and API call asks here.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from ..models import Application, Grant, LogoutDelivery, RequestTrace, Right
from ..models.grant import GrantQuerySet
from . import administration

M = TypeVar("M", bound=Model)


def grants(user: Any) -> GrantQuerySet:
    """The grants that this user may see."""
    everywhere = _has_any(user, "view_grant", "change_grant")
    return _reached(Grant.objects.all(), user, everywhere=everywhere)


def revocable_grants(user: Any) -> GrantQuerySet:
    """The grants that this user may revoke: all of these may be seen, too."""
    return _reached(Grant.objects.all(), user, everywhere=_has_any(user, "change_grant"))


def requests(user: Any) -> QuerySet[RequestTrace]:
    """The traces that this user may see; those of no application only with Django's permission."""
    everywhere = _has_any(user, "view_requesttrace")
    return _reached(RequestTrace.objects.all(), user, everywhere=everywhere)


def logout_deliveries(user: Any) -> QuerySet[LogoutDelivery]:
    """The outstanding sign-outs that this user may see."""
    everywhere = _has_any(user, "view_logoutdelivery")
    return _reached(LogoutDelivery.objects.all(), user, everywhere=everywhere)


def managed(user: Any) -> QuerySet[Application]:
    """The applications whose records this user may see without Django's permissions."""
    return administration.holding(user, Right.MANAGE)


def _has_any(user: Any, *names: str) -> bool:
    return bool(user.is_active) and any(user.has_perm(f"oidc_pkce.{name}") for name in names)


def _reached(records: Any, user: Any, *, everywhere: bool) -> Any:
    if everywhere:
        return records
    if administration.holds_everywhere(user, Right.MANAGE):
        return records.exclude(application=None)
    return records.filter(application__in=managed(user).values("pk"))
