"""What a client presents at the token endpoint (RFC 6749 §2.3.1, RFC 7617)."""

from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol.credentials import present
from oidc_pkce.protocol.errors import InvalidClient, InvalidRequest, OAuthError
from tests.spec import spec


def basic(credentials, scheme="Basic"):
    raw = credentials if isinstance(credentials, bytes) else credentials.encode()
    return f"{scheme} {b64encode(raw).decode()}"


@spec("RFC 6749", "2.3.1")
@pytest.mark.parametrize(
    ("credentials", "candidates"),
    [
        ("app:secret", (("app", "secret"),)),
        ("app:se:cret", (("app", "se:cret"),)),
        (
            "user%40example.com:s%3A%2B",
            (("user@example.com", "s:+"), ("user%40example.com", "s%3A%2B")),
        ),
        ("user@example.com:secret", (("user@example.com", "secret"),)),
        ("app:a+b", (("app", "a b"), ("app", "a+b"))),
        ("app:100%", (("app", "100%"),)),
        ("app:a%ff", (("app", "a%ff"),)),
        ("app:a%00", (("app", "a%00"),)),
        ("app:a%0a", (("app", "a%0a"),)),
        ("zoë:päss", (("zoë", "päss"),)),
    ],
)
def test_basic_credentials_are_read_decoded_and_then_raw(credentials, candidates):
    found = present(basic(credentials), None, None)

    assert found.method == "client_secret_basic"
    assert found.candidates == candidates
    assert found.in_header


@spec("RFC 7617", "2")
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc", "Basic ", " Basic"])
def test_the_scheme_is_read_in_any_case(scheme):
    assert present(basic("a:b", scheme), None, None).candidates == (("a", "b"),)


@spec("RFC 6749", "2.3.1")
def test_a_secret_in_the_body_is_taken_as_it_is():
    found = present(None, "user@example.com", "a+b%20")

    assert found.method == "client_secret_post"
    assert found.candidates == (("user@example.com", "a+b%20"),)
    assert not found.in_header


@spec("RFC 6749", "3.2.1")
@pytest.mark.parametrize("secret", [None, ""])
@pytest.mark.parametrize("header", [None, ""])
def test_a_client_id_alone_is_no_authentication(header, secret):
    found = present(header, "app", secret)

    assert found.method == "none"
    assert found.candidates == (("app", None),)


@spec("RFC 6749", "2.3.1")
@pytest.mark.parametrize("client_id", [None, "app"])
def test_an_empty_secret_in_the_header_is_no_secret(client_id):
    found = present(basic("app:"), client_id, None)

    assert found.method == "none"
    assert found.candidates == (("app", None),)
    assert found.in_header


@spec("RFC 6749", "3.2.1")
@pytest.mark.parametrize("secret", [None, "", "secret"])
@pytest.mark.parametrize("client_id", [None, ""])
def test_a_request_that_names_no_client_presents_none(client_id, secret):
    found = present(None, client_id, secret)

    assert found.method == "none"
    assert found.candidates == ()


@spec("RFC 6749", "2.3")
@pytest.mark.parametrize("client_id", [None, "app", "other"])
@pytest.mark.parametrize("header", [basic("app:secret"), basic("app:"), "Bearer x", "nonsense"])
def test_two_methods_at_once_are_refused(header, client_id):
    with pytest.raises(InvalidRequest):
        present(header, client_id, "secret")


@spec("RFC 6749", "2.3")
@pytest.mark.parametrize(
    ("credentials", "client_id", "candidates"),
    [
        ("app:secret", "app", (("app", "secret"),)),
        ("app:a+b", "app", (("app", "a b"), ("app", "a+b"))),
        ("a%40b:secret", "a@b", (("a@b", "secret"),)),
        ("a%40b:secret", "a%40b", (("a%40b", "secret"),)),
    ],
)
def test_the_same_client_id_may_stand_in_the_body_too(credentials, client_id, candidates):
    assert present(basic(credentials), client_id, None).candidates == candidates


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize("client_id", ["other", "APP", "app ", "app:secret"])
def test_another_client_id_in_the_body_is_refused(client_id):
    with pytest.raises(InvalidClient):
        present(basic("app:secret"), client_id, None)


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YTpi YTpi",
        "Basic YTpiYw",
        "Basic YTp\u00e9",
        "Basic \ud800",
        "BasicYTpi",
        "YTpi",
        "Bearer YTpi",
        "Digest username=a",
        "Negotiate YTpi",
        "Basic, YTpi",
        "Basic\tYTpi",
        basic("nocolon"),
        basic(""),
        basic(":"),
        basic(":secret"),
        basic(b"app:\xff"),
        basic("app:a\0b"),
        basic("app:a\nb"),
        basic("a\x7fpp:secret"),
        basic("app:" + "a" * 100_000),
        " ",
    ],
)
@pytest.mark.parametrize("client_id", [None, "app"])
def test_a_header_that_is_not_well_formed_basic_is_refused(header, client_id):
    with pytest.raises(InvalidClient) as refusal:
        present(header, client_id, None)

    assert refusal.value.challenge
    assert refusal.value.description == "invalid client creds"


def test_no_secret_reaches_a_log_line():
    assert "canary" not in repr(present(basic("app:canary"), None, None))
    with pytest.raises(InvalidClient) as refusal:
        present(basic("app:canary"), "other", None)
    assert "canary" not in f"{refusal.value!r} {refusal.value.detail}"


plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@spec("RFC 6749", "2.3.1")
@given(plain, plain, st.sampled_from([quote, quote_plus]))
def test_whatever_a_client_encodes_is_among_the_candidates(client_id, secret, quoting):
    encoded = f"{quoting(client_id, safe='')}:{quoting(secret, safe='')}"

    assert present(basic(encoded), None, None).candidates[0] == (client_id, secret)


@spec("RFC 7617", "2")
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":"), min_size=1),
    plain,
)
def test_what_a_client_sends_raw_is_among_the_candidates(client_id, secret):
    assert (client_id, secret) in present(basic(f"{client_id}:{secret}"), None, None).candidates


@given(st.text() | st.binary().map(basic), st.none() | st.text(), st.none() | st.text())
def test_no_text_raises_anything_but_a_refusal(header, client_id, secret):
    try:
        found = present(header, client_id, secret)
    except OAuthError:
        return

    assert found.candidates or (not header and not client_id)
    assert all(name and text != "" for name, text in found.candidates)
    assert len({text is None for _, text in found.candidates}) <= 1
