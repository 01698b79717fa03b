"""Input that nobody sends by mistake: refused in the protocol's own way, never by a crash."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.journeys import FORM, Answer, Browser, Journey, path_of
from tests.spec import spec

KIDS = ["\0", "\ud800", "\u00e9", "k" * 256, "new\nline"]


def named(kid: str, typ: str = "JWT") -> str:
    header = json.dumps({"alg": "RS256", "typ": typ, "kid": kid}).encode()
    return base64.urlsafe_b64encode(header).decode().rstrip("=") + ".e30.AA"


@spec("RFC 7515", "4.1.4")
@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
@pytest.mark.parametrize("kid", KIDS)
def test_a_key_id_that_no_key_has_is_no_crash(
    openid_with_secret: Journey, kid: str, typ: str
) -> None:
    journey, token = openid_with_secret, named(kid, typ)
    credentials = {"client_id": journey.client_id, "client_secret": journey.secret}

    assert journey.userinfo(token).status == 401
    assert journey.post("Introspect", {"token": token, **credentials}).json == {"active": False}
    assert journey.post("Revoke", {"token": token, **credentials}).status == 200
    assert journey.authorize(id_token_hint=token).error == "invalid_request"
    page = journey.browser.get("/OAuth2/EndSession", {"id_token_hint": token})
    assert b"Do you want to sign out?" in page.content


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "latin-1"])
def test_a_form_in_another_charset_is_no_crash(journey: Journey, charset: str) -> None:
    login = path_of(journey.authorize().location)
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies["csrftoken"] = "a" * 32
    for address in (login, "/OAuth2/Confirm/my_app", "/OAuth2/EndSession/my_app"):
        content_type = f"{FORM}; charset={charset}"
        sent = browser.generic("POST", address, b"sign_out_ticket=x", content_type=content_type)
        answer = Answer(sent)
        assert answer.status in (400, 403)


@spec("RFC 8414", "3")
@pytest.mark.parametrize("path", ["/{}/.well-known/openid-configuration", "/OAuth2/EndSession/{}"])
def test_letters_that_fold_to_others_name_no_application(list_app: Any, path: str) -> None:
    list_app.application_id = "kiosk"
    list_app.save()

    assert Browser().get(path.format("kiosk")).status_code == 200
    assert Browser().get(path.format("\u212aiosk")).status_code == 404


@spec("RFC 8707", "2")
@pytest.mark.parametrize("resource", ["https://a b", "https://a\\b", "https://a/\u00e9", "a", ":b"])
def test_a_resource_is_an_absolute_uri(signed_in: Journey, resource: str) -> None:
    assert signed_in.authorize(resource=resource).error == "invalid_target"
