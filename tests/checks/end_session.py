"""EndSession: what of a sign-out request is believed, and the page that asks the person."""

from __future__ import annotations

import secrets
from typing import Any

from tests.checks.shape import OneThing, Scene, scenario
from tests.fixtures import make_user
from tests.journeys import FORM, Answer, Browser, Journey, encode, make_application

BYE = "https://rp.example/bye"
ANYWHERE = "/OAuth2/EndSession"
PORTAL = "/OAuth2/EndSession/portal"
TICKET = "sign_out_ticket"


def signed_in(scene: Scene) -> Journey:
    """An OpenID Connect application with an address to return to; Ada signed in."""
    journey: Journey = scene.openid
    journey.application.post_logout_redirect_uris = [BYE]
    journey.application.save()
    return journey


def end(journey: Journey, address: str = PORTAL, **parameters: Any) -> Answer:
    """Ask for the sign-out; of ``None`` nothing is sent."""
    sent = {name: value for name, value in parameters.items() if value is not None}
    return Answer(journey.browser.get(address, sent))


def parameter(
    journey: Journey, name: str, broken: Any, mended: Any, address: str = PORTAL, **others: Any
) -> OneThing:
    """Two sign-out requests that differ in one parameter.

    Each begins with Ada signed in again in the same session: the mended one ends it.
    """
    return OneThing(
        lambda value: end(journey, address, **{**others, name: value}),
        broken=broken,
        mended=mended,
    )


def hint_of(journey: Journey) -> str:
    """An ID token of this application, of this session."""
    return str(journey.tokens(scope="openid")["id_token"])


@scenario("end_session.parameters")
def state_twice(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    return parameter(journey, "state", ["a", "b"], ["a"], client_id=journey.client_id)


@scenario("end_session.parameters")
def a_state_of_one_character_too_many(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    return parameter(journey, "state", "s" * 4097, "s" * 4096, client_id=journey.client_id)


@scenario("end_session.id_token_hint")
def an_access_token_as_a_hint(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    tokens = journey.tokens(scope="openid")
    return parameter(journey, "id_token_hint", tokens["access_token"], tokens["id_token"])


@scenario("end_session.id_token_hint")
def a_hint_that_was_issued_to_another_client(scene: Scene) -> OneThing:
    """The application serves both; whoever presents the hint is the other one."""
    app = scene.list_app
    app.client_ids = ["my_service_user", "another"]
    app.save()
    app.scopes.create(name="openid")
    journey = scene.signed_in
    here = "/OAuth2/EndSession/my_app"
    hint = hint_of(journey)
    return parameter(journey, "client_id", "another", "my_service_user", here, id_token_hint=hint)


@scenario("end_session.issuer")
def the_hint_of_another_application(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    hints = {"here": hint_of(journey), "there": hint_of(elsewhere(journey))}
    return parameter(journey, "id_token_hint", hints["there"], hints["here"])


def elsewhere(journey: Journey) -> Journey:
    """Another OpenID Connect application, in the same browser."""
    guid = "9c1d6a55-0f2e-4d0e-9a53-5f1de8ef0a22"
    made = make_application(
        template="Generic OpenID Connect",
        application_id="other",
        client_id_type="Confidential",
        client_ids=[],
        openid_client_id=guid,
    )
    return Journey(made, client_id=guid, browser=journey.browser)


@scenario("end_session.post_logout_redirect_uri")
def an_address_that_is_not_registered(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    mine = {"client_id": journey.client_id}
    return parameter(journey, "post_logout_redirect_uri", f"{BYE}/", BYE, **mine)


@scenario("end_session.client_id")
def nobody_vouches_for_the_address(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    asked = {"post_logout_redirect_uri": BYE}
    return parameter(journey, "client_id", None, journey.client_id, **asked)


@scenario("end_session.client_id")
def a_client_that_the_application_does_not_serve(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    return parameter(journey, "client_id", "another", journey.client_id)


@scenario("end_session.session")
def the_hint_of_another_person(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    bobs = Journey(journey.application, client_id=journey.client_id).log_in(scene.bob)
    return parameter(journey, "id_token_hint", hint_of(bobs), hint_of(journey))


@scenario("end_session.session")
def the_hint_of_another_session_of_the_same_person(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    other = Journey(journey.application, client_id=journey.client_id).log_in(scene.ada)
    return parameter(journey, "id_token_hint", hint_of(other), hint_of(journey))


@scenario("end_session.page")
def a_page_that_somebody_else_was_shown(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    page = end(journey, ANYWHERE)
    browsers = {"ada": journey, "bob": Journey(journey.application).log_in(scene.bob)}
    return OneThing(lambda who: answered(browsers[who], page), broken="bob", mended="ada")


@scenario("page.csrf")
def an_answer_without_its_token(scene: Scene) -> OneThing:
    browser = Browser(enforce_csrf_checks=True)
    journey = Journey(scene.openid_app, browser=browser).log_in(make_user("carol"))
    page = end(journey, ANYWHERE)
    token = page.hidden("csrfmiddlewaretoken")
    return OneThing(
        lambda sent: answered(journey, page, csrfmiddlewaretoken=sent),
        broken="x" * len(token),
        mended=token,
    )


@scenario("page.fresh")
def a_ticket_that_nobody_sealed(scene: Scene) -> OneThing:
    journey = signed_in(scene)
    ticket = end(journey, ANYWHERE).hidden(TICKET)
    return OneThing(
        lambda sealed: posted(journey, {TICKET: sealed, "result": "1"}),
        broken=f"{ticket[:-1]}{'A' if ticket[-1] != 'A' else 'B'}",
        mended=ticket,
    )


@scenario("authorize.length")
def a_sign_out_that_fits_into_no_address(scene: Scene) -> OneThing:
    """Posted from another site, whose posts bring no cookie: it comes again by its address.

    Random characters that are no ASCII, for what repeats itself is compressed.
    """
    nobody = Journey(scene.openid_app)
    state = "".join(chr(0x4E00 + secrets.randbelow(20_000)) for _ in range(4000))
    return OneThing(lambda sent: posted(nobody, {"state": sent}), broken=state, mended="s")


def answered(journey: Journey, page: Answer, **changes: str) -> Answer:
    """Say yes on a page that asks."""
    return posted(journey, {TICKET: page.hidden(TICKET), "result": "1", **changes})


def posted(journey: Journey, fields: dict[str, str]) -> Answer:
    return Answer(journey.browser.post(ANYWHERE, encode(fields), content_type=FORM))
