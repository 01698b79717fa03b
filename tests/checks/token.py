"""Token: what every grant shares."""

from __future__ import annotations

from tests.checks.cast import (
    API,
    backend,
    change,
    let_everybody_run,
    own_token,
    public,
)
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import Answer


@scenario("token.parameters")
def a_parameter_twice(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda state: journey.redeem(journey.authorize().code, state=state),
        broken=["a", "a"],
        mended=["a"],
    )


@scenario("token.parameters")
def a_parameter_too_long(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda length: journey.redeem(journey.authorize().code, state="x" * length),
        broken=8193,
        mended=8192,
    )


@scenario("token.grant_type")
def a_grant_that_nobody_knows(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda name: journey.redeem(journey.authorize().code, grant_type=name),
        broken="authorisation_code",
        mended="authorization_code",
    )


@scenario("token.grant_type")
def no_grant_type(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda name: journey.redeem(journey.authorize().code, grant_type=name),
        broken=None,
        mended="authorization_code",
    )


@scenario("token.flow")
def a_flow_that_is_not_ticked(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda flows: own_token(change(journey, flows=flows)),
        broken=["AuthorizationCode"],
        mended=["AuthorizationCode", "ClientCreds"],
    )


@scenario("token.flow")
def refresh_tokens_that_are_offered_no_more(scene: Scene) -> OneThing:
    journey = public(scene)
    token = journey.tokens()["refresh_token"]
    return OneThing(
        lambda offered: change(journey, issues_refresh_tokens=offered).refresh(token),
        broken=False,
        mended=True,
    )


@scenario("token.resource")
def a_resource_beside_the_codes(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda resource: journey.redeem(journey.authorize(resource=API).code, resource=resource),
        broken=f"{API}/other",
        mended=API,
    )


@scenario("token.resource")
def a_resource_beside_the_refresh_tokens(scene: Scene) -> OneThing:
    journey = public(scene)
    token = journey.tokens(resource=API)["refresh_token"]
    return OneThing(
        lambda resource: journey.refresh(token, resource=resource),
        broken=f"{API}/other",
        mended=API,
    )


@scenario("token.access")
def a_right_that_was_taken_before_the_code_came(scene: Scene) -> OneThing:
    journey = public(scene)

    def send(may: bool) -> Answer:
        let_everybody_run(may=True)
        code = journey.authorize().code
        let_everybody_run(may=may)
        return journey.redeem(code)

    return OneThing(send, broken=False, mended=True)


@scenario("token.access")
def a_person_who_left_refreshes(scene: Scene) -> OneThing:
    journey, person = public(scene), scene.ada
    token = journey.tokens()["refresh_token"]

    def send(is_active: bool) -> Answer:
        person.is_active = is_active
        person.save()
        return journey.refresh(token)

    return OneThing(send, broken=False, mended=True)


@scenario("token.scope")
def a_scope_that_is_not_defined(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda scope: own_token(journey, scope=scope), broken="read all", mended="read write"
    )


@scenario("token.resource_form")
def a_resource_with_a_fragment(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda resource: own_token(journey, resource=resource), broken=f"{API}#x", mended=API
    )
