"""Authlib signs in by discovery, refreshes, introspects and revokes: https://docs.authlib.org."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
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


def session_of(
    provider: Provider, ada: Person, application_id: str, method: str, **more: Any
) -> tuple[OAuth2Session, AuthorizationServerMetadata]:
    """A session of Authlib's that has just fetched its first tokens."""
    mine = provider.registration(application_id)
    metadata = discover(mine.issuer)
    client = OAuth2Session(
        mine.client_id,
        mine.client_secret or None,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        **more,
    )
    verifier = generate_token(64)
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier
    )
    client.fetch_token(
        metadata["token_endpoint"],
        authorization_response=ada.open(url).url,
        state=state,
        code_verifier=verifier,
    )
    return client, metadata


@spec("RFC 6749", "6")
@spec("RFC 7662", "2")
@spec("RFC 7009", "2")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_with_a_secret_refreshes_introspects_and_revokes(
    provider: Provider, ada: Person, method: str
) -> None:
    client, metadata = session_of(
        provider, ada, "legacy", method, scope="openid profile offline_access"
    )
    first = dict(client.token)

    def told(token: str, hint: str) -> dict[str, Any]:
        answer = client.introspect_token(metadata["introspection_endpoint"], token, hint)
        assert answer.status_code == 200
        return dict(answer.json())

    def revoke(token: str, hint: str) -> None:
        answer = client.revoke_token(metadata["revocation_endpoint"], token, hint)
        assert (answer.status_code, answer.content) == (200, b"")

    members = told(first["access_token"], "access_token")
    assert (members["active"], members["token_type"]) == (True, "Bearer")
    assert (members["unique_name"], members["iss"]) == ("ada", metadata["issuer"])

    second = dict(client.refresh_token(metadata["token_endpoint"]))
    assert second["refresh_token"] != first["refresh_token"]
    assert told(first["refresh_token"], "refresh_token") == {"active": False}
    assert told(second["refresh_token"], "refresh_token")["token_type"] == "refresh_token"

    revoke(first["access_token"], "access_token")
    assert told(first["access_token"], "access_token") == {"active": False}
    assert told(second["access_token"], "access_token")["active"] is True
    revoke(second["refresh_token"], "refresh_token")
    assert told(second["access_token"], "access_token") == {"active": False}
    assert client.get(metadata["userinfo_endpoint"]).status_code == 401


@spec("RFC 6749", "6")
@spec("RFC 7009", "2.1")
def test_a_public_client_refreshes_and_revokes_opaque_tokens(
    provider: Provider, ada: Person
) -> None:
    client, metadata = session_of(provider, ada, "opaque", "none")
    assert "." not in client.token["access_token"]
    assert "introspection_endpoint" not in metadata

    client.refresh_token(metadata["token_endpoint"])
    assert client.get(metadata["userinfo_endpoint"]).json()["unique_name"] == "ada"
    answer = client.revoke_token(
        metadata["revocation_endpoint"], client.token["refresh_token"], "refresh_token"
    )

    assert (answer.status_code, answer.content) == (200, b"")
    assert client.get(metadata["userinfo_endpoint"]).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh_token(metadata["token_endpoint"])


@spec("RFC 6749", "4.4")
@spec("RFC 7009", "2.1")
def test_a_machine_revokes_its_own_token(provider: Provider) -> None:
    mine = provider.registration("confidential")
    metadata = discover(mine.issuer)
    client = OAuth2Session(mine.client_id, mine.client_secret, scope="sweep")
    token = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")

    def told() -> dict[str, Any]:
        answer = client.introspect_token(metadata["introspection_endpoint"], token["access_token"])
        return dict(answer.json())

    assert (told()["active"], told()["scope"]) == (True, "sweep")
    answer = client.revoke_token(metadata["revocation_endpoint"], token["access_token"])
    assert answer.status_code == 200
    assert told() == {"active": False}


def discover(issuer: str) -> AuthorizationServerMetadata:
    """The metadata by RFC 8414's own address, judged by Authlib's rules where http may be used."""
    address = get_well_known_url(issuer, external=True)
    metadata = AuthorizationServerMetadata(requests.get(address, timeout=SECONDS).json())
    assert metadata["issuer"] == issuer
    for rule in ("response_types_supported", "grant_types_supported", "scopes_supported"):
        getattr(metadata, f"validate_{rule}")()
    return metadata
