"""Introspect: the answer is the same whatever is wrong with the token; only the trace tells."""

from __future__ import annotations

from oidc_pkce.models import ServiceUser
from tests.checks.cast import (
    backend,
    change,
    colleague,
    let_everybody_run,
    next_door,
    public,
    web,
)
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import SECRET, Answer, Journey

INACTIVE = {"active": False}


def token_of(journey: Journey, **changes: str) -> str:
    return str(journey.tokens(**changes)["access_token"])


@scenario("presented.token")
def no_token(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(journey.introspect, broken=None, mended=token_of(journey))


@scenario("presented.token")
def no_token_to_revoke(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(journey.revoke, broken=None, mended=token_of(journey))


@scenario("introspection.caller")
def a_caller_without_its_secret(scene: Scene) -> OneThing:
    journey = web(scene)
    token = token_of(journey)
    return OneThing(
        lambda secret: journey.introspect(token, client_secret=secret), broken=None, mended=SECRET
    )


@scenario("introspection.token")
def an_id_token(scene: Scene) -> OneThing:
    journey = scene.openid_with_secret
    tokens = journey.tokens(scope="openid")
    return OneThing(
        lambda kind: answered(journey, tokens[kind], kind != "id_token"),
        broken="id_token",
        mended="access_token",
    )


@scenario("introspection.application")
def a_token_of_another_application(scene: Scene) -> OneThing:
    journey = backend(scene)
    theirs = next_door(journey)
    return OneThing(
        lambda who: answered(journey, token_of(who), who is journey),
        broken=theirs,
        mended=journey,
    )


@scenario("introspection.owner")
def a_caller_for_whom_the_token_is_not_meant(scene: Scene) -> OneThing:
    journey = backend(scene)
    caller = colleague(journey, "urn:api")
    return OneThing(
        lambda resource: answered(
            caller, token_of(journey, resource=resource), resource == "urn:api"
        ),
        broken="urn:another-api",
        mended="urn:api",
    )


@scenario("introspection.refresh")
def a_refresh_token_that_nobody_would_take(scene: Scene) -> OneThing:
    journey = backend(scene)
    token = journey.tokens()["refresh_token"]
    return OneThing(
        lambda offered: answered(change(journey, issues_refresh_tokens=offered), token, offered),
        broken=False,
        mended=True,
    )


@scenario("introspection.client")
def a_client_that_is_no_service_user_any_more(scene: Scene) -> OneThing:
    journey = backend(scene)
    caller, robot = colleague(journey, "urn:api"), scene.robot
    token = token_of(journey, resource="urn:api")

    def send(exists: bool) -> Answer:
        ServiceUser.objects.filter(pk=robot.pk).delete()
        if exists:
            ServiceUser.objects.create(user=robot.user)
        return answered(caller, token, exists)

    return OneThing(send, broken=False, mended=True)


@scenario("introspection.access")
def a_person_without_the_run_right(scene: Scene) -> OneThing:
    journey = backend(scene)
    token = token_of(journey)

    def send(may: bool) -> Answer:
        let_everybody_run(may=may)
        return answered(journey, token, may)

    return OneThing(send, broken=False, mended=True)


def answered(caller: Journey, token: str, is_active: bool) -> Answer:
    """Ask; on the wire only ``active`` differs."""
    answer = caller.introspect(token)
    assert answer.status == 200
    assert (answer.json == INACTIVE) is not is_active
    return answer
