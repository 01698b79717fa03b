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
from tests.clients.conftest import ADA, NATIVE, Provider, Registration
from tests.clients.person import Person
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


def run(client: str, mine: Registration, person: Person, **options: str) -> Any:
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
        url = process.stdout.readline().strip()
        if url:
            process.stdin.write(f"{person.open(url).url}\n")
        printed, complaint = process.communicate(timeout=30)
    assert process.returncode == 0, complaint
    return json.loads(printed)


def node() -> Path:
    found = system_programs.node(Path(sysconfig.get_path("platlib")))
    assert found, "Node is missing: python3 scripts/bootstrap.py test"
    return found.node
