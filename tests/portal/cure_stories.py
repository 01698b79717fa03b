"""Every cure as a story: a request that is refused, and what the page offers for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model

from oidc_pkce.models import Application, ServiceUser
from tests.fixtures import make_user
from tests.journeys import PASSWORD, SECRET, Answer, Journey
from tests.portal.curing import IMPLICIT, OTHER, nobody_may_run

Send = Callable[[], Answer]


@dataclass
class Story:
    """A request that is refused, the check that says so, the cure, and what is said of it."""

    send: Send
    check: str
    name: str
    told: str
    field: str = ""


def redirect(scene: Any) -> Story:
    mine = scene("signed_in")
    send = partial(mine.authorize, redirect_uri=OTHER)
    told = f"Add {OTHER} to Allowed Redirects of My App."
    return Story(send, "authorize.redirect_uri", "redirect_uris", told, "redirect_uris")


def redirect_of_openid(scene: Any) -> Story:
    mine = scene("openid")
    send = partial(mine.authorize, redirect_uri=OTHER, scope="openid")
    told = f"Add {OTHER} to Authorized Redirect URIs of Portal."
    return Story(send, "authorize.redirect_uri", "redirect_uris", told, "redirect_uris")


def client(scene: Any) -> Story:
    mine = scene("signed_in")
    send = partial(mine.authorize, client_id="mobile")
    told = "Add mobile to the Client ID List of My App."
    return Story(send, "authorize.client_id", "client_ids", told, "client_ids")


def forgotten(mine: Journey) -> None:
    """The client is taken off the List."""
    Application.objects.filter(pk=mine.application.pk).update(client_ids=["another_client"])


def client_at_the_token_endpoint(scene: Any) -> Story:
    mine = scene("signed_in")
    code = mine.authorize().code
    forgotten(mine)
    send = partial(mine.redeem, code)
    told = "Add my_service_user to the Client ID List of My App."
    return Story(send, "client.known", "client_ids", told, "client_ids")


def client_of_a_token(scene: Any) -> Story:
    mine = scene("signed_in")
    token = mine.tokens()["access_token"]
    forgotten(mine)
    send = partial(mine.userinfo, token)
    told = "Add my_service_user to the Client ID List of My App."
    return Story(send, "bearer.client", "client_ids", told, "client_ids")


def client_of_a_sign_out(scene: Any) -> Story:
    mine = scene("journey")
    mine.application.post_logout_redirect_uris = [OTHER]
    mine.application.save()
    query = f"client_id=mobile&post_logout_redirect_uri={OTHER}"
    send = partial(mine.raw, "EndSession", query)
    told = "Add mobile to the Client ID List of My App."
    return Story(send, "end_session.client_id", "client_ids", told, "client_ids")


def flow(scene: Any) -> Story:
    mine = scene("signed_in")
    send = partial(mine.authorize, **IMPLICIT)
    return Story(send, "authorize.flow", "flows", "Tick Implicit (legacy) on My App.", "flows")


def both_flows(scene: Any) -> Story:
    mine = scene("signed_in")
    Application.objects.update(flows=["ClientCreds"])
    send = partial(mine.authorize, response_type="code token")
    told = "Tick Auth Code, Implicit (legacy) on My App."
    return Story(send, "authorize.flow", "flows", told, "flows")


def openid_scope(scene: Any) -> Story:
    mine = scene("signed_in")
    Application.objects.update(flows=["AuthorizationCode", "Implicit"])
    mine.application.scopes.create(name="read")
    send = partial(mine.authorize, response_type="code id_token", scope="openid", nonce="n")
    told = "Define the scope openid on My App, without a description."
    return Story(send, "authorize.flow", "scopes", told, "scopes")


def flow_of_a_code(scene: Any) -> Story:
    mine = scene("signed_in")
    code = mine.authorize().code
    Application.objects.update(flows=["ClientCreds"])
    send = partial(mine.redeem, code)
    return Story(send, "token.flow", "flows", "Tick Auth Code on My App.", "flows")


def flow_of_a_machine(scene: Any) -> Story:
    mine = scene("confidential")
    send = partial(mine.post, "Token", machine())
    return Story(send, "token.flow", "flows", "Tick Client Creds on Backend.", "flows")


def flow_of_a_password(scene: Any) -> Story:
    mine = scene("confidential")
    send = partial(mine.post, "Token", person())
    told = "Tick Resource Owner (legacy) on Backend."
    return Story(send, "token.flow", "flows", told, "flows")


def refreshing(scene: Any) -> Story:
    mine = scene("signed_in")
    Application.objects.update(issues_refresh_tokens=True)
    token = mine.tokens()["refresh_token"]
    Application.objects.update(issues_refresh_tokens=False)
    send = partial(mine.refresh, token)
    told = "Tick Issue refresh tokens on My App."
    return Story(send, "token.flow", "issues_refresh_tokens", told, "issues_refresh_tokens")


def introspected_refresh_token(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(issues_refresh_tokens=True)
    token = mine.tokens()["refresh_token"]
    Application.objects.update(issues_refresh_tokens=False)
    send = partial(introspected, mine, token)
    told = "Tick Issue refresh tokens on Backend."
    return Story(
        send, "introspection.refresh", "issues_refresh_tokens", told, "issues_refresh_tokens"
    )


def disabled(scene: Any) -> Story:
    mine = scene("signed_in")
    Application.objects.update(enabled=False)
    return Story(mine.authorize, "authorize.enabled", "enable", "Enable My App:", "enabled")


def disabled_for_a_code(scene: Any) -> Story:
    mine = scene("signed_in")
    code = mine.authorize().code
    Application.objects.update(enabled=False)
    send = partial(mine.redeem, code)
    return Story(send, "token.access", "enable", "Enable My App:", "enabled")


def disabled_for_a_machine(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(enabled=False, flows=["ClientCreds"])
    send = partial(mine.post, "Token", machine())
    return Story(send, "client_credentials.access", "enable", "Enable Backend:", "enabled")


def disabled_for_a_password(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(enabled=False, flows=["ResourceCreds"])
    send = partial(mine.post, "Token", person())
    return Story(send, "password.access", "enable", "Enable Backend:", "enabled")


def disabled_for_a_token(scene: Any) -> Story:
    mine = scene("signed_in")
    token = mine.tokens()["access_token"]
    Application.objects.update(enabled=False)
    send = partial(mine.userinfo, token)
    return Story(send, "bearer.access", "enable", "Enable My App:", "enabled")


def disabled_for_introspection(scene: Any) -> Story:
    mine = scene("confidential")
    token = mine.tokens()["access_token"]
    Application.objects.update(enabled=False)
    send = partial(introspected, mine, token)
    return Story(send, "introspection.access", "enable", "Enable Backend:", "enabled")


def run(scene: Any) -> Story:
    mine = scene("signed_in")
    nobody_may_run()
    told = "Give ada the Run right on My App."
    return Story(mine.authorize, "authorize.access", "run", told, "permissions")


def run_for_a_code(scene: Any) -> Story:
    mine = scene("signed_in")
    code = mine.authorize().code
    nobody_may_run()
    send = partial(mine.redeem, code)
    told = "Give ada the Run right on My App."
    return Story(send, "token.access", "run", told, "permissions")


def run_for_a_machine(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(flows=["ClientCreds"])
    nobody_may_run()
    send = partial(mine.post, "Token", machine())
    told = "Give robot the Run right on Backend."
    return Story(send, "client_credentials.access", "run", told, "permissions")


def run_for_a_password(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(flows=["ResourceCreds"])
    nobody_may_run()
    send = partial(mine.post, "Token", person())
    told = "Give ada the Run right on Backend."
    return Story(send, "password.access", "run", told, "permissions")


def run_for_a_token(scene: Any) -> Story:
    mine = scene("signed_in")
    token = mine.tokens()["access_token"]
    nobody_may_run()
    send = partial(mine.userinfo, token)
    told = "Give ada the Run right on My App."
    return Story(send, "bearer.access", "run", told, "permissions")


def run_for_a_token_that_names_somebody_else(scene: Any) -> Story:
    """Account mapping tells clients another name: the right goes to whom the token is about."""
    mine = scene("signed_in")
    make_user("everyone")
    Application.objects.update(user_name_strategy="Fixed", shared_user_name="everyone")
    return run_for_a_token(lambda _: mine)


def run_for_introspection(scene: Any) -> Story:
    mine = scene("confidential")
    token = mine.tokens()["access_token"]
    nobody_may_run()
    send = partial(introspected, mine, token)
    told = "Give ada the Run right on Backend."
    return Story(send, "introspection.access", "run", told, "permissions")


def run_for_a_machines_token(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(flows=["ClientCreds"])
    token = mine.post("Token", machine()).json["access_token"]
    nobody_may_run()
    send = partial(introspected, mine, token)
    told = "Give robot the Run right on Backend."
    return Story(send, "introspection.access", "run", told, "permissions")


def scope(scene: Any) -> Story:
    mine = scene("signed_in")
    mine.application.scopes.create(name="read", description="See", rest_patterns=["notes"])
    send = partial(mine.authorize, scope="read write")
    told = "Define the scope write on My App, without a description."
    return Story(send, "authorize.scope", "scopes", told, "scopes")


def scope_of_a_machine(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(flows=["ClientCreds"])
    send = partial(mine.post, "Token", {**machine(), "scope": "write"})
    told = "Define the scope write on Backend, without a description."
    return Story(send, "token.scope", "scopes", told, "scopes")


def post_logout(scene: Any) -> Story:
    mine = scene("journey")
    query = f"client_id=my_service_user&post_logout_redirect_uri={OTHER}"
    send = partial(mine.raw, "EndSession", query)
    told = f"Add {OTHER} to Authorized post-logout redirect URIs of My App."
    name = "post_logout_redirect_uris"
    return Story(send, "end_session.post_logout_redirect_uri", name, told, name)


def shut_out(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(flows=["ClientCreds"])
    get_user_model().objects.filter(username="robot").update(is_active=False)
    send = partial(mine.post, "Token", machine())
    return Story(send, "client.service_user", "activate", "Activate the service user robot.")


def unflagged(scene: Any) -> Story:
    mine = scene("confidential")
    Application.objects.update(flows=["ClientCreds"], must_be_oauth_client=True)
    ServiceUser.objects.update(is_oauth_confidential_client=False)
    send = partial(mine.post, "Token", machine())
    told = "Flag the service user robot as an OAuth confidential client."
    return Story(send, "client.service_user", "flag", told)


STORIES = (
    redirect,
    redirect_of_openid,
    client,
    client_at_the_token_endpoint,
    client_of_a_token,
    client_of_a_sign_out,
    flow,
    both_flows,
    openid_scope,
    flow_of_a_code,
    flow_of_a_machine,
    flow_of_a_password,
    refreshing,
    introspected_refresh_token,
    disabled,
    disabled_for_a_code,
    disabled_for_a_machine,
    disabled_for_a_password,
    disabled_for_a_token,
    disabled_for_introspection,
    run,
    run_for_a_code,
    run_for_a_machine,
    run_for_a_password,
    run_for_a_token,
    run_for_a_token_that_names_somebody_else,
    run_for_introspection,
    run_for_a_machines_token,
    scope,
    scope_of_a_machine,
    post_logout,
    shut_out,
    unflagged,
)


def machine() -> dict[str, Any]:
    return {
        "grant_type": "client_credentials",
        "client_id": "robot",
        "client_secret": SECRET,
    }


def person() -> dict[str, Any]:
    mine = {"username": "ada", "password": PASSWORD}
    return {**machine(), "grant_type": "password", **mine}


def introspected(mine: Journey, token: str) -> Answer:
    """An introspection that says "inactive" counts as refused."""
    answer = mine.introspect(token)
    if not answer.json.get("active"):
        answer.response.status_code = 400
    return answer


def told_application() -> Application:
    return Application.objects.get(application_id="backend")
