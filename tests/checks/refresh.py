"""Token: trading a refresh token."""

from __future__ import annotations

from django.utils import timezone

from oidc_pkce.models import Grant
from tests.checks.cast import change, next_door, public, web
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import SECRET, Answer, Journey


def token_of(journey: Journey) -> str:
    return str(journey.tokens(scope="read")["refresh_token"])


@scenario("refresh.parameters")
def no_refresh_token(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(journey.refresh, broken=None, mended=token_of(journey))


@scenario("refresh.known")
def an_access_token_in_its_place(scene: Scene) -> OneThing:
    journey = change(public(scene), token_type="Opaque")
    tokens = journey.tokens()
    return OneThing(journey.refresh, broken=tokens["access_token"], mended=tokens["refresh_token"])


@scenario("refresh.application")
def a_refresh_token_of_another_application(scene: Scene) -> OneThing:
    journey = public(scene)
    theirs = next_door(journey).tokens()["refresh_token"]
    return OneThing(journey.refresh, broken=theirs, mended=token_of(journey))


@scenario("refresh.client")
def a_refresh_token_of_another_client(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)
    return OneThing(
        lambda client_id: journey.refresh(token, client_id=client_id),
        broken="another_client",
        mended="my_service_user",
    )


@scenario("refresh.client_authentication")
def issued_to_a_secret_and_sent_without_one(scene: Scene) -> OneThing:
    journey = web(scene)
    token = journey.redeem(journey.authorize().code, client_secret=SECRET).json["refresh_token"]
    return OneThing(
        lambda secret: journey.refresh(token, client_secret=secret), broken=None, mended=SECRET
    )


@scenario("refresh.lifetime")
def a_refresh_token_that_has_expired(scene: Scene) -> OneThing:
    journey, clock = public(scene), scene.clock
    lifetime = int(journey.application.refresh_token_lifetime.total_seconds())

    def send(seconds: int) -> Answer:
        token = token_of(journey)
        clock.step(seconds)
        return journey.refresh(token)

    return OneThing(send, broken=lifetime, mended=lifetime - 1)


@scenario("refresh.grant")
def a_grant_that_was_revoked(scene: Scene) -> OneThing:
    journey = public(scene)
    revoked = token_of(journey)
    Grant.objects.all().revoke(timezone.now())
    return OneThing(journey.refresh, broken=revoked, mended=token_of(journey))


@scenario("refresh.scope")
def a_scope_that_was_not_granted(scene: Scene) -> OneThing:
    journey = public(scene)
    token = token_of(journey)
    return OneThing(
        lambda scope: journey.refresh(token, scope=scope), broken="read write", mended="read"
    )


@scenario("refresh.single_use")
def a_refresh_token_that_was_used_some_time_ago(scene: Scene) -> OneThing:
    journey, clock = public(scene), scene.clock
    scene.configure(REFRESH_TOKEN_REUSE_WINDOW=10)

    def send(seconds: int) -> Answer:
        spent = token_of(journey)
        journey.refresh(spent)
        clock.step(seconds)
        return journey.refresh(spent)

    return OneThing(send, broken=10, mended=9)
