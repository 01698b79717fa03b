"""Administrators of roles, and what a role may carry."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission as DjangoPermission

from oidc_pkce.models import Permission, Principal, Role
from tests.fixtures import make_user
from tests.journeys import make_application
from tests.portal.conftest import Portal


def allow(user: Any, *codenames: str) -> Any:
    for codename in codenames:
        user.user_permissions.add(DjangoPermission.objects.get(codename=codename))
    return user


def administrator(*codenames: str) -> Portal:
    return Portal(allow(make_user("staff", is_staff=True), *codenames))


def status_of(portal: Portal, path: str, data: dict[str, Any] | None = None) -> int:
    address = f"/admin/oidc_pkce/{path}"
    answer = portal.browser.get(address) if data is None else portal.browser.post(address, data)
    return answer.status_code


def carries_a_permission(role: Role) -> None:
    role.permissions.add(DjangoPermission.objects.get(codename="change_application"))


def carries_a_permission_of_the_project(role: Role) -> None:
    role.permissions.add(DjangoPermission.objects.get(codename="delete_user"))


def may_manage_an_application(role: Role) -> None:
    Permission.objects.create(
        application=make_application(),
        principal=Principal.GROUP,
        group_id=role.pk,
        can_manage=True,
    )


def may_grant_on_an_application(role: Role) -> None:
    Permission.objects.create(
        application=make_application(),
        principal=Principal.GROUP,
        group_id=role.pk,
        can_grant=True,
    )
