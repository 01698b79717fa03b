"""Authlib signs in by discovery: https://docs.authlib.org."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.django_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from django.test import RequestFactory

from tests.clients.conftest import ADA, CALLBACK, NATIVE, SECONDS, Provider
from tests.clients.person import Person
from tests.spec import spec

METHODS = [
    ("openid_public", "none"),
    ("openid_secret", "client_secret_basic"),
    ("openid_secret", "client_secret_post"),
]


@pytest.fixture
def relying_party(provider: Provider) -> Callable[[str, str], Any]:
    """Authlib's Django client, as its documentation registers it."""

    def register(application_id: str, method: str) -> Any:
        mine = provider.registration(application_id)
        return OAuth().register(
            "ours",
            server_metadata_url=f"{mine.issuer}.well-known/openid-configuration",
            client_id=mine.client_id,
            client_secret=mine.client_secret,
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": method,
            },
        )

    return register


@spec("OpenID Connect Core", "3.1")
@spec("OpenID Connect Discovery", "4")
@pytest.mark.parametrize(("application_id", "method"), METHODS)
def test_a_relying_party_signs_in(
    relying_party: Callable[[str, str], Any],
    provider: Provider,
    ada: Person,
    application_id: str,
    method: str,
) -> None:
    client = relying_party(application_id, method)
    session: dict[str, Any] = {}
    leaving = client.authorize_redirect(request_of(session), CALLBACK)

    callback = ada.open(leaving["Location"])
    answer = client.authorize_access_token(request_of(session, urlsplit(callback.url).query))

    # Authlib has verified the signature, iss, aud, exp, nonce and at_hash of the ID token.
    assert answer["userinfo"]["iss"] == provider.registration(application_id).issuer
    who = client.userinfo(token=answer)
    assert who["sub"] == answer["userinfo"]["sub"]
    assert (who["email"], who["given_name"]) == (ADA["email"], ADA["first_name"])


def request_of(session: dict[str, Any], query: str = "") -> Any:
    request = RequestFactory().get("/callback", dict(parse_qsl(query)))
    request.session = session
    return request


@spec("RFC 8414", "3")
@spec("RFC 7636", "4")
@pytest.mark.parametrize("redirect_uri", [CALLBACK, NATIVE])
def test_a_public_client_signs_in(provider: Provider, ada: Person, redirect_uri: str) -> None:
    mine = provider.registration("list_app")
    metadata = discover(mine.issuer)
    verifier = generate_token(64)
    client = OAuth2Session(
        mine.client_id,
        token_endpoint_auth_method="none",
        redirect_uri=redirect_uri,
        scope="read",
        code_challenge_method="S256",
    )
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier
    )

    callback = ada.open(url)
    answer = client.fetch_token(
        metadata["token_endpoint"],
        authorization_response=callback.url,
        state=state,
        code_verifier=verifier,
    )

    assert callback.parameters["iss"] == metadata["issuer"]
    claims = provider.verified(answer["access_token"], "list_app", mine.client_id)
    assert (claims["unique_name"], claims["scope"]) == ("ada", "read")
    assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]


def discover(issuer: str) -> AuthorizationServerMetadata:
    """The metadata by RFC 8414's own address, judged by Authlib's rules where http may be used."""
    address = get_well_known_url(issuer, external=True)
    metadata = AuthorizationServerMetadata(requests.get(address, timeout=SECONDS).json())
    assert metadata["issuer"] == issuer
    for rule in ("response_types_supported", "grant_types_supported", "scopes_supported"):
        getattr(metadata, f"validate_{rule}")()
    return metadata
