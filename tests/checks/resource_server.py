"""An API of the project that takes this server's tokens."""

from __future__ import annotations

from typing import Any

from oidc_pkce.models import Scope
from tests.checks.cast import next_door, public
from tests.checks.remote import other
from tests.checks.shape import OneThing, Scene, scenario
from tests.fixtures import make_user
from tests.journeys import FORM, Answer, Browser, Journey
from tests.resource_server.conftest import ask, use

ONLY_A_REFUSAL = "what a view needs beyond a token is written down when it refuses"


def api(scene: Scene, **values: Any) -> Journey:
    """A client of an application whose tokens the project's APIs take; Ada signed in."""
    scene.settings.ROOT_URLCONF = "tests.resource_server.urls"
    use(scene.settings, **(values or {"APPLICATIONS": ["my_app"]}))
    journey = public(scene)
    journey.application.scopes.create(name="notes.read")
    journey.application.scopes.create(name="notes.write")
    return journey


def token_of(journey: Journey, **changes: Any) -> str:
    return str(journey.tokens(**changes)["access_token"])


@scenario("bearer.form_field")
def a_form_with_two_tokens(scene: Scene) -> OneThing:
    field = f"access_token={token_of(api(scene))}"
    return OneThing(
        lambda body: Answer(Browser().post("/plain/", body, content_type=FORM)),
        broken=f"{field}&{field}",
        mended=field,
    )


@scenario("bearer.present")
def an_api_that_is_sent_no_token(scene: Scene) -> OneThing:
    token = token_of(api(scene))
    return OneThing(lambda sent: ask("/plain/", sent), broken=None, mended=token)


@scenario("bearer.present")
def a_rest_api_that_is_sent_no_token(scene: Scene) -> OneThing:
    token = token_of(api(scene))
    return OneThing(lambda sent: ask("/api/", sent), broken=None, mended=token)


@scenario("bearer.token")
def an_api_that_is_sent_a_token_of_yesterday(scene: Scene) -> OneThing:
    token = token_of(api(scene))
    return OneThing(lambda sent: ask("/plain/", sent), broken=f"{token}x", mended=token)


@scenario("resource_server.application")
def an_application_that_the_api_does_not_name(scene: Scene) -> OneThing:
    journey = api(scene)
    theirs = token_of(next_door(journey))
    return OneThing(lambda token: ask("/api/", token), broken=theirs, mended=token_of(journey))


@scenario("resource_server.audience")
def a_token_for_another_api(scene: Scene) -> OneThing:
    audience = "https://api.example.com"
    journey = api(scene, APPLICATIONS=["my_app"], AUDIENCE=audience)
    return OneThing(
        lambda resource: ask("/api/", token_of(journey, resource=resource)),
        broken="https://other.example.com",
        mended=audience,
    )


@scenario("resource_server.user")
def a_remote_user_who_is_not_active_here(scene: Scene) -> OneThing:
    server, user = other(scene), make_user("remote-ada")

    def send(is_active: bool) -> Answer:
        user.is_active = is_active
        user.save()
        return ask("/api/remote-user", server.token())

    return OneThing(send, broken=False, mended=True)


@scenario("resource_server.scope")
def a_scope_that_the_person_was_not_asked_for(scene: Scene) -> OneThing:
    journey = api(scene)
    return OneThing(
        lambda scope: ask("/api/notes", token_of(journey, scope=scope)),
        broken="notes.write",
        mended="notes.read",
        is_listed=False,
        because=ONLY_A_REFUSAL,
    )


@scenario("resource_server.path")
def a_path_that_no_pattern_opens(scene: Scene) -> OneThing:
    journey = api(scene)
    Scope.objects.filter(name="notes.read").update(rest_patterns=["/notes/.*"])
    token = token_of(journey, scope="notes.read")
    return OneThing(
        lambda path: ask(path, token),
        broken="/diaries/1",
        mended="/notes/1",
        is_listed=False,
        because=ONLY_A_REFUSAL,
    )
