"""One click cures a refused request: the same request then succeeds, and nothing else changes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from oidc_pkce.models import (
    Application,
    AuditEvent,
    Permission,
    Principal,
    RequestTrace,
    Right,
    ServiceUser,
)
from tests.fixtures import make_user
from tests.flows.test_cures import make_trace
from tests.journeys import (
    CALLBACK,
    PASSWORD,
    SECRET,
    Answer,
    Journey,
    last_trace,
    make_application,
)
from tests.portal.administrators import give, staff
from tests.portal.conftest import INLINE, Portal
from tests.portal.records import manager

OTHER = "https://notes.example.com/signed-in"
IMPLICIT = {"response_type": "token", "code_challenge": None, "code_challenge_method": None}
Send = Callable[[], Answer]


def page_of(trace: RequestTrace) -> str:
    return f"requesttrace/{trace.pk}/change/"


def cure(portal: Portal, trace: RequestTrace, name: str, **changes: Any) -> str:
    """Open the request, press the button of this cure; the page that follows."""
    page = portal.get(page_of(trace)).content.decode()
    found = re.search(
        rf'name="cure" value="{name}"><input type="hidden" name="seen" value="(.*?)"', page
    )
    assert found, f"no button {name}"
    return post(portal, trace, name, seen=found[1], **changes)


def post(portal: Portal, trace: RequestTrace, name: str, **sent: Any) -> str:
    response = portal.post(f"requesttrace/{trace.pk}/cure/", {"cure": name, **sent})
    assert response.status_code == 200, response.status_code
    return html.unescape(response.content.decode())


def changed() -> dict[str, Any]:
    """What the newest change of an application was."""
    event = AuditEvent.objects.filter(action="application.updated").latest("pk")
    return event.details["changes"]  # type: ignore[no-any-return]


# --- every cure: refused, cured, then the same request succeeds ----------------------------------


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


def nobody_may_run() -> None:
    Permission.objects.all().delete()


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


def refused() -> RequestTrace:
    return RequestTrace.objects.filter(succeeded=False).latest("pk")


@pytest.fixture
def scene(request: pytest.FixtureRequest, db: None) -> Any:
    return request.getfixturevalue


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_same_request_succeeds_after_the_click(
    story: Callable[[Any], Story], scene: Any, portal: Portal
) -> None:
    told = story(scene)
    told.send()
    trace = refused()
    assert trace.failed_check == told.check
    page = re.sub(r"</?(?:code|strong)>", "", portal.text(page_of(trace)))
    assert told.told in page
    assert not INLINE.search(page)

    after = cure(portal, trace, told.name)
    assert "Send the request again." in after
    assert told.told not in re.sub(r"</?(?:code|strong)>", "", after)

    answer = told.send()
    assert answer.status < 400, answer.html
    assert answer.error is None
    assert refused().pk == trace.pk


@pytest.mark.parametrize(
    "story",
    [each for each in STORIES if each not in (shut_out, unflagged)],
    ids=lambda s: s.__name__,
)
def test_the_changelog_names_the_administrator_and_the_one_change(
    story: Callable[[Any], Story], scene: Any, portal: Portal
) -> None:
    told = story(scene)
    told.send()
    trace = refused()
    version = Application.objects.get(pk=trace.application_id).version
    cure(portal, trace, told.name)

    events = AuditEvent.objects.filter(action="application.updated")
    assert [event.actor_name for event in events] == ["robin"]
    assert list(changed()) == [told.field]
    assert Application.objects.get(pk=trace.application_id).version == version + 1
    assert "robin" in portal.text(f"application/{trace.application_id}/changelog/")


def test_every_cure_has_a_story() -> None:
    from oidc_pkce.flows import cures

    silent = {
        *("authorize.network", "authorize.acr", "client_credentials.network", "password.network"),
        *("authorize.code_challenge", "authorize.code_challenge_method", "password.required_acr"),
        "introspection.client",  # with Confidential clients alone, which have no List
    }
    source = Path(__file__).read_text()

    assert [c for c in cures.CURES if c not in silent and f'"{c}"' not in source] == []


# --- what is kept ---------------------------------------------------------------------------------


def test_all_other_rows_are_kept_when_a_right_is_given(portal, signed_in, bob):
    signed_in.application.permissions.all().delete()
    rows = Permission.objects
    rows.create(application=signed_in.application, principal="user", user=bob, can_manage=True)
    rows.create(
        application=signed_in.application, principal="user", user_id=ada_pk(), can_run=False
    )
    signed_in.authorize()

    cure(portal, refused(), "run")

    assert {row.principal_name: row.rights for row in rows.all()} == {
        "bob": frozenset({Right.VIEW, Right.MANAGE, Right.RUN, Right.DEPLOY}),
        "ada": frozenset({Right.VIEW, Right.RUN, Right.DEPLOY}),
    }


def ada_pk() -> Any:
    return get_user_model().objects.get(username="ada").pk


def test_a_new_row_gives_run_and_nothing_else(portal, signed_in):
    nobody_may_run()
    signed_in.authorize()

    cure(portal, refused(), "run")

    assert Permission.objects.get().rights == frozenset({Right.RUN})


def test_all_other_scopes_are_kept(portal, signed_in):
    signed_in.application.scopes.create(name="read", description="See", rest_patterns=["notes"])
    signed_in.authorize(scope="write")

    cure(portal, refused(), "scopes")

    kept = signed_in.application.scopes.values_list("name", "description", "rest_patterns")
    assert list(kept) == [("read", "See", ["notes"]), ("write", "", [])]


def test_a_cure_is_audited_as_the_same_edit_by_hand(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    cure(portal, refused(), "redirect_uris")
    by_click = AuditEvent.objects.filter(action="application.updated").latest("pk")
    page = f"application/{signed_in.application.pk}/general-usage/"
    portal.save(page, redirect_uris=CALLBACK)
    portal.save(page, redirect_uris=f"{CALLBACK}\n{OTHER}")
    by_hand = AuditEvent.objects.filter(action="application.updated").latest("pk")

    def shape(event: AuditEvent) -> Any:
        left_out = ("id", "at", "expires_at")
        told = {
            f.name: getattr(event, f.name) for f in event._meta.fields if f.name not in left_out
        }
        return {**told, "details": {**event.details, "version": None}}

    assert by_hand.pk != by_click.pk
    assert shape(by_click) == shape(by_hand)


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "right", [Right.MANAGE, Right.GRANT, Right.VIEW, Right.DELETE], ids=lambda right: right.label
)
@pytest.mark.parametrize("name", ["redirect_uris", "run"])
def test_each_cure_needs_the_right_of_the_edit_by_hand(name, right, signed_in):
    needed = Right.GRANT if name == "run" else Right.MANAGE
    if name == "run":
        nobody_may_run()
        signed_in.authorize()
    else:
        signed_in.authorize(redirect_uri=OTHER)
    trace = refused()
    mona = give(staff("mona", "view_requesttrace"), signed_in.application, right)
    page = mona.text(page_of(trace))

    sent = {"cure": name, "seen": str(signed_in.application.version)}
    answer = mona.browser.post(f"/admin/oidc_pkce/requesttrace/{trace.pk}/cure/", sent)

    allowed = right is needed
    assert (f'value="{name}"' in page) is allowed
    assert (f"it needs the right {needed.label} on My App" in page) is not allowed
    assert answer.status_code == (302 if allowed else 403)
    assert AuditEvent.objects.filter(action="application.updated").exists() is allowed


def test_who_may_only_see_requests_is_told_whom_to_ask(signed_in):
    signed_in.application.permissions.update(can_view=False)
    signed_in.authorize(redirect_uri=OTHER)
    reader = staff("reader", "view_requesttrace")

    page = reader.text(page_of(refused()))

    assert "Ask somebody who has it." in page
    assert 'name="cure"' not in page
    assert f"/application/{signed_in.application.pk}/" not in page
    sent = {"cure": "redirect_uris", "seen": str(signed_in.application.version)}
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"
    assert reader.browser.post(path, sent).status_code == 403


def test_a_request_of_an_application_that_one_does_not_manage_is_not_found(signed_in, openid_app):
    signed_in.authorize(redirect_uri=OTHER)
    stranger = manager(openid_app)

    sent = {"cure": "redirect_uris", "seen": "1"}
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    assert stranger.browser.post(path, sent).status_code == 404
    assert not AuditEvent.objects.filter(action="application.updated").exists()


@pytest.mark.parametrize("name", ["activate", "flag"])
def test_a_service_user_is_changed_only_by_who_may_change_service_users(name, scene):
    told = (shut_out if name == "activate" else unflagged)(scene)
    told.send()
    mona = manager(told_application(), name="mona")
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"
    sent = {"cure": name, "seen": seen_of_robot()}

    assert "it needs the permission to change service users" in mona.text(page_of(refused()))
    assert mona.browser.post(path, sent).status_code == 403

    may = give(staff("may", "change_serviceuser"), told_application(), Right.MANAGE)
    assert may.browser.post(path, sent).status_code == 302
    assert told.send().status == 200


def told_application() -> Application:
    return Application.objects.get(application_id="backend")


def seen_of_robot() -> str:
    robot = ServiceUser.objects.get()
    return f"{robot.user.is_active:d}{robot.is_oauth_confidential_client:d}"


def test_a_service_user_that_may_do_more_is_left_alone(scene):
    told = shut_out(scene)
    told.send()
    other = make_application(application_id="other")
    robot = get_user_model().objects.get(username="robot")
    Permission.objects.create(
        application=other, principal=Principal.USER, user=robot, can_manage=True
    )
    may = give(staff("may", "change_serviceuser"), told_application(), Right.MANAGE)
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    assert "may do more than you" in may.text(page_of(refused()))
    answer = may.browser.post(path, {"cure": "activate", "seen": seen_of_robot()})

    assert answer.status_code == 403
    robot.refresh_from_db()
    assert not robot.is_active


# --- what does not work ---------------------------------------------------------------------------


def test_nothing_is_changed_by_looking(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    answer = portal.browser.get(path, {"cure": "redirect_uris", "seen": "1"})

    assert answer.status_code == 405
    assert not AuditEvent.objects.filter(action="application.updated").exists()


def test_a_click_from_another_site_changes_nothing(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    assert strict.post(path, {"cure": "redirect_uris", "seen": "1"}).status_code == 403


@pytest.mark.parametrize(
    "name", ["", "flows", "run", "enable", "requires_pkce", "tokens", "redirect_uris\0", "x" * 5000]
)
def test_a_forged_name_changes_nothing(name, portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)

    page = post(portal, refused(), name, seen=str(signed_in.application.version))

    assert "nothing was changed" in page
    assert not AuditEvent.objects.filter(action="application.updated").exists()


def test_the_form_cannot_bring_another_value(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    forged = {
        "received": "https://evil.example/",
        "redirect_uris": "https://evil.example/",
        "value": "https://evil.example/",
        "application": "2",
        "user": "1",
    }

    cure(portal, refused(), "redirect_uris", **forged)

    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK, OTHER]


@pytest.mark.parametrize("seen", ["", "0", "99", "x", "1 ", "-1"])
def test_another_version_than_was_seen_changes_nothing(seen, portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)

    page = post(portal, refused(), "redirect_uris", seen=seen)

    assert "Somebody changed this since you opened the page" in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK]


def test_the_second_of_two_administrators_is_told(portal, second, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    seen = signed_in.application.version
    path = f"application/{signed_in.application.pk}/change/"
    second.save(path, description="Meanwhile")

    page = post(portal, refused(), "redirect_uris", seen=str(seen))

    assert "so nothing was done" in page
    cure(portal, refused(), "redirect_uris")
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK, OTHER]
    assert signed_in.application.description == "Meanwhile"


def test_whoever_comes_second_finds_it_done(portal, second, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    seen = str(signed_in.application.version)
    cure(second, refused(), "redirect_uris")

    page = post(portal, refused(), "redirect_uris", seen=seen)

    assert "nothing was changed" in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK, OTHER]


def test_a_service_user_that_was_changed_meanwhile_stays_as_it_is(portal, scene):
    shut_out(scene).send()
    seen = seen_of_robot()
    ServiceUser.objects.update(is_oauth_confidential_client=False)

    page = post(portal, refused(), "activate", seen=seen)

    assert "so nothing was done" in page
    assert not get_user_model().objects.get(username="robot").is_active


@pytest.mark.parametrize(
    "sent",
    [
        "https://app.example/callback?tenant=7",
        "http://app.example/callback",
        "javascript:alert(1)",
        "https://bank.example@evil.example/",
    ],
)
def test_an_address_that_is_not_known_whole_or_not_possible_is_not_added(sent, portal, signed_in):
    signed_in.authorize(redirect_uri=sent)
    trace = refused()

    page = portal.text(page_of(trace))
    after = post(portal, trace, "redirect_uris", seen=str(signed_in.application.version))

    assert 'name="cure"' not in page
    assert "Open General Usage" in page
    assert "Nothing was changed." in after
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK]


def test_what_the_rules_of_an_application_forbid_is_told_and_not_done(
    portal, signed_in, monkeypatch
):
    """As a profile does, or a subclass of a host."""
    from django.core.exceptions import ValidationError

    signed_in.authorize(**IMPLICIT)

    def clean(self: Application) -> None:
        if "Implicit" in self.flows:
            raise ValidationError({"flows": "OAuth 2.1 has no Implicit flow."})

    monkeypatch.setattr(Application, "clean", clean)

    page = cure(portal, refused(), "flows")

    assert "Nothing was changed. OAuth 2.1 has no Implicit flow." in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.flows == ["AuthorizationCode"]


def test_a_profile_forbids_what_it_forbids_by_hand(portal, signed_in):
    Application.objects.update(profile="oauth21")
    signed_in.authorize(**IMPLICIT)

    page = cure(portal, refused(), "flows")

    assert "Nothing was changed." in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.flows == ["AuthorizationCode"]
    assert not AuditEvent.objects.filter(action="application.updated").exists()


def test_a_list_that_is_full_takes_no_more(portal, signed_in):
    full = [f"https://app.example/{number}" for number in range(500)]
    Application.objects.update(redirect_uris=full)
    signed_in.authorize(redirect_uri=OTHER)

    page = cure(portal, refused(), "redirect_uris")

    assert "Nothing was changed. At most 500 entries are possible." in page


def test_what_a_stranger_sent_is_shown_as_text(portal, list_app):
    sent = "<script>alert(1)</script>\"'><b>"
    trace = make_trace(list_app, "authorize.client_id", received=sent)

    raw = portal.get(page_of(trace)).content.decode()

    assert sent not in raw
    assert "<script>alert" not in raw
    assert not INLINE.search(raw)


def test_the_host_is_marked_in_the_address(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)

    raw = portal.get(page_of(refused())).content.decode()

    assert "<code>https://<strong>notes.example.com</strong>/signed-in</code>" in raw
    assert "Anybody can send such a request. Add it only if this address is yours." in raw


def test_what_was_added_is_told_as_it_was_sent(portal, signed_in):
    """Django's administration begins every message with a capital letter."""
    signed_in.authorize(redirect_uri=OTHER)

    after = cure(portal, refused(), "redirect_uris")

    assert f"Added to Allowed Redirects of My App: {OTHER}." in after


def test_a_request_of_an_unknown_application_is_not_cured(portal, ada):
    Browser().get("/OAuth2/Authorize/nothing", {"client_id": "x", "redirect_uri": OTHER})
    trace = last_trace()

    assert 'name="cure"' not in portal.text(page_of(trace))
    path = f"/admin/oidc_pkce/requesttrace/{trace.pk}/cure/"
    assert portal.browser.post(path, {"cure": "redirect_uris", "seen": "1"}).status_code == 403


def test_a_name_in_a_request_activates_nobody(portal, scene):
    """The service user that proved itself is known by its key; whoever else has the name is not."""
    mine = scene("confidential")
    get_user_model().objects.filter(username="robot").update(is_active=False)
    trace = make_trace(mine.application, "client.service_user", received="robot")

    assert 'name="cure"' not in portal.text(page_of(trace))


@pytest.mark.parametrize("name", ["robot-with-a-name-that-is-as-long-as-a-secret", "r" * 150])
def test_a_service_user_with_a_long_name_is_activated(name, portal, scene):
    """A trace masks long words, but knows who it was."""
    told = shut_out(scene)
    get_user_model().objects.filter(username="robot").update(username=name)
    mine = {**machine(), "client_id": name}
    journey = scene("confidential")
    assert journey.post("Token", mine).status == 400

    cure(portal, refused(), "activate")

    assert journey.post("Token", mine).status == 200
    assert told.check == refused().failed_check
