"""Permissions over the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from oidc_pkce.models import Application, Permission
from tests.api.conftest import Api, caller, give
from tests.fixtures import make_user

EVERYBODY = {
    "principal": "everybody",
    "name": "Everybody",
    "rights": ["can_view", "can_run", "is_deployed"],
}


@pytest.fixture
def path(list_app: Application) -> str:
    return f"applications/{list_app.pk}/permissions"


def test_rows_are_listed_and_replaced_as_a_whole(api: Api, ada: Any, path: str) -> None:
    Group.objects.create(name="Night/shift ü")
    seen = api.get(path)
    rows = [
        {"principal": "group", "name": "Night/shift ü", "rights": ["can_view", "can_run"]},
        {"principal": "user", "name": "ada", "rights": ["can_manage"]},
    ]

    told = api.put(path, {"permissions": rows}, match=seen.etag)

    assert seen.json["permissions"] == [EVERYBODY]
    assert (told.status, told.etag) == (200, '"2"')
    # Manage brings View along.
    rows[1]["rights"] = ["can_view", "can_manage"]
    assert told.json["permissions"] == rows
    assert api.get(path).json["permissions"] == rows


def test_one_principal_is_added_changed_read_and_taken_away(api: Api, ada: Any, path: str) -> None:
    Group.objects.create(name="Night/shift")
    group = f"{path}/group/Night%2Fshift"

    added = api.put(f"{path}/user/ada", {"rights": ["can_run"]}, match="*")
    changed = api.put(f"{path}/user/ada", {"rights": []}, match=added.etag)
    api.put(group, {"rights": ["can_view"]}, match="*")

    assert (added.status, changed.status) == (201, 200)
    assert [row["name"] for row in added.json["permissions"]] == ["Everybody", "ada"]
    assert changed.json["permissions"][1]["rights"] == []
    assert api.get(f"{path}/user/ada").json["rights"] == []
    assert api.get(group).json["rights"] == ["can_view"]
    assert api.delete(f"{path}/everybody/Everybody", match="*").status == 204
    assert api.delete(f"{path}/everybody/Everybody", match="*").status == 404
    assert Permission.objects.count() == 2


def test_a_principal_that_does_not_exist_is_named_and_nothing_is_saved(api: Api, path: str) -> None:
    rows = [EVERYBODY, {"principal": "user", "name": "nobody", "rights": []}]

    told = api.put(path, {"permissions": rows}, match="*")

    assert told.status == 422
    assert told.errors == [("/permissions/1/name", "There is no User “nobody”.")]
    assert Permission.objects.get().principal == "everybody"


@pytest.mark.parametrize(
    "rest", ["user/nobody", "everybody/Somebody", "robot/x", "user/a%00b", "group/Everybody"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_row_of_nobody_is_not_found(api: Api, path: str, rest: str, method: str) -> None:
    told = api.call(method, f"{path}/{rest}", {"rights": []}, match="*")

    assert told.status == 404


def test_a_principal_that_is_named_twice_is_refused(api: Api, path: str) -> None:
    told = api.put(path, {"permissions": [EVERYBODY, EVERYBODY]}, match="*")

    assert (told.status, told.places) == (422, ["/permissions/1/principal"])


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_rows_are_not_changed_blindly(api: Api, path: str, method: str) -> None:
    one = f"{path}/everybody/Everybody"

    assert api.call(method, one, {"rights": []}).status == 428
    assert api.call(method, one, {"rights": []}, match='"9"').status == 412
    assert api.put(path, {"permissions": []}).status == 428
    assert api.put(path, {"permissions": []}, match='"9"').status == 412


def test_whoever_holds_manage_alone_cannot_give_themselves_more(
    list_app: Application, path: str
) -> None:
    kim = make_user("kim", is_staff=True)
    give(kim, list_app, "can_manage")
    mine = caller(kim)

    told = mine.put(f"{path}/user/kim", {"rights": ["can_grant", "can_delete"]}, match="*")

    assert told.status == 403
    assert "Grant" in told.json["detail"]
    assert not Permission.objects.get(user=kim).can_grant


def test_rows_cost_the_same_however_many_there_are(
    api: Api, list_app: Application, path: str, django_assert_max_num_queries: Any
) -> None:
    for n in range(50):
        give(make_user(f"user-{n}"), list_app, "can_run")

    with django_assert_max_num_queries(6):
        told = api.get(path)

    assert len(told.json["permissions"]) == 51
