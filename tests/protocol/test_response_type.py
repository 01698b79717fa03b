"""Response types: sets that a client may write in any order (OAuth 2.0 Multiple Response Types)."""

from __future__ import annotations

from itertools import permutations

import pytest

from oidc_pkce.protocol.application import Flow
from oidc_pkce.protocol.response_type import KNOWN, ResponseType
from tests.spec import spec

CODE, IMPLICIT = Flow.AUTHORIZATION_CODE, Flow.IMPLICIT
SPELLINGS = [" ".join(order) for known in KNOWN for order in permutations(known.sent.split())]


@spec("OAuth 2.0 Multiple Response Types", "3")
@pytest.mark.parametrize("sent", SPELLINGS)
def test_the_order_says_nothing(sent):
    assert ResponseType(sent).is_known


@spec("RFC 6749", "3.1.1")
@pytest.mark.parametrize(
    "sent",
    [
        *("", " ", "Code", "CODE", "code ", " code", "code,token", "code\ttoken"),
        *("code\u00a0token", "code code", "token token", "id_token id_token token"),
        *("code  token", "none"),
        *("id_token none", "code token refresh_token", "device", "ID_token", "id token"),
    ],
)
def test_whatever_is_not_one_of_them_is_unknown(sent):
    assert not ResponseType(sent).is_known


@spec("OpenID Connect Core", "3")
@pytest.mark.parametrize(
    ("sent", "flows", "front_channel"),
    [
        ("code", {CODE}, False),
        ("token", {IMPLICIT}, True),
        ("id_token", {IMPLICIT}, True),
        ("token id_token", {IMPLICIT}, True),
        ("id_token code", {CODE, IMPLICIT}, True),
        ("token code", {CODE, IMPLICIT}, True),
        ("token id_token code", {CODE, IMPLICIT}, True),
    ],
)
def test_each_says_which_flows_it_needs_and_whether_the_browser_sees_a_token(
    sent, flows, front_channel
):
    asked = ResponseType(sent)

    assert set(asked.flows) == flows
    assert asked.is_front_channel is front_channel
    assert asked.has_code is ("code" in sent)
    assert asked.has_id_token is ("id_token" in sent.split())
    assert asked.has_token is ("token" in sent.split())


@pytest.mark.parametrize("sent", ["token nonsense", "id_token id_token", "token token"])
def test_what_asks_for_a_token_is_refused_where_tokens_would_have_travelled(sent):
    assert ResponseType(sent).is_front_channel
