"""The provider that the clients meet, and the applications that an administrator gave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt
import pytest
import requests

from tests.clients.person import Person
from tests.clients.provisioning import provision
from tests.live_server import ProductionServer

CALLBACK = "http://localhost:5000/callback"
DJANGO_CALLBACK = "http://localhost:5000/oidc/callback/"
SIGNED_OUT = "http://localhost:5000/signed-out"
NATIVE = "com.example.app:/signed-in"
PASSWORD = "correct horse battery staple"
# A generated secret has none of these characters; one that an administrator supplied may.
SECRET = "a secret+with/odd=characters: 100 % of them"
ADA = {"username": "ada", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}
SERVICE_USER = "service@example.com"
SECONDS = 30


@dataclass(frozen=True)
class Registration:
    """What a client's configuration holds."""

    issuer: str
    client_id: str
    client_secret: str = ""
    redirect_uri: str = CALLBACK


@dataclass(frozen=True)
class Provider:
    """The live server, as clients know it."""

    base: str

    def registration(self, application_id: str) -> Registration:
        client_id, secret = CLIENTS[application_id]
        return Registration(f"{self.base}/{application_id}/", client_id, secret)

    def url(self, endpoint: str, application_id: str) -> str:
        return f"{self.base}/OAuth2/{endpoint}/{application_id}"

    def verified(self, token: str, application_id: str, audience: str) -> dict[str, Any]:
        """The claims of a JWT: its signature by Keys, its issuer, audience and times."""
        answer = requests.get(self.url("Keys", application_id), timeout=SECONDS)
        keys = jwt.PyJWKSet.from_dict(answer.json())
        return jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]].key,
            algorithms=["RS256"],
            issuer=f"{self.base}/{application_id}/",
            audience=audience,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )


CLIENTS = {
    "legacy": ("c0d7a1d2-58f4-4a3a-9a0e-8f0f0f5f1c77", SECRET),
    "list_app": ("my_service_user", ""),
    "openid_public": ("0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11", ""),
    "openid_secret": ("5f2a3f39-7f55-4c1b-8c0e-4c86b1f4e9d2", SECRET),
    "confidential": (SERVICE_USER, SECRET),
    "opaque": ("my_mobile_app", ""),
}
OPENID = {"template": "Generic OpenID Connect", "client_id_type": "Confidential", "client_ids": []}
CAST: dict[str, list[dict[str, Any]]] = {
    "people": [{**ADA, "password": PASSWORD}],
    "service_users": [{"client_id": SERVICE_USER, "client_secret": SECRET}],
    "applications": [
        {
            "application_id": "list_app",
            "name": "List",
            "redirect_uris": [CALLBACK, NATIVE],
            "scopes": {"read": "Read your notes", "write": "Write notes"},
        },
        {
            "application_id": "openid_public",
            "name": "OpenID without a secret",
            **OPENID,
            "openid_client_id": CLIENTS["openid_public"][0],
            "requires_consent": True,
            "allows_scope_selection": True,
        },
        {
            "application_id": "openid_secret",
            "name": "OpenID with a secret",
            **OPENID,
            "openid_client_id": CLIENTS["openid_secret"][0],
            "require_client_secret": True,
            "secret": SECRET,
        },
        {
            "application_id": "legacy",
            "name": "OpenID with everything ticked",
            **OPENID,
            "openid_client_id": CLIENTS["legacy"][0],
            "flows": ["AuthorizationCode", "Implicit", "ClientCreds"],
            "issues_refresh_tokens": True,
            "post_logout_redirect_uris": [SIGNED_OUT],
            "redirect_uris": [CALLBACK, DJANGO_CALLBACK],
            "secret": SECRET,
        },
        {
            "application_id": "confidential",
            "name": "Confidential",
            "client_id_type": "Confidential",
            "client_ids": [],
            "flows": ["AuthorizationCode", "ClientCreds"],
            "scopes": {"sweep": "Sweep the floor"},
        },
        {
            "application_id": "opaque",
            "name": "Opaque tokens",
            "client_ids": [CLIENTS["opaque"][0]],
            "issues_refresh_tokens": True,
            "token_type": "Opaque",
        },
    ],
}


@pytest.fixture(scope="session")
def provider(live_provider: ProductionServer) -> Provider:
    provision(live_provider, **CAST)
    return Provider(live_provider.base)


@pytest.fixture
def ada(provider: Provider) -> Person:
    """Ada with a fresh browser, before she has signed in anywhere."""
    return Person(provider.base, "ada", PASSWORD)


@pytest.fixture(scope="module")
def signed_in(provider: Provider) -> Person:
    """Ada, whose browser remembers the sign-in of an earlier test."""
    return Person(provider.base, "ada", PASSWORD)
