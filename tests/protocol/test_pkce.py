"""Proof Key for Code Exchange, as RFC 7636 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol import pkce
from tests.spec import spec

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


@spec("RFC 7636", "B")
def test_the_published_verifier_makes_the_published_challenge():
    assert pkce.s256(VERIFIER) == CHALLENGE


@spec("RFC 7636", "4.6")
def test_the_verifier_that_made_a_challenge_matches_it():
    assert pkce.Challenge(CHALLENGE, pkce.S256).matches(VERIFIER)
    assert pkce.Challenge(VERIFIER, pkce.PLAIN).matches(VERIFIER)


@spec("RFC 7636", "4.6")
@pytest.mark.parametrize(
    ("value", "method", "verifier"),
    [
        pytest.param(CHALLENGE, "S256", "a" * 43, id="another verifier"),
        pytest.param(CHALLENGE, "S256", CHALLENGE, id="the challenge itself"),
        pytest.param(CHALLENGE, "plain", VERIFIER, id="method swapped to plain"),
        pytest.param(VERIFIER, "S256", VERIFIER, id="method swapped to S256"),
        pytest.param(CHALLENGE, "s256", VERIFIER, id="method in another case"),
        pytest.param(VERIFIER, "", VERIFIER, id="no method"),
        pytest.param(CHALLENGE, "S256", VERIFIER + "\n", id="trailing newline"),
        pytest.param(VERIFIER + "\n", "plain", VERIFIER + "\n", id="both with a newline"),
        pytest.param(CHALLENGE + "=", "S256", VERIFIER, id="padded challenge"),
        pytest.param(CHALLENGE, "S256", "", id="empty verifier"),
        pytest.param("", "plain", "", id="empty challenge and verifier"),
        pytest.param("é" * 43, "plain", "é" * 43, id="outside ASCII"),
        pytest.param("\ud800" * 43, "plain", VERIFIER, id="no text at all"),
        pytest.param("short", "plain", "short", id="too short"),
    ],
)
def test_nothing_else_matches(value, method, verifier):
    assert not pkce.Challenge(value, method).matches(verifier)


@spec("RFC 7636", "4.1")
@pytest.mark.parametrize("length", [43, 44, 48, 64, 127, 128])
def test_a_verifier_has_43_to_128_characters(length):
    assert pkce.is_wellformed("a" * length)


@spec("RFC 7636", "4.1")
@pytest.mark.parametrize("length", [0, 1, 42, 129, 100_000])
def test_a_verifier_has_neither_less_nor_more(length):
    assert not pkce.is_wellformed("a" * length)


@spec("RFC 7636", "4.1")
@pytest.mark.parametrize("mark", list(' +/=%&\n\r\t\0"\\:@é\u0661\u2028'))
def test_a_verifier_holds_unreserved_characters_only(mark):
    assert not pkce.is_wellformed("a" * 43 + mark)
    assert not pkce.is_wellformed(mark + "a" * 43)


@spec("RFC 7636", "4.2")
@given(st.text(UNRESERVED, min_size=43, max_size=128), st.text(UNRESERVED, min_size=43))
def test_a_challenge_fits_its_own_verifier_and_no_other(verifier, other):
    challenge = pkce.Challenge(pkce.s256(verifier), pkce.S256)

    assert pkce.is_wellformed(challenge.value)
    assert challenge.matches(verifier)
    assert challenge.matches(other) == (other == verifier)


@spec("RFC 7636", "4.6")
@given(st.text(), st.sampled_from(["S256", "plain", "other"]), st.text())
def test_no_text_makes_the_comparison_raise(value, method, verifier):
    assert pkce.Challenge(value, method).matches(verifier) in (True, False)
