"""The claims parameter, read: what counts, what is ignored, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oidc_pkce.protocol import claims_request
from oidc_pkce.protocol.claims_request import RequestedClaims, WantedContext, Wish
from oidc_pkce.protocol.errors import InvalidRequest
from tests.spec import spec


def read(members: Any) -> claims_request.ClaimsRequest:
    return claims_request.read(json.dumps(members))


def deep(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = {"x": value}
    return value


@spec("OpenID Connect Core", "5.5")
def test_the_example_of_the_specification_is_read() -> None:
    asked = read(
        {
            "userinfo": {
                "given_name": {"essential": True},
                "nickname": None,
                "email": {"essential": True},
                "email_verified": {"essential": True},
                "picture": None,
                "http://example.info/claims/groups": None,
            },
            "id_token": {
                "auth_time": {"essential": True},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]},
            },
        }
    )

    assert asked.userinfo["given_name"] == Wish(essential=True)
    assert asked.userinfo["nickname"] == Wish()
    assert "http://example.info/claims/groups" in asked.userinfo
    assert asked.context("") == WantedContext(("urn:mace:incommon:iap:silver",))


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"userinfo": None, "id_token": None},
        {"userinfo": {}, "somewhere": {"email": None}},
        {"verified_claims": [1, 2]},
    ],
    ids=str,
)
def test_what_is_not_understood_is_ignored(members: Any) -> None:
    assert not read(members).asks_anything


@spec("OpenID Connect Core", "5.5.1")
def test_unknown_members_of_a_wish_are_ignored() -> None:
    asked = read({"userinfo": {"email": {"purpose": "to write to you", "essential": False}}})

    assert asked.userinfo["email"] == Wish()


def test_nothing_sent_asks_for_nothing() -> None:
    assert not claims_request.read(None).asks_anything


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize(
    "text",
    [
        *("{", "null", "[]", '"email"', "1", "true", "NaN", "email", "{}{}", "{'userinfo':{}}"),
        *('{"userinfo":[]}', '{"userinfo":"email"}', '{"id_token":1}', '{"id_token":false}'),
        *('{"userinfo":{"email":true}}', '{"userinfo":{"email":[]}}', '{"userinfo":{"email":""}}'),
        '{"userinfo":{"email":{"essential":"true"}}}',
        '{"userinfo":{"email":{"essential":1}}}',
        '{"userinfo":{"email":{"values":"a"}}}',
        '{"userinfo":{"email":{"value":Infinity}}}',
        '{"userinfo":{"email":null,"email":{"essential":true}}}',
        '{"userinfo":{},"userinfo":{"email":null}}',
        "[" * 8000,
        '{"a":' * 1300,
        "9" * 8000,
    ],
    ids=lambda text: text[:45],
)
def test_anything_but_such_an_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        claims_request.read(text)


@pytest.mark.parametrize(
    "members",
    [
        {"userinfo": {f"c{n}": None for n in range(51)}},
        {"id_token": {f"c{n}": None for n in range(51)}},
        {"id_token": {"acr": {"values": ["x"] * 21}}},
        {"userinfo": {"email": {"value": deep(4)}}},
        {"ignored": deep(6)},
    ],
    ids=lambda members: str(members)[:30],
)
def test_what_is_too_much_is_refused(members: Any) -> None:
    with pytest.raises(InvalidRequest):
        read(members)


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    with pytest.raises(InvalidRequest) as refused:
        claims_request.read('{"userinfo": {"sub": "a-persons-name"}}')

    assert "a-persons-name" not in repr(vars(refused.value))


@spec("OpenID Connect Core", "5.5.1")
@pytest.mark.parametrize(
    ("members", "fits"),
    [
        ({}, True),
        ({"id_token": {"sub": None}}, True),
        ({"id_token": {"sub": {"essential": True}}}, True),
        ({"id_token": {"sub": {"value": "me"}}}, True),
        ({"userinfo": {"sub": {"values": ["you", "me"]}}}, True),
        ({"id_token": {"sub": {"value": "you"}}}, False),
        ({"userinfo": {"sub": {"value": "you"}}}, False),
        ({"userinfo": {"sub": {"value": "you"}}, "id_token": {"sub": {"value": "me"}}}, False),
        ({"id_token": {"sub": {"value": ["me"]}}}, False),
        ({"id_token": {"sub": {"value": None}}}, False),
    ],
    ids=str,
)
def test_a_subject_that_is_asked_for_by_value_must_be_the_one(members: Any, fits: bool) -> None:
    assert read(members).names_subject("me") == fits


@spec("OpenID Connect Core", "5.5.1.1")
@pytest.mark.parametrize(
    ("acr", "wanted"),
    [
        (None, WantedContext(("b", "a"))),
        ({"essential": True}, WantedContext(("b", "a"))),
        ({"value": "c"}, WantedContext(("c",))),
        ({"essential": True, "values": ["c", "d"]}, WantedContext(("c", "d"), essential=True)),
        ({"essential": True, "value": 2}, WantedContext(("2",), essential=True)),
    ],
    ids=str,
)
def test_the_claim_acr_stands_above_acr_values(acr: Any, wanted: WantedContext) -> None:
    assert read({"id_token": {"acr": acr}}).context("b a") == wanted


@pytest.mark.parametrize(
    ("claim", "permission"),
    [
        ("email", "email"),
        ("email_verified", "email"),
        ("family_name#ja", "profile"),
        ("address", "address"),
        ("phone_number", "phone"),
        ("groups", '"groups"'),
        ("profile", "profile"),
    ],
)
def test_a_claim_counts_as_the_scope_that_holds_it(claim: str, permission: str) -> None:
    assert claims_request.permission(claim) == permission


def test_a_claim_that_is_named_like_a_scope_is_not_allowed_with_it() -> None:
    asked = RequestedClaims(userinfo=("groups", "email"))

    assert asked.within({"groups", "email"}) == RequestedClaims(userinfo=("email",))
    assert asked.within({'"groups"'}).stored() == {"userinfo": ["groups"]}
