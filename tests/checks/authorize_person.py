"""Authorize: who asks from where, how strongly they have signed in, and the way through sign-in."""

from __future__ import annotations

import json
import secrets
from typing import Any

from oidc_pkce.interaction_policy import InteractionPolicy
from oidc_pkce.models import Principal
from tests.checks.authorize import parameter, setting
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import Journey, make_application


@scenario("authorize.network")
def a_network_that_is_not_allowed(scene: Scene) -> OneThing:
    return setting(scene.signed_in, "allowed_networks", ["192.0.2.0/24"], ["127.0.0.0/8"])


@scenario("authorize.network")
def a_proxy_that_nobody_trusts(scene: Scene) -> OneThing:
    """Behind a proxy the browser's address is the proxy's until that is trusted."""
    journey = scene.signed_in
    journey.application.allowed_networks = ["198.51.100.0/24"]
    journey.application.save()
    journey.browser.defaults["HTTP_X_FORWARDED_FOR"] = "198.51.100.7"

    def send(proxies: list[str]) -> Any:
        scene.configure(TRUSTED_PROXIES=proxies)
        return journey.authorize()

    return OneThing(send, broken=[], mended=["127.0.0.1"])


# --- who asks -----------------------------------------------------------------------------------


@scenario("authorize.access")
def a_person_without_the_run_right(scene: Scene) -> OneThing:
    journey = Journey(make_application(everybody=False)).log_in(scene.ada)

    def send(may_run: bool) -> Any:
        if may_run:
            journey.application.permissions.create(principal=Principal.USER, user=scene.ada)
        return journey.authorize()

    return OneThing(send, broken=False, mended=True)


@scenario("authorize.access")
def a_service_user_before_a_browser(scene: Scene) -> OneThing:
    """A client may hold the Run right, and yet is no person."""
    app = scene.list_app
    people = {"machine": scene.robot.user, "person": scene.ada}
    return OneThing(
        lambda who: Journey(app).log_in(people[who]).authorize(), broken="machine", mended="person"
    )


# --- the way through the sign-in ----------------------------------------------------------------


@scenario("authorize.length")
def a_request_that_fits_into_no_address(scene: Scene) -> OneThing:
    """Random, for what repeats itself is compressed; within the size of one parameter."""
    return parameter(scene.journey, "login_hint", secrets.token_urlsafe(6100), "ada")


@scenario("authorize.sign_in")
def nobody_is_signed_in_and_none_may_be_asked(scene: Scene) -> OneThing:
    browsers = {"nobody": Journey(scene.list_app), "ada": scene.signed_in}
    return OneThing(
        lambda who: browsers[who].authorize(prompt="none"), broken="nobody", mended="ada"
    )


@scenario("authorize.sign_in")
def the_last_sign_in_is_older_than_the_client_wants(scene: Scene) -> OneThing:
    clock, journey = scene.clock, scene.signed_in
    clock.step(120)
    return parameter(journey, "max_age", "60", "3600", prompt="none")


@scenario("authorize.consent")
def the_person_was_never_asked(scene: Scene) -> OneThing:
    asking = scene.asking

    def send(has_allowed: bool) -> Any:
        if has_allowed:
            assert asking.decide(asking.authorize(scope="read")).code
        return asking.authorize(scope="read", prompt="none")

    return OneThing(send, broken=False, mended=True)


@scenario("authorize.id_token_hint")
def an_access_token_as_a_hint(scene: Scene) -> OneThing:
    tokens = scene.openid.tokens(scope="openid")
    access, hint = tokens["access_token"], tokens["id_token"]
    return parameter(scene.openid, "id_token_hint", access, hint, scope="openid")


@scenario("authorize.hinted_person")
def another_person_is_signed_in(scene: Scene) -> OneThing:
    app = scene.openid_app
    browsers = {
        user.username: Journey(app, client_id=app.openid_client_id).log_in(user)
        for user in (scene.ada, scene.bob)
    }
    hint = browsers["ada"].tokens(scope="openid")["id_token"]
    return OneThing(
        lambda who: browsers[who].authorize(scope="openid", prompt="none", id_token_hint=hint),
        broken="bob",
        mended="ada",
        is_listed=False,
        because="nothing is left to judge when the person who is asked for is signed in",
    )


@scenario("authorize.hinted_person")
def another_person_is_signed_in_and_nobody_may_be_asked(scene: Scene) -> OneThing:
    hint = scene.openid.tokens(scope="openid")["id_token"]
    other = Journey(scene.openid_app, client_id=scene.openid.client_id).log_in(scene.bob)
    return parameter(other, "prompt", "none", None, scope="openid", id_token_hint=hint)


# --- how strongly a person has signed in --------------------------------------------------------


class SecondFactor(InteractionPolicy):
    """A host whose people can prove more on a page of its own."""

    def step_up_path(self, *_: Any) -> str:
        return "/second-factor/"


def by_password(scene: Scene) -> Journey:
    """Ada, who has signed in by her password: that is aal1."""
    journey: Journey = scene.openid
    journey.browser.logout()
    journey.sign_in(journey.authorize(scope="openid"), "ada")
    return journey


@scenario("authorize.step_up")
def more_is_wanted_and_nobody_may_be_asked(scene: Scene) -> OneThing:
    journey = by_password(scene)
    scene.configure(INTERACTION_POLICY=f"{__name__}.{SecondFactor.__name__}")
    asked = {"scope": "openid", "prompt": "none"}
    return setting(journey, "required_acr", "aal2", "aal1", **asked)


@scenario("authorize.acr")
def a_context_that_no_page_leads_to(scene: Scene) -> OneThing:
    wanted = {
        acr: json.dumps({"id_token": {"acr": {"essential": True, "value": acr}}})
        for acr in ("aal2", "aal1")
    }
    journey = by_password(scene)
    return parameter(journey, "claims", wanted["aal2"], wanted["aal1"], scope="openid")


@scenario("authorize.acr")
def the_policy_requires_what_no_page_leads_to(scene: Scene) -> OneThing:
    journey = by_password(scene)
    return setting(journey, "required_acr", "aal2", "aal1", scope="openid")
