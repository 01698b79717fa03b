"""Signed authorization requests: whether one is taken, who signed it, what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oidc_pkce.protocol import jose, jwk
from tests.checks.authorize import parameter, setting
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import Journey

KEY = jose.SigningKey("k-1", "ES256", jwk.generate("ES256"))
STRANGER = jose.SigningKey("k-1", "ES256", jwk.generate("ES256"))
PUBLIC = {"keys": [jwk.public_jwk(KEY.private_key, kid="k-1", algorithm="ES256")]}
ISSUER = "https://id.example.com/portal/"
STRICT = "oauth-authz-req+jwt"


def signing(scene: Scene) -> Journey:
    """The OpenID Connect application, which knows its client's key; Ada is signed in."""
    journey: Journey = scene.openid
    journey.application.client_jwks = PUBLIC
    journey.application.save()
    return journey


def inside(journey: Journey, **changes: Any) -> dict[str, Any]:
    """The claims of an object that holds a whole request; ``None`` leaves one out."""
    own = {"iss": journey.client_id, "aud": ISSUER}
    claims = {**journey.parameters(scope="openid"), **own, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def sign(claims: dict[str, Any], key: jose.SigningKey = KEY, typ: str = STRICT) -> str:
    return jose.sign(claims, key, typ=typ)


def claim(scene: Scene, name: str, broken: Any, mended: Any, typ: str = STRICT) -> OneThing:
    """Two requests whose objects differ in one claim; ``None`` leaves it out."""
    return in_object(
        scene,
        lambda journey, value: sign(inside(journey, **{name: value}), typ=typ),
        broken,
        mended,
    )


def in_object(
    scene: Scene, make: Callable[[Journey, Any], str], broken: Any, mended: Any
) -> OneThing:
    """Two requests whose objects are made of one thing or of another."""
    journey = signing(scene)
    return OneThing(
        lambda thing: journey.authorize(request=make(journey, thing)), broken=broken, mended=mended
    )


@scenario("authorize.request_object")
def an_application_that_knows_no_keys(scene: Scene) -> OneThing:
    token = sign(inside(scene.openid))
    return setting(scene.openid, "client_jwks", {}, PUBLIC, request=token)


@scenario("authorize.request_object")
def an_object_that_would_have_to_be_fetched(scene: Scene) -> OneThing:
    journey = signing(scene)
    token = sign(inside(journey))
    return OneThing(
        lambda name: journey.authorize(**{name: token}), broken="request_uri", mended="request"
    )


@scenario("authorize.request_object")
def a_parameter_twice_beside_an_object(scene: Scene) -> OneThing:
    journey = signing(scene)
    return parameter(journey, "state", ["a", "b"], ["a"], request=sign(inside(journey)))


@scenario("request_object.signature")
def another_key_of_the_same_name(scene: Scene) -> OneThing:
    return in_object(scene, lambda journey, key: sign(inside(journey), key), STRANGER, KEY)


@scenario("request_object.signature")
def an_object_of_a_type_that_is_none(scene: Scene) -> OneThing:
    def make(journey: Journey, typ: str) -> str:
        return sign(inside(journey), typ=typ)

    return in_object(scene, make, "at+jwt", STRICT)


@scenario("request_object.client")
def another_client_inside(scene: Scene) -> OneThing:
    return claim(scene, "client_id", "another", scene.openid.client_id)


@scenario("request_object.client")
def another_issuer_inside(scene: Scene) -> OneThing:
    return claim(scene, "iss", "another", scene.openid.client_id)


@scenario("request_object.audience")
def the_issuer_without_its_slash(scene: Scene) -> OneThing:
    return claim(scene, "aud", ISSUER.rstrip("/"), ISSUER)


@scenario("request_object.audience")
def no_audience(scene: Scene) -> OneThing:
    return claim(scene, "aud", None, [ISSUER])


@scenario("request_object.times")
def an_object_that_has_expired(scene: Scene) -> OneThing:
    now = int(scene.clock.at.timestamp())
    return claim(scene, "exp", now - 60, now + 60)


@scenario("request_object.times")
def an_object_for_later(scene: Scene) -> OneThing:
    now = int(scene.clock.at.timestamp())
    return claim(scene, "nbf", now + 60, now - 60)


@scenario("request_object.response_type")
def another_response_type_inside(scene: Scene) -> OneThing:
    return claim(scene, "response_type", "token", "code")


@scenario("request_object.members")
def a_member_that_is_no_parameter(scene: Scene) -> OneThing:
    return claim(scene, "scope", ["openid", "email"], "openid email")


@scenario("request_object.members")
def an_object_in_an_object(scene: Scene) -> OneThing:
    return claim(scene, "request", "another", None)
