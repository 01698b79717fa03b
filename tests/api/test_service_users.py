"""Service users over the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import ServiceUser
from tests.api.conftest import Api
from tests.fixtures import make_user
from tests.journeys import Journey, make_service_user


def test_a_service_user_is_created_read_changed_and_deleted(api: Api) -> None:
    made = api.post(
        "service-users", {"client_id": "robot", "is_oauth_confidential_client": False}
    ).json
    read = api.get("service-users/robot").json

    assert len(made.pop("client_secret")) == 43
    assert made == read
    assert (read["is_active"], read["is_oauth_confidential_client"]) == (True, False)
    changed = api.patch(
        "service-users/robot", {"is_active": False, "is_oauth_confidential_client": True}
    ).json
    assert (changed["is_active"], changed["is_oauth_confidential_client"]) == (False, True)
    assert api.delete("service-users/robot").status == 204
    assert not get_user_model().objects.filter(username="robot").exists()


def test_one_that_is_shut_out_gets_no_token(api: Api, confidential: Journey) -> None:
    api.patch("service-users/robot", {"is_active": False})

    assert confidential.redeem(confidential.authorize().code).error == "invalid_client"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("robot", "There is a service user of this name already."),
        ("ada", "This is a person's account: choose another name."),
        ("two words", "letters, digits"),
    ],
)
def test_an_impossible_name_is_said_so(
    api: Api, robot: Any, ada: Any, name: str, sentence: str
) -> None:
    told = api.post("service-users", {"client_id": name})

    assert told.status == 422
    assert told.places == ["/client_id"]
    assert sentence in told.json["errors"][0]["detail"]


def test_a_person_is_no_service_user(api: Api, ada: Any) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        assert api.call(method, "service-users/ada", {"is_active": False}).status == 404
    assert api.post("service-users/ada/secrets").status == 404
    ada.refresh_from_db()
    assert ada.is_active


def test_they_are_listed_by_name_at_a_cost_that_does_not_grow(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        make_service_user(make_user(f"robot-{n:02}", is_active=n != 3))

    with django_assert_max_num_queries(5):
        told = api.get("service-users?page_size=10").json

    assert told["count"] == 30
    assert [row["client_id"] for row in told["results"]] == [f"robot-{n:02}" for n in range(10)]
    assert api.get("service-users?is_active=false").json["count"] == 1
    assert api.get("service-users?search=OT-2").json["count"] == 10
    assert ServiceUser.objects.count() == 30
