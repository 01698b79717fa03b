"""Rows of Permissions, and whom they make an administrator."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from oidc_pkce.models import Application, Permission, Right
from tests.fixtures import make_user
from tests.portal.conftest import Portal


def page_of(application: Application) -> str:
    return f"application/{application.pk}/permissions/"


def give(application: Application, who: Any, *rights: Right) -> Permission:
    """One row with these rights and no others."""
    kind = "group" if isinstance(who, Group) else "user"
    ticks = {right.value: right in rights for right in Right}
    return Permission.objects.create(
        application=application, principal=kind, **{kind: who}, **ticks
    )


def make_staff(name: str, application: Application, *rights: Right) -> Portal:
    user = make_user(name, is_staff=True)
    give(application, user, *rights)
    return Portal(user)


def rights_of(row: Permission) -> set[Right]:
    return {right for right in Right if getattr(row, right.value)}


def line_of(portal: Portal, path: str, principal: str) -> str:
    """The prefix of the row's fields."""
    fields = portal.fields(path)
    return next(name for name, value in fields.items() if value == principal)[: -len("principal")]
