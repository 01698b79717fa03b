"""The mistakes that are made again and again are recognised, and nothing else is."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol import pkce, redirect_uri, scope
from oidc_pkce.protocol.near_miss import NearMiss, closest_first, of_word
from oidc_pkce.protocol.pkce import PLAIN, S256, Challenge
from tests.journeys import CHALLENGE, VERIFIER, s256

CALLBACK = "https://app.example/callback"
N = NearMiss
UNHASHED = "x" * 43  # 32 bytes never end so in base64url: the last two bits are not zero
STANDARD = VERIFIER.replace("-", "+").replace("_", "/")


def hexadecimal(text):
    return hashlib.sha256(text.encode()).hexdigest()


def base64(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("registered", "received", "misses"),
    [
        (CALLBACK, CALLBACK + "/", [N.TRAILING_SLASH]),
        (CALLBACK + "/", CALLBACK, [N.TRAILING_SLASH]),
        (CALLBACK, "http://app.example/callback", [N.SCHEME]),
        (CALLBACK, "https://app.example:8443/callback", [N.PORT]),
        (CALLBACK, "https://app.example/Callback", [N.LETTER_CASE]),
        (CALLBACK, "HTTPS://app.example/callback", [N.LETTER_CASE]),
        (CALLBACK, f"{CALLBACK} ", [N.WHITE_SPACE]),
        (CALLBACK, "https%3A%2F%2Fapp.example%2Fcallback", [N.DOUBLE_ENCODING]),
        (CALLBACK, f"{CALLBACK}?tab=1", [N.QUERY]),
        (CALLBACK, f"{CALLBACK}#/signed-in", [N.FRAGMENT]),
        (CALLBACK, "https://app.example/elsewhere", [N.PATH]),
        ("http://localhost:80/cb", "http://127.0.0.1:80/cb", [N.LOOPBACK_NAME]),
        (CALLBACK, "http://app.example/callback/", [N.TRAILING_SLASH, N.SCHEME]),
        (CALLBACK, "https://evil.example/callback", []),
        (CALLBACK, "", []),
    ],
)
def test_a_redirect_uri_that_is_nearly_right_has_a_name(registered, received, misses):
    found = redirect_uri.mismatch(["https://other.example/cb", registered], received)

    assert list(found.near_misses) == misses
    if misses:
        assert found.candidates[0] == registered


def test_candidates_come_closest_first():
    far, near, nearer = "https://x.example/", "https://app.example/x", "https://app.example/callbac"

    assert closest_first([far, near, nearer], CALLBACK) == (nearer, near, far)


@pytest.mark.parametrize(
    ("received", "misses"),
    [
        ("my_app", []),
        (" my_app\n", [N.WHITE_SPACE]),
        ("My_App", [N.LETTER_CASE]),
        (" MY_APP", [N.WHITE_SPACE, N.LETTER_CASE]),
        ("your_app", []),
        ("", []),
    ],
)
def test_a_word_that_is_nearly_a_known_one_has_a_name(received, misses):
    assert list(of_word(["other", "my_app"], received)) == misses


@pytest.mark.parametrize(
    ("verifier", "challenge", "method", "misses"),
    [
        (CHALLENGE, CHALLENGE, S256, [N.CHALLENGE_AS_VERIFIER]),
        (UNHASHED, UNHASHED, S256, [N.VERIFIER_AS_CHALLENGE]),
        ("y" * 64, "y" * 64, S256, [N.VERIFIER_AS_CHALLENGE]),
        (VERIFIER, CHALLENGE, PLAIN, [N.METHOD_LEFT_OUT]),
        (VERIFIER, hexadecimal(VERIFIER), S256, [N.HEXADECIMAL]),
        (VERIFIER, base64(hexadecimal(VERIFIER).encode()), S256, [N.HEXADECIMAL]),
        (VERIFIER, s256(CHALLENGE), S256, [N.HASHED_TWICE]),
        (
            VERIFIER,
            base64(hashlib.sha256(urlsafe_b64decode(VERIFIER + "=")).digest()),
            S256,
            [N.HASHED_BYTES],
        ),
        (VERIFIER + "=", s256(VERIFIER + "="), S256, [N.PADDING]),
        (VERIFIER + "=", CHALLENGE, S256, [N.PADDING]),
        (STANDARD, s256(STANDARD), S256, [N.STANDARD_BASE64]),
        (STANDARD, CHALLENGE, S256, [N.STANDARD_BASE64]),
        (f"{VERIFIER}\n", CHALLENGE, S256, [N.WHITE_SPACE]),
        ("short", s256("short"), S256, [N.VERIFIER_LENGTH]),
        ("z" * 43, CHALLENGE, S256, []),
        ("z" * 43, CHALLENGE, PLAIN, []),
    ],
)
def test_a_verifier_that_nearly_fits_has_a_name(verifier, challenge, method, misses):
    made = Challenge(challenge, method)

    assert not made.matches(verifier)
    assert list(pkce.near_misses(verifier, made)) == misses


@pytest.mark.parametrize(
    ("challenge", "misses"),
    [
        (CHALLENGE + "=", [N.PADDING]),
        ("+" * 43, [N.STANDARD_BASE64]),
        (" ".join(("a" * 21, "b" * 21)), [N.STANDARD_BASE64]),
        (f"{CHALLENGE} ", [N.WHITE_SPACE]),
        ("short", []),
        ("é" * 43, []),
    ],
)
def test_a_malformed_challenge_that_is_nearly_right_has_a_name(challenge, misses):
    assert list(pkce.near_misses_of_challenge(challenge)) == misses


@pytest.mark.parametrize(
    ("name", "misses"),
    [
        ("openid,profile", [N.COMMAS]),
        ("openid,profile,", [N.COMMAS]),
        ("OpenID", [N.LETTER_CASE]),
        ("openid,unknown", []),
        (",", []),
        ("unknown", []),
    ],
)
def test_a_scope_that_is_nearly_known_has_a_name(name, misses):
    assert list(scope.near_misses({"openid", "profile"}, name)) == misses


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from([S256, PLAIN, "x"]))
def test_no_text_makes_the_recognition_raise(verifier, challenge, method):
    pkce.near_misses(verifier, Challenge(challenge, method))
    pkce.near_misses_of_challenge(challenge)
    of_word([challenge], verifier)
    closest_first([challenge, verifier], verifier)


@given(st.binary(min_size=32, max_size=96))
def test_a_right_verifier_is_never_asked_for_its_mistake(raw):
    verifier = base64(raw)

    assert Challenge(s256(verifier), S256).matches(verifier)
