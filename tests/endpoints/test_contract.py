"""What holds at every endpoint alike, and what tokens look like byte for byte."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys import (
    FORM,
    PASSWORD,
    SECRET,
    Answer,
    Journey,
    claims_of,
    encode,
    give_secret,
    make_application,
)
from tests.spec import spec

STRAY = {
    "nozso": "1",
    "debug": "true",
    "post_logout_redirectUri": "https://evil.example/",
    "X-Unknown": "<b>",
    "名": "名",
}
HEADERS = {"X-IDAP-NATIVE-CLIENT": "true", "X-Requested-With": "XMLHttpRequest"}
API = "https://api.example/v1"


@pytest.fixture
def everything(openid: Journey) -> Journey:
    """An application that ticks every flow, and a client that proves itself."""
    app = openid.application
    app.flows = ["AuthorizationCode", "Implicit", "ClientCreds", "ResourceCreds"]
    app.issues_refresh_tokens = True
    app.save()
    give_secret(app)
    openid.secret = SECRET
    return openid


def granted(journey: Journey, grant: str, **fields: Any) -> Answer:
    """Tokens by one of the four grants."""
    if grant == "authorization_code":
        return journey.redeem(journey.authorize(**fields).code)
    if grant == "refresh_token":
        token = granted(journey, "authorization_code", **fields).json["refresh_token"]
        return journey.refresh(token)
    client = {"client_id": journey.client_id, "client_secret": SECRET}
    person = {"username": "ada", "password": PASSWORD} if grant == "password" else {}
    return journey.post("Token", {"grant_type": grant, **client, **person, **fields})


GRANTS = ["authorization_code", "refresh_token", "client_credentials", "password"]


# --- what nobody knows is ignored ----------------------------------------------------------------


def send(journey: Journey, method: str, path: str, data: dict[str, Any]) -> Answer:
    """A request with stray parameters in the query and in the form, and stray headers."""
    body = encode({**data, **STRAY}) if method == "POST" else ""
    query = encode(STRAY if method == "POST" else {**data, **STRAY})
    url = f"{path}?{query}" if method == "GET" else path
    sent = journey.browser.generic(method, url, body, content_type=FORM, headers=HEADERS)
    return Answer(sent)


@spec("RFC 6749", "3.1")
@spec("RFC 6749", "3.2")
def test_unknown_parameters_and_headers_are_ignored_everywhere(everything: Journey):
    tokens = everything.tokens(scope="openid")
    code = everything.authorize().code
    me = {"client_id": everything.client_id, "client_secret": SECRET}
    redeeming = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": everything.redirect_uri,
        "code_verifier": everything.verifier,
    }
    token = {"token": tokens["access_token"]}
    for method, path, data, status in (
        ("GET", everything.url("Authorize"), everything.parameters(), 303),
        ("POST", everything.url("Authorize"), everything.parameters(), 303),
        ("POST", everything.url("Token"), {**redeeming, **me}, 200),
        ("POST", everything.url("Introspect"), {**token, **me}, 200),
        ("POST", everything.url("UserInfo"), {"access_token": tokens["access_token"]}, 200),
        ("POST", everything.url("Revoke"), {**token, **me}, 200),
        ("GET", everything.url("Keys"), {}, 200),
        ("GET", "/portal/.well-known/openid-configuration", {}, 200),
        ("GET", "/OAuth2/EndSession", {"id_token_hint": tokens["id_token"]}, 200),
    ):
        answer = send(everything, method, path, data)
        assert answer.status == status, (path, answer.html)
        assert answer.error is None, path
        assert "evil" not in answer.location + answer.html


# --- the answer of the token endpoint ------------------------------------------------------------


@spec("RFC 6749", "5.1")
@pytest.mark.parametrize("grant", GRANTS)
def test_the_scope_is_always_told_also_when_there_is_none(everything, grant):
    app = everything.application
    app.scopes.create(name="read")

    for scope, told in ((None, ""), ("read", "read")):
        fields = {} if scope is None else {"scope": scope}
        answer = granted(everything, grant, **fields)
        assert (answer.status, answer.json["scope"]) == (200, told)
        assert answer.json["token_type"] == "Bearer"
        assert type(answer.json["expires_in"]) is int
        assert "id_token" not in answer.json
        assert claims_of(answer.json["access_token"])["scope"] == told


@spec("RFC 8707", "2.2")
@pytest.mark.parametrize("grant", GRANTS)
def test_the_audience_is_what_was_asked_for_else_configured_else_the_client(everything, grant):
    app = everything.application

    def audience(**fields: Any) -> Any:
        return claims_of(granted(everything, grant, **fields).json["access_token"])["aud"]

    assert audience() == everything.client_id
    app.audience = "configured"
    app.save()
    assert audience() == "configured"
    assert audience(resource=API) == API
    assert audience(resource=[API, "urn:two"]) == [API, "urn:two"]


# --- tokens, byte for byte -----------------------------------------------------------------------


def header_of(token: str) -> bytes:
    """The bytes of a JWT's header."""
    part = token.split(".", maxsplit=1)[0]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@spec("RFC 9068", "2.1")
@pytest.mark.parametrize(
    ("template", "typ"),
    [
        ("OAuth2ServerClient", "JWT"),
        ("OAuth2Server", "at+jwt"),
        ("Generic OpenID Connect", "at+jwt"),
    ],
)
@pytest.mark.parametrize("chosen", ["", "JWT", "at+jwt"])
def test_the_header_is_compact_in_order_and_as_the_template_or_the_application_says(
    ada: Any, template: str, typ: str, chosen: str
):
    app = make_application(template=template, access_token_typ=chosen)
    if template.startswith("Generic"):
        app.openid_client_id = "my_service_user"
        app.save()

    token = Journey(app).log_in(ada).tokens()["access_token"]

    start = f'{{"alg":"RS256","typ":"{chosen or typ}","kid":"'.encode()
    assert header_of(token).startswith(start)
    assert header_of(token).count(b'"') == 12
    assert b" " not in header_of(token)


@spec("RFC 7519", "3")
@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_what_stands_in_a_token_is_ascii(everything: Journey, ada: Any, kind: str):
    ada.username = "zoë-名"
    ada.save()
    type(everything.application).objects.update(claims_in_id_token=True)
    token = everything.tokens(scope="openid profile", nonce="ñ")[kind]

    payload = token.split(".")[1]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    assert text.isascii()
    assert (claims_of(token)["unique_name"], claims_of(token)["nonce"]) == ("zoë-名", "ñ")
    assert everything.userinfo(everything.tokens()["access_token"]).json["unique_name"] == "zoë-名"


# --- the same answer, whoever is meant -----------------------------------------------------------


def same(*answers: Answer) -> bool:
    """Alike but for the id of the request."""
    told = []
    for answer in answers:
        body = answer.json if answer.response.content else {}
        body.pop("request_id", None)
        headers = {n: v for n, v in answer.response.headers.items() if n != "Content-Length"}
        told.append((answer.status, body, headers))
    return all(each == told[0] for each in told)


@spec("RFC 7009", "2.2")
@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("ask", [Journey.introspect, Journey.revoke])
def test_a_token_of_others_is_answered_like_one_that_never_was(
    everything: Journey, signed_in: Journey, ask: Callable[[Journey, str], Answer]
):
    signed_in.application.token_type = "Opaque"
    signed_in.application.save()
    opaque = signed_in.tokens()["access_token"]
    jwt = everything.tokens()["access_token"]
    theirs = Journey(make_application(application_id="other", token_type="JwtRS256"))
    theirs.browser = signed_in.browser

    assert same(
        ask(everything, opaque),
        ask(everything, theirs.tokens()["access_token"]),
        ask(everything, "unknown"),
        ask(everything, "a" * 43),
        ask(everything, f"{jwt[:-4]}AAAA"),
    )


@spec("RFC 6749", "5.2")
def test_a_code_of_others_is_answered_like_one_that_never_was(signed_in: Journey, ada: Any):
    other = Journey(make_application(application_id="other")).log_in(ada)
    code = signed_in.authorize().code
    spent = other.authorize().code
    other.redeem(spent)

    assert same(other.redeem(code), other.redeem("unknown"), other.redeem(spent))


@spec("RFC 6749", "10.6")
def test_nobody_learns_who_exists_before_signing_in(list_app: Any, ada: Any):
    def page(name: str) -> str:
        journey = Journey(list_app)
        html = journey.follow(journey.authorize(login_hint=name)).html
        assert f'value="{name}"' in html
        return re.sub(r"ticket=[^&\"]+|value=\"[^\"]*\"", "", html)

    assert page("ada") == page("nobody")
