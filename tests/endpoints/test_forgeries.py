"""Forged tokens at every door that takes one; introspection and revocation have tests of theirs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import pytest

from tests import forgeries
from tests.journeys import FORM, Answer, Browser, Journey, make_application
from tests.spec import spec


def userinfo(journey: Journey, token: str) -> Answer:
    return journey.userinfo(token)


def userinfo_form(journey: Journey, token: str) -> Answer:
    url = journey.url("UserInfo")
    return Answer(Browser().post(url, f"access_token={token}", content_type=FORM))


def userinfo_json(journey: Journey, token: str) -> Answer:
    url, body = journey.url("UserInfo"), {"access_token": token}
    return Answer(Browser().post(url, body, content_type="application/json"))


def rest_framework(_: Journey, token: str) -> Answer:
    return Answer(Browser().get("/api/", headers={"Authorization": f"Bearer {token}"}))


def plain_view(_: Journey, token: str) -> Answer:
    return Answer(Browser().get("/plain/", headers={"Authorization": f"Bearer {token}"}))


@spec("RFC 8725", "3")
@spec("RFC 9068", "4")
@pytest.mark.parametrize(
    "door", [userinfo, userinfo_form, userinfo_json, rest_framework, plain_view]
)
def test_no_forged_access_token_opens_anything(
    openid: Journey, door: Callable[[Journey, str], Answer], settings
):
    settings.ROOT_URLCONF = "tests.resource_server.urls"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": {"APPLICATIONS": ["portal"]}}
    make_application(application_id="other", client_ids=[openid.client_id])
    token = openid.tokens(scope="openid")["access_token"]

    for what, forged in chain(forgeries.all_of(token), forgeries.spoilt(token, 9)):
        answer = door(openid, forged)
        assert (answer.status, answer.error) == (401, "invalid_token"), what
        challenge = answer.response.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer error="invalid_token"')
        assert answer.response.headers["Cache-Control"] == "no-store"
    assert door(openid, token).status == 200


@spec("RFC 8725", "3")
@spec("OpenID Connect Core", "3.1.2.1")
def test_no_forged_hint_names_anybody_at_authorize(openid: Journey):
    hint = openid.tokens(scope="openid")["id_token"]
    asked = {"scope": "openid", "prompt": "none"}

    for what, forged in chain(forgeries.of_the_envelope(hint), forgeries.spoilt(hint, 9)):
        answer = openid.authorize(**asked, id_token_hint=forged)
        assert answer.error == "invalid_request", what
    assert openid.authorize(**asked, id_token_hint=hint).code


@spec("RFC 8725", "3")
@spec("OpenID Connect RP-Initiated Logout", "4")
@pytest.mark.parametrize("address", ["/OAuth2/EndSession", "/OAuth2/EndSession/portal"])
def test_no_forged_hint_signs_anybody_out(openid: Journey, address: str):
    bye = "https://rp.example/bye"
    type(openid.application).objects.update(post_logout_redirect_uris=[bye])
    hint = openid.tokens(scope="openid")["id_token"]

    for what, forged in chain(forgeries.of_the_envelope(hint), forgeries.spoilt(hint, 9)):
        asked = {"id_token_hint": forged, "post_logout_redirect_uri": bye}
        answer = Answer(openid.browser.get(address, asked))
        assert (answer.status, answer.location) == (200, ""), what
        assert "Do you want to sign out?" in answer.html, what
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": bye}
    assert Answer(openid.browser.get(address, asked)).location == bye
