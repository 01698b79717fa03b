"""mozilla-django-oidc signs people in to a Django project, which runs in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.urls import include, path

from tests.clients.conftest import ADA, DJANGO_CALLBACK, SECONDS, SIGNED_OUT, Provider
from tests.clients.person import Person
from tests.spec import spec

urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls"))]
HOST = "localhost:5000"


def sign_out_url(request: Any) -> str:
    """What the project's settings name in OIDC_OP_LOGOUT_URL_METHOD."""
    hint = request.session["oidc_id_token"]
    end_session = request.session["end_session_endpoint"]
    return f"{end_session}?id_token_hint={hint}&post_logout_redirect_uri={SIGNED_OUT}"


@pytest.fixture
def metadata(provider: Provider) -> dict[str, Any]:
    discovery = provider.registration("legacy").issuer + ".well-known/openid-configuration"
    return requests.get(discovery, timeout=SECONDS).json()  # type: ignore[no-any-return]


@pytest.fixture
def project(provider: Provider, metadata: dict[str, Any], db: None) -> Iterator[Client]:
    """A browser before a project that is configured as mozilla-django-oidc documents it."""
    mine = provider.registration("legacy")
    with override_settings(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["localhost"],
        AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
        OIDC_RP_CLIENT_ID=mine.client_id,
        OIDC_RP_CLIENT_SECRET=mine.client_secret,
        OIDC_RP_SIGN_ALGO="RS256",
        OIDC_RP_SCOPES="openid profile email",
        OIDC_OP_AUTHORIZATION_ENDPOINT=metadata["authorization_endpoint"],
        OIDC_OP_TOKEN_ENDPOINT=metadata["token_endpoint"],
        OIDC_OP_USER_ENDPOINT=metadata["userinfo_endpoint"],
        OIDC_OP_JWKS_ENDPOINT=metadata["jwks_uri"],
        OIDC_OP_LOGOUT_URL_METHOD=f"{__name__}.sign_out_url",
        OIDC_USE_PKCE=True,
        OIDC_STORE_ID_TOKEN=True,
        LOGIN_REDIRECT_URL="/welcome",
        LOGOUT_REDIRECT_URL="/",
    ):
        yield Client(headers={"host": HOST})


@spec("OpenID Connect Core", "3.1")
@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_django_project_signs_a_person_in_and_out(
    project: Client, metadata: dict[str, Any], ada: Person
) -> None:
    leaving = project.get("/oidc/authenticate/")
    callback = ada.open(leaving["Location"])
    assert callback.url.startswith(DJANGO_CALLBACK)

    arrived = project.get("/oidc/callback/", callback.parameters)

    assert arrived["Location"] == "/welcome"
    assert get_user_model().objects.get(email=ADA["email"]).is_active
    session = project.session
    session["end_session_endpoint"] = metadata["end_session_endpoint"]
    session.save()
    out = project.post("/oidc/logout/")
    gone = ada.http.get(out["Location"], allow_redirects=False)
    assert (gone.status_code, gone.headers["Location"]) == (303, SIGNED_OUT)
