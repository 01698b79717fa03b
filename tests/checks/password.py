"""Token: a client that was told a person's password."""

from __future__ import annotations

from tests.checks.cast import (
    ask_with_password,
    backend,
    change,
    let_everybody_run,
    web,
)
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import PASSWORD, SECRET, Answer


@scenario("password.client")
def a_client_that_keeps_no_secret(scene: Scene) -> OneThing:
    journey = web(scene)
    return OneThing(
        lambda secret: ask_with_password(journey, password=PASSWORD, client_secret=secret),
        broken=None,
        mended=SECRET,
    )


@scenario("password.parameters")
def no_password(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda password: ask_with_password(journey, password=password),
        broken=None,
        mended=PASSWORD,
    )


@scenario("password.required_acr")
def a_password_where_more_is_required(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda acr: ask_with_password(change(journey, required_acr=acr), password=PASSWORD),
        broken="urn:strong",
        mended="",
    )


@scenario("password.network")
def a_client_outside_the_networks(scene: Scene) -> OneThing:
    journey = backend(scene)

    def send(network: str) -> Answer:
        return ask_with_password(change(journey, allowed_networks=[network]), password=PASSWORD)

    return OneThing(send, broken="10.0.0.0/8", mended="127.0.0.0/8")


@scenario("password.sign_in")
def a_wrong_password(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda password: ask_with_password(journey, password=password),
        broken=PASSWORD.upper(),
        mended=PASSWORD,
    )


@scenario("password.access")
def a_person_without_the_run_right(scene: Scene) -> OneThing:
    journey = backend(scene)

    def send(may: bool) -> Answer:
        let_everybody_run(may=may)
        return ask_with_password(journey, password=PASSWORD)

    return OneThing(send, broken=False, mended=True)
