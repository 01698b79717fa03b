"""The clients of the back channel: who asks, and what they may ask for."""

from __future__ import annotations

from typing import Any

from oidc_pkce.models import Permission
from tests.checks.shape import Scene
from tests.fixtures import make_user
from tests.journeys import Answer, Journey, give_secret, make_application, make_service_user

API = "https://api.example/v1"
ANOTHER_SECRET = "another-secret-of-43-characters-0123456789a"
EVERY_FLOW = ["AuthorizationCode", "ClientCreds", "ResourceCreds"]


def change(journey: Journey, **fields: Any) -> Journey:
    """Set fields of the application, as an administrator would."""
    for name, value in fields.items():
        setattr(journey.application, name, value)
    journey.application.save()
    return journey


def public(scene: Scene) -> Journey:
    """A client of the List application, which issues refresh tokens; Ada signed in."""
    return change(
        _offering(scene.signed_in),
        client_ids=["my_service_user", "another_client"],
        issues_refresh_tokens=True,
    )


def backend(scene: Scene) -> Journey:
    """A service user before an application that offers every flow; Ada signed in."""
    return change(_offering(scene.confidential), flows=EVERY_FLOW, issues_refresh_tokens=True)


def web(scene: Scene) -> Journey:
    """An OpenID Connect client that may leave its secret out; Ada signed in."""
    journey = scene.openid
    give_secret(journey.application)
    return change(journey, flows=EVERY_FLOW, issues_refresh_tokens=True)


def colleague(journey: Journey, name: str = "colleague") -> Journey:
    """Another service user before the same application."""
    make_service_user(make_user(name), ANOTHER_SECRET)
    return Journey(journey.application, client_id=name, secret=ANOTHER_SECRET)


def next_door(journey: Journey, **fields: Any) -> Journey:
    """The same client and person before another application of the same kind."""
    application = make_application(
        application_id="next_door",
        client_id_type=journey.application.client_id_type,
        client_ids=journey.application.client_ids,
        issues_refresh_tokens=True,
        **fields,
    )
    return Journey(
        application,
        client_id=journey.client_id,
        secret=journey.secret,
        browser=journey.browser,
    )


def own_token(journey: Journey, **changes: Any) -> Answer:
    """Ask for a token of the client's own; ``None`` leaves a parameter out."""
    return _ask(journey, {"grant_type": "client_credentials", **changes})


def let_everybody_run(*, may: bool) -> None:
    """Give the Run right of every application to everybody, or take it away."""
    Permission.objects.update(can_run=may)


def ask_with_password(journey: Journey, **changes: Any) -> Answer:
    """Send a person's password; ``None`` leaves a parameter out."""
    return _ask(journey, {"grant_type": "password", "username": "ada", **changes})


def _ask(journey: Journey, form: dict[str, Any]) -> Answer:
    headers = form.pop("headers", None)
    mine = {"client_id": journey.client_id, "client_secret": journey.secret}
    return journey.post("Token", {**mine, **form}, headers=headers)


def _offering(journey: Journey) -> Journey:
    for name in ("read", "write"):
        journey.application.scopes.create(name=name)
    return journey
