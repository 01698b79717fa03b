"""The algebra of scopes, against whatever Hypothesis thinks of: a refresh only narrows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol import scope
from oidc_pkce.protocol.client_authentication import Client
from oidc_pkce.protocol.errors import InvalidScope, InvalidTarget
from oidc_pkce.protocol.grants.refresh_token import (
    RefreshQuestion,
    RefreshRequest,
    RefreshTokenFacts,
    scope_only_narrows,
)
from oidc_pkce.protocol.token import resources_are_granted
from tests.spec import spec

CHARACTERS = "".join(chr(n) for n in (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)))
NOW = datetime(2001, 1, 1, tzinfo=UTC)

tokens = st.one_of(
    st.sampled_from(["read", "write", "admin", "Read", "openid", "read:all"]),
    st.text(CHARACTERS, min_size=1, max_size=20),
)
scopes = st.lists(tokens, max_size=12)
texts = st.builds(
    lambda words, gap: f"{gap}{f' {gap}'.join(words)}{gap}",
    scopes,
    st.sampled_from(["", " ", "  "]),
)
resources = st.lists(st.sampled_from([f"https://api.example/{n}" for n in range(4)]), max_size=4)


def asking(granted: str, asked: str | None, of: Any = (), wanted: Any = ()) -> RefreshQuestion:
    """A refresh of a token with these scopes and resources that asks for those."""
    stored = RefreshTokenFacts(
        application_pk=1,
        client_id="c",
        was_authenticated=False,
        scope=granted,
        resources=tuple(of),
        seed=b"",
        expires_at=NOW,
        used_at=None,
        grant_is_revoked=False,
    )
    request = RefreshRequest("token", asked, tuple(wanted))
    nobody: Any = None
    return RefreshQuestion(request, nobody, Client("c"), stored, None, timedelta(0), NOW)


def narrowed(granted: str, asked: str | None) -> tuple[str, ...] | None:
    """What a refresh gives, or nothing when it is refused."""
    question = asking(granted, asked)
    try:
        scope_only_narrows(question)
    except InvalidScope:
        return None
    return question.scopes


@spec("RFC 6749", "3.3")
@given(texts)
def test_reading_what_was_written_changes_nothing(text):
    found = scope.parse(text)

    assert scope.parse(scope.render(found)) == found
    assert len(set(found)) == len(found)
    assert set(found) == set(text.split())


@spec("RFC 6749", "3.3")
@given(texts, texts)
def test_two_lists_side_by_side_are_their_union_in_order(one, other):
    both = scope.parse(f"{one} {other}")

    assert both == tuple(dict.fromkeys((*scope.parse(one), *scope.parse(other))))
    assert set(both) == set(scope.parse(f"{other} {one}"))


@spec("RFC 6749", "6")
@given(scopes, texts)
def test_a_refresh_gives_exactly_what_is_asked_when_all_of_it_was_granted(granted, asked):
    text = scope.render(scope.parse(" ".join(granted)))
    found = narrowed(text, asked)

    if set(scope.parse(asked)) <= set(granted):
        assert found == scope.parse(asked)
    else:
        assert found is None


@spec("RFC 6749", "6")
@given(scopes)
def test_a_refresh_that_asks_for_nothing_gives_all_that_was_granted(granted):
    text = scope.render(scope.parse(" ".join(granted)))

    assert narrowed(text, None) == scope.parse(text)


@spec("RFC 6749", "6")
@given(scopes, texts, texts)
def test_no_order_of_narrowings_ever_widens(granted, first, second):
    text = scope.render(scope.parse(" ".join(granted)))
    once = narrowed(text, first)
    if once is None:
        return
    # The successor keeps the whole scope: the second narrowing is judged by the same one.
    twice = narrowed(text, second)
    assert twice is None or set(twice) <= set(granted)
    inner = narrowed(scope.render(once), second)
    if inner is not None:
        assert twice == inner  # what a part allows, the whole allows as well


@spec("RFC 6749", "6")
@given(scopes, st.text(max_size=40))
def test_no_text_at_all_gets_a_scope_that_was_not_granted(granted, asked):
    text = scope.render(scope.parse(" ".join(granted)))
    found = narrowed(text, asked)

    assert found is None or set(found) <= set(granted)


@spec("RFC 8707", "2.2")
@given(resources, resources)
def test_resources_narrow_just_so(granted, asked):
    question = asking("", None, granted, asked)

    if wider := set(asked) - set(granted):
        with pytest.raises(InvalidTarget) as refusal:
            resources_are_granted(question)
        assert refusal.value.received in wider
    else:
        resources_are_granted(question)
