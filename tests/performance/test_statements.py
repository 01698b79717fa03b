"""The performance contract: how many SQL statements an answer costs, and what never runs in one.

Transaction control, session housekeeping and the trace are counted apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce.flows import client_secret
from oidc_pkce.flows.actor import Actor
from oidc_pkce.models import Application
from oidc_pkce.protocol import jwk
from tests.journeys import Journey

APART = re.compile(
    r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)|django_session|oidc_pkce_requesttrace"
)

pytestmark = pytest.mark.django_db


@contextmanager
def at_most(limit: int) -> Iterator[None]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        yield
    counted = [query["sql"] for query in captured if not APART.search(query["sql"])]
    assert len(counted) <= limit, "\n".join(counted)


@pytest.fixture(autouse=True)
def nothing_expensive(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No PEM is parsed and no password hasher runs once ``warm`` has been called."""
    spent: list[str] = []

    def watch(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def noticed(*args: Any, **kwargs: Any) -> Any:
            spent.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, noticed)

    watch(jwk, "from_pem")
    watch(MD5PasswordHasher, "encode")
    return spent


def warm(send: Callable[[], Any], spent: list[str]) -> None:
    """The first request of a process parses keys and compiles statements."""
    send()
    spent.clear()


def test_authorize_with_a_session_and_remembered_consent_costs_six_statements(
    openid: Journey,
    openid_app: Application,
    nothing_expensive: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    openid_app.requires_consent = True
    openid_app.save()
    openid_app.scopes.create(name="files")
    scope = "openid profile files"
    openid.decide(openid.authorize(scope=scope))
    warm(lambda: openid.authorize(scope=scope), nothing_expensive)

    with at_most(6), django_capture_on_commit_callbacks(execute=True):
        answer = openid.authorize(scope=scope)

    assert answer.code
    assert nothing_expensive == []


@pytest.mark.parametrize("refresh", [False, True])
def test_a_public_code_exchange_costs_five_statements(
    signed_in: Journey, list_app: Application, nothing_expensive: list[str], refresh: bool
) -> None:
    list_app.issues_refresh_tokens = refresh
    list_app.save()
    warm(signed_in.tokens, nothing_expensive)
    code = signed_in.authorize().code

    with at_most(5):
        answer = signed_in.redeem(code)

    assert answer.status == 200
    assert nothing_expensive == []


@pytest.mark.parametrize("refresh", [False, True])
def test_a_confidential_code_exchange_costs_five_statements(
    openid: Journey, openid_app: Application, nothing_expensive: list[str], refresh: bool
) -> None:
    openid_app.issues_refresh_tokens = refresh
    openid_app.save()
    secret = client_secret.set_client_secret(
        openid_app, actor=Actor(name="tests"), now=timezone.now()
    )

    def redeem() -> Any:
        return openid.redeem(openid.authorize(scope="openid").code, client_secret=secret)

    warm(redeem, nothing_expensive)  # this also notes when the secret was last used, to the hour
    code = openid.authorize(scope="openid").code

    with at_most(5):
        answer = openid.redeem(code, client_secret=secret)

    assert answer.json["id_token"]
    assert ("refresh_token" in answer.json) == refresh
    assert nothing_expensive == []


@pytest.mark.parametrize("rotates", [True, False])
@pytest.mark.parametrize("kind", ["signed_in", "confidential", "openid", "openid_with_secret"])
def test_a_refresh_costs_five_statements(
    request: pytest.FixtureRequest, nothing_expensive: list[str], kind: str, rotates: bool
) -> None:
    journey: Journey = request.getfixturevalue(kind)
    journey.application.issues_refresh_tokens = True
    journey.application.rotates_refresh_tokens = rotates
    journey.application.save()
    scope = "openid" if journey.application.template == "Generic OpenID Connect" else None

    def tokens() -> Any:
        return journey.tokens(scope=scope)

    warm(lambda: journey.refresh(tokens()["refresh_token"]), nothing_expensive)
    token = tokens()["refresh_token"]

    with at_most(5):
        answer = journey.refresh(token)
    with at_most(5):
        again = journey.refresh(token)

    assert ("id_token" in answer.json) == (scope is not None)
    assert again.json["refresh_token"] == answer.json["refresh_token"]
    assert nothing_expensive == []


@pytest.mark.parametrize("kind", ["confidential", "openid_with_secret"])
def test_client_credentials_cost_two_statements(
    request: pytest.FixtureRequest, nothing_expensive: list[str], kind: str
) -> None:
    journey: Journey = request.getfixturevalue(kind)
    journey.application.flows = ["AuthorizationCode", "ClientCreds"]
    journey.application.save()
    fields = {
        "grant_type": "client_credentials",
        "client_id": journey.client_id,
        "client_secret": journey.secret,
    }
    warm(lambda: journey.post("Token", fields), nothing_expensive)

    with at_most(2):
        answer = journey.post("Token", fields)

    assert answer.json["access_token"]
    assert nothing_expensive == []


@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize("kind", ["confidential", "openid_with_secret"])
@pytest.mark.parametrize("of", ["access_token", "refresh_token"])
def test_introspection_costs_two_statements(
    request: pytest.FixtureRequest,
    nothing_expensive: list[str],
    kind: str,
    token_type: str,
    of: str,
) -> None:
    journey: Journey = request.getfixturevalue(kind)
    journey.application.issues_refresh_tokens = True
    journey.application.token_type = token_type
    journey.application.save()
    credentials = {"client_id": journey.client_id, "client_secret": journey.secret}
    fields = {"token": journey.tokens()[of], **credentials}
    warm(lambda: journey.post("Introspect", fields), nothing_expensive)

    with at_most(2):
        answer = journey.post("Introspect", fields)

    assert answer.json["active"] is True
    assert nothing_expensive == []


@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize("kind", ["signed_in", "confidential", "openid_with_secret"])
@pytest.mark.parametrize("of", ["access_token", "refresh_token"])
def test_a_revocation_costs_three_statements(
    request: pytest.FixtureRequest,
    nothing_expensive: list[str],
    kind: str,
    token_type: str,
    of: str,
) -> None:
    journey: Journey = request.getfixturevalue(kind)
    journey.application.issues_refresh_tokens = True
    journey.application.token_type = token_type
    journey.application.save()

    def fields() -> dict[str, Any]:
        credentials = {"client_id": journey.client_id, "client_secret": journey.secret}
        return {"token": journey.tokens()[of], **credentials}

    warm(lambda: journey.post("Revoke", fields()), nothing_expensive)
    asked = fields()

    with at_most(3):
        answer = journey.post("Revoke", asked)

    assert answer.status == 200
    assert nothing_expensive == []


def test_userinfo_costs_two_statements(openid: Journey, nothing_expensive: list[str]) -> None:
    token = openid.tokens(scope="openid profile email")["access_token"]
    warm(lambda: openid.userinfo(token), nothing_expensive)

    with at_most(2):
        answer = openid.userinfo(token)

    assert answer.json["email"] == "ada@example.com"
    assert nothing_expensive == []


@pytest.mark.parametrize(
    "path", ["/portal/.well-known/openid-configuration", "/OAuth2/Keys/portal"]
)
def test_metadata_and_keys_cost_no_statement_when_warm(
    openid: Journey, nothing_expensive: list[str], path: str
) -> None:
    warm(lambda: openid.browser.get(path), nothing_expensive)

    with at_most(0):
        answer = openid.browser.get(path)

    assert answer.status_code == 200
    assert nothing_expensive == []
