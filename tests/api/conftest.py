"""The management API as a script calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Permission as DjangoPermission
from django.http import HttpResponse
from django.test import Client as Browser

from oidc_pkce.models import Application, Permission, Principal
from tests.fixtures import make_user
from tests.journeys import SECRET, Journey, make_application, make_service_user

PREFIX = "/admin/api/oidc_pkce/v1/"
SCOPE = "management"


@dataclass
class Told:
    """What the API answered."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def etag(self) -> str:
        return str(self.response.headers["ETag"])

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Place and sentence of each fault."""
        return [
            (each.get("pointer", each.get("parameter")), each["detail"])
            for each in self.json["errors"]
        ]

    @property
    def places(self) -> list[str]:
        return [place for place, _ in self.errors]


@dataclass
class Api:
    """One caller."""

    browser: Browser = field(default_factory=Browser)
    token: str | None = None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        match: str | None = None,
        raw: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Told:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if match is not None:
            sent["If-Match"] = match
        data = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        return Told(
            self.browser.generic(
                method, PREFIX + path, data, content_type=content_type, headers=sent
            )
        )

    def get(self, path: str, **headers: str) -> Told:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **options: Any) -> Told:
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Told:
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Told:
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Told:
        return self.call("DELETE", path, **options)


@pytest.fixture(autouse=True)
def mounted(settings: Any) -> None:
    """The API is mounted, and takes tokens of one application."""
    settings.ROOT_URLCONF = "tests.api.urls"
    named = {"APPLICATIONS": ["operations"], "SCOPE": SCOPE}
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "MANAGEMENT_API": named}


def caller(user: Any) -> Api:
    """Whoever has signed in to the administration."""
    made = Api()
    made.browser.force_login(user)
    return made


@pytest.fixture
def api(db: None) -> Api:
    """A superuser."""
    return caller(make_user("robin", is_staff=True, is_superuser=True))


def allow(user: Any, *names: str) -> None:
    """Give Django permissions of ours."""
    for name in names:
        found = DjangoPermission.objects.get(codename=name, content_type__app_label="oidc_pkce")
        user.user_permissions.add(found)


def give(user: Any, application: Application, *rights: str) -> None:
    """Give rights on one application, and none besides; Manage and Delete bring View along."""
    none = dict.fromkeys(("can_view", "can_run", "is_deployed"), False)
    given = {**none, **dict.fromkeys(rights, True)}
    row = Permission(application=application, principal=Principal.USER, user=user, **given)
    row.clean()
    row.save()


@pytest.fixture
def operations(db: None) -> Application:
    """The application whose tokens the API takes."""
    made = make_application(
        application_id="operations",
        name="Operations",
        client_id_type="Confidential",
        client_ids=[],
        flows=["ClientCreds"],
        everybody=False,
    )
    Permission.objects.create(application=made, principal=Principal.EVERYBODY, can_view=False)
    for name in (SCOPE, "other"):
        made.scopes.create(name=name)
    return made


def token_for(application: Application, client: Any, scope: str) -> str:
    """A token of the client credentials grant."""
    answer = Journey(application, client_id=client.get_username(), secret=SECRET).post(
        "Token",
        {
            "grant_type": "client_credentials",
            "client_id": client.get_username(),
            "client_secret": SECRET,
            "scope": scope,
        },
    )
    assert answer.status == 200, answer.html
    return str(answer.json["access_token"])


@pytest.fixture
def machine(operations: Application) -> Any:
    """The user behind a service user that operates this server."""
    user = make_user("operator")
    make_service_user(user, SECRET)
    return user


@pytest.fixture
def bearer(operations: Application, machine: Any) -> Api:
    """The same, calling with a token that has the scope."""
    return Api(token=token_for(operations, machine, SCOPE))
