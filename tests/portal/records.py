"""Many records at once, and administrators of one application, for the screens of records."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from oidc_pkce.models import Application, Grant, Right
from tests.portal.administrators import give, staff
from tests.portal.conftest import Portal

MINUTE = timedelta(minutes=1)


def manager(application: Application, right: Right = Right.MANAGE, name: str = "mona") -> Portal:
    """A member of staff with this right on one application, and nothing else."""
    return give(staff(name), application, right)


def make_grants(
    count: int, application: Application, user: Any, now: datetime, **fields: Any
) -> list[Grant]:
    """Grants, a minute older each."""
    defaults = {
        "client_id": "my_service_user",
        "scope": "openid",
        "resources": [],
        "subject": "s",
        "auth_time": now,
        "expires_at": now + timedelta(days=1),
    }
    made = (
        Grant(
            application=application,
            user=user,
            created_at=now - n * MINUTE,
            **{**defaults, **fields},
        )
        for n in range(count)
    )
    return Grant.objects.bulk_create(made, batch_size=1000)


def shown(page: str) -> int:
    """How many rows a list without check boxes shows."""
    return page.count('<tr><th class="field-')
