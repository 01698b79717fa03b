"""Token: a client that acts for itself."""

from __future__ import annotations

from tests.checks.cast import backend, change, let_everybody_run, own_token, web
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import SECRET, Answer


@scenario("client_credentials.client")
def a_client_that_sends_no_secret(scene: Scene) -> OneThing:
    journey = web(scene)
    return OneThing(
        lambda secret: own_token(journey, client_secret=secret), broken=None, mended=SECRET
    )


@scenario("client_credentials.access")
def a_service_user_without_the_run_right(scene: Scene) -> OneThing:
    journey = backend(scene)

    def send(may: bool) -> Answer:
        let_everybody_run(may=may)
        return own_token(journey)

    return OneThing(send, broken=False, mended=True)


@scenario("client_credentials.network")
def a_client_outside_the_networks(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda network: own_token(change(journey, allowed_networks=[network])),
        broken="10.0.0.0/8",
        mended="127.0.0.0/8",
    )
