"""The scope parameter, as RFC 6749 §3.3 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol import scope
from oidc_pkce.protocol.errors import InvalidScope
from tests.spec import spec

TOKEN_CHARACTERS = "".join(chr(n) for n in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)))
tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=255)


@spec("RFC 6749", "3.3")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("   ", ()),
        ("openid", ("openid",)),
        ("openid profile", ("openid", "profile")),
        ("openid   profile ", ("openid", "profile")),
        ("b a b a", ("b", "a")),
        ("Read read", ("Read", "read")),
        ("urn:x:y https://api.example/read !#~", ("urn:x:y", "https://api.example/read", "!#~")),
    ],
)
def test_a_scope_is_a_list_of_tokens_with_spaces_between(text, expected):
    assert scope.parse(text) == expected


@spec("RFC 6749", "3.3")
@pytest.mark.parametrize("mark", list('"\\\t\n\r\0\x7fé\xa0\u2028\ud800'))
def test_a_character_outside_the_grammar_is_refused(mark):
    with pytest.raises(InvalidScope) as refusal:
        scope.parse(f"openid a{mark}b")

    assert mark not in refusal.value.description


@spec("RFC 6749", "3.3")
def test_a_trailing_newline_is_no_part_of_a_token():
    with pytest.raises(InvalidScope):
        scope.parse("openid\n")


def test_the_number_and_the_length_of_tokens_are_bounded():
    longest = "a" * 255
    assert scope.parse(longest) == (longest,)
    assert len(scope.parse(" ".join(f"s{n}" for n in range(100)))) == 100

    for evil in (longest + "a", "a " * 101, "a " * 1_000_000, "a" * 1_000_000):
        with pytest.raises(InvalidScope):
            scope.parse(evil)


@given(st.lists(tokens, max_size=20))
def test_what_is_rendered_reads_back(wanted):
    assert scope.parse(scope.render(wanted)) == tuple(dict.fromkeys(wanted))


@given(st.text())
def test_any_text_is_tokens_or_a_refusal(text):
    try:
        found = scope.parse(text)
    except InvalidScope:
        return

    assert set(found) == {piece for piece in text.split(" ") if piece}
    assert all(set(token) <= set(TOKEN_CHARACTERS) for token in found)


@spec("OpenID Connect Core", "5.4")
def test_the_standard_scopes_ask_for_their_claims():
    assert list(scope.STANDARD) == [
        "openid",
        "profile",
        "email",
        "address",
        "phone",
        "offline_access",
    ]
    assert scope.STANDARD["email"] == ("email", "email_verified")
    assert scope.STANDARD["phone"] == ("phone_number", "phone_number_verified")
    assert len(scope.STANDARD["profile"]) == 14
    with pytest.raises(TypeError):
        scope.STANDARD["admin"] = ("is_superuser",)
