"""openid-client and oauth4webapi sign in by discovery, in Node."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from scripts import system_programs
from tests.clients.conftest import ADA, NATIVE, SIGNED_OUT, Provider, Registration
from tests.clients.person import Callback, Person
from tests.spec import spec

HERE = Path(__file__).parent
CLIENTS = ["openid_client.mjs", "oauth4webapi.mjs"]
METHODS = [
    ("openid_public", "none"),
    ("openid_secret", "client_secret_basic"),
    ("openid_secret", "client_secret_post"),
]


@spec("OpenID Connect Core", "3.1")
@spec("OpenID Connect Discovery", "4")
@spec("RFC 9207", "2.4")
@pytest.mark.parametrize(("application_id", "method"), METHODS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_relying_party_signs_in(
    provider: Provider, ada: Person, client: str, application_id: str, method: str
) -> None:
    mine = provider.registration(application_id)

    result = run(client, mine, ada, method=method, scope="openid email", algorithm="oidc")

    assert result["claims"]["iss"] == mine.issuer
    assert result["scope"] == "openid email"
    assert result["userinfo"]["email"] == ADA["email"]
    claims = provider.verified(result["accessToken"], application_id, mine.client_id)
    assert claims["sub"] == result["claims"]["sub"] == result["userinfo"]["sub"]
    if client == "oauth4webapi.mjs":
        assert result["resource"] == claims


@spec("RFC 8414", "3")
@spec("RFC 7636", "4")
@pytest.mark.parametrize("client", CLIENTS)
def test_a_public_client_signs_in(provider: Provider, ada: Person, client: str) -> None:
    mine = provider.registration("list_app")

    result = run(client, mine, ada, method="none", scope="read write", algorithm="oauth2")

    assert result["scope"] == "read write"
    claims = provider.verified(result["accessToken"], "list_app", mine.client_id)
    assert claims["unique_name"] == result["userinfo"]["unique_name"] == "ada"


@spec("RFC 8252", "7.1")
def test_a_native_app_signs_in_through_its_own_scheme(provider: Provider, ada: Person) -> None:
    listed = provider.registration("list_app")
    mine = Registration(listed.issuer, listed.client_id, redirect_uri=NATIVE)

    result = run(CLIENTS[1], mine, ada, method="none", scope="", algorithm="oauth2")

    assert result["userinfo"]["unique_name"] == "ada"


@spec("OpenID Connect Core", "3.3")
@spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize("mode", ["", "form_post"])
@pytest.mark.parametrize("response_type", ["code id_token", "id_token"])
def test_a_relying_party_takes_tokens_from_the_front_channel(
    provider: Provider, ada: Person, response_type: str, mode: str
) -> None:
    mine = provider.registration("legacy")

    result = run(
        "openid_client_hybrid.mjs", mine, ada, responseType=response_type, responseMode=mode
    )

    assert (result["claims"]["iss"], result["claims"]["aud"]) == (mine.issuer, mine.client_id)
    if response_type == "code id_token":
        claims = provider.verified(result["accessToken"], "legacy", mine.client_id)
        assert claims["sub"] == result["claims"]["sub"]


@spec("RFC 6749", "6")
@spec("RFC 7662", "2")
@spec("RFC 7009", "2")
@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_relying_party_renews_asks_revokes_and_signs_out(provider: Provider, ada: Person) -> None:
    mine = provider.registration("legacy")

    result = run("openid_client_lifecycle.mjs", mine, ada, postLogoutRedirectUri=SIGNED_OUT)

    first, renewed = result["first"], result["renewed"]
    assert (renewed["sub"], renewed["auth_time"]) == (first["sub"], first["auth_time"])
    assert result["rotated"]
    assert result["alive"]["active"] is True
    assert result["alive"]["scope"] == "openid email offline_access"
    assert result["dead"] == {"active": False}
    assert result["refused"] == "invalid_grant"
    claims = provider.verified(result["own"], "legacy", mine.client_id)
    assert claims["sub"] == mine.client_id
    leaving = ada.http.get(result["leaving"], allow_redirects=False)
    assert leaving.headers["Location"] == f"{SIGNED_OUT}?state={result['state']}"


@spec("RFC 6749", "4.4")
@spec("RFC 7662", "2")
@spec("RFC 7009", "2")
def test_a_machine_gets_asks_about_and_revokes_its_own_token(provider: Provider) -> None:
    mine = provider.registration("confidential")

    result = run("oauth4webapi_machine.mjs", mine, None, scope="sweep")

    assert result["scope"] == "sweep"
    claims = provider.verified(result["accessToken"], "confidential", mine.client_id)
    assert (claims["unique_name"], "gid" in claims) == (mine.client_id, False)
    assert (result["alive"]["active"], result["alive"]["sub"]) == (True, claims["sub"])
    assert result["dead"] == {"active": False}


def run(client: str, mine: Registration, person: Person | None, **options: str) -> Any:
    """Start the client, walk its authorization URL as the person, and read its report."""
    registration = {
        "issuer": mine.issuer,
        "clientId": mine.client_id,
        "clientSecret": mine.client_secret,
        "redirectUri": mine.redirect_uri,
        **options,
    }
    command = [node(), HERE / client, json.dumps(registration)]
    with subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdin
        assert process.stdout
        url = process.stdout.readline().strip() if person else ""
        if url and person:
            process.stdin.write(f"{arrival_of(person.open(url))}\n")
        printed, complaint = process.communicate(timeout=30)
    assert process.returncode == 0, complaint
    return json.loads(printed)


def arrival_of(callback: Callback) -> str:
    """What the client's own web server would hand to it."""
    return json.dumps({"callback": callback.url, "form": callback.form})


def node() -> Path:
    found = system_programs.node(Path(sysconfig.get_path("platlib")))
    assert found, "Node is missing: python3 scripts/bootstrap.py test"
    return found.node
