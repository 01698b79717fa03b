"""Who the client is, and how it proves that."""

from __future__ import annotations

from django.core.cache import cache

from tests.checks.cast import backend, change, own_token, public, web
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import SECRET, Answer, basic

WRONG = "wrong-secret-of-43-characters-0123456789-abc"


@scenario("client.presented")
def a_secret_in_two_places(scene: Scene) -> OneThing:
    journey = backend(scene)
    header = basic(journey.client_id, SECRET)
    return OneThing(
        lambda secret: own_token(journey, client_secret=secret, headers=header),
        broken=SECRET,
        mended=None,
    )


@scenario("client.presented")
def a_header_of_another_scheme(scene: Scene) -> OneThing:
    journey = backend(scene)
    pair = basic(journey.client_id, SECRET)["Authorization"].removeprefix("Basic ")

    def send(scheme: str) -> Answer:
        headers = {"Authorization": f"{scheme} {pair}"}
        return own_token(journey, client_secret=None, headers=headers)

    return OneThing(send, broken="Bearer", mended="Basic")


@scenario("client.named")
def no_client_id(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda client_id: journey.redeem(journey.authorize().code, client_id=client_id),
        broken=None,
        mended=journey.client_id,
    )


@scenario("client.attempts")
def the_right_secret_after_too_many_wrong_ones(scene: Scene) -> OneThing:
    journey = backend(scene)
    scene.configure(ATTEMPTS_PER_ACCOUNT=3)

    def send(wrong: int) -> Answer:
        cache.clear()
        for _ in range(wrong):
            own_token(journey, client_secret=WRONG)
        return own_token(journey)

    return OneThing(send, broken=3, mended=2)


@scenario("client.public")
def a_secret_of_a_public_client(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda secret: journey.redeem(journey.authorize().code, client_secret=secret),
        broken=SECRET,
        mended=None,
    )


@scenario("client.secret")
def a_confidential_client_without_its_secret(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda secret: journey.redeem(journey.authorize().code, client_secret=secret),
        broken=None,
        mended=SECRET,
    )


@scenario("client.secret")
def an_openid_connect_client_that_must_have_one(scene: Scene) -> OneThing:
    journey = change(web(scene), require_client_secret=True)
    return OneThing(
        lambda secret: journey.redeem(journey.authorize().code, client_secret=secret),
        broken=None,
        mended=SECRET,
    )


@scenario("client.known")
def a_wrong_secret(scene: Scene) -> OneThing:
    journey = backend(scene)
    return OneThing(
        lambda secret: own_token(journey, client_secret=secret), broken=WRONG, mended=SECRET
    )


@scenario("client.known")
def a_client_that_is_not_in_the_list(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda client_id: journey.redeem(journey.authorize().code, client_id=client_id),
        broken="My_Service_User",
        mended="my_service_user",
    )


@scenario("client.service_user")
def a_service_user_who_is_not_active(scene: Scene) -> OneThing:
    journey, user = backend(scene), scene.robot.user

    def send(is_active: bool) -> Answer:
        user.is_active = is_active
        user.save()
        return own_token(journey)

    return OneThing(send, broken=False, mended=True)


@scenario("client.service_user")
def a_service_user_without_the_flag(scene: Scene) -> OneThing:
    journey, robot = change(backend(scene), must_be_oauth_client=True), scene.robot

    def send(is_flagged: bool) -> Answer:
        robot.is_oauth_confidential_client = is_flagged
        robot.save()
        return own_token(journey)

    return OneThing(send, broken=False, mended=True)
