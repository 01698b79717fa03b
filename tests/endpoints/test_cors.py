"""Which scripts may read which answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys import FORM, Browser, make_application
from tests.spec import spec

OWN = "http://localhost:5000"
TRUSTED = "https://spa.example.com"
STRANGERS = [
    "https://evil.example",
    "null",
    "http://localhost:5001",
    "http://localhost",
    "https://localhost:5000",
    "http://localhost:5000.evil.example",
    "http://localhost:5000/",
    "HTTP://LOCALHOST:5000",
    "https://spa.example.com.evil.example",
    "https://evil.spa.example.com",
    "https://app.example.org",
]
EVERYBODY = [
    "/my_app/.well-known/openid-configuration",
    "/my_app/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/my_app",
    "/OAuth2/Keys/my_app",
]
APPLICATION = {
    "/OAuth2/Token/my_app": "POST",
    "/OAuth2/UserInfo/my_app": "GET",
    "/OAuth2/Revoke/my_app": "POST",
}
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def app(db: None) -> Any:
    make_application(application_id="other", redirect_uris=["https://app.example.org/cb"])
    return make_application(
        trusted_origins=[TRUSTED], redirect_uris=[f"{OWN}/callback", "com.example.app:/cb"]
    )


def ask(method: str, address: str, **headers: str) -> Any:
    return Browser().generic(method, address, b"", content_type=FORM, headers=headers)


@spec("Fetch", "3.2")
@pytest.mark.parametrize("address", EVERYBODY)
def test_every_script_may_read_metadata_and_keys(app, address):
    for origin in (OWN, "https://evil.example"):
        answer = ask("GET", address, Origin=origin)
        assert (answer.status_code, answer.headers[ALLOW]) == (200, "*")
        assert "Access-Control-Allow-Credentials" not in answer.headers
        preflight = ask("OPTIONS", address, **{"Origin": origin, **preflight_of("GET")})
        assert preflight.status_code == 204
        assert preflight.headers[ALLOW] == "*"


def preflight_of(method: str) -> dict[str, str]:
    return {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }


@spec("Fetch", "3.2")
@pytest.mark.parametrize("address", APPLICATION)
@pytest.mark.parametrize("origin", [OWN, TRUSTED])
def test_scripts_of_the_redirects_and_the_trusted_origins_may_read(app, address, origin):
    method = APPLICATION[address]
    answer = ask(method, address, Origin=origin)
    preflight = ask("OPTIONS", address, **{"Origin": origin, **preflight_of(method)})

    assert answer.status_code in {400, 401}  # a refusal is readable too
    assert preflight.status_code == 204
    for response in (answer, preflight):
        assert response.headers[ALLOW] == origin
        assert "Origin" in response.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    assert method in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


@spec("Fetch", "3.2")
@pytest.mark.parametrize("address", APPLICATION)
@pytest.mark.parametrize("origin", STRANGERS)
def test_scripts_of_strangers_may_not(app, address, origin):
    method = APPLICATION[address]
    for response in (
        ask(method, address, Origin=origin),
        ask("OPTIONS", address, **{"Origin": origin, **preflight_of(method)}),
    ):
        assert ALLOW not in response.headers
        assert "Access-Control-Allow-Methods" not in response.headers
        assert "Origin" in response.headers["Vary"]


@spec("RFC 7662", "4")
@pytest.mark.parametrize("origin", [OWN, TRUSTED, *STRANGERS])
def test_no_script_may_introspect_for_a_browser_keeps_no_secret(app, origin):
    address = "/OAuth2/Introspect/my_app"
    for response in (
        ask("POST", address, Origin=origin),
        ask("OPTIONS", address, **{"Origin": origin, **preflight_of("POST")}),
    ):
        assert not [name for name in response.headers if name.startswith("Access-Control")]


@spec("RFC 6749", "10.12")
@pytest.mark.parametrize("name", ["Authorize", "Confirm", "Login", "EndSession"])
def test_no_script_may_read_the_pages_of_people(app, name):
    for method in ("GET", "POST", "OPTIONS"):
        answer = ask(method, f"/OAuth2/{name}/my_app", Origin=OWN, **preflight_of("GET"))
        assert not [header for header in answer.headers if header.startswith("Access-Control")]


@spec("Fetch", "3.2")
def test_a_success_is_readable_by_the_applications_own_scripts(signed_in):
    code = signed_in.authorize().code
    answer = signed_in.redeem(code, headers={"Origin": OWN})
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}", "Origin": OWN}

    assert (answer.status, answer.response.headers[ALLOW]) == (200, OWN)
    assert Browser().get(signed_in.url("UserInfo"), headers=bearer).headers[ALLOW] == OWN


@spec("RFC 7009", "2.3")
def test_a_script_may_see_that_its_token_is_ended(signed_in):
    token = signed_in.tokens()["access_token"]

    for sent in (token, "unknown"):
        answer = signed_in.revoke(sent, headers={"Origin": OWN})
        assert (answer.status, answer.response.headers[ALLOW]) == (200, OWN)
        assert ALLOW not in signed_in.revoke(sent, headers={"Origin": STRANGERS[0]}).response
    assert signed_in.userinfo(token).status == 401


@spec("Fetch", "3.2")
@pytest.mark.parametrize("name", ["Token", "Revoke"])
def test_an_origin_of_another_application_is_a_stranger_and_each_application_has_its_own(app, name):
    for origin, application_id, allowed in (
        ("https://app.example.org", "other", True),
        ("https://app.example.org", "my_app", False),
        (OWN, "other", False),
    ):
        answer = ask("POST", f"/OAuth2/{name}/{application_id}", Origin=origin)
        assert (ALLOW in answer.headers) is allowed


@pytest.mark.parametrize("name", ["Token", "UserInfo", "Revoke"])
def test_a_preflight_for_an_unknown_application_opens_nothing(db, name):
    answer = ask("OPTIONS", f"/OAuth2/{name}/nowhere", Origin=OWN, **preflight_of("POST"))

    assert answer.status_code == 404
    assert ALLOW not in answer.headers
