"""Which client must prove itself how: every kind, every secret, every endpoint for clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oidc_pkce.models import Grant
from tests.fixtures import make_user
from tests.journeys import (
    SECRET,
    Answer,
    Journey,
    basic,
    give_secret,
    make_application,
    make_service_user,
)
from tests.spec import spec

GUID = "0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11"
OPENID = {
    "template": "Generic OpenID Connect",
    "client_id_type": "Confidential",
    "client_ids": [],
    "openid_client_id": GUID,
}
KINDS: dict[str, dict[str, Any]] = {
    "Anything": {"client_id_type": "Anything", "client_ids": []},
    "List": {"client_id_type": "List", "client_ids": ["robot"]},
    "Confidential": {"client_id_type": "Confidential", "client_ids": []},
    "OpenID Connect": OPENID,
    "Require client secret": {**OPENID, "require_client_secret": True},
}
PRESENTED = {"right": SECRET, "wrong": "w" * 43, "none": None}
FLOWS = ["AuthorizationCode", "ClientCreds", "ResourceCreds"]


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, ada: Any) -> Journey:
    """A client of each kind, whose right secret is in the table, whether or not it may use it."""
    app = make_application(
        application_id="app",
        issues_refresh_tokens=True,
        requires_pkce=False,
        flows=FLOWS,
        **KINDS[request.param],
    )
    app.kind = request.param
    make_service_user(make_user("robot"), SECRET)
    is_openid_connect = KINDS[request.param].get("openid_client_id") == GUID
    if is_openid_connect:
        give_secret(app)
    return Journey(app, client_id=GUID if is_openid_connect else "robot").log_in(ada)


def bound_code(client: Journey, **how: Any) -> Answer:
    return client.redeem(client.authorize().code, **how)


def unbound_code(client: Journey, **how: Any) -> Answer:
    code = client.authorize(code_challenge=None, code_challenge_method=None).code
    return client.redeem(code, code_verifier=None, **how)


def refresh(client: Journey, **how: Any) -> Answer:
    return client.refresh(issued(client, **how)["refresh_token"], **how)


def revoke(client: Journey, **how: Any) -> Answer:
    return client.revoke(issued(client, **how)["refresh_token"], **how)


def introspect(client: Journey, **how: Any) -> Answer:
    return client.introspect(issued(client, **how)["access_token"], **how)


def client_credentials(client: Journey, **how: Any) -> Answer:
    return client.post(
        "Token", {"grant_type": "client_credentials", "client_id": client.client_id, **how}
    )


def password(client: Journey, **how: Any) -> Answer:
    person = {"username": "ada", "password": "correct horse battery staple"}
    form = {"grant_type": "password", "client_id": client.client_id, **person}
    return client.post("Token", {**form, **how})


def issued(client: Journey, **how: Any) -> dict[str, Any]:
    """Tokens that the client got by the way it is about to prove itself, or by the one it has."""
    for secret in (how.get("client_secret"), None, SECRET):
        answer = client.redeem(client.authorize().code, client_secret=secret)
        if answer.status == 200:
            return answer.json
    raise AssertionError(answer.json)


#: What each kind of client may do with the right secret, and without one. Nobody may with a wrong.
EVERYTHING = {
    *(bound_code, unbound_code, refresh, revoke, introspect, client_credentials, password),
}
PUBLIC = {bound_code, unbound_code, refresh, revoke}
MAY: dict[str, dict[str, set[Callable[..., Answer]]]] = {
    "Anything": {"right": set(), "none": PUBLIC},
    "List": {"right": set(), "none": PUBLIC},
    "Confidential": {"right": EVERYTHING, "none": set()},
    "OpenID Connect": {"right": EVERYTHING, "none": {bound_code, refresh, revoke}},
    "Require client secret": {"right": EVERYTHING, "none": set()},
}


@spec("RFC 6749", "2.3")
@spec("RFC 6749", "3.2.1")
@pytest.mark.parametrize("presented", PRESENTED)
@pytest.mark.parametrize("request_of", sorted(EVERYTHING, key=lambda each: each.__name__))
def test_a_client_may_do_what_its_kind_and_its_secret_allow(client, request_of, presented):
    allowed = request_of in MAY[client.application.kind].get(presented, set())

    answer = request_of(client, client_secret=PRESENTED[presented])

    if allowed:
        assert answer.status == 200, answer.json
        assert answer.response.content == b"" or answer.json.get("active", True)
    else:
        assert answer.told == (400, *refusal(client, request_of, presented))
        assert "WWW-Authenticate" not in answer.response.headers


def refusal(client: Journey, request_of: Any, presented: str) -> tuple[str, str]:
    """What the answer says: who need not prove itself is who it says, but gets no such grant."""
    may_be_public = MAY[client.application.kind]["none"]
    if may_be_public and presented == "none" and request_of in {client_credentials, password}:
        return "unauthorized_client", "this grant is for clients that keep a secret"
    return "invalid_client", "invalid client creds"


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize("endpoint", ["Token", "Introspect", "Revoke"])
def test_a_wrong_secret_in_the_header_is_challenged_everywhere(client, endpoint):
    form = {"grant_type": "client_credentials", "token": "x"}

    answer = client.post(endpoint, form, headers=basic(client.client_id, "w" * 43))

    assert answer.told == (401, "invalid_client", "invalid client creds")
    assert answer.response.headers["WWW-Authenticate"] == 'Basic realm="OAuth2", charset="UTF-8"'


@spec("RFC 9700", "4.14.2")
def test_who_proves_nothing_gets_another_refresh_token_every_time(client):
    """Whatever the application says of rotation."""
    client.application.rotates_refresh_tokens = False
    client.application.save()
    proved = MAY[client.application.kind]["right"] == EVERYTHING
    for secret in (None, SECRET):
        first = client.redeem(client.authorize().code, client_secret=secret)
        if first.status != 200:
            continue
        token = first.json["refresh_token"]
        again = client.refresh(token, client_secret=secret).json["refresh_token"]
        assert (again == token) is (proved and secret is not None)
    assert Grant.objects.count() >= 1
