"""The headers of every page and every answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys import Answer, Browser, Journey
from tests.spec import spec

POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
OWN_APP = "com.example.app:/cb"


def sign_in(journey: Journey) -> Answer:
    return journey.follow(Journey(journey.application).authorize())


def consent(journey: Journey) -> Answer:
    return journey.follow(journey.authorize(scope="read"))


def error(journey: Journey) -> Answer:
    return journey.authorize(client_id="unknown")


def unknown(journey: Journey) -> Answer:
    return Answer(Browser().get("/OAuth2/Authorize/nowhere"))


def stale(journey: Journey) -> Answer:
    return Answer(journey.browser.get(journey.url("Confirm")))


def sign_out(journey: Journey) -> Answer:
    return Answer(journey.browser.get("/OAuth2/EndSession"))


def signed_out(journey: Journey) -> Answer:
    return Answer(Browser().get("/OAuth2/EndSession"))


def form_post(journey: Journey) -> Answer:
    return journey.authorize(scope="unknown", response_mode="form_post")


PAGES = [sign_in, consent, error, unknown, stale, sign_out, signed_out, form_post]
FORMS = {sign_in, consent, sign_out}


@spec("RFC 6749", "10.13")
@spec("RFC 9700", "4.16")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("bare_host", [False, True])
def test_every_page_is_protected_whatever_middleware_the_host_has(
    asking, page: Callable[[Journey], Answer], bare_host, settings
):
    if bare_host:
        settings.MIDDLEWARE = [
            name
            for name in settings.MIDDLEWARE
            if not name.endswith(("SecurityMiddleware", "XFrameOptionsMiddleware"))
        ]
    if page is sign_in:
        asking.browser.logout()
    answer = page(asking)
    headers = answer.response.headers

    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == ("same-origin" if page in FORMS else "no-referrer")
    assert headers["Content-Language"] == "en"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_needs_an_inline_script_or_style(asking, page):
    if page is sign_in:
        asking.browser.logout()
    html = page(asking).html

    assert "<style" not in html
    assert " style=" not in html
    assert " onclick=" not in html
    assert "javascript:" not in html
    assert html.count("<script") == html.count("<script src=")


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("http://localhost:5000/callback", "http://localhost:5000"),
        ("https://app.example.com/cb?x=1", "https://app.example.com"),
        (OWN_APP, "com.example.app:"),
        ("http://[::1]:8000/cb", "http:"),
    ],
)
def test_forms_may_lead_to_themselves_and_to_the_verified_redirect_alone(asking, uri, source):
    type(asking.application).objects.update(redirect_uris=[uri])
    consent_page = asking.follow(asking.authorize(redirect_uri=uri))
    anonymous = Journey(asking.application, redirect_uri=uri)
    sign_in_page = anonymous.follow(anonymous.authorize())

    for page in (consent_page, sign_in_page):
        assert page.status == 200
        assert page.response.headers["Content-Security-Policy"] == f"{POLICY} {source}"


def test_other_pages_lead_nowhere(asking):
    for page in (error, sign_out, signed_out):
        assert page(asking).response.headers["Content-Security-Policy"] == POLICY


@spec("OAuth 2.0 Form Post Response Mode", "4")
def test_the_page_that_posts_itself_may_post_to_the_redirect_alone(signed_in):
    page = signed_in.authorize(response_mode="form_post")

    policy = page.response.headers["Content-Security-Policy"]
    assert policy == f"{POLICY} http://localhost:5000"


@spec("RFC 9700", "4.2.4")
def test_a_redirect_tells_no_referrer_and_is_not_kept(signed_in):
    for answer in (
        signed_in.authorize(),
        signed_in.authorize(scope="unknown"),
        Journey(signed_in.application).authorize(),
    ):
        assert answer.status == 303
        assert answer.response.headers["Referrer-Policy"] == "no-referrer"
        assert answer.response.headers["Cache-Control"] == "no-store"
        assert answer.response.content == b""


@spec("RFC 6749", "5.1")
def test_every_json_answer_but_metadata_is_kept_out_of_caches(signed_in):
    tokens = signed_in.redeem(signed_in.authorize().code)
    for answer in (
        tokens,
        signed_in.redeem("x"),
        signed_in.userinfo(tokens.json["access_token"]),
        signed_in.userinfo("x"),
        signed_in.userinfo(None),
    ):
        assert answer.response.headers["Cache-Control"] == "no-store"
        assert answer.response.headers["Content-Type"] == "application/json"
