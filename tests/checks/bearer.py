"""UserInfo: whom an access token stands for."""

from __future__ import annotations

import json

from tests.checks.cast import change, let_everybody_run, next_door, public
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import FORM, Answer, Browser, Journey


def token_of(journey: Journey) -> str:
    return str(journey.tokens()["access_token"])


def posted(journey: Journey, body: str, content_type: str = FORM, **headers: str) -> Answer:
    url = journey.url("UserInfo")
    return Answer(Browser().post(url, body, content_type=content_type, headers=headers))


@scenario("bearer.readable")
def a_token_in_two_places(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)
    return OneThing(
        lambda name: posted(journey, f"{name}={token}", Authorization=f"Bearer {token}"),
        broken="access_token",
        mended="another_field",
    )


@scenario("bearer.present")
def another_scheme(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)
    return OneThing(
        lambda scheme: posted(journey, "", Authorization=f"{scheme} {token}"),
        broken="Token",
        mended="Bearer",
    )


@scenario("bearer.token")
def an_id_token(scene: Scene) -> OneThing:
    journey = scene.openid
    tokens = journey.tokens(scope="openid")
    return OneThing(journey.userinfo, broken=tokens["id_token"], mended=tokens["access_token"])


@scenario("bearer.token")
def a_token_that_has_expired(scene: Scene) -> OneThing:
    journey, clock = public(scene), scene.clock
    lifetime = int(journey.application.access_token_lifetime.total_seconds())

    def send(seconds: int) -> Answer:
        token = token_of(journey)
        clock.step(seconds)
        return journey.userinfo(token)

    return OneThing(send, broken=lifetime, mended=lifetime - 1)


@scenario("bearer.application")
def a_token_of_another_application(scene: Scene) -> OneThing:
    journey = public(scene)
    theirs = token_of(next_door(journey))
    return OneThing(journey.userinfo, broken=theirs, mended=token_of(journey))


@scenario("bearer.client")
def a_client_that_was_taken_off_the_list(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)
    return OneThing(
        lambda listed: change(journey, client_ids=listed).userinfo(token),
        broken=["another_client"],
        mended=["another_client", "my_service_user"],
    )


@scenario("bearer.access")
def a_person_without_the_run_right(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)

    def send(may: bool) -> Answer:
        let_everybody_run(may=may)
        return journey.userinfo(token)

    return OneThing(send, broken=False, mended=True)


@scenario("bearer.form")
def a_field_twice(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)
    return OneThing(
        lambda body: posted(journey, body),
        broken=f"access_token={token}&access_token={token}",
        mended=f"access_token={token}",
    )


@scenario("bearer.json")
def a_body_that_only_says_it_is_json(scene: Scene) -> OneThing:
    journey = public(scene)
    body = json.dumps({"access_token": token_of(journey)})
    return OneThing(
        lambda sent: posted(journey, sent, "application/json"),
        broken=body.replace('"', "'"),
        mended=body,
    )
