"""The pages of a person's way: what is posted, by whom, from which page, and what was decided."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from django.core.cache import caches

from oidc_pkce import conf, throttling
from oidc_pkce.endpoints.base import MAX_BODY
from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import FORM, PASSWORD, Answer, Browser, Journey, path_of

NOT_WRITTEN = "only a refusal is written down: that there was room is said of no request"


def sign_in_page(journey: Journey) -> tuple[str, dict[str, Any]]:
    """The address of the sign-in page of a fresh request, and what Ada fills in there."""
    address = path_of(journey.authorize().location)
    page = Answer(journey.browser.get(address))
    token = page.hidden("csrfmiddlewaretoken")
    return address, {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": token}


def post(journey: Journey, address: str, fields: dict[str, Any]) -> Answer:
    return Answer(journey.browser.post(address, urlencode(fields), content_type=FORM))


# --- how much, and whether there is room --------------------------------------------------------


@scenario("request.size")
def a_form_of_too_many_bytes_at_authorize(scene: Scene) -> OneThing:
    journey = scene.signed_in
    return OneThing(
        lambda size: journey.authorize(method="post", stray="x" * size), broken=MAX_BODY, mended=10
    )


@scenario("request.size")
def a_form_of_too_many_bytes_at_login(scene: Scene) -> OneThing:
    journey, _ = scene.journey, scene.ada
    address, fields = sign_in_page(journey)
    return OneThing(
        lambda size: post(journey, address, {**fields, "stray": "x" * size}),
        broken=MAX_BODY,
        mended=10,
    )


@scenario("server.available")
def nobody_has_time_for_one_more_password_of_a_page(scene: Scene) -> OneThing:
    """Afterwards the consent page is owed, so that both answers lead to a page of the journey."""
    journey = Journey(scene.asking.application)
    address, fields = sign_in_page(journey)
    return busy(scene, lambda: post(journey, address, fields))


@scenario("server.available")
def nobody_has_time_for_one_more_password_of_a_client(scene: Scene) -> OneThing:
    journey = scene.confidential
    journey.application.flows = ["ResourceCreds"]
    journey.application.save()
    asked = {
        "grant_type": "password",
        "username": "ada",
        "password": PASSWORD,
        "client_id": journey.client_id,
        "client_secret": journey.secret,
    }
    return busy(scene, lambda: journey.post("Token", asked))


def busy(scene: Scene, sign_in: Callable[[], Answer]) -> OneThing:
    """Sign in while so many other passwords are being looked at."""
    scene.configure(PASSWORD_HASHES_AT_ONCE=3)
    scene.monkeypatch.setattr(throttling, "SLOT_WAIT", 0.01)

    def send(others: int) -> Answer:
        with ExitStack() as places:
            for _ in range(others):
                places.enter_context(throttling.password_slot())
            return sign_in()

    return OneThing(send, broken=3, mended=2, is_listed=False, because=NOT_WRITTEN)


# --- the password -------------------------------------------------------------------------------

SAID_IN_WORDS = "only a refusal is written down: who signs in has typed the right password"


@scenario("login.credentials")
def a_wrong_password(scene: Scene) -> OneThing:
    journey, _ = scene.journey, scene.ada
    address, fields = sign_in_page(journey)
    return OneThing(
        lambda password: post(journey, address, {**fields, "password": password}),
        broken="wrong",
        mended=PASSWORD,
        is_listed=False,
        because=SAID_IN_WORDS,
    )


@scenario("login.attempts")
def a_right_password_after_too_many_wrong_ones(scene: Scene) -> OneThing:
    journey, _ = scene.journey, scene.ada
    address, fields = sign_in_page(journey)

    def send(wrong: int) -> Answer:
        caches["default"].clear()
        for n in range(wrong):
            post(journey, address, {**fields, "password": f"wrong{n}"})
        return post(journey, address, fields)

    limit = conf.settings.attempts_per_account
    return OneThing(send, broken=limit, mended=limit - 1, is_listed=False, because=SAID_IN_WORDS)


# --- the form, and the page that it came from ---------------------------------------------------


@scenario("page.readable")
def more_fields_than_a_page_has(scene: Scene) -> OneThing:
    journey, _ = scene.journey, scene.ada
    address, fields = sign_in_page(journey)
    return OneThing(
        lambda number: post(journey, address, {**fields, **{f"f{n}": "" for n in range(number)}}),
        broken=1000,
        mended=10,
    )


@scenario("page.readable")
def a_charset_that_no_form_has(scene: Scene) -> OneThing:
    journey, _ = scene.journey, scene.ada
    address, fields = sign_in_page(journey)
    return OneThing(
        lambda charset: Answer(
            journey.browser.generic(
                "POST", address, urlencode(fields), content_type=f"{FORM}; charset={charset}"
            )
        ),
        broken="iso-8859-1",
        mended="utf-8",
    )


@scenario("page.csrf")
def a_form_without_its_token(scene: Scene) -> OneThing:
    journey = Journey(scene.list_app, browser=Browser(enforce_csrf_checks=True))
    _ = scene.ada
    address, fields = sign_in_page(journey)
    token = fields["csrfmiddlewaretoken"]
    return OneThing(
        lambda sent: post(journey, address, {**fields, "csrfmiddlewaretoken": sent}),
        broken="x" * len(token),
        mended=token,
    )


@scenario("page.csrf")
def a_browser_that_keeps_no_cookies(scene: Scene) -> OneThing:
    journey = Journey(scene.list_app, browser=Browser(enforce_csrf_checks=True))
    _ = scene.ada
    address, fields = sign_in_page(journey)
    kept = journey.browser.cookies.copy()

    def send(cookies: Any) -> Answer:
        journey.browser.cookies = cookies
        return post(journey, address, fields)

    return OneThing(send, broken=type(kept)(), mended=kept)


@scenario("page.fresh")
def a_sign_in_page_that_was_open_for_too_long(scene: Scene) -> OneThing:
    journey, _ = scene.journey, scene.ada
    address, fields = sign_in_page(journey)

    def send(lifetime: int) -> Answer:
        scene.configure(INTERACTION_LIFETIME=lifetime)
        return post(journey, address, fields)

    return OneThing(send, broken=-1, mended=3600)


@scenario("page.fresh")
def a_ticket_of_another_application(scene: Scene) -> OneThing:
    here = scene.journey
    there = Journey(scene.openid_app, client_id=scene.openid_app.openid_client_id)
    pages = {"here": here.authorize(), "there": there.authorize()}
    path = path_of(pages["here"].location).partition("?")[0]
    return OneThing(
        lambda whose: Answer(here.browser.get(path, {"ticket": pages[whose].query["ticket"]})),
        broken="there",
        mended="here",
    )


# --- the decision -------------------------------------------------------------------------------


@scenario("page.person")
def a_consent_page_that_somebody_else_was_shown(scene: Scene) -> OneThing:
    asking = scene.asking
    page = asking.consent_page(asking.authorize(scope="read"))
    browsers = {"ada": asking, "bob": Journey(asking.application).log_in(scene.bob)}
    return OneThing(lambda who: browsers[who].post_decision(page), broken="bob", mended="ada")


@scenario("page.person")
def a_consent_page_of_another_session_of_the_same_person(scene: Scene) -> OneThing:
    asking = scene.asking
    page = asking.consent_page(asking.authorize(scope="read"))
    browsers = {"here": asking, "there": Journey(asking.application).log_in(scene.ada)}
    return OneThing(
        lambda where: browsers[where].post_decision(page), broken="there", mended="here"
    )


@scenario("page.sign_in")
def a_consent_page_that_was_open_longer_than_a_sign_in_counts(scene: Scene) -> OneThing:
    asking, clock = scene.asking, scene.clock
    page = asking.consent_page(asking.authorize(scope="read", max_age="60"))

    def send(seconds: int) -> Answer:
        clock.step(seconds)
        answer = asking.post_decision(page)
        clock.step(-seconds)
        return answer

    return OneThing(send, broken=120, mended=1)


@scenario("consent.allowed")
def the_person_says_no(scene: Scene) -> OneThing:
    asking = scene.asking
    page = asking.consent_page(asking.authorize(scope="read"))
    return OneThing(lambda result: asking.post_decision(page, result), broken="0", mended="1")


@scenario("consent.openid")
def openid_is_unticked_where_the_answer_is_an_id_token(scene: Scene) -> OneThing:
    application = scene.openid_app
    application.flows = ["Implicit"]
    application.requires_consent = application.allows_scope_selection = True
    application.save()
    asked = {"response_type": "id_token", "scope": "openid email", "nonce": "n-1"}
    page = scene.openid.consent_page(scene.openid.authorize(**asked))
    return OneThing(
        lambda ticked: scene.openid.post_decision(page, scope=ticked),
        broken=["email"],
        mended=["openid", "email"],
    )
