"""An API of the project that takes another server's tokens."""

from __future__ import annotations

from oidc_pkce.flows import remote_issuer
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import Answer
from tests.resource_server.conftest import AUDIENCE, OtherServer, ask

PATH = "/api/remote"


def other(scene: Scene) -> OtherServer:
    """Another server, whose tokens the project's API takes."""
    scene.settings.ROOT_URLCONF = "tests.resource_server.urls"
    server: OtherServer = scene.other_server
    return server


@scenario("remote.issuer")
def a_slash_too_few(scene: Scene) -> OneThing:
    server = other(scene)
    return OneThing(
        lambda issuer: ask(PATH, server.token(iss=issuer)),
        broken=server.issuer.rstrip("/"),
        mended=server.issuer,
    )


@scenario("remote.keys")
def a_server_that_does_not_answer(scene: Scene) -> OneThing:
    server = other(scene)

    def send(status: int) -> Answer:
        remote_issuer.clear()
        server.status = status
        return ask(PATH, server.token())

    return OneThing(send, broken=500, mended=200)


@scenario("remote.token")
def a_token_without_a_client(scene: Scene) -> OneThing:
    server = other(scene)
    return OneThing(
        lambda client: ask(PATH, server.token(client_id=client)),
        broken=None,
        mended="remote-client",
    )


@scenario("remote.audience")
def a_token_for_another_api(scene: Scene) -> OneThing:
    server = other(scene)
    return OneThing(
        lambda audience: ask(PATH, server.token(aud=audience)),
        broken=f"{AUDIENCE}/v2",
        mended=AUDIENCE,
    )
