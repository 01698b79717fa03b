"""The authorization endpoint, over HTTP: whom it answers, where, and with what."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlsplit

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.utils import timezone

from oidc_pkce.models import AuthorizationCode, Consent, Grant, Permission, Principal
from tests.fixtures import make_user
from tests.journeys import (
    CALLBACK,
    CHALLENGE,
    FORM,
    VERIFIER,
    Answer,
    Browser,
    Journey,
    encode,
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec

ISSUER = "https%3A%2F%2Fid.example.com%2Fmy_app%2F"


def is_page(answer: Answer) -> bool:
    """An error page: it names the trouble and redirects nowhere."""
    return answer.status == 400 and not answer.location and "<html" in answer.html


# --- the answer ---------------------------------------------------------------------------------


@spec("RFC 6749", "4.1.2")
@spec("RFC 9207", "2")
def test_the_answer_is_a_303_with_code_last_and_the_issuer(signed_in):
    answer = signed_in.authorize(state="s t/ä")

    assert answer.status == 303
    assert re.fullmatch(
        re.escape(f"{CALLBACK}?state=s%20t%2F%C3%A4&responseType=code&iss={ISSUER}&code=")
        + "[A-Za-z0-9_-]{43}",
        answer.location,
    )
    assert answer.query["state"] == "s t/ä"


@spec("RFC 6749", "4.1.2")
def test_state_is_absent_when_it_was_not_sent(signed_in):
    assert "state" not in signed_in.authorize().query
    assert "state" not in signed_in.authorize(state="").query
    assert "state" not in signed_in.authorize(scope="unknown").query


@spec("RFC 6749", "4.1.1")
@pytest.mark.parametrize(
    "state",
    ["x" * 1000, "x" * 4096, "&code=evil#frag", '"><script>', "%00%0a", "a+b c", "é😀", "\r\nX: y"],
    ids=lambda state: state[:8].encode("ascii", "replace").decode(),
)
def test_state_comes_back_byte_for_byte(signed_in, state):
    answer = signed_in.authorize(state=state)

    assert answer.query["state"] == state
    assert list(answer.query)[-1] == "code"


@spec("RFC 6749", "4.1.2")
def test_the_state_survives_the_sign_in_and_the_longest_one_too(journey, ada):
    state = "s" * 4096

    answer = journey.sign_in(journey.authorize(state=state, nonce="n" * 500), "ada")

    assert answer.query["state"] == state


@spec("RFC 6749", "3.1")
def test_a_request_may_be_posted_without_cookies_and_without_a_csrf_token(list_app):
    journey = Journey(list_app, browser=Browser(enforce_csrf_checks=True))

    answer = journey.authorize(method="post")

    assert answer.status == 303
    assert "/OAuth2/Login/my_app?ticket=" in answer.location


@spec("RFC 6749", "3.1")
def test_a_posted_request_is_answered_like_one_in_the_url(list_app, ada):
    journey = Journey(list_app, browser=Browser(enforce_csrf_checks=True)).log_in(ada)

    answer = journey.authorize(method="post", state="s")

    assert answer.status == 303
    assert (answer.query["state"], len(answer.code)) == ("s", 43)


@spec("RFC 6749", "3.1")
def test_a_multipart_body_is_no_form_of_an_authorization_request(signed_in):
    url = signed_in.url("Authorize")

    assert is_page(Answer(signed_in.browser.post(url, signed_in.parameters())))


@spec("OAuth 2.0 Multiple Response Types", "2.1")
def test_a_fragment_carries_the_answer_when_asked(signed_in):
    answer = signed_in.authorize(response_mode="fragment", state="s")

    assert answer.location.startswith(f"{CALLBACK}#state=s&responseType=code&iss={ISSUER}&code=")


@spec("OAuth 2.0 Multiple Response Types", "2.1")
def test_an_error_takes_the_same_way_as_the_answer(signed_in):
    answer = signed_in.authorize(response_mode="fragment", scope="unknown", state="s")

    assert urlsplit(answer.location).query == ""
    assert answer.query["error"] == "invalid_scope"
    assert answer.query["state"] == "s"
    assert answer.query["iss"] == "https://id.example.com/my_app/"


@spec("OAuth 2.0 Multiple Response Types", "2.1")
@pytest.mark.parametrize("mode", ["Query", "web_message", "jwt", "query fragment"])
def test_an_unknown_response_mode_is_refused(signed_in, mode):
    assert signed_in.authorize(response_mode=mode).error == "invalid_request"


@spec("OAuth 2.0 Form Post Response Mode", "2")
def test_form_post_is_a_page_that_posts_the_same_fields(signed_in):
    answer = signed_in.authorize(response_mode="form_post", state="s")

    assert answer.status == 200
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.html)
    assert [name for name, _ in fields] == ["state", "responseType", "iss", "code"]
    assert f'<form method="post" action="{CALLBACK}"' in answer.html
    assert "csrfmiddlewaretoken" not in answer.html
    assert signed_in.redeem(dict(fields)["code"]).status == 200


@spec("OAuth 2.0 Form Post Response Mode", "5")
def test_form_post_escapes_what_it_echoes(signed_in):
    evil = '"><script>alert(1)</script><input value="'

    for changes in ({}, {"scope": "unknown"}):
        page = signed_in.authorize(response_mode="form_post", state=evil, **changes)

        assert "<script>" not in page.html
        assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page.html


@spec("OAuth 2.0 Form Post Response Mode", "5")
def test_a_form_is_posted_to_http_and_https_only(ada):
    app = make_application(application_id="native", redirect_uris=["com.example.app:/back"])
    journey = Journey(app, redirect_uri="com.example.app:/back").log_in(ada)

    answer = journey.authorize(response_mode="form_post")

    assert answer.status == 303
    assert answer.location.startswith("com.example.app:/back?error=invalid_request&")
    assert Grant.objects.count() == 0


@spec("RFC 8252", "7.1")
def test_an_apps_own_scheme_gets_its_answer_in_a_query(ada):
    app = make_application(application_id="native", redirect_uris=["com.example.app:/back"])
    journey = Journey(app, redirect_uri="com.example.app:/back").log_in(ada)

    assert journey.authorize().location.startswith("com.example.app:/back?responseType=code&iss=")


@spec("RFC 6749", "3.1.2")
def test_a_query_of_the_redirect_uri_is_kept(ada):
    uri = "https://app.example.com/cb?tenant=1"
    app = make_application(application_id="q", redirect_uris=[uri])

    answer = Journey(app, redirect_uri=uri).log_in(ada).authorize()

    assert answer.location.startswith(f"{uri}&responseType=code&iss=")


@spec("RFC 6749", "3.1")
def test_unknown_parameters_and_headers_are_ignored(signed_in):
    extra = dict.fromkeys(
        ("nozso", "debug", "display", "claims_locales", "acr_values", "token", "x" * 90), "x"
    )
    answer = Answer(
        signed_in.browser.get(
            signed_in.url("Authorize"),
            {**signed_in.parameters(), **extra, "post_logout_redirectUri": "https://evil.example"},
            headers={"X-IDAP-NATIVE-CLIENT": "1"},
        )
    )
    assert answer.code


@spec("RFC 6749", "3.1")
def test_what_published_clients_send_unencoded_is_understood(signed_in, list_app):
    for name in ("read", "write"):
        list_app.scopes.create(name=name)
    query = (
        "response_type=code&client_id=my_service_user&redirect_uri=http://localhost:5000/callback"
        f"&scope=read write&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    answer = signed_in.raw("Authorize", query)

    assert signed_in.redeem(answer.code).json["scope"] == "read write"


@spec("RFC 7636", "7.1")
def test_a_challenge_and_nonce_may_repeat_across_sign_ins(signed_in):
    codes = {signed_in.authorize(nonce="n").code for _ in range(3)}

    assert len(codes) == 3
    assert all(signed_in.redeem(code).status == 200 for code in codes)


# --- whom to answer: errors that never leave ----------------------------------------------------


@spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("prompt", [None, "none", "login", "none login"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_id": "unknown"}, id="unknown client"),
        pytest.param({"client_id": "MY_SERVICE_USER"}, id="client in another case"),
        pytest.param({"client_id": "my_service_user "}, id="client with a space"),
        pytest.param({"client_id": "unknown", "response_type": "bad"}, id="two faults"),
        pytest.param({"client_id": None}, id="no client"),
        pytest.param({"client_id": ""}, id="empty client"),
        pytest.param({"redirect_uri": "https://evil.example/"}, id="unregistered redirect"),
        pytest.param({"redirect_uri": None}, id="no redirect"),
        pytest.param({"redirect_uri": ""}, id="empty redirect"),
        pytest.param({"redirect_uri": "javascript:alert(1)"}, id="script redirect"),
        pytest.param({"redirect_uri": [CALLBACK, CALLBACK]}, id="redirect twice"),
        pytest.param({"redirect_uri": [CALLBACK, "https://evil.example/"]}, id="two redirects"),
        pytest.param({"client_id": ["my_service_user", "x"]}, id="two clients"),
    ],
)
def test_who_cannot_be_trusted_gets_a_page_and_never_a_redirect(signed_in, changes, prompt):
    answer = signed_in.authorize(**changes, prompt=prompt, state="s")

    assert is_page(answer)
    assert Grant.objects.count() == 0


@spec("RFC 9700", "4.11.2")
def test_nobody_signed_in_meets_the_page_too(journey):
    assert is_page(journey.authorize(redirect_uri="https://evil.example/", prompt="none"))
    assert is_page(journey.authorize(client_id="unknown", prompt="none"))


@spec("RFC 6749", "4.1.2.1")
def test_the_page_names_the_problem_and_the_request(signed_in):
    page = signed_in.authorize(redirect_uri="https://evil.example/<b>")

    assert "https://evil.example/&lt;b&gt;" in page.html
    assert last_trace().request_id in page.html
    assert last_trace().failed_check == "authorize.redirect_uri"
    assert CALLBACK not in page.html  # what IS registered is nobody's business


REDIRECTS = {
    "user information": "http://localhost:5000@evil.example/callback",
    "user name": "http://user@localhost:5000/callback",
    "backslash": "http://localhost:5000\\@evil.example/callback",
    "backslash for slash": "http:\\\\localhost:5000\\callback",
    "encoded backslash": "http://localhost:5000/%5ccallback",
    "tab": "http://localhost:5000/call\tback",
    "newline": "http://localhost:5000/callback\n",
    "carriage return": "http://localhost:5000/callback\r\nSet-Cookie: a=b",
    "NUL": "http://localhost:5000/callback\0",
    "encoded NUL": "http://localhost:5000/callback%00",
    "leading space": " http://localhost:5000/callback",
    "trailing space": "http://localhost:5000/callback ",
    "look-alike letter": "http://l\u043ecalhost:5000/callback",
    "IDN": "http://bücher.example/callback",
    "full-width dot": "http://localhost。evil.example/callback",
    "dotless": "http://ⓛocalhost:5000/callback",
    "encoded dots": "http://localhost:5000/x/%2e%2e/callback",
    "dots": "http://localhost:5000/x/../callback",
    "double encoding": "http://localhost:5000/%252e%252e/callback",
    "upper case path": "http://localhost:5000/Callback",
    "upper case host": "http://LOCALHOST:5000/callback",
    "upper case scheme": "HTTP://localhost:5000/callback",
    "path parameters": "http://localhost:5000/callback;x=y",
    "added query": "http://localhost:5000/callback?x=y",
    "empty query": "http://localhost:5000/callback?",
    "fragment": "http://localhost:5000/callback#x",
    "empty fragment": "http://localhost:5000/callback#",
    "trailing slash": "http://localhost:5000/callback/",
    "deeper": "http://localhost:5000/callback/x",
    "relative to the scheme": "//evil.example/callback",
    "relative": "/callback",
    "longer host": "http://localhost:5000.evil.example/callback",
    "zone": "http://[::1%25eth0]:5000/callback",
    "port 0": "http://localhost:0/callback",
    "port 65536": "http://localhost:65536/callback",
    "no port": "http://localhost/callback",
    "another port of localhost": "http://localhost:5001/callback",
    "127.0.0.1 for localhost": "http://127.0.0.1:5000/callback",
    "IPv6 for localhost": "http://[::1]:5000/callback",
    "https for http": "https://localhost:5000/callback",
    "script": "javascript:alert(1)//localhost:5000/callback",
    "data": "data:text/html,<script>alert(1)</script>",
    "very long": "http://localhost:5000/callback?" + "x" * 100_000,
}


@spec("RFC 9700", "2.1")
@spec("RFC 9700", "4.1.3")
@pytest.mark.parametrize("uri", REDIRECTS.values(), ids=REDIRECTS.keys())
def test_a_redirect_uri_that_is_not_the_registered_string_is_refused(signed_in, uri):
    assert is_page(signed_in.authorize(redirect_uri=uri))
    assert Grant.objects.count() == 0


@spec("RFC 8252", "7.3")
def test_the_port_may_vary_for_a_registered_loopback_literal_alone(ada):
    app = make_application(
        application_id="cli", redirect_uris=["http://127.0.0.1/cb", "http://[::1]:1/cb"]
    )
    journey = Journey(app, redirect_uri="http://127.0.0.1:49152/cb").log_in(ada)

    answer = journey.authorize()

    assert answer.location.startswith("http://127.0.0.1:49152/cb?")
    assert journey.redeem(answer.code).status == 200
    assert journey.authorize(redirect_uri="http://[::1]:2/cb").error is None
    for wrong in ("http://localhost:1/cb", "http://127.0.0.2:1/cb", "http://127.0.0.1:1/cb2"):
        assert is_page(journey.authorize(redirect_uri=wrong))


@spec("RFC 9700", "2.1")
@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x", "https://a.example/\\"])
def test_a_dangerous_redirect_uri_that_got_registered_is_refused_at_use(signed_in, list_app, uri):
    type(list_app).objects.update(redirect_uris=[uri])

    assert is_page(signed_in.authorize(redirect_uri=uri))


@spec("RFC 6749", "2.2")
def test_anything_may_be_a_client_where_the_type_is_anything(ada):
    app = make_application(application_id="any", client_id_type="Anything", client_ids=[])
    for client_id in ("x", "somebody@example.com", "ünï", "c" * 255):
        journey = Journey(app, client_id=client_id).log_in(ada)
        assert journey.redeem(journey.authorize().code).status == 200
    journey = Journey(app).log_in(ada)
    assert is_page(journey.authorize(client_id="c" * 256))
    assert is_page(journey.authorize(client_id="a\0b"))


@spec("RFC 6749", "2.2")
def test_a_confidential_client_is_a_service_user_and_nobody_else(confidential, bob):
    assert confidential.authorize().code
    assert is_page(confidential.authorize(client_id="bob"))
    assert is_page(confidential.authorize(client_id="ada"))


@spec("OpenID Connect Core", "3.1.2.1")
def test_an_openid_client_is_the_applications_guid(openid, ada):
    assert openid.authorize(scope="openid").code
    assert is_page(openid.authorize(client_id="my_service_user"))
    assert is_page(openid.authorize(client_id=openid.client_id.upper()))


def test_an_unknown_application_is_a_page_of_its_own(db):
    answer = Answer(Browser().get("/OAuth2/Authorize/nowhere"))

    assert answer.status == 404
    assert "nowhere" in answer.html
    assert answer.response.headers["Content-Type"].startswith("text/html")


# --- what is asked: errors that travel to the client --------------------------------------------


@spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "nonsense"}, "unsupported_response_type"),
        ({"response_type": "code code"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "id_token token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "code id_token token"}, "unsupported_response_type"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"scope": "é"}, "invalid_scope"),
        ({"scope": " ".join(f"s{n}" for n in range(101))}, "invalid_scope"),
        ({"scope": "x" * 256}, "invalid_scope"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://x.example/"}, "request_uri_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none consent"}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9" * 400}, "invalid_request"),
        ({"resource": "relative"}, "invalid_target"),
        ({"resource": "https://api.example/#x"}, "invalid_target"),
        ({"resource": [f"https://api.example/{n}" for n in range(11)]}, "invalid_target"),
        ({"response_mode": "jwt"}, "invalid_request"),
        ({"state": "x" * 4097}, "invalid_request"),
        ({"prompt": "none"}, None),
    ],
    ids=lambda value: str(value)[:50],
)
def test_each_fault_has_its_error(signed_in, changes, error):
    answer = signed_in.authorize(**changes)
    mark = "#" if "token" in (changes.get("response_type") or "") else "?"

    assert answer.error == error
    assert answer.location.startswith(f"{CALLBACK}{mark}")
    assert answer.query["iss"] == "https://id.example.com/my_app/"
    assert Grant.objects.count() == (error is None)


@spec("RFC 6749", "4.1.2.1")
def test_an_error_description_keeps_to_the_characters_that_may_stand_there(signed_in):
    for scope in ("é\u2028", 'quo"te', "back\\slash", "unknown"):
        described = signed_in.authorize(scope=scope).query["error_description"]
        assert re.fullmatch(r"[\x20\x21\x23-\x5B\x5D-\x7E]+", described)


@spec("RFC 6749", "4.1.2.1")
def test_an_application_without_the_code_flow_offers_no_code(signed_in, list_app):
    list_app.flows = ["ClientCreds"]
    list_app.save()

    assert signed_in.authorize().error == "unsupported_response_type"


@spec("RFC 6749", "3.3")
def test_scope_is_optional_and_repeated_tokens_count_once(signed_in, list_app):
    list_app.scopes.create(name="read")

    assert signed_in.tokens()["scope"] == ""
    assert signed_in.tokens(scope="read  read")["scope"] == "read"


@spec("OpenID Connect Core", "5.4")
def test_the_standard_scopes_of_an_openid_application_need_no_definition(openid):
    scope = "openid profile email address phone offline_access"

    assert openid.tokens(scope=scope)["scope"] == scope


@spec("RFC 8707", "2")
def test_several_resources_become_the_audience(signed_in):
    resources = ["https://api.example/a", "urn:example:b"]
    token = signed_in.tokens(resource=resources)["access_token"]

    assert jwt.decode(token, options={"verify_signature": False})["aud"] == resources


# --- parameters ---------------------------------------------------------------------------------


@spec("RFC 6749", "3.1")
@pytest.mark.parametrize(
    "name",
    [
        *("response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"),
        *("prompt", "max_age", "response_mode", "login_hint", "acr_values", "anything"),
    ],
)
def test_a_parameter_that_stands_twice_is_refused(signed_in, name):
    value = signed_in.parameters().get(name, "1")
    answer = signed_in.authorize(**{name: [value, value]})

    assert answer.error == "invalid_request"
    assert answer.location.startswith(f"{CALLBACK}?error=")
    assert "state" not in answer.query


@spec("RFC 6749", "3.1")
def test_a_parameter_in_the_query_and_in_the_body_stands_twice(signed_in):
    def post(query: str) -> Answer:
        url = f"{signed_in.url('Authorize')}?{query}"
        body = encode(signed_in.parameters(state="s"))
        return Answer(signed_in.browser.post(url, body, content_type=FORM))

    assert post("state=s").error == "invalid_request"
    assert is_page(post(f"redirect_uri={quote(CALLBACK)}"))
    assert is_page(post("client_id=my_service_user"))
    assert post("debug=1").code


@spec("RFC 6749", "3.1")
@pytest.mark.parametrize(
    "value", ["%FF%FE", "%00", "a%00b", "%ED%A0%80", "%C0%AF"], ids=lambda value: value
)
@pytest.mark.parametrize(
    "name", ["state", "scope", "nonce", "login_hint", "code_challenge", "unknown"]
)
def test_what_is_not_text_is_refused(signed_in, name, value):
    query = encode({k: v for k, v in signed_in.parameters().items() if k != name})
    answer = signed_in.raw("Authorize", f"{query}&{name}={value}")

    assert answer.error == "invalid_request"
    assert answer.location.startswith(f"{CALLBACK}?error=")


@spec("RFC 6749", "3.1")
@pytest.mark.parametrize("value", ["%FF", "%00", "a%00b"])
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_destination_that_is_not_text_is_a_page(signed_in, name, value):
    query = encode({k: v for k, v in signed_in.parameters().items() if k != name})

    assert is_page(signed_in.raw("Authorize", f"{query}&{name}={value}"))


@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "state", "scope", "nonce", "login_hint", "x"]
)
def test_a_megabyte_is_refused_in_the_url_and_in_the_body(signed_in, name):
    for method in ("get", "post"):
        answer = signed_in.authorize(method=method, **{name: "x" * 1_000_000})
        assert answer.error in {"page", "invalid_request"}
        assert len(answer.location) < 2000
        assert len(answer.response.content) < 100_000


@spec("RFC 6749", "3.1")
def test_a_thousand_parameters_are_refused(signed_in):
    many = {f"p{n}": "1" for n in range(1000)}

    assert signed_in.authorize(**many).error == "invalid_request"


@pytest.mark.parametrize("locales", ["de", "xx de-AT en", "x" * 3000, "../../etc", "\u2028", "- -"])
def test_locales_never_cause_an_error(journey, locales):
    page = journey.follow(journey.authorize(ui_locales=locales, claims_locales=locales))

    assert page.status == 200


@spec("OpenID Connect Core", "3.1.2.1")
def test_ui_locales_pick_the_language_of_the_page(journey):
    page = journey.follow(journey.authorize(ui_locales="xx de-AT en"))

    assert '<html lang="de"' in page.html
    assert page.response.headers["Content-Language"] == "de"


# --- PKCE ---------------------------------------------------------------------------------------


@spec("RFC 9700", "2.1.1")
@spec("RFC 7636", "4.4.1")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"code_challenge": None, "code_challenge_method": None}, id="none"),
        pytest.param({"code_challenge": None}, id="method alone"),
        pytest.param({"code_challenge": ""}, id="empty"),
        pytest.param({"code_challenge": "a" * 42}, id="42 characters"),
        pytest.param({"code_challenge": "a" * 129}, id="129 characters"),
        pytest.param({"code_challenge": CHALLENGE + "="}, id="padded"),
        pytest.param({"code_challenge": "+" + CHALLENGE[1:]}, id="wrong alphabet"),
        pytest.param({"code_challenge": CHALLENGE + "\n"}, id="trailing newline"),
        pytest.param({"code_challenge": "é" * 43}, id="not ASCII"),
        pytest.param({"code_challenge_method": "plain"}, id="plain"),
        pytest.param({"code_challenge_method": None}, id="plain by default"),
        pytest.param({"code_challenge_method": ""}, id="plain by an empty method"),
        pytest.param({"code_challenge_method": "s256"}, id="method in another case"),
        pytest.param({"code_challenge_method": "S512"}, id="unknown method"),
    ],
)
def test_a_request_without_a_usable_challenge_is_refused(signed_in, changes):
    answer = signed_in.authorize(**changes)

    assert answer.error == "invalid_request"
    assert "code_challenge" in answer.query["error_description"]
    assert Grant.objects.count() == 0


@spec("RFC 7636", "4.3")
def test_plain_is_taken_where_the_application_allows_it_also_unnamed(signed_in, list_app):
    list_app.allows_plain_pkce = True
    list_app.save()

    for method in ("plain", None):
        answer = signed_in.authorize(code_challenge=VERIFIER, code_challenge_method=method)
        assert signed_in.redeem(answer.code).status == 200
    assert signed_in.tokens()["access_token"]


@spec("RFC 9700", "2.1.1")
def test_without_require_pkce_a_challenge_may_be_left_out_but_not_be_malformed(signed_in, list_app):
    list_app.requires_pkce = False
    list_app.save()

    answer = signed_in.authorize(code_challenge=None, code_challenge_method=None)

    assert signed_in.redeem(answer.code, code_verifier=None).status == 200
    assert signed_in.authorize(code_challenge="short").error == "invalid_request"
    assert signed_in.authorize(code_challenge=None).error == "invalid_request"


# --- prompt, max_age, login_hint ----------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.6")
def test_prompt_none_without_a_session_is_login_required(journey):
    answer = journey.authorize(prompt="none", state="s")

    assert (answer.error, answer.query["state"]) == ("login_required", "s")


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_a_fresh_sign_in_is_asked_for_once_and_gives_a_newer_auth_time(openid, prompt):
    def auth_time(answer: Answer) -> int:
        token = openid.redeem(answer.code).json["id_token"]
        return jwt.decode(token, options={"verify_signature": False})["auth_time"]

    session = openid.browser.session
    session["oidc_pkce.auth_time"] -= 100
    session.save()
    before = auth_time(openid.authorize(scope="openid"))
    owed = openid.authorize(scope="openid", prompt=prompt)
    answer = openid.sign_in(owed, "ada")
    if "consent" in prompt:
        answer = openid.decide(answer)

    assert auth_time(answer) >= before + 100


@spec("OpenID Connect Core", "3.1.2.1")
def test_an_old_session_is_too_old_for_max_age_and_not_for_a_larger_one(openid):
    session = openid.browser.session
    session["oidc_pkce.auth_time"] -= 100
    session.save()

    assert "/OAuth2/Login/" in openid.authorize(max_age="99").location
    assert "/OAuth2/Login/" in openid.authorize(max_age="0").location
    assert openid.authorize(max_age="99", prompt="none").error == "login_required"
    assert openid.authorize(max_age="200").code


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_sign_in_that_was_owed_satisfies_max_age_zero(journey, ada):
    assert journey.sign_in(journey.authorize(max_age="0"), "ada").code


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_login_hint_is_filled_in_and_escaped(journey):
    page = journey.follow(journey.authorize(login_hint='ada"><script>'))

    assert 'value="ada&quot;&gt;&lt;script&gt;"' in page.html


# --- who may ------------------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_who_lacks_the_run_right_is_denied(ada, bob, prompt):
    app = make_application(everybody=False)
    Permission.objects.create(application=app, principal=Principal.USER, user=ada)
    Permission.objects.create(application=app, principal=Principal.USER, user=bob, can_run=False)

    assert Journey(app).log_in(ada).authorize(prompt=prompt).code
    assert Journey(app).log_in(bob).authorize(prompt=prompt, state="s").query == {
        "error": "access_denied",
        "error_description": "access denied",
        "state": "s",
        "iss": "https://id.example.com/my_app/",
    }


def test_a_group_gives_the_right_to_its_members_alone(ada, bob):
    app = make_application(everybody=False)
    group = Group.objects.create(name="makers")
    Permission.objects.create(application=app, principal=Principal.GROUP, group=group)
    ada.groups.add(group)

    assert Journey(app).log_in(ada).authorize().code
    assert Journey(app).log_in(bob).authorize().error == "access_denied"


def test_a_right_on_another_application_is_none_on_this_one(ada):
    app = make_application(everybody=False)
    other = make_application(application_id="other")
    Permission.objects.create(application=other, principal=Principal.USER, user=ada)

    assert Journey(app).log_in(ada).authorize().error == "access_denied"


def test_a_disabled_application_serves_nobody(signed_in, list_app):
    list_app.enabled = False
    list_app.save()

    assert signed_in.authorize().error == "access_denied"
    assert signed_in.authorize(prompt="none").error == "access_denied"
    assert is_page(signed_in.authorize(redirect_uri="https://evil.example/"))


def test_a_service_user_with_a_session_is_denied(list_app, db):
    robot = make_user("robot")
    make_service_user(robot)

    assert Journey(list_app).log_in(robot).authorize().error == "access_denied"


def test_an_inactive_user_whose_session_the_host_still_reads_is_denied(signed_in, ada, settings):
    backend = "django.contrib.auth.backends.AllowAllUsersModelBackend"
    settings.AUTHENTICATION_BACKENDS = [backend]
    signed_in.browser.force_login(ada, backend=backend)
    get_user_model().objects.update(is_active=False)

    assert signed_in.authorize().error == "access_denied"


# --- what is written when -----------------------------------------------------------------------


@spec("RFC 6819", "4.4.1.11")
def test_nothing_but_traces_is_written_before_somebody_has_signed_in(journey):
    journey.follow(journey.authorize())
    journey.authorize(method="post")
    journey.authorize(prompt="none")
    journey.authorize(client_id="unknown")
    Answer(journey.browser.get("/OAuth2/Confirm/my_app"))

    for model in (Session, Grant, Consent, AuthorizationCode):
        assert model.objects.count() == 0, model
    assert "sessionid" not in journey.browser.cookies


@spec("RFC 6749", "4.1.2")
def test_a_code_is_kept_as_its_digest_and_lives_for_a_minute(signed_in):
    code = signed_in.authorize().code
    row = AuthorizationCode.objects.get()

    assert bytes(row.digest) == hashlib.sha256(code.encode()).digest()
    assert timedelta(seconds=55) < row.expires_at - timezone.now() <= timedelta(seconds=60)


@spec("RFC 9207", "2")
def test_the_issuer_is_never_taken_from_the_host_header(signed_in):
    answer = Answer(
        signed_in.browser.get(
            signed_in.url("Authorize"),
            signed_in.parameters(),
            headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
        )
    )
    anonymous = Answer(
        Browser().get(
            signed_in.url("Authorize"), signed_in.parameters(), headers={"Host": "evil.example"}
        )
    )

    assert answer.query["iss"] == "https://id.example.com/my_app/"
    assert anonymous.location.startswith("https://id.example.com/OAuth2/Login/my_app?")


@spec("RFC 9207", "2")
def test_a_configured_issuer_is_used_character_for_character(signed_in, list_app):
    list_app.issuer = "https://tenant.example/My_App/"
    list_app.save()

    answer = signed_in.authorize()

    assert dict(parse_qsl(urlsplit(answer.location).query))["iss"] == list_app.issuer


@spec("RFC 6749", "3.1")
@pytest.mark.parametrize(("length", "fits"), [(1000, True), (2000, True), (8000, False)])
def test_a_request_survives_the_sign_in_or_is_refused_before_it(journey, ada, length, fits):
    state, nonce, hint = (
        secrets.token_urlsafe(length)[:size] for size in (4096, min(length, 2000), length)
    )

    answer = journey.authorize(state=state, nonce=nonce, login_hint=hint)

    if fits:
        assert journey.sign_in(answer, "ada").query["state"] == state
    else:
        assert is_page(answer)
        assert "the request is too long" in answer.html
        assert last_trace().failed_check == "authorize.length"


# --- id_token_hint -------------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_hint_of_the_person_who_is_signed_in_changes_nothing(openid):
    hint = openid.tokens(scope="openid")["id_token"]

    assert openid.authorize(scope="openid", prompt="none", id_token_hint=hint).code


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_hint_of_somebody_else_is_never_answered_for_who_is_signed_in(openid, bob):
    hint = openid.tokens(scope="openid")["id_token"]
    stranger = Journey(openid.application, client_id=openid.client_id).log_in(bob)

    silent = stranger.authorize(scope="openid", prompt="none", id_token_hint=hint)
    assert silent.error == "login_required"
    assert "/OAuth2/Login/" in stranger.authorize(scope="openid", id_token_hint=hint).location


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_hint_that_is_forged_foreign_or_no_id_token_is_refused(openid, signed_in, list_app):
    tokens = openid.tokens(scope="openid")
    list_app.scopes.create(name="openid")
    foreign = signed_in.tokens(scope="openid")["id_token"]

    for hint in ("x", "a.b.c", tokens["id_token"][:-4] + "AAAA", tokens["access_token"], foreign):
        answer = openid.authorize(scope="openid", prompt="none", id_token_hint=hint)
        assert answer.error == "invalid_request", hint


@spec("RFC 9110", "9.3.2")
def test_head_gives_nobody_a_code(signed_in):
    answer = signed_in.browser.head(signed_in.url("Authorize"), signed_in.parameters())

    assert answer.status_code == 405
    assert not Grant.objects.exists()


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_nonce_that_would_not_fit_into_a_token_is_refused_at_once(openid):
    assert openid.authorize(scope="openid", nonce="名" * 1000).error == "invalid_request"
    nonce = "n" * 2000
    token = openid.tokens(scope="openid", nonce=nonce)["access_token"]
    assert openid.userinfo(token).status == 200


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("asks", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_sign_in_for_another_request_is_no_fresh_one(journey, ada, asks):
    """Whoever prepared the request may have waited for somebody to sign in."""
    prepared = journey.authorize(**asks)
    journey.sign_in(journey.authorize(), "ada")

    page = journey.follow(prepared)

    assert not page.location
    assert 'name="password"' in page.html
    assert journey.sign_in(prepared, "ada").code


@spec("RFC 6749", "4.1.1")
@pytest.mark.parametrize("client_id", ["Google\u202egro.live", "my\u200bapp", " app", "a\nb"])
def test_a_client_id_that_would_mislead_a_person_is_refused(ada, db, client_id):
    anything = make_application(client_id_type="Anything", client_ids=[])

    assert is_page(Journey(anything, client_id=client_id).authorize())
