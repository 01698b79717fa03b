"""Let somebody use an application: enable it, or give the Run right."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext

from ...models import Permission, Principal, Right
from .. import access
from ..webapps import Changes, PermissionChange
from ..webapps.succession import require_successor
from .case import Case
from .cure import Cure, Sentence

#: Here no person stands before a browser: a service user may be who asks.
_MACHINES = frozenset({"client_credentials.access", "bearer.access", "introspection.access"})


def enable(case: Case) -> Cure | None:
    """Serve again."""
    if case.application.enabled:
        return None
    names = {"application": case.application.name}
    to_do = gettext(
        "Enable %(application)s: it serves its clients again, with the settings it has."
    )
    return case.edit(
        "enable",
        Sentence.about(to_do, **names),
        Changes({"enabled": True}),
        page="changelog",
        button=gettext("Enable"),
        done=gettext("%(application)s is enabled.") % names,
        warning=gettext("Somebody disabled it: the Changelog says who, and when."),
    )


def grant_run(case: Case) -> Cure | None:
    """A row of Permissions for the user whom the request was about; all others stay."""
    user: Any = case.trace.user
    if user is None or not _lacks_only_run(case, user.get_username()):
        return None
    names = {"application": case.application.name}
    to_do = gettext("Give %(value)s the Run right on %(application)s.")
    done = gettext("The Run right on %(application)s was given to %(value)s.")
    name = user.get_username()
    return case.edit(
        "run",
        Sentence.about(to_do, name, host=name, **names),
        partial(_with_run, case, user),
        right=Right.GRANT,
        page="permissions",
        button=gettext("Give the Run right"),
        done=str(Sentence.about(done, name, **names)),
        warning=gettext(
            "Whoever has an account can send such a request. Give the right only to those who"
            " shall use this application."
        ),
    )


def _lacks_only_run(case: Case, login_name: str) -> bool:
    """Whether the Run right is all that is missing, asked as the wire asks."""
    is_machine = case.trace.failed_check in _MACHINES
    known = access.find(login_name, case.application.pk, interactive=True)
    if known is None or known.access.has_run_right or not known.access.user_is_active:
        return False
    return is_machine or not known.access.is_service_user


def _with_run(case: Case, user: Any) -> Changes:
    stored = Permission.objects.filter(application=case.application).select_related("user", "group")
    rows = list(map(PermissionChange.of, stored))
    mine = next((row for row in rows if _is_about(row, user)), None)
    held = mine.rights if mine else frozenset[Right]()
    row = PermissionChange(Principal.USER, held | {Right.RUN}, user.get_username(), user.pk)
    changed = tuple(row if each is mine else each for each in rows)
    permissions = changed if mine else (*changed, row)
    require_successor(case.administrator, permissions)
    return Changes(permissions=permissions)


def _is_about(row: PermissionChange, user: Any) -> bool:
    return row.principal == Principal.USER and row.pk == user.pk
