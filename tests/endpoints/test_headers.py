"""The headers of every page and every answer."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest

from tests.journeys import FORM, Answer, Browser, Journey, encode
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


def password(journey: Journey) -> Answer:
    page = sign_in(journey)
    fields = {"username": "ada", "ticket": page.hidden("ticket")}
    return Answer(journey.browser.post(address_of(page), fields))


def wrong_password(journey: Journey) -> Answer:
    page = sign_in(journey)
    fields = {"username": "ada", "password": "wrong", "ticket": page.hidden("ticket")}
    return Answer(journey.browser.post(address_of(page), fields))


def foreign_sign_in(journey: Journey) -> Answer:
    strict = Journey(journey.application, browser=Browser(enforce_csrf_checks=True))
    page = strict.follow(strict.authorize())
    return Answer(strict.browser.post(address_of(page), {"ticket": page.hidden("ticket")}))


def foreign_decision(journey: Journey) -> Answer:
    return Answer(Browser(enforce_csrf_checks=True).post(journey.url("Confirm"), {"result": "1"}))


def foreign_sign_out(journey: Journey) -> Answer:
    answer = encode({"sign_out_ticket": "x", "result": "1"})
    strict = Browser(enforce_csrf_checks=True)
    return Answer(strict.post("/OAuth2/EndSession", answer, content_type=FORM))


def sign_out(journey: Journey) -> Answer:
    return Answer(journey.browser.get("/OAuth2/EndSession"))


def still_signed_in(journey: Journey) -> Answer:
    return decide(journey, "0")


def signed_out(journey: Journey) -> Answer:
    return Answer(Browser().get("/OAuth2/EndSession"))


def signed_out_with_frames(journey: Journey) -> Answer:
    type(journey.application).objects.update(frontchannel_logout_uri="https://rp.example/front")
    journey.decide(journey.authorize(scope="read"))
    page = decide(journey, "1")
    assert "<iframe" in page.html
    return page


def unregistered(journey: Journey) -> Answer:
    asked = {"client_id": journey.client_id, "post_logout_redirect_uri": "https://evil.example/"}
    return Answer(journey.browser.get(journey.url("EndSession"), asked))


def unknown_sign_out(journey: Journey) -> Answer:
    return Answer(journey.browser.get("/OAuth2/EndSession/nowhere"))


def form_post(journey: Journey) -> Answer:
    return journey.authorize(scope="unknown", response_mode="form_post")


def form_post_of_a_code(journey: Journey) -> Answer:
    type(journey.application).objects.update(requires_consent=False)
    return journey.authorize(response_mode="form_post")


def decide(journey: Journey, result: str) -> Answer:
    """Answer the question whether to sign out."""
    fields = {"sign_out_ticket": sign_out(journey).hidden("sign_out_ticket"), "result": result}
    address = "/OAuth2/EndSession"
    return Answer(journey.browser.post(address, encode(fields), content_type=FORM))


def address_of(page: Answer) -> str:
    """Where the form of a page posts to."""
    return unescape(page.html.partition('<form method="post" action="')[2].partition('"')[0])


STATUS = {
    sign_in: 200,
    password: 200,
    wrong_password: 200,
    consent: 200,
    foreign_sign_in: 403,
    foreign_decision: 403,
    foreign_sign_out: 403,
    error: 400,
    stale: 400,
    unknown: 404,
    unregistered: 400,
    unknown_sign_out: 404,
    sign_out: 200,
    still_signed_in: 200,
    signed_out: 200,
    signed_out_with_frames: 200,
    form_post: 200,
    form_post_of_a_code: 200,
}
PAGES = list(STATUS)
FORMS = {sign_in, password, wrong_password, consent, sign_out}


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
    if page in {sign_in, password, wrong_password}:
        asking.browser.logout()
    answer = page(asking)
    headers = answer.response.headers

    assert answer.status == STATUS[page]
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == ("same-origin" if page in FORMS else "no-referrer")
    assert headers["Content-Language"] == "en"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_needs_an_inline_script_or_style(asking, page):
    if page in {sign_in, password, wrong_password}:
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
    for page in (error, unregistered, sign_out, still_signed_in, signed_out):
        assert page(asking).response.headers["Content-Security-Policy"] == POLICY


@spec("OpenID Connect Front-Channel Logout", "3")
def test_the_signed_out_page_frames_the_told_applications_alone(asking):
    policy = signed_out_with_frames(asking).response.headers["Content-Security-Policy"]

    assert policy == f"{POLICY}; frame-src https://rp.example"


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
def test_every_json_answer_but_metadata_is_kept_out_of_caches(confidential):
    tokens = confidential.redeem(confidential.authorize().code)
    token = tokens.json["access_token"]
    for answer in (
        tokens,
        confidential.redeem("x"),
        confidential.redeem("x", headers={"Authorization": "Basic !"}),
        confidential.userinfo(token),
        confidential.userinfo("x"),
        confidential.userinfo(None),
        confidential.introspect(token),
        confidential.introspect("x"),
        confidential.introspect(None),
        confidential.introspect(token, client_secret="x"),
        confidential.revoke(None),
        confidential.revoke(token, client_secret="x"),
        *(
            Answer(Browser().generic(method, f"/OAuth2/{name}/nowhere"))
            for name, method in EVERYWHERE.items()
        ),
    ):
        assert answer.response.headers["Cache-Control"] == "no-store"
        assert answer.response.headers["Content-Type"] == "application/json"
    assert confidential.revoke(token).response.headers["Cache-Control"] == "no-store"


EVERYWHERE = {
    "Token": "POST",
    "Introspect": "POST",
    "Revoke": "POST",
    "UserInfo": "GET",
    "Keys": "GET",
    "Logo": "GET",
}


@spec("RFC 9700", "4.2.4")
def test_the_way_back_from_a_sign_out_tells_no_referrer_and_is_not_kept(asking):
    bye = "https://rp.example/bye"
    type(asking.application).objects.update(post_logout_redirect_uris=[bye])
    asked = {"client_id": asking.client_id, "post_logout_redirect_uri": bye}
    asking.browser.logout()
    url = asking.url("EndSession")

    for response in (
        asking.browser.get(url, asked),
        asking.browser.post(url, encode(asked), content_type=FORM),
    ):
        assert response.status_code == 303
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.content == b""
