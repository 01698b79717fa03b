"""Which records an administrator may look at, and which of the grants they may revoke.

Django's permissions open all records of a kind; the right Manage on an application opens those of
that application. Every screen, action and API call asks here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from ..models import Grant, LogoutDelivery, RequestTrace, Right
from . import administration

M = TypeVar("M", bound=Model)


#: Django's permissions that open all records of a kind.
_EVERYWHERE: Mapping[type[Model], tuple[str, ...]] = {
    Grant: ("view_grant", "change_grant"),
    RequestTrace: ("view_requesttrace",),
    LogoutDelivery: ("view_logoutdelivery",),
}


def grants(user: Any) -> QuerySet[Grant]:
    """The grants that this user may see."""
    return _reached(Grant, user, _EVERYWHERE[Grant])


def revocable_grants(user: Any, among: QuerySet[Grant] | None = None) -> QuerySet[Grant]:
    """Of these grants, or of all, those that this user may revoke, and so see, too."""
    return _reached(Grant, user, ("change_grant",), among)


def requests(user: Any) -> QuerySet[RequestTrace]:
    """The traces that this user may see; those of no application only with Django's permission."""
    return _reached(RequestTrace, user, _EVERYWHERE[RequestTrace])


def logout_deliveries(user: Any) -> QuerySet[LogoutDelivery]:
    """The outstanding sign-outs that this user may see."""
    return _reached(LogoutDelivery, user, _EVERYWHERE[LogoutDelivery])


def may_see(user: Any, kind: type[Model]) -> bool:
    """Whether this user may see records of this kind, be it of one application, be there any."""
    return _has_any(user, _EVERYWHERE[kind]) or _manages_any(user)


def may_revoke_grants(user: Any) -> bool:
    """Whether this user may revoke grants, be it of one application."""
    return _has_any(user, ("change_grant",)) or _manages_any(user)


def _manages_any(user: Any) -> bool:
    return administration.holding(user, Right.MANAGE).exists()


def _has_any(user: Any, names: Sequence[str]) -> bool:
    return bool(user.is_active) and any(user.has_perm(f"oidc_pkce.{name}") for name in names)


def _reached(
    kind: type[M], user: Any, names: Sequence[str], among: QuerySet[M] | None = None
) -> QuerySet[M]:
    records = kind._default_manager.all() if among is None else among
    if _has_any(user, names):
        return records
    if administration.holds_everywhere(user, Right.MANAGE):
        return records.exclude(application=None)
    managed = administration.holding(user, Right.MANAGE)
    return records.filter(application__in=managed.values("pk"))
