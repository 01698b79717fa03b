"""Which application is meant: the last part of the address, and what stands before it."""

from __future__ import annotations

from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import Answer, Browser

SILENT = "whoever reads a document that there is leaves no trace: nothing has been judged"


@scenario("application.known")
def an_application_id_with_a_slip_at_authorize(scene: Scene) -> OneThing:
    journey = scene.signed_in
    query = {name: str(value) for name, value in journey.parameters().items()}
    return OneThing(
        lambda name: Answer(journey.browser.get(f"/OAuth2/Authorize/{name}", query)),
        broken="my-app",
        mended="my_app",
    )


@scenario("application.known")
def an_application_id_with_a_slip_at_user_info(scene: Scene) -> OneThing:
    bearer = {"Authorization": f"Bearer {scene.signed_in.tokens()['access_token']}"}
    return OneThing(
        lambda name: Answer(Browser().get(f"/OAuth2/UserInfo/{name}", headers=bearer)),
        broken="my_apps",
        mended="my_app",
    )


@scenario("application.prefix")
def an_issuer_without_its_prefix(scene: Scene) -> OneThing:
    scene.configure(ISSUER_BASE="https://id.example.com/tenant")
    root, name = "/.well-known/oauth-authorization-server", scene.list_app.application_id
    return OneThing(
        lambda prefix: Answer(Browser().get(f"{root}/{prefix}/{name}")),
        broken="tenants",
        mended="tenant",
    )
