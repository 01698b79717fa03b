"""The people and the applications of the tests."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import Application
from tests.clock import Clock, stop_the_clock
from tests.journeys import (
    CALLBACK,
    PASSWORD,
    SECRET,
    Journey,
    give_secret,
    make_application,
    make_service_user,
)


def make_user(username: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(username=username, password=PASSWORD, **fields)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the endpoints, stopped."""
    return stop_the_clock(monkeypatch)


@pytest.fixture
def ada(db: None) -> Any:
    """A person who may use every application of the tests."""
    return make_user("ada", email="ada@example.com", first_name="Ada", last_name="Lovelace")


@pytest.fixture
def bob(db: None) -> Any:
    """Another person."""
    return make_user("bob")


@pytest.fixture
def list_app(db: None) -> Application:
    """OAuth2 Client, Client ID Type List: the application of the customer's example."""
    return make_application()


@pytest.fixture
def openid_app(db: None) -> Application:
    """An OpenID Connect application."""
    return make_application(
        template="Generic OpenID Connect",
        application_id="portal",
        name="Portal",
        client_id_type="Confidential",
        client_ids=[],
        openid_client_id="0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11",
        redirect_uris=[CALLBACK],
    )


@pytest.fixture
def journey(list_app: Application) -> Journey:
    """A browser before the List application, nobody signed in."""
    return Journey(list_app)


@pytest.fixture
def signed_in(list_app: Application, ada: Any) -> Journey:
    """A browser before the List application, Ada signed in."""
    return Journey(list_app).log_in(ada)


@pytest.fixture
def openid(openid_app: Application, ada: Any) -> Journey:
    """A browser before the OpenID Connect application, Ada signed in."""
    return Journey(openid_app, client_id=openid_app.openid_client_id).log_in(ada)


@pytest.fixture
def openid_with_secret(openid: Journey) -> Journey:
    """The same, and the client knows a secret of the application."""
    give_secret(openid.application)
    openid.secret = SECRET
    return openid


@pytest.fixture
def robot(db: None) -> Any:
    """A service user with a secret."""
    return make_service_user(make_user("robot"), SECRET)


@pytest.fixture
def confidential(robot: Any, ada: Any) -> Journey:
    """A browser before an OAuth2 application of Client ID Type Confidential, Ada signed in."""
    made = make_application(
        application_id="backend", client_id_type="Confidential", client_ids=[], name="Backend"
    )
    return Journey(made, client_id="robot", secret=SECRET).log_in(ada)


@pytest.fixture
def asking(list_app: Application, ada: Any) -> Journey:
    """A browser before the List application, which asks for consent; Ada signed in."""
    list_app.requires_consent = True
    list_app.client_ids = ["my_service_user", "another_client"]
    list_app.save()
    for name, text in (("read", "See your files"), ("write", "Change your files")):
        list_app.scopes.create(name=name, description=text)
    return Journey(list_app).log_in(ada)
