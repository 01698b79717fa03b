"""The people and the applications of the tests."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import Application
from tests.journeys import CALLBACK, PASSWORD, Journey, make_application


def make_user(username: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(username=username, password=PASSWORD, **fields)


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
