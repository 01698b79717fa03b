"""Sign-out: only who is signed in ends the session, by choice, and is redirected nowhere."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session

from oidc_pkce.models import AuditEvent
from tests.journeys import Answer, Browser, Journey
from tests.spec import spec


@spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize("address", ["/OAuth2/EndSession/my_app", "/OAuth2/EndSession"])
def test_the_person_is_asked_and_then_signed_out(signed_in, address):
    page = Answer(signed_in.browser.get(address))
    assert "Do you want to sign out?" in page.html
    assert "ada" in page.html
    assert Session.objects.count() == 1

    done = Answer(signed_in.browser.post(address))

    assert "You are signed out" in done.html
    assert Session.objects.count() == 0
    assert AuditEvent.objects.filter(action="user.signed_out").count() == 1
    assert signed_in.authorize(prompt="none").error == "login_required"


@spec("OpenID Connect RP-Initiated Logout", "6")
def test_a_link_alone_signs_nobody_out(signed_in):
    for query in ("", "?id_token_hint=x", "?client_id=my_service_user", "?logout_hint=ada"):
        Answer(signed_in.browser.get(f"/OAuth2/EndSession{query}"))

    assert signed_in.authorize(prompt="none").code


@spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "name",
    ["post_logout_redirect_uri", "post_logout_redirectUri", "redirect_uri", "next", "TARGET"],
)
def test_an_unvouched_address_is_never_redirected_to(signed_in, method, name):
    for browser in (signed_in.browser, Browser()):
        for address in ("/OAuth2/EndSession/my_app", "/OAuth2/EndSession"):
            send = getattr(browser, method)
            answer = Answer(
                send(f"{address}?{name}=https://evil.example/", {name: "//evil.example"})
            )
            assert answer.status == 200
            assert answer.location == ""
            assert 'href="https://evil' not in answer.html


@spec("RFC 6749", "10.12")
def test_the_post_needs_its_csrf_token(list_app, ada):
    journey = Journey(list_app, browser=Browser(enforce_csrf_checks=True)).log_in(ada)

    assert journey.browser.post("/OAuth2/EndSession").status_code == 403
    assert Session.objects.count() == 1
    page = Answer(journey.browser.get("/OAuth2/EndSession"))
    token = {"csrfmiddlewaretoken": page.hidden("csrfmiddlewaretoken")}
    assert journey.browser.post("/OAuth2/EndSession", token).status_code == 200
    assert Session.objects.count() == 0


def test_a_foreign_hint_signs_nobody_out(signed_in, openid):
    hint = openid.tokens(scope="openid")["id_token"]
    signed_in.browser.get("/OAuth2/EndSession/my_app", {"id_token_hint": hint})

    assert signed_in.authorize(prompt="none").code


def test_who_is_not_signed_in_has_nothing_to_confirm(list_app):
    for address in ("/OAuth2/EndSession/my_app", "/OAuth2/EndSession"):
        answer = Answer(Browser().get(address))
        assert "You are signed out" in answer.html
    assert Session.objects.count() == 0
