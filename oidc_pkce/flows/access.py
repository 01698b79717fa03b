"""May this user, through this client, use this application now? Every path asks here.

The answer is read in the same statement as whatever else a path needs: a path annotates its query
with :func:`expressions` and hands what they said to :func:`answer`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef

from ..models import Right, ServiceUser, has_right
from ..models.statement import Statement, columns, instance
from ..protocol.access import Access


@dataclass(frozen=True, slots=True)
class Known:
    """A user before an application: the stored subject identifier, and whether they may."""

    user: Any
    identifier: Any
    access: Access


def expressions(*, user: str, application: Any) -> dict[str, Exists]:
    """What to annotate: ``user`` names the query's column that holds the user's key."""
    return {
        "has_run_right": has_right(Right.RUN, user=user, application=application),
        "is_service_user": Exists(ServiceUser.objects.filter(user=OuterRef(user))),
    }


def answer(
    user: Any, *, has_run_right: bool, is_service_user: bool, interactive: bool = True
) -> Access:
    """The answer, from what the expressions said and the user that was read along with them."""
    return Access(
        user_is_active=bool(user.is_active),
        has_run_right=bool(has_run_right),
        is_service_user=bool(is_service_user),
        interactive=interactive,
    )


def find(login_name: str, application_pk: int, *, interactive: bool) -> Known | None:
    """The user of this login name before this application: one statement."""
    rows = _before_application.rows(login_name=login_name, application=application_pk)
    if not rows:
        return None
    identifier, has_run_right, is_service_user, *values = rows[0]
    user = instance(get_user_model(), iter(values))
    may = answer(
        user,
        has_run_right=has_run_right,
        is_service_user=is_service_user,
        interactive=interactive,
    )
    return Known(user, identifier, may)


def _query(login_name: str, application: int) -> Any:
    answers = expressions(user="pk", application=application)
    return (
        get_user_model()
        ._base_manager.filter(**{get_user_model().USERNAME_FIELD: login_name})
        .annotate(**answers)
        .values_list("oidc_pkce_subject__identifier", *answers, *columns(get_user_model()))
    )


_before_application = Statement(
    _query, login_name=models.CharField(), application=models.BigIntegerField()
)
