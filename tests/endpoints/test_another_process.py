"""A change that another process makes counts at the next request, wherever somebody may or may not.

Nothing here sends a signal or drops a cache: the rows change under a process that is warm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from oidc_pkce.models import (
    Application,
    ClientSecret,
    Grant,
    Permission,
    Principal,
    Scope,
    ServiceUser,
)
from tests.journeys import PASSWORD, SECRET, Browser, Journey, make_application
from tests.spec import spec

FLOWS = ["AuthorizationCode", "ClientCreds", "ResourceCreds"]
API = {"RESOURCE_SERVER": {"APPLICATIONS": ["backend"]}}


@pytest.fixture(params=["JwtRS256", "Opaque"])
def client(request: pytest.FixtureRequest, ada: Any, robot: Any, settings: Any) -> Journey:
    """A confidential client; Ada may use the application by a group, the service user by name."""
    settings.ROOT_URLCONF = "tests.resource_server.urls"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **API}
    app = make_application(
        application_id="backend",
        client_id_type="Confidential",
        client_ids=[],
        everybody=False,
        issues_refresh_tokens=True,
        token_type=request.param,
        flows=FLOWS,
    )
    app.scopes.create(name="read", rest_patterns=["things"])
    group = Group.objects.create(name="makers")
    ada.groups.add(group)
    Permission.objects.create(application=app, principal=Principal.GROUP, group=group)
    Permission.objects.create(application=app, principal=Principal.USER, user=robot.user)
    return Journey(app, client_id="robot", secret=SECRET).log_in(ada)


class Doors:
    """Everything that asks whether somebody may, with what was issued before the change."""

    def __init__(self, client: Journey) -> None:
        self.client = client
        self.tokens = client.tokens(scope="read")
        self.code = client.authorize(scope="read").code
        self.own_token = self.ask("client_credentials").json["access_token"]

    def ask(self, grant: str, **fields: str) -> Any:
        credentials = {"client_id": "robot", "client_secret": SECRET}
        return self.client.post("Token", {"grant_type": grant, **credentials, **fields})

    def is_served(self, path: str, token: str) -> bool:
        bearer = {"Authorization": f"Bearer {token}"}
        return Browser().get(path, headers=bearer).status_code == 200

    def is_active(self, token: str) -> bool:
        return bool(self.client.introspect(token).json.get("active"))

    def of_the_person(self) -> dict[str, bool]:
        """What is open to Ada."""
        client, token = self.client, self.tokens["access_token"]
        refresh_token = self.tokens["refresh_token"]
        password = {"username": "ada", "password": PASSWORD}
        return {
            "authorize": client.authorize().error is None,
            "authorize silently": client.authorize(prompt="none").error is None,
            "userinfo": client.userinfo(token).status == 200,
            "introspect the access token": self.is_active(token),
            "introspect the refresh token": self.is_active(refresh_token),
            "REST framework": self.is_served("/api/", token),
            "a plain view": self.is_served("/plain/", token),
            "REST patterns": self.is_served("/things/7", token),
            "redeem the code": client.redeem(self.code).status == 200,
            "refresh": client.refresh(refresh_token).status == 200,
            "password": self.ask("password", **password).status == 200,
        }

    def of_the_client(self) -> dict[str, bool]:
        """What is open to the service user itself."""
        return {
            "client credentials": self.ask("client_credentials").status == 200,
            "userinfo": self.client.userinfo(self.own_token).status == 200,
            "introspect": self.is_active(self.own_token),
            "REST framework": self.is_served("/api/", self.own_token),
            "a plain view": self.is_served("/plain/", self.own_token),
        }


User = get_user_model()
PERSON: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "the user is deactivated": (
        lambda: User.objects.filter(username="ada").update(is_active=False),
        lambda: User.objects.filter(username="ada").update(is_active=True),
    ),
    "the user leaves the group": (
        lambda: User.groups.through.objects.all().delete(),
        lambda: User.groups.through.objects.create(
            user=User.objects.get(username="ada"), group=Group.objects.get()
        ),
    ),
    "the right is taken": (
        lambda: Permission.objects.filter(principal=Principal.GROUP).update(can_run=False),
        lambda: Permission.objects.filter(principal=Principal.GROUP).update(can_run=True),
    ),
    "the user becomes a service user": (
        lambda: ServiceUser.objects.bulk_create(
            [ServiceUser(user=User.objects.get(username="ada"))]
        ),
        lambda: ServiceUser.objects.filter(user__username="ada").delete(),
    ),
    "the application is disabled": (
        lambda: Application.objects.update(enabled=False),
        lambda: Application.objects.update(enabled=True),
    ),
}


@spec("RFC 6749", "10.2")
@pytest.mark.parametrize("change", PERSON)
def test_what_a_person_loses_is_lost_everywhere_at_once(client, change):
    doors = Doors(client)
    take, give_back = PERSON[change]

    take()
    assert [door for door, is_open in doors.of_the_person().items() if is_open] == []
    give_back()
    assert [door for door, is_open in doors.of_the_person().items() if not is_open] == []


CLIENT: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "the service user is deactivated": (
        lambda: User.objects.filter(username="robot").update(is_active=False),
        lambda: User.objects.filter(username="robot").update(is_active=True),
    ),
    "the right is taken": (
        lambda: Permission.objects.filter(principal=Principal.USER).update(can_run=False),
        lambda: Permission.objects.filter(principal=Principal.USER).update(can_run=True),
    ),
    "the application is disabled": PERSON["the application is disabled"],
}


@spec("RFC 6749", "10.2")
@pytest.mark.parametrize("change", CLIENT)
def test_what_a_service_user_loses_is_lost_everywhere_at_once(client, change):
    doors = Doors(client)
    take, give_back = CLIENT[change]

    take()
    assert [door for door, is_open in doors.of_the_client().items() if is_open] == []
    give_back()
    assert [door for door, is_open in doors.of_the_client().items() if not is_open] == []


@spec("RFC 6749", "10.4")
def test_a_grant_that_another_process_revoked_opens_nothing(client):
    doors = Doors(client)
    Grant.objects.update(revoked_at=timezone.now())

    opened = {door for door, is_open in doors.of_the_person().items() if is_open}
    assert opened == {"authorize", "authorize silently", "password"}
    assert all(doors.of_the_client().values())


@spec("RFC 6749", "2.3.1")
def test_a_secret_that_another_process_took_away_proves_nothing(client):
    doors = Doors(client)
    ClientSecret.objects.all().delete()

    for answer in (
        client.redeem(doors.code),
        client.refresh(doors.tokens["refresh_token"]),
        client.introspect(doors.tokens["access_token"]),
        client.revoke(doors.tokens["access_token"]),
        doors.ask("client_credentials"),
    ):
        assert answer.told == (400, "invalid_client", "invalid client creds")
    assert client.userinfo(doors.tokens["access_token"]).status == 200


@spec("RFC 6749", "3.1.2.3")
def test_configuration_that_another_process_changed_counts_at_once(client):
    doors = Doors(client)
    Scope.objects.update(name="write")
    assert client.authorize(scope="read").error == "invalid_scope"
    assert client.authorize(scope="write").code

    Application.objects.update(flows=["ResourceCreds"])
    assert client.authorize().error == "unsupported_response_type"
    assert client.redeem(doors.code).error == "unauthorized_client"
    assert doors.ask("client_credentials").error == "unauthorized_client"

    Application.objects.update(flows=FLOWS, redirect_uris=["https://app.example.com/cb"])
    assert client.authorize().error == "page"
    assert client.authorize(redirect_uri="https://app.example.com/cb").code

    Application.objects.update(requires_consent=True)
    asked = client.authorize(redirect_uri="https://app.example.com/cb", prompt="none")
    assert asked.error == "consent_required"


@spec("RFC 6749", "2.1")
def test_a_client_that_another_process_took_off_the_list_is_nobody(signed_in):
    signed_in.application.issues_refresh_tokens = True
    signed_in.application.save()
    tokens, code = signed_in.tokens(), signed_in.authorize().code
    Application.objects.update(client_ids=["another"])

    assert signed_in.authorize().error == "page"
    assert signed_in.authorize(prompt="none").error == "page"
    assert signed_in.userinfo(tokens["access_token"]).status == 401
    for answer in (
        signed_in.redeem(code),
        signed_in.refresh(tokens["refresh_token"]),
        signed_in.revoke(tokens["access_token"]),
    ):
        assert answer.told == (400, "invalid_client", "invalid client creds")
