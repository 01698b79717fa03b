"""May this user, through this client, use this application now? Every path asks here.

The answer is read in the same statement as whatever else a path needs: a path annotates its query
with :func:`expressions` and hands what they said to :func:`answer`.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from ..models import Right, ServiceUser, has_right
from ..protocol.access import Access


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
