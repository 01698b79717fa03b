"""Whoever holds Grant by a row alone cannot lock an application for good, by the API either."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_pkce.models import Application, Permission
from tests.api.conftest import Api, allow, caller, give
from tests.fixtures import make_user


@pytest.fixture
def granter(list_app: Application) -> Any:
    user = make_user("granter", is_staff=True)
    give(user, list_app, "can_grant")
    return user


@pytest.fixture
def path(list_app: Application) -> str:
    return f"applications/{list_app.pk}/permissions"


def attempts(api: Api, path: str) -> list[int]:
    """Each way of taking the last Grant away."""
    return [
        api.put(path, {"permissions": []}, match="*").status,
        api.put(f"{path}/user/granter", {"rights": ["can_view"]}, match="*").status,
        api.delete(f"{path}/user/granter", match="*").status,
    ]


def test_the_last_holder_cannot_give_it_up(granter: Any, path: str) -> None:
    told = caller(granter).delete(f"{path}/user/granter", match="*")

    assert "Nobody would have the Grant right any more" in str(told.errors)
    assert set(attempts(caller(granter), path)) == {told.status}
    assert Permission.objects.get(user=granter).can_grant


def test_one_of_two_can(granter: Any, ada: Any, list_app: Application, path: str) -> None:
    give(ada, list_app, "can_grant")

    assert caller(granter).delete(f"{path}/user/granter", match="*").status == 204


def test_whoever_holds_it_everywhere_can(granter: Any, path: str) -> None:
    allow(granter, "change_permission")

    assert caller(granter).delete(f"{path}/user/granter", match="*").status == 204
