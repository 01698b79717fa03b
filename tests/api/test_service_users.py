"""Service users over the management API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import Application, ClientSecret, ServiceUser
from tests.api.conftest import Api, allow, caller, give
from tests.fixtures import make_user
from tests.journeys import SECRET, Journey, make_service_user


def test_a_service_user_is_created_read_changed_and_deleted(api: Api) -> None:
    told = api.post("service-users", {"client_id": "robot", "is_oauth_confidential_client": False})
    read = api.browser.get(told.response.headers["Location"]).json()
    made = told.json

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


@pytest.mark.parametrize("standing", ["superuser", "permission", "row", "shut out"])
def test_nobody_reaches_a_service_user_that_may_do_more(
    superior: Any, helper: Api, standing: str
) -> None:
    """Who makes a secret can act as its owner: that would be a way to any right."""
    made = superior(standing)
    path = f"service-users/{made.get_username()}"

    assert helper.get(path).status == 200
    assert helper.post(f"{path}/secrets").status == 403
    secret = ClientSecret.objects.get(service_user=made.pk)
    assert helper.delete(f"{path}/secrets/{secret.pk}").status == 403
    assert helper.patch(path, {"is_active": False}).status == 403
    assert helper.patch(path, {"is_active": True}).status == 403
    assert helper.patch(path, {"is_oauth_confidential_client": False}).status == 403
    assert helper.delete(path).status == 403
    assert ClientSecret.objects.filter(service_user=made.pk).count() == 1


def test_a_service_user_that_may_do_no_more_is_within_reach(helper: Api, robot: Any) -> None:
    assert helper.post("service-users/robot/secrets").status == 201
    assert helper.patch("service-users/robot", {"is_active": False}).status == 200
    assert helper.delete("service-users/robot").status == 204


def test_a_name_is_compared_as_it_will_be_stored(api: Api, ada: Any) -> None:
    """Django stores U+FF41 as “a”."""
    told = api.post("service-users", {"client_id": "\uff41da"})

    assert (told.status, told.places) == (422, ["/client_id"])


@pytest.fixture
def helper(db: None) -> Api:
    """Whoever keeps the service users, and nothing besides."""
    user = make_user("helper", is_staff=True)
    allow(user, "view_serviceuser", "change_serviceuser", "delete_serviceuser")
    return caller(user)


@pytest.fixture
def superior(list_app: Application) -> Any:
    """Makes the user behind a service user that may do more than the helper."""

    def make(standing: str) -> Any:
        is_superuser = standing in ("superuser", "shut out")
        made = make_user("chief", is_superuser=is_superuser, is_active=standing != "shut out")
        make_service_user(made, SECRET)
        if standing == "permission":
            allow(made, "change_application")
        if standing == "row":
            give(made, list_app, "can_grant")
        return made

    return make
