"""Authorization responses: query, fragment, form_post (RFC 6749 §4.1.2, RFC 9207)."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol import response_mode
from oidc_pkce.protocol.response_mode import AuthorizationResponse
from tests.spec import spec

CALLBACK = "https://app.example/cb"
ISSUER = "https://op.example/app/"


def grant(uri=CALLBACK, mode="query", **changes):
    answer = {"response_type": "code", "issuer": ISSUER, "state": "s", "code": "c"}
    return response_mode.success(uri, mode, **{**answer, **changes})


def refuse(uri=CALLBACK, mode="query", **changes):
    answer = {"error": "invalid_scope", "description": "no", "issuer": ISSUER, "state": "s"}
    return response_mode.error(uri, mode, **{**answer, **changes})


@spec("RFC 6749", "4.1.2")
def test_the_code_stands_last_in_a_query():
    assert grant().location() == (
        "https://app.example/cb?state=s&responseType=code"
        "&iss=https%3A%2F%2Fop.example%2Fapp%2F&code=c"
    )


@spec("RFC 6749", "4.1.2")
@pytest.mark.parametrize("state", ["code=x", "a&code=x", "?code=", "responseType=code=1"])
def test_all_that_follows_the_first_code_is_the_code(state):
    location = grant(state=state, code="the-code").location()

    assert location.partition("code=")[2] == "the-code"


@spec("RFC 6749", "4.1.2")
def test_state_travels_only_when_it_was_sent():
    assert grant(state=None).fields[0] == ("responseType", "code")
    assert ("state", "s") not in refuse(state=None).fields


@spec("OAuth 2.0 Multiple Response Types", "5")
def test_tokens_stand_before_the_code_in_a_fragment():
    answer = grant(
        mode="fragment",
        response_type="code id_token token",
        front_channel=[("access_token", "a"), ("token_type", "Bearer"), ("id_token", "i")],
    )

    assert answer.location() == (
        "https://app.example/cb#state=s&responseType=code%2C%20id_token%2C%20token"
        "&iss=https%3A%2F%2Fop.example%2Fapp%2F"
        "&access_token=a&token_type=Bearer&id_token=i&code=c"
    )


@spec("OAuth 2.0 Multiple Response Types", "5")
def test_a_token_never_travels_in_a_query():
    with pytest.raises(ValueError, match="never"):
        grant(front_channel=[("access_token", "a")])


@spec("RFC 6749", "4.2.2")
def test_an_answer_without_a_code_has_no_code_field():
    answer = grant(
        mode="fragment", response_type="id_token", code=None, front_channel=[("id_token", "i")]
    )

    assert [name for name, _ in answer.fields] == ["state", "responseType", "iss", "id_token"]


@spec("RFC 6749", "3.1.2")
@pytest.mark.parametrize(
    ("uri", "beginning"),
    [
        ("https://app.example", "https://app.example?state="),
        ("https://app.example/cb", "https://app.example/cb?state="),
        ("https://app.example/cb?", "https://app.example/cb?state="),
        ("https://app.example/cb?x=1", "https://app.example/cb?x=1&state="),
        ("https://app.example/cb?x=1&", "https://app.example/cb?x=1&state="),
        ("https://app.example/cb?x=%20", "https://app.example/cb?x=%20&state="),
        ("com.example.app:/cb", "com.example.app:/cb?state="),
        ("myapp://cb", "myapp://cb?state="),
    ],
)
def test_a_query_of_the_redirect_uri_is_kept(uri, beginning):
    assert grant(uri).location().startswith(beginning)
    assert grant(uri, "fragment").location().startswith(f"{uri}#state=")


@spec("RFC 6749", "4.1.2.1")
def test_a_refusal_has_its_fields_in_order():
    assert refuse().fields == (
        ("error", "invalid_scope"),
        ("error_description", "no"),
        ("state", "s"),
        ("iss", ISSUER),
    )
    assert refuse(description="").fields[1] == ("state", "s")


@spec("RFC 6749", "4.1.2.1")
@given(st.text())
def test_a_description_keeps_to_the_allowed_characters(description):
    sent = dict(refuse(description=description).fields).get("error_description", "")

    assert len(sent) == len(description)
    assert all("\x20" <= c <= "\x7e" and c not in '"\\' for c in sent)


def test_a_description_stays_legible():
    description = dict(refuse(description='scope "a\\b" → naïve\n').fields)["error_description"]

    assert description == "scope 'a/b' ? na?ve?"


@spec("OAuth 2.0 Form Post Response Mode", "2")
def test_a_form_holds_the_fields_as_they_are():
    answer = grant(mode="form_post", state='"><script>&')

    assert answer.redirect_uri == CALLBACK
    assert answer.fields == (
        ("state", '"><script>&'),
        ("responseType", "code"),
        ("iss", ISSUER),
        ("code", "c"),
    )
    with pytest.raises(ValueError, match="page"):
        answer.location()


@spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize(
    "uri",
    ["com.example.app:/cb", "myapp://cb", "javascript:alert(1)", "data:text/html,x", "/cb", ""],
)
def test_a_form_is_posted_to_http_and_https_only(uri):
    with pytest.raises(ValueError, match="form_post"):
        grant(uri, "form_post")
    with pytest.raises(ValueError, match="form_post"):
        AuthorizationResponse(uri, "form_post", ())
    assert refuse(uri, "form_post").mode == "query"
    assert refuse("http://localhost:3000/cb", "form_post").mode == "form_post"


def test_no_code_or_token_reaches_a_log_line():
    assert "canary" not in repr(grant(code="canary"))


printable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@spec("RFC 6749", "4.1.2")
@given(printable, printable, st.sampled_from(["query", "fragment"]))
def test_state_comes_back_byte_for_byte(state, code, mode):
    location = grant(mode=mode, state=state, code=code).location()
    sent = urlsplit(location)
    carried = sent.query if mode == "query" else sent.fragment

    assert location.isascii()
    assert not set(location) & set(" \r\n\"<>\\'")
    assert location.startswith(CALLBACK)
    assert parse_qsl(carried, strict_parsing=True) == [
        ("state", state),
        ("responseType", "code"),
        ("iss", ISSUER),
        ("code", code),
    ]
