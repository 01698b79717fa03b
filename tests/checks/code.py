"""Token: trading an authorization code."""

from __future__ import annotations

from django.utils import timezone

from oidc_pkce.models import Grant
from tests.checks.cast import change, next_door, public, web
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import CALLBACK, CHALLENGE, SECRET, VERIFIER, Answer


@scenario("code.parameters")
def no_code(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(journey.redeem, broken=None, mended=journey.authorize().code)


@scenario("code.parameters")
def no_redirect_uri(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda uri: journey.redeem(journey.authorize().code, redirect_uri=uri),
        broken=None,
        mended=CALLBACK,
    )


@scenario("code.known")
def a_code_that_was_cut_off(scene: Scene) -> OneThing:
    journey = public(scene)
    code = journey.authorize().code
    return OneThing(journey.redeem, broken=code[:-1], mended=code)


@scenario("code.application")
def a_code_of_another_application(scene: Scene) -> OneThing:
    journey = public(scene)
    theirs = next_door(journey)
    return OneThing(lambda who: journey.redeem(who.authorize().code), broken=theirs, mended=journey)


@scenario("code.client")
def a_code_of_another_client(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda client_id: journey.redeem(journey.authorize().code, client_id=client_id),
        broken="another_client",
        mended="my_service_user",
    )


@scenario("code.redirect_uri")
def a_redirect_uri_of_another_request(scene: Scene) -> OneThing:
    journey = change(public(scene), redirect_uris=[CALLBACK, f"{CALLBACK}/"])
    return OneThing(
        lambda uri: journey.redeem(journey.authorize().code, redirect_uri=uri),
        broken=f"{CALLBACK}/",
        mended=CALLBACK,
    )


@scenario("code.client_authentication")
def neither_a_secret_nor_a_challenge(scene: Scene) -> OneThing:
    journey = change(web(scene), requires_pkce=False)

    def send(secret: str | None) -> Answer:
        unbound = journey.authorize(code_challenge=None, code_challenge_method=None)
        return journey.redeem(unbound.code, code_verifier=None, client_secret=secret)

    return OneThing(send, broken=None, mended=SECRET)


@scenario("code.client_authentication")
def a_public_client_whose_code_must_be_bound_by_now(scene: Scene) -> OneThing:
    journey = public(scene)

    def send(requires_pkce: bool) -> Answer:
        change(journey, requires_pkce=False)
        unbound = journey.authorize(code_challenge=None, code_challenge_method=None)
        change(journey, requires_pkce=requires_pkce)
        return journey.redeem(unbound.code, code_verifier=None)

    return OneThing(send, broken=True, mended=False)


@scenario("code.verifier")
def a_verifier_of_another_challenge(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda verifier: journey.redeem(journey.authorize().code, code_verifier=verifier),
        broken=f"{VERIFIER}x",
        mended=VERIFIER,
    )


@scenario("code.verifier")
def the_challenge_as_the_verifier(scene: Scene) -> OneThing:
    journey = public(scene)
    return OneThing(
        lambda verifier: journey.redeem(journey.authorize().code, code_verifier=verifier),
        broken=CHALLENGE,
        mended=VERIFIER,
    )


@scenario("code.lifetime")
def a_code_that_came_late(scene: Scene) -> OneThing:
    journey, clock = public(scene), scene.clock
    scene.configure(AUTHORIZATION_CODE_LIFETIME=60)

    def send(seconds: int) -> Answer:
        code = journey.authorize().code
        clock.step(seconds)
        return journey.redeem(code)

    return OneThing(send, broken=60, mended=59)


@scenario("code.grant")
def a_grant_that_was_revoked_meanwhile(scene: Scene) -> OneThing:
    journey = public(scene)
    revoked = journey.authorize().code
    Grant.objects.all().revoke(timezone.now())
    return OneThing(journey.redeem, broken=revoked, mended=journey.authorize().code)


@scenario("code.single_use")
def a_code_that_was_redeemed_before(scene: Scene) -> OneThing:
    journey = public(scene)
    spent, fresh = journey.authorize().code, journey.authorize().code
    journey.redeem(spent)
    return OneThing(journey.redeem, broken=spent, mended=fresh)
