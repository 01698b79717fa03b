"""Revoke: the answer is the same whether or not there was such a token; only the trace tells."""

from __future__ import annotations

from tests.checks.cast import next_door, public, web
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import SECRET, Answer, Journey


def revoked(journey: Journey, token: str, **changes: str | None) -> Answer:
    """Revoke; the wire says nothing."""
    answer = journey.revoke(token, **changes)
    assert (answer.status, answer.response.content) == (200, b"")
    return answer


@scenario("revocation.token")
def a_token_of_another_application(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda who: revoked(journey, who.tokens()["refresh_token"]),
        broken=next_door(journey),
        mended=journey,
    )


@scenario("revocation.client")
def a_token_of_another_client(scene: Scene) -> OneThing:
    journey = public(scene)
    token = journey.tokens()["access_token"]
    return OneThing(
        lambda client_id: revoked(journey, token, client_id=client_id),
        broken="another_client",
        mended="my_service_user",
    )


@scenario("revocation.client_authentication")
def issued_to_a_secret_and_revoked_without_one(scene: Scene) -> OneThing:
    journey = web(scene)
    token = journey.redeem(journey.authorize().code, client_secret=SECRET).json["access_token"]
    return OneThing(
        lambda secret: revoked(journey, token, client_secret=secret), broken=None, mended=SECRET
    )
