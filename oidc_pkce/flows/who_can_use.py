"""Who can use this? The wire's own answer for one user, and the rows that it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..models import Application, Permission, Right
from . import access, administration


@dataclass(frozen=True, slots=True)
class Reach:
    """One user before one application."""

    user: Any
    #: Why not, as the traces say it; ``None`` for whoever can.
    refusal: str | None
    is_service_user: bool
    #: The rows about this user: by name, through a group, as one of Everybody.
    rows: tuple[Permission, ...]
    #: What the user may do in the Admin Portal, by these rows or by Django's permissions.
    rights: frozenset[Right]
    may_administer: bool


def who_can_use(application: Application, login_name: str) -> Reach | None:
    """Whether the user of exactly this login name can use an application, and why.

    A person is judged as one who signs in, a service user as a client, which never does.
    """
    known = access.find(login_name, application.pk, interactive=True)
    if known is None:
        return None
    is_service_user = known.access.is_service_user
    judged = replace(known.access, interactive=not is_service_user)
    rows = Permission.objects.reaching(known.user).filter(application=application)
    return Reach(
        user=known.user,
        refusal=judged.refusal(application.facts()),
        is_service_user=is_service_user,
        rows=tuple(rows.by_name()),
        rights=administration.rights(known.user, application),
        may_administer=administration.may_administer(known.user),
    )
