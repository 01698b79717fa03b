"""Requests that want to cost much, within the sizes that are read: each is refused at once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time
from typing import Any

import jwt
import pytest

from tests.journeys import SECRET, Answer, Browser, Journey, give_secret
from tests.spec import spec

SECONDS = 0.5  # of computing; a request takes a hundredth of it
DEEP = "[" * 5000
WIDE = "[" + "{}," * 1900 + "{}]"
DIGITS = "9" * 5900


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@contextmanager
def at_once() -> Iterator[None]:
    begun = process_time()
    yield
    assert process_time() - begun < SECONDS


@pytest.fixture
def everything(openid: Journey) -> Journey:
    """An application that ticks every flow, and a client that proves itself."""
    app = openid.application
    app.flows = ["AuthorizationCode", "ClientCreds", "ResourceCreds"]
    app.issues_refresh_tokens = True
    app.save()
    give_secret(app)
    openid.secret = SECRET
    return openid


def as_bearer(journey: Journey, token: str) -> Answer:
    return journey.userinfo(token)


def as_json_bearer(journey: Journey, token: str) -> Answer:
    url, body = journey.url("UserInfo"), {"access_token": token}
    return Answer(Browser().post(url, body, content_type="application/json"))


def as_introspected(journey: Journey, token: str) -> Answer:
    return journey.introspect(token)


def as_revoked(journey: Journey, token: str) -> Answer:
    return journey.revoke(token)


def as_hint(journey: Journey, token: str) -> Answer:
    return journey.authorize(scope="openid", id_token_hint=token)


def as_hint_of_sign_out(journey: Journey, token: str) -> Answer:
    return Answer(journey.browser.get("/OAuth2/EndSession", {"id_token_hint": token}))


def as_request_object(journey: Journey, token: str) -> Answer:
    keys: Any = {"keys": []}
    type(journey.application).objects.update(client_jwks=keys)
    return journey.authorize(request=token)


DOORS = [
    *(as_bearer, as_json_bearer, as_introspected, as_revoked),
    *(as_hint, as_hint_of_sign_out, as_request_object),
]


def twisted(header: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """JWTs that are hard to read, whole or in their header or payload."""
    good = json.dumps(header)
    for what, text in (
        *(("deep", DEEP), ("wide", WIDE), ("digits", DIGITS), ("nothing", "")),
        ("deep inside", '{"a":' * 1200 + "1" + "}" * 1200),
        ("a number beyond all", '{"alg":"RS256","exp":1e999999}'),
        ("no number", '{"alg":"RS256","exp":NaN}'),
        ("half a character", '{"alg":"RS256","kid":"\\ud800"}'),
        ("NUL", '{"alg":"RS256","kid":"\\u0000"}'),
    ):
        yield f"{what} as header", f"{b64(text)}.{b64('{}')}.AA"
        yield f"{what} as payload", f"{b64(good)}.{b64(text)}.AA"
    yield "dots", "." * 5000
    yield "a signature that never ends", f"{b64(good)}.{b64('{}')}.{'A' * 7000}"
    yield "a kid that never ends", f"{b64(json.dumps({**header, 'kid': 'k' * 5000}))}.e30.AA"


@spec("RFC 8725", "3.11")
@pytest.mark.parametrize("door", DOORS)
def test_a_jwt_that_is_hard_to_read_is_refused_at_once(
    everything: Journey, door: Callable[[Journey, str], Answer]
):
    token = everything.tokens(scope="openid")["id_token"]
    for what, text in twisted(dict(jwt.get_unverified_header(token))):
        with at_once():
            answer = door(everything, text)
        assert answer.status in {200, 303, 400, 401}, what
        if door in {as_bearer, as_json_bearer, as_hint, as_request_object}:
            assert answer.error, what
    assert everything.authorize(prompt="none").code


@spec("RFC 6749", "3.3")
@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(" ".join(f"s{n}" for n in range(1500)), id="many"),
        pytest.param("openid " * 1000, id="the same again and again"),
        pytest.param(" " * 8000, id="spaces"),
        pytest.param("s" * 8000, id="long"),
    ],
)
def test_a_scope_list_that_never_ends_is_bounded_everywhere(everything: Journey, scope: str):
    client = {"client_id": everything.client_id, "client_secret": SECRET, "scope": scope}
    person = {"username": "ada", "password": "x", "grant_type": "password"}
    refresh_token = everything.tokens(scope="openid")["refresh_token"]
    code = everything.authorize().code

    for ask in (
        lambda: everything.authorize(scope=scope),
        lambda: everything.redeem(code, scope=scope),  # ignored: what was granted is granted
        lambda: everything.refresh(refresh_token, scope=scope),
        lambda: everything.post("Token", {"grant_type": "client_credentials", **client}),
        lambda: everything.post("Token", {**person, **client}),
    ):
        with at_once():
            answer = ask()
        assert answer.status in {200, 303, 400}
        granted = "" if answer.location else answer.json.get("scope", "")
        assert set(granted.split()) <= {"openid"}


@spec("RFC 8707", "2")
def test_a_thousand_resources_are_refused_at_once(everything: Journey):
    many = [f"https://api.example/{n}" for n in range(99)]
    client = {"client_id": everything.client_id, "client_secret": SECRET}
    with at_once():
        assert everything.authorize(resource=many * 11).error == "invalid_request"
    with at_once():
        form = {"grant_type": "client_credentials", "resource": many * 11, **client}
        assert everything.post("Token", form).error == "invalid_request"
