"""Sign-out: at once where a hint vouches for it, else by choice; then to registered addresses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.contrib.sessions.models import Session
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import AuditEvent
from oidc_pkce.protocol import jose, jwk
from tests.journeys import (
    BASE,
    CALLBACK,
    FORM,
    Answer,
    Browser,
    Journey,
    encode,
    last_trace,
    make_application,
)
from tests.spec import spec

BYE = "https://rp.example/bye"
ADDRESSES = ["/OAuth2/EndSession/my_app", "/OAuth2/EndSession"]
ANYWHERE = "/OAuth2/EndSession"
PORTAL = "/OAuth2/EndSession/portal"
TICKET = "sign_out_ticket"


def confirm(browser: Browser, page: Answer, result: str = "1", **changes: Any) -> Answer:
    """Answer a page that asks."""
    assert "Do you want to sign out?" in page.html
    action = page.html.partition('<form method="post" action="')[2].partition('"')[0]
    data = {TICKET: page.hidden(TICKET), "result": result, **changes}
    return Answer(browser.post(action, encode(data), content_type=FORM))


def end(browser: Browser, address: str = ANYWHERE, **parameters: str) -> Answer:
    return Answer(browser.get(address, parameters))


def is_signed_in(browser: Browser) -> bool:
    return "Do you want to sign out?" in end(browser).html


def asks(answer: Answer) -> bool:
    return answer.status == 200 and "Do you want to sign out?" in answer.html


@pytest.fixture
def portal(openid):
    """An OpenID Connect application with an address to return to, Ada signed in."""
    openid.application.post_logout_redirect_uris = [BYE, "http://127.0.0.1:4000/bye"]
    openid.application.save()
    return openid


@pytest.fixture
def hint(portal):
    return portal.tokens(scope="openid")["id_token"]


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed(claims: dict[str, Any], *, typ: str | None = "JWT") -> str:
    return jose.sign(claims, keys.signer("RS256", timezone.now()), typ=typ)


# --- the page that asks --------------------------------------------------------------------------


@spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_person_is_asked_and_then_signed_out(signed_in, address):
    page = Answer(signed_in.browser.get(address))
    assert asks(page)
    assert "ada" in page.html
    assert Session.objects.count() == 1

    done = confirm(signed_in.browser, page)

    assert "You are signed out" in done.html
    assert Session.objects.count() == 0
    assert AuditEvent.objects.filter(action="user.signed_out").count() == 1
    assert signed_in.authorize(prompt="none").error == "login_required"


@spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize("result", ["0", "", "2", "10"])
def test_who_does_not_want_to_stays_signed_in_and_goes_nowhere(portal, result):
    asked = {"client_id": portal.client_id, "post_logout_redirect_uri": BYE, "state": "s"}
    answer = confirm(portal.browser, end(portal.browser, PORTAL, **asked), result)

    assert (answer.status, answer.location) == (200, "")
    assert "You are still signed in" in answer.html
    assert "rp.example" not in answer.html
    assert is_signed_in(portal.browser)


def test_two_answers_at_once_sign_nobody_out(signed_in):
    page = end(signed_in.browser)
    confirm(signed_in.browser, page, ["1", "0"])

    assert is_signed_in(signed_in.browser)


@spec("OpenID Connect RP-Initiated Logout", "6")
def test_a_link_alone_signs_nobody_out(signed_in):
    for query in ("", "?id_token_hint=x", "?client_id=my_service_user", "?logout_hint=ada"):
        for address in ADDRESSES:
            assert asks(Answer(signed_in.browser.get(f"{address}{query}")))

    assert signed_in.authorize(prompt="none").code


@spec("RFC 6749", "10.12")
def test_the_answer_needs_its_csrf_token(list_app, ada):
    journey = Journey(list_app, browser=Browser(enforce_csrf_checks=True)).log_in(ada)
    page = Answer(journey.browser.get("/OAuth2/EndSession"))

    forged = confirm(journey.browser, page)
    assert (forged.status, forged.error) == (403, "page")
    assert Session.objects.count() == 1
    done = confirm(journey.browser, page, csrfmiddlewaretoken=page.hidden("csrfmiddlewaretoken"))
    assert done.status == 200
    assert Session.objects.count() == 0


@spec("RFC 6749", "10.12")
def test_a_form_of_another_site_signs_nobody_out_without_a_hint(list_app, ada):
    journey = Journey(list_app, browser=Browser(enforce_csrf_checks=True)).log_in(ada)

    for data in ({}, {"result": "1"}, {"client_id": "my_service_user"}, {TICKET: ""}):
        for address in ADDRESSES:
            posted = journey.browser.post(address, encode(data), content_type=FORM)
            assert asks(Answer(posted))
    assert Session.objects.count() == 1


@spec("RFC 6749", "10.12")
def test_a_sealed_page_belongs_to_one_person_and_one_session(portal, bob, ada):
    """A stranger opens the page, with an address of theirs, and puts it into another browser."""
    other = make_application(
        application_id="theirs",
        client_ids=["their_client"],
        post_logout_redirect_uris=["https://evil.example/"],
    )
    asked = {"client_id": "their_client", "post_logout_redirect_uri": "https://evil.example/"}
    for stranger in (bob, ada):
        theirs = Journey(other).log_in(stranger)
        page = end(theirs.browser, "/OAuth2/EndSession/theirs", **asked)
        answer = confirm(portal.browser, page)

        assert (answer.status, answer.location) == (400, "")
        assert "no longer valid" in answer.html
        assert is_signed_in(portal.browser)


@spec("RFC 6749", "10.12")
def test_a_sealed_page_cannot_be_changed_or_used_elsewhere(portal):
    page = end(portal.browser, PORTAL, client_id=portal.client_id, post_logout_redirect_uri=BYE)
    sealed = page.hidden(TICKET)
    make_application(application_id="other", client_ids=["c"])

    spoilt = [sealed[:-1] + ("A" if sealed[-1] != "A" else "B"), "x", sealed[1:], f"{sealed}x"]
    for text in spoilt:
        answer = confirm(portal.browser, page, **{TICKET: text})
        assert (answer.status, answer.location) == (400, "")
    for address in (ANYWHERE, "/OAuth2/EndSession/other"):
        data = encode({TICKET: sealed, "result": "1"})
        assert portal.browser.post(address, data, content_type=FORM).status_code == 400
    assert is_signed_in(portal.browser)


def test_the_ticket_of_a_page_is_none_of_an_address(portal):
    page = end(portal.browser, PORTAL, client_id=portal.client_id, post_logout_redirect_uri=BYE)

    answer = end(portal.browser, PORTAL, **{TICKET: page.hidden(TICKET)})

    assert answer.status == 400
    assert is_signed_in(portal.browser)


def test_a_page_that_was_open_too_long_is_stale(portal, settings):
    page = end(portal.browser)
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "INTERACTION_LIFETIME": -1}

    assert confirm(portal.browser, page).status == 400
    assert is_signed_in(portal.browser)


def test_who_has_left_meanwhile_goes_on_without_a_question(portal):
    asked = {"client_id": portal.client_id, "post_logout_redirect_uri": BYE}
    page = end(portal.browser, PORTAL, **asked)
    portal.browser.logout()

    assert confirm(portal.browser, page).location == BYE


def test_who_is_not_signed_in_has_nothing_to_confirm(list_app):
    for address in ADDRESSES:
        answer = Answer(Browser().get(address))
        assert "You are signed out" in answer.html
    assert Session.objects.count() == 0


def test_a_look_alone_does_nothing(portal, hint):
    answer = portal.browser.head(ANYWHERE, {"id_token_hint": hint})

    assert answer.status_code == 405
    assert is_signed_in(portal.browser)


def test_the_page_speaks_the_language_of_the_request(portal):
    page = end(portal.browser, PORTAL, ui_locales="de")
    assert page.response.headers["Content-Language"] == "de"

    answer = Answer(
        portal.browser.post(
            PORTAL, encode({TICKET: page.hidden(TICKET), "result": "0"}), content_type=FORM
        )
    )
    assert answer.response.headers["Content-Language"] == "de"


# --- what vouches for a request ------------------------------------------------------------------


@spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize("address", [PORTAL, ANYWHERE])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_hint_of_this_very_session_signs_out_at_once(portal, hint, address, method):
    parameters = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "a b&c"}
    if method == "get":
        answer = end(portal.browser, address, **parameters)
    else:
        answer = Answer(portal.browser.post(address, encode(parameters), content_type=FORM))

    assert (answer.status, answer.location) == (303, f"{BYE}?state=a%20b%26c")
    assert not is_signed_in(portal.browser)


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_an_expired_hint_is_as_good(portal, hint):
    old = claims_of(hint)
    old.update(exp=1, iat=0)

    assert end(portal.browser, id_token_hint=signed(old)).status == 200
    assert not is_signed_in(portal.browser)


def test_a_hint_without_a_session_name_is_of_no_session(portal, hint):
    claims = claims_of(hint)
    del claims["sid"]

    end(portal.browser, id_token_hint=signed(claims))
    assert is_signed_in(portal.browser)


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_the_client_may_be_named_beside_the_hint(portal, hint):
    answer = end(
        portal.browser,
        id_token_hint=hint,
        client_id=portal.client_id,
        post_logout_redirect_uri=BYE,
    )

    assert answer.location == BYE


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_hint_of_another_client_than_the_one_named_is_not_used(portal, hint):
    answer = end(portal.browser, PORTAL, id_token_hint=hint, client_id="another")

    assert asks(answer)
    failed = [item["check"] for item in last_trace().outcomes if not item["passed"]]
    assert failed == ["end_session.id_token_hint", "end_session.client_id"]
    assert last_trace().failed_check == failed[0], "the second follows from the first"


@spec("OpenID Connect Core", "8.1")
def test_a_pairwise_subject_vouches(portal):
    type(portal.application).objects.update(subject_type="pairwise")
    hint = portal.tokens(scope="openid")["id_token"]

    end(portal.browser, id_token_hint=hint)
    assert not is_signed_in(portal.browser)


def test_the_public_subject_is_nobody_where_subjects_are_pairwise(portal, hint):
    type(portal.application).objects.update(subject_type="pairwise")

    assert asks(end(portal.browser, id_token_hint=hint))


@spec("OpenID Connect RP-Initiated Logout", "6")
def test_a_hint_of_somebody_else_does_nothing(portal, hint, bob):
    victim = Journey(portal.application).log_in(bob)

    for address in (PORTAL, ANYWHERE):
        assert asks(end(victim.browser, address, id_token_hint=hint))
        assert last_trace().failed_check == "end_session.session"
    assert is_signed_in(victim.browser)
    assert is_signed_in(portal.browser)


@spec("OpenID Connect RP-Initiated Logout", "6")
def test_a_hint_of_another_session_of_the_same_person_does_nothing(portal, hint, ada):
    elsewhere = Journey(portal.application).log_in(ada)

    assert asks(end(elsewhere.browser, id_token_hint=hint))
    assert is_signed_in(elsewhere.browser)


def test_the_hint_of_a_session_holds_when_the_same_person_signs_in_again(portal, hint, ada):
    portal.browser.force_login(ada)

    end(portal.browser, id_token_hint=hint)
    assert not is_signed_in(portal.browser)


def test_a_hint_of_another_application_does_nothing_here(signed_in, openid, ada):
    signed_in.browser = openid.browser
    hint = openid.tokens(scope="openid")["id_token"]

    answer = end(signed_in.browser, ADDRESSES[0], id_token_hint=hint)

    assert asks(answer)
    assert last_trace().failed_check == "end_session.issuer"
    assert signed_in.authorize(prompt="none").code


def part(members: dict[str, Any]) -> str:
    return jwk.encode(json.dumps(members, separators=(",", ":")).encode())


def forgeries(hint: str) -> dict[str, str]:
    """Hints that say the right thing, and that nobody of ours has signed."""
    head, payload, signature = hint.split(".")
    kid, public = keys.signer("RS256", timezone.now()).kid, keys.jwks(timezone.now())
    mine = jwk.generate("RS256")
    own = jwk.public_jwk(mine, kid="x", algorithm="RS256")

    def by_me(**header: Any) -> str:
        text = f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': kid, **header})}.{payload}"
        made = mine.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{jwk.encode(made)}"

    def mac(secret: bytes) -> str:
        text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{payload}"
        return f"{text}.{jwk.encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    return {
        "none": f"{part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{payload}.",
        "none, signed": f"{part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{payload}.{signature}",
        "HS256 with the public key": mac(json.dumps(json.loads(public)["keys"][0]).encode()),
        "HS256 with the key set": mac(public),
        "a key of its own": by_me(),
        "a key of its own under its own name": by_me(kid="x"),
        "an embedded key": by_me(jwk=own),
        "an embedded key under its own name": by_me(jwk=own, kid="x"),
        "the address of a key": by_me(jku="https://evil.example/keys"),
        "cut": hint[:-2],
        "another payload": f"{head}.{part({**claims_of(hint), 'x': 1})}.{signature}",
    }


@spec("RFC 8725", "3.1")
@pytest.mark.parametrize(
    "name",
    [
        "none",
        "none, signed",
        "HS256 with the public key",
        "HS256 with the key set",
        "a key of its own",
        "a key of its own under its own name",
        "an embedded key",
        "an embedded key under its own name",
        "the address of a key",
        "cut",
        "another payload",
    ],
)
def test_a_forged_hint_vouches_for_nothing(portal, hint, name):
    forged = forgeries(hint)[name]
    for address in (PORTAL, ANYWHERE):
        answer = end(portal.browser, address, id_token_hint=forged, post_logout_redirect_uri=BYE)
        assert asks(answer)
        assert confirm(portal.browser, answer, "0").location == ""
        trace = last_trace()
    assert forged not in json.dumps(trace.outcomes)
    page = end(portal.browser, PORTAL, id_token_hint=forged, post_logout_redirect_uri=BYE)
    assert confirm(portal.browser, page).location == ""


@spec("RFC 8725", "3.11")
def test_a_token_of_another_kind_is_no_hint(portal, hint, list_app):
    """An access token with an ID token's header, and every other type that we sign."""
    portal.application.access_token_typ = "JWT"
    portal.application.save()
    access = portal.tokens(scope="openid")["access_token"]
    typed = [signed(claims_of(hint), typ=typ) for typ in ("at+jwt", "logout+jwt", "jwt", None)]
    incomplete = [{k: v for k, v in claims_of(hint).items() if k != n} for n in ("sub", "aud")]

    for token in (access, *typed, *map(signed, incomplete)):
        assert asks(end(portal.browser, PORTAL, id_token_hint=token))
        assert last_trace().failed_check == "end_session.id_token_hint"
    assert is_signed_in(portal.browser)


def test_an_application_is_found_by_its_own_issuer_too(portal):
    type(portal.application).objects.update(issuer="https://tenant.example/portal")
    hint = portal.tokens(scope="openid")["id_token"]

    end(portal.browser, id_token_hint=hint)
    assert not is_signed_in(portal.browser)


def test_an_oauth2_application_is_found_by_its_issuer(signed_in):
    signed_in.application.scopes.create(name="openid")
    signed_in.application.post_logout_redirect_uris = [BYE]
    signed_in.application.save()
    hint = signed_in.tokens(scope="openid")["id_token"]

    answer = end(signed_in.browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert answer.location == BYE


def test_what_published_clients_send_besides_is_ignored(portal, hint):
    stray = {"post_logout_redirectUri": BYE, "token": "x", "nozso": "1", "resource": "y"}
    answer = end(portal.browser, id_token_hint=hint, logout_hint="bob", **stray)

    assert (answer.status, answer.location) == (200, "")
    assert not is_signed_in(portal.browser)


@spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize(
    "name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"]
)
def test_a_repeated_parameter_is_a_page(portal, hint, name):
    query = f"{urlencode({'id_token_hint': hint})}&{name}=a&{name}=b"
    posted = portal.browser.post(f"{PORTAL}?{name}=a", f"{name}=b", content_type=FORM)

    for answer in (Answer(portal.browser.get(f"{PORTAL}?{query}")), Answer(posted)):
        assert (answer.status, answer.error) == (400, "page")
        assert name in answer.html
    assert is_signed_in(portal.browser)


@pytest.mark.parametrize("query", ["state=%ff", "state=" + "s" * 5000, "state=a%00b", "x=1&" * 101])
def test_a_request_that_cannot_be_read_is_a_page(portal, query):
    answer = Answer(portal.browser.get(f"{PORTAL}?client_id={portal.client_id}&{query}"))

    assert (answer.status, answer.error) == (400, "page")
    assert is_signed_in(portal.browser)


# --- where it may lead ---------------------------------------------------------------------------


@spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize("address", [PORTAL, ANYWHERE])
def test_a_client_vouches_for_its_address_and_the_person_is_asked(portal, address):
    asked = {"client_id": portal.client_id, "post_logout_redirect_uri": BYE, "state": "s"}
    page = end(portal.browser, address, **asked)

    assert asks(page)
    assert "rp.example" in page.html
    policy = page.response.headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' https://rp.example")
    assert confirm(portal.browser, page).location == f"{BYE}?state=s"
    assert not is_signed_in(portal.browser)


@spec("OpenID Connect RP-Initiated Logout", "3")
def test_nobody_signed_in_is_sent_on_at_once(portal):
    asked = {"client_id": portal.client_id, "post_logout_redirect_uri": BYE, "state": "s"}

    assert end(Browser(), **asked).location == f"{BYE}?state=s"
    assert end(Browser(), PORTAL, post_logout_redirect_uri=BYE).location == ""


@spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize(
    ("registered", "sent", "location"),
    [
        (BYE, BYE, f"{BYE}?state=s"),
        (f"{BYE}?a=b", f"{BYE}?a=b", f"{BYE}?a=b&state=s"),
        ("com.example.app:/bye", "com.example.app:/bye", "com.example.app:/bye?state=s"),
        (
            "http://127.0.0.1:4000/bye",
            "http://127.0.0.1:51234/bye",
            "http://127.0.0.1:51234/bye?state=s",
        ),
    ],
)
def test_the_state_stands_behind_the_address(portal, registered, sent, location):
    type(portal.application).objects.update(post_logout_redirect_uris=[registered])
    asked = {"client_id": portal.client_id, "post_logout_redirect_uri": sent}

    assert end(Browser(), **asked, state="s").location == location
    assert end(Browser(), **asked).location == sent
    assert end(Browser(), **asked, state="").location == sent


@spec("OpenID Connect RP-Initiated Logout", "3")
def test_the_state_is_echoed_and_breaks_out_of_nothing(portal):
    portal.application.frontchannel_logout_uri = "https://rp.example/front"
    portal.application.save()
    state = "\"'><script>alert(1)</script>; url=https://evil.example/\r\nX-Evil: 1 é&state=2"
    hint = portal.tokens(scope="openid")["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": state}

    answer = end(portal.browser, **asked)

    location = f"{BYE}?state={quote(state, safe='')}"
    assert answer.response.headers["Refresh"] == f"3; url={location}"
    assert f'href="{location}"' in unescape(answer.html)
    assert "<script>" not in answer.html
    assert "evil.example/" not in answer.html
    assert "X-Evil" not in answer.response.headers


@spec("OpenID Connect RP-Initiated Logout", "3")
def test_the_longest_state_is_echoed(portal):
    asked = {"client_id": portal.client_id, "post_logout_redirect_uri": BYE, "state": "é" * 600}
    page = end(portal.browser, PORTAL, **asked)

    assert "rp.example" in page.html
    policy = page.response.headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' https://rp.example")
    assert confirm(portal.browser, page).location == f"{BYE}?state={quote('é' * 600)}"


@spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize(
    "sent",
    [
        "https://evil.example/",
        "//evil.example",
        "https:evil.example",
        "/\\evil.example",
        "https://rp.example@evil.example/bye",
        "https://rp.example\\@evil.example/bye",
        "https://rp.example/bye/",
        "https://rp.example/bye?x=1",
        "https://rp.example/bye#x",
        "https://rp.example/bye;x",
        "https://rp.example/bye/..",
        "https://rp.example/%62ye",
        "https://RP.example/bye",
        "https://rp.example:443/bye",
        "https://rp.example./bye",
        "http://rp.example/bye",
        "https://rp.example/bye\t",
        "https://rp.example/bye\r\nLocation: https://evil.example",
        " https://rp.example/bye",
        "https://rp.example/bye ",
        "https://rp.ex\u0430mple/bye",
        "http://127.0.0.1.evil.example:4000/bye",
        "http://localhost:4000/bye",
        "http://127.0.0.1:0/bye",
        "http://127.0.0.1:65536/bye",
        "javascript:alert(1)",
        "data:text/html,x",
        CALLBACK,
        "/",
        "x",
    ],
)
def test_an_address_that_is_not_registered_is_a_page_and_signs_nobody_out(portal, hint, sent):
    for vouching in ({"id_token_hint": hint}, {"client_id": portal.client_id}):
        for address in (PORTAL, ANYWHERE):
            asked = {**vouching, "post_logout_redirect_uri": sent, "state": "s"}
            posted = portal.browser.post(address, encode(asked), content_type=FORM)
            for answer in (end(portal.browser, address, **asked), Answer(posted)):
                assert (answer.status, answer.error, answer.location) == (400, "page", "")
                assert "This address is not registered" in answer.html
                assert 'href="http' not in answer.html
    assert end(Browser(), client_id=portal.client_id, post_logout_redirect_uri=sent).status == 400
    assert last_trace().failed_check == "end_session.post_logout_redirect_uri"
    assert is_signed_in(portal.browser)


@spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "name",
    ["post_logout_redirect_uri", "post_logout_redirectUri", "redirect_uri", "next", "TARGET"],
)
@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example"])
def test_an_unvouched_address_is_never_redirected_to(signed_in, method, name, evil):
    for browser in (signed_in.browser, Browser()):
        for address in ADDRESSES:
            answer = Answer(getattr(browser, method)(address, {name: evil}))
            if answer.location:
                assert answer.location.startswith(f"{address}?{TICKET}=")
                answer = Answer(browser.get(answer.location))
            assert answer.location == ""
            judged = address != ANYWHERE and name == "post_logout_redirect_uri" and method == "get"
            assert answer.status == (400 if judged else 200)
            assert 'href="https://evil' not in answer.html


def test_a_registered_address_is_not_enough_when_nobody_vouches(portal):
    """No client, an unknown one, one of another application."""
    make_application(client_ids=["another"])
    for client in ({}, {"client_id": "unknown"}, {"client_id": "another"}):
        asked = {**client, "post_logout_redirect_uri": BYE}
        assert end(Browser(), PORTAL, **asked).location == ""
        page = end(portal.browser, PORTAL, **asked)
        assert asks(page)
        assert "rp.example" not in page.html
        assert last_trace().failed_check == "end_session.client_id"
    assert confirm(portal.browser, page).location == ""
    assert not is_signed_in(portal.browser)


def test_the_address_of_one_application_is_none_of_another(portal, hint):
    make_application(post_logout_redirect_uris=["https://other.example/"], client_ids=["another"])
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": "https://other.example/"}

    assert end(portal.browser, **asked).status == 400
    assert end(portal.browser, PORTAL, **asked).status == 400
    page = end(portal.browser, ADDRESSES[0], **asked)
    assert asks(page)
    assert confirm(portal.browser, page).location == ""


def test_a_service_user_vouches_for_its_application(confidential):
    confidential.application.post_logout_redirect_uris = [BYE]
    confidential.application.save()
    for client, location in (("robot", BYE), ("ada", ""), ("r\0bot", "")):
        asked = {"client_id": client, "post_logout_redirect_uri": BYE}
        assert end(Browser(), confidential.url("EndSession"), **asked).location == location


def test_an_address_that_was_withdrawn_while_the_page_was_open_is_a_page(portal):
    page = end(portal.browser, PORTAL, client_id=portal.client_id, post_logout_redirect_uri=BYE)
    type(portal.application).objects.update(post_logout_redirect_uris=[])

    assert confirm(portal.browser, page).status == 400
    assert is_signed_in(portal.browser)


# --- a client's form -----------------------------------------------------------------------------


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_form_of_another_site_brings_no_cookie_and_comes_again_with_it(portal, hint):
    """SameSite=Lax: the browser keeps the session back, until it follows the redirect."""
    parameters = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s"}
    posted = Answer(Browser().post(ANYWHERE, encode(parameters), content_type=FORM))

    assert posted.status == 303
    assert posted.location.startswith(f"/OAuth2/EndSession?{TICKET}=")
    assert hint not in posted.location
    again = Answer(portal.browser.get(posted.location))
    assert again.location == f"{BYE}?state=s"
    assert not is_signed_in(portal.browser)


def test_what_came_again_is_sealed(portal, hint):
    posted = Answer(Browser().post(ANYWHERE, encode({"id_token_hint": hint}), content_type=FORM))
    ticket = posted.query[TICKET]

    for text in (ticket[:-1], f"{ticket}x", "x"):
        assert end(portal.browser, **{TICKET: text}).status == 400
    assert end(portal.browser, PORTAL, **{TICKET: ticket}).status == 400
    assert is_signed_in(portal.browser)


def test_what_came_again_vouches_for_no_other_session(portal, hint, bob):
    posted = Answer(Browser().post(ANYWHERE, encode({"id_token_hint": hint}), content_type=FORM))
    victim = Journey(portal.application).log_in(bob)

    assert asks(end(victim.browser, **{TICKET: posted.query[TICKET]}))


# --- front-channel logout ------------------------------------------------------------------------


@pytest.fixture
def framed(portal, list_app):
    """Ada has used two applications in this browser session that want to be told in a frame."""
    type(portal.application).objects.filter(pk=portal.application.pk).update(
        frontchannel_logout_uri="https://rp.example/front?x=1"
    )
    type(list_app).objects.filter(pk=list_app.pk).update(
        frontchannel_logout_uri="http://localhost:5000/front"
    )
    portal.tokens(scope="openid")
    Journey(list_app, browser=portal.browser).tokens()
    return portal


@spec("OpenID Connect Front-Channel Logout", "3")
def test_the_signed_out_page_tells_each_application_of_the_session_in_a_frame(framed):
    hint = framed.tokens(scope="openid")["id_token"]
    sid = claims_of(hint)["sid"]
    answer = end(framed.browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s")

    html = unescape(answer.html)
    mine = f"iss={quote(BASE, safe='')}%2Fportal%2F&sid={quote(sid)}"
    theirs = f"iss={quote(BASE, safe='')}%2Fmy_app%2F&sid={quote(sid)}"
    assert answer.status == 200
    assert html.count("<iframe") == 2
    assert f'<iframe src="https://rp.example/front?x=1&{mine}" title="Sign-out of Portal"' in html
    assert f'<iframe src="http://localhost:5000/front?{theirs}"' in html
    assert f'<a class="button primary" href="{BYE}?state=s">Continue</a>' in html
    assert answer.response.headers["Refresh"] == f"3; url={BYE}?state=s"
    policy = answer.response.headers["Content-Security-Policy"]
    frames = set(policy.partition("frame-src ")[2].split())
    assert frames == {"https://rp.example", "http://localhost:5000"}
    assert not is_signed_in(framed.browser)


@spec("OpenID Connect Front-Channel Logout", "3")
def test_the_longest_address_is_opened_in_a_frame(framed):
    longest = f"https://rp.example/front?x={'x' * 1970}"
    type(framed.application).objects.update(frontchannel_logout_uri=longest)

    answer = confirm(framed.browser, end(framed.browser))

    assert f'src="{longest}&amp;iss=' in answer.html
    policy = answer.response.headers["Content-Security-Policy"]
    assert policy.endswith("frame-src https://rp.example")


@spec("OpenID Connect Front-Channel Logout", "3")
def test_after_the_question_the_frames_are_there_too(framed):
    answer = confirm(framed.browser, end(framed.browser))

    assert answer.html.count("<iframe") == 2
    assert "Refresh" not in answer.response.headers
    assert "Continue" not in answer.html


def test_other_sessions_and_people_are_not_told_in_frames(framed, ada, bob):
    for person in (ada, bob):
        other = Journey(framed.application, client_id=framed.client_id).log_in(person)
        answer = confirm(other.browser, end(other.browser))
        assert "<iframe" not in answer.html
        assert "frame-src" not in answer.response.headers["Content-Security-Policy"]


def test_pages_without_frames_may_frame_nobody_else(portal, hint):
    answer = end(portal.browser, id_token_hint=hint)

    assert "frame-src" not in answer.response.headers["Content-Security-Policy"]
    assert "Refresh" not in answer.response.headers


# --- traces --------------------------------------------------------------------------------------


def test_no_trace_holds_a_hint_or_a_state(portal, hint, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    end(portal.browser, id_token_hint=hint, state="canary-state", post_logout_redirect_uri=BYE)

    told = json.dumps(last_trace().outcomes)
    assert [o["check"] for o in last_trace().outcomes] == [
        "end_session.parameters",
        "end_session.id_token_hint",
        "end_session.issuer",
        "end_session.post_logout_redirect_uri",
        "end_session.client_id",
        "end_session.session",
    ]
    assert hint not in told
    assert "canary-state" not in told


def test_metadata_names_the_endpoint(portal):
    document = Browser().get("/portal/.well-known/openid-configuration").json()

    assert document["end_session_endpoint"] == f"{BASE}{PORTAL}"
    for kind in ("backchannel", "frontchannel"):
        assert document[f"{kind}_logout_supported"] is True
        assert document[f"{kind}_logout_session_supported"] is True
