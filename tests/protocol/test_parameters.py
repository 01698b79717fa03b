"""Request parameters: each once, readable, bounded (RFC 6749 §3.1, §3.2)."""

import re
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol.errors import InvalidRequest
from oidc_pkce.protocol.parameters import MAX_FIELDS, MAX_VALUE_LENGTH, Parameters
from tests.spec import spec

NAMES = (
    {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age"}
    | {"code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "acr_values"}
    | {"claims", "response_mode", "ui_locales", "display"}
    | {"grant_type", "code", "code_verifier", "client_secret", "refresh_token", "username"}
    | {"password", "unknown"}
)


def refusal_of(parameters: Parameters, **options) -> str | None:
    try:
        parameters.require_wellformed(**options)
    except InvalidRequest as error:
        return error.description
    return None


@spec("RFC 6749", "B")
@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        (b"state=a%20b+c", "state", "a b c"),
        (b"state=a%2Bb", "state", "a+b"),
        (b"state=%C3%A9", "state", "é"),
        ("state=\u00c3\u00a9", "state", "é"),
        ("state=%E2%82%AC", "state", "€"),
        (b"st%61te=x", "state", "x"),
        (b"state=a=b==", "state", "a=b=="),
        (b"state=100%", "state", "100%"),
        (b"state=%zz", "state", "%zz"),
        (b"state=a;b=c", "state", "a;b=c"),
        (b"?state=x", "?state", "x"),
    ],
)
def test_a_value_is_form_decoded_as_utf_8(query, name, value):
    found = Parameters.parse(query)

    assert found.get(name) == value
    assert refusal_of(found) is None


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=50)), max_size=20))
def test_a_query_that_was_written_is_read_as_the_same_values(pairs):
    found = Parameters.from_pairs(pairs)
    again = Parameters.parse(found.as_query())

    assert found.as_query().isascii()
    assert [(name, again.all(name)) for name in again.names] == [
        (name, found.all(name)) for name in found.names
    ]
    assert not again.malformed


def test_what_published_clients_leave_unencoded_is_understood():
    found = Parameters.parse(
        b"scope=openid profile email&redirect_uri=https://app.example/cb?tenant=1&x=2"
    )

    assert found.get("scope") == "openid profile email"
    assert found.get("redirect_uri") == "https://app.example/cb?tenant=1"


@spec("RFC 6749", "3.1")
@pytest.mark.parametrize("query", [b"", b"state", b"state=", b"&&state=&", b"other=1"])
def test_a_parameter_without_a_value_counts_as_left_out(query):
    found = Parameters.parse(query)

    assert found.get("state") is None
    assert found.all("state") == ()
    assert "state" not in found.names
    assert refusal_of(found) is None


@spec("RFC 6749", "3.1")
@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("second", ["same", "other", ""])
def test_no_parameter_may_stand_twice(name, second):
    once, twice = f"{name}=same".encode(), f"{name}={second}".encode()

    for found in (
        Parameters.parse(once + b"&" + twice),
        Parameters.parse(twice + b"&" + once),
        Parameters.parse(b"", once + b"&" + twice),
        Parameters.parse(query=once, body=twice),
        Parameters.from_pairs([(name, "same"), (name, second)]),
    ):
        assert found.repeated == {name}
        assert refusal_of(found) == f"the parameter {name} is repeated"


@spec("RFC 6749", "3.1")
def test_two_spellings_of_a_name_are_one_name():
    assert Parameters.parse(b"client_id=a&client%5Fid=b").repeated == {"client_id"}
    assert Parameters.parse(b"client_id=a&CLIENT_ID=b").repeated == frozenset()


@spec("RFC 8707", "2")
def test_resource_may_be_repeated_unless_the_caller_says_no():
    found = Parameters.parse(b"resource=https://a.example&resource=https://b.example")

    assert found.all("resource") == ("https://a.example", "https://b.example")
    assert found.get("resource") == "https://a.example"
    assert refusal_of(found) is None
    assert refusal_of(found, may_repeat=frozenset()) == "the parameter resource is repeated"


@spec("RFC 6749", "B")
@pytest.mark.parametrize(
    "value",
    [b"%ff", b"\xff", b"%C3", b"%C0%80", b"%ED%A0%80", b"a%00b", b"a\x00b", b"%F5%80%80%80"],
)
def test_bytes_that_are_no_text_are_refused_by_name(value):
    found = Parameters.parse(b"client_id=app&state=" + value)

    assert found.get("client_id") == "app"
    assert found.get("state") is None
    assert refusal_of(found) == "the parameter state is not UTF-8 text"


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\udfff"])
def test_pairs_that_are_no_text_are_refused_too(text):
    assert "state" in Parameters.from_pairs([("state", text)]).malformed
    assert Parameters.from_pairs([(text, "x")]).malformed


def test_a_value_may_be_as_long_as_the_limit_and_no_longer():
    longest = "a" * MAX_VALUE_LENGTH
    assert Parameters.parse(f"state={longest}".encode()).get("state") == longest
    assert Parameters.parse(b"state=" + b"%F0%9F%98%80" * MAX_VALUE_LENGTH).get("state")

    for value in (longest + "a", "a" * 1_000_000, "%41" * 1_000_000, "%ff" * 1_000_000):
        found = Parameters.parse(f"state={value}".encode())
        assert found.get("state") is None
        assert refusal_of(found) == "the parameter state is too long"


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"p{n}=1" for n in range(MAX_FIELDS + 1)).encode(),
        b"&".join([b"resource=x"] * 100_000),
        b"p" * 101 + b"=1",
        b"\xff=1",
        b"a%00b=1",
        b"%ff=1",
    ],
)
def test_too_many_fields_and_bad_names_are_refused_without_showing_them(query):
    found = Parameters.parse(query)

    assert set(found.malformed) == {"?"}
    assert refusal_of(found)


def test_the_fields_of_query_and_body_are_counted_together():
    half = "&".join(f"p{n}=1" for n in range(MAX_FIELDS // 2))
    rest = half.replace("p", "q")

    assert refusal_of(Parameters.parse(half, rest.encode())) is None
    assert refusal_of(Parameters.parse(half, f"{rest}&one=more".encode()))
    assert refusal_of(Parameters.parse(b"&" * 5000 + b"a=1&b=2")) is None


@pytest.mark.parametrize("name", ["é", 'a"b', "a\\b", "a\nb", "\u202ea", "a b", ""])
def test_a_name_that_a_description_cannot_hold_is_shown_as_a_question_mark(name):
    found = Parameters.from_pairs([(name, "1"), (name, "2")])

    assert refusal_of(found) == "the parameter ? is repeated"


def test_no_value_reaches_a_log_line():
    found = Parameters.parse(b"client_secret=canary-1&code=canary-2&%ff=canary-3", b"code=canary-4")

    assert "canary" not in repr(found)
    assert "canary" not in refusal_of(found)


def test_names_keep_the_order_of_arrival():
    assert Parameters.parse(b"b=1&a=2&c=", b"d=3").names == ("b", "a", "d")


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)


@given(st.dictionaries(names, values, max_size=20), st.sampled_from([quote, quote_plus]))
def test_whatever_is_encoded_reads_back(wanted, quoting):
    kept = {name: value for name, value in wanted.items() if value}

    for found in (
        Parameters.parse(urlencode(wanted, quote_via=quoting).encode()),
        Parameters.parse(b"", urlencode(wanted, quote_via=quoting).encode()),
        Parameters.from_pairs(wanted.items()),
    ):
        assert {name: found.get(name) for name in found.names} == kept
        assert refusal_of(found) is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_make_reading_raise(query, body):
    found = Parameters.parse(query, body)

    assert all(value and "\0" not in value for name in found.names for value in found.all(name))
    assert is_sendable(refusal_of(found))


@given(st.text())
def test_no_text_makes_reading_raise(query):
    assert is_sendable(refusal_of(Parameters.parse(query)))


@spec("RFC 6749", "5.2")
@given(st.lists(st.tuples(st.text(), st.text())))
def test_a_refusal_holds_only_what_a_description_may_hold(pairs):
    assert is_sendable(refusal_of(Parameters.from_pairs([*pairs, *pairs])))


def is_sendable(description: str | None) -> bool:
    return description is None or re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", description)
