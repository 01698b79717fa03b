"""What the project's API says of itself (RFC 9728)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from oidc_pkce.models import Application
from tests.journeys import make_application
from tests.resource_server.conftest import ask, use
from tests.spec import spec

WELL_KNOWN = "/.well-known/oauth-protected-resource"
RESOURCE = "https://api.example.com/v1/notes"


@pytest.fixture
def published(settings: Any, notes: Application, openid_app: Application) -> None:
    use(
        settings,
        APPLICATIONS=["MY_APP", "portal"],
        ISSUERS=["https://id.example/"],
        AUDIENCE=RESOURCE,
        RESOURCE=RESOURCE,
        NAME="Notes",
        SCOPES=["notes.read", "notes.write"],
    )


@spec("RFC 9728", "2")
def test_it_says_whose_tokens_it_takes(published: None) -> None:
    answer = ask(f"{WELL_KNOWN}/v1/notes")

    assert answer.status == 200
    assert answer.json == {
        "resource": RESOURCE,
        "authorization_servers": [
            "https://id.example.com/my_app/",
            "https://id.example.com/portal/",
            "https://id.example/",
        ],
        "scopes_supported": ["notes.read", "notes.write"],
        "bearer_methods_supported": ["header", "body"],
        "resource_name": "Notes",
    }
    assert answer.response["Content-Type"] == "application/json"
    assert answer.response["Cache-Control"] == "public, max-age=300"
    assert answer.response["Access-Control-Allow-Origin"] == "*"


@spec("RFC 9728", "3.3")
def test_the_issuers_are_those_of_the_metadata(published: None, settings: Any) -> None:
    make_application(application_id="own", issuer="https://elsewhere.example/")
    make_application(application_id="off", enabled=False)
    use(settings, APPLICATIONS=["own", "off", "unknown"], RESOURCE=RESOURCE)

    document = ask(f"{WELL_KNOWN}/v1/notes").json

    assert document == {
        "resource": RESOURCE,
        "authorization_servers": ["https://elsewhere.example/"],
        "bearer_methods_supported": ["header", "body"],
    }


@spec("RFC 9728", "3.1")
@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("https://api.example.com", ""),
        ("https://api.example.com/", ""),
        ("https://api.example.com/v1/", "/v1"),
    ],
)
def test_it_stands_where_the_resource_says(
    notes: Application, settings: Any, resource: str, path: str
) -> None:
    use(settings, APPLICATIONS=["my_app"], RESOURCE=resource)

    assert ask(f"{WELL_KNOWN}{path}").json["resource"] == resource
    assert ask(f"{WELL_KNOWN}{path}/").status == 200


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/notes/2", "/V1/notes", "/../v1/notes"])
def test_it_stands_nowhere_else(published: None, path: str) -> None:
    answer = ask(f"{WELL_KNOWN}{path}")

    assert (answer.status, answer.json) == (404, {"error": "invalid_request"})
    assert answer.response["Cache-Control"] == "no-store"


def test_without_a_resource_there_is_none(notes: Application) -> None:
    assert ask(WELL_KNOWN).status == 404


@spec("Fetch", "3.2.2")
def test_every_script_may_read_it(published: None) -> None:
    answer = Browser().options(f"{WELL_KNOWN}/v1/notes", headers={"Origin": "https://app.example"})

    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET"
    assert Browser().post(f"{WELL_KNOWN}/v1/notes").status_code == 405
    assert Browser().head(f"{WELL_KNOWN}/v1/notes").status_code == 200
