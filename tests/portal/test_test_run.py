"""Test this application: the whole flow over HTTP, as the administrator's chosen client."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest
from django.contrib.auth.models import Permission as DjangoPermission
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation
from django.views.debug import ExceptionReporter

from oidc_pkce.models import (
    AccessToken,
    Application,
    AuditEvent,
    Grant,
    RefreshToken,
    RequestTrace,
)
from oidc_pkce.portal.test_run import calls, in_process, remembered
from oidc_pkce.portal.test_run.calls import shown
from oidc_pkce.portal.test_run.in_process import Sent, Unanswered
from tests.fixtures import make_user
from tests.journeys import BASE, FORM, SECRET, VERIFIER, give_secret, make_application, s256
from tests.portal.conftest import INLINE
from tests.portal.running import Page, Runner, SecureBrowser, query_of
from tests.portal.test_permissions import give

pytestmark = pytest.mark.django_db

#: A project that serves nothing.
urlpatterns: list[Any] = []


@pytest.fixture
def robin(db: None) -> Any:
    return make_user("robin", is_staff=True, is_superuser=True)


@pytest.fixture
def runner(robin: Any, list_app: Application) -> Runner:
    """OAuth2 Client, Client ID Type List."""
    return Runner(robin, list_app).allow()


@pytest.fixture
def openid_runner(robin: Any, openid_app: Application) -> Runner:
    """OpenID Connect, PKCE alone."""
    return Runner(robin, openid_app).allow()


@pytest.fixture
def server_runner(robin: Any, robot: Any) -> Runner:
    """OAuth2 Server, Confidential: the service user robot has a secret."""
    made = make_application(
        template="OAuth2Server",
        application_id="api",
        name="API",
        client_id_type="Confidential",
        client_ids=[],
        audience="company://api",
        flows=["AuthorizationCode", "ClientCreds"],
        issues_refresh_tokens=True,
    )
    made.scopes.create(name="read")
    return Runner(robin, made).allow()


def session_text(runner: Runner) -> str:
    return json.dumps(dict(runner.browser.session.items()))


def verified(page: Page) -> int:
    return page.text.count("The signature is verified: RS256 with the published key")


# --- the whole run ------------------------------------------------------------------------------


def test_an_oauth2_client_runs_from_the_request_to_the_token(runner: Runner) -> None:
    answer = runner.send()

    assert "state is the one that was sent." in answer.text
    assert "iss is the issuer of this application." in answer.text
    page = runner.press(answer, "code")
    assert "200 OK" in page.text
    assert verified(page) == 1
    assert "Tokens from before" not in page.text
    assert Grant.objects.get().client_id == "my_service_user"
    assert not page.offers("introspect_access_token")


def test_an_openid_connect_application_runs_with_pkce_alone(openid_runner: Runner) -> None:
    page = openid_runner.tokens()

    assert verified(page) == 2
    for name in ("nonce", "at_hash", "aud", "iss"):
        assert f"{name} is what this client expects." in page.text
    told = openid_runner.press(page, "userinfo")
    assert "200 OK" in told.text
    assert "sub is the one of the ID token." in told.text


def test_an_openid_connect_application_runs_with_its_secret(openid_runner: Runner) -> None:
    give_secret(openid_runner.application)
    openid_runner.application.require_client_secret = True
    openid_runner.application.save()
    answer = openid_runner.send()

    refused = openid_runner.press(answer, "code")
    assert "invalid_client" in refused.text
    page = openid_runner.press(refused, "code", client_secret=SECRET)

    assert verified(page) == 2


def test_an_oauth2_server_runs_with_a_service_user(server_runner: Runner) -> None:
    page = server_runner.tokens(client_secret=SECRET)

    assert verified(page) == 1
    introspected = server_runner.press(page, "introspect_access_token", client_secret=SECRET)
    assert '"active": true' in introspected.text
    refreshed = server_runner.press(introspected, "refresh", client_secret=SECRET)
    assert "200 OK" in refreshed.text
    again = server_runner.press(refreshed, "refresh", client_secret=SECRET)
    assert "200 OK" in again.text
    assert RefreshToken.objects.count() == 3
    revoked = server_runner.press(again, "revoke_refresh_token", client_secret=SECRET)
    assert "200 OK" in revoked.text
    dead = server_runner.press(revoked, "introspect_access_token", client_secret=SECRET)
    assert '"active": false' in dead.text


def test_client_credentials_can_be_tried(server_runner: Runner) -> None:
    typed = {"client_id": "robot", "client_secret": SECRET, "scope": "read"}
    page = server_runner.press(server_runner.open(), "client_credentials", **typed)

    assert "200 OK" in page.text
    assert verified(page) == 1
    assert not page.offers("code")


def test_client_credentials_are_offered_only_where_they_are_ticked(runner: Runner) -> None:
    assert not runner.open().offers("client_credentials")


def test_no_page_offers_the_password_flow(server_runner: Runner) -> None:
    server_runner.application.flows = ["AuthorizationCode", "ResourceCreds"]
    server_runner.application.save()

    assert "password" not in server_runner.open().form("response_type").types.values()
    assert not server_runner.open().offers("password")


@pytest.mark.parametrize(
    "response_type", ["id_token", "id_token token", "code id_token", "code id_token token"]
)
def test_tokens_that_come_through_the_browser_arrive_in_a_form(
    openid_runner: Runner, response_type: str
) -> None:
    openid_runner.application.flows = ["AuthorizationCode", "Implicit"]
    openid_runner.application.save()

    answer = openid_runner.send(query=f"response_type={quote(response_type)}")

    assert "Arrived in a form" in answer.text
    words = response_type.split()
    assert verified(answer) == len(words) - ("code" in words)
    assert answer.offers("code") == ("code" in words)
    assert answer.offers("userinfo") == ("token" in words)
    if "code" in words:
        assert "c_hash is what this client expects." in answer.text
        assert "200 OK" in openid_runner.press(answer, "code").text


def test_an_answer_in_the_fragment_is_said_to_stay_in_the_browser(openid_runner: Runner) -> None:
    page = openid_runner.open(openid_runner.callback_path)

    assert "Nothing arrived." in page.text
    assert "oidc_pkce/test_run.js" in page.html


def test_consent_is_asked_for_on_the_real_page(runner: Runner) -> None:
    runner.application.requires_consent = True
    runner.application.save()

    page = runner.send()

    assert "/OAuth2/Confirm/" in page.path
    form = page.forms[0]
    answer = runner.follow(runner.browser.post(page.path, {**form.fields, "result": "1"}))
    assert answer.offers("code")


def test_prompt_login_signs_the_same_person_in_again_and_the_run_goes_on(runner: Runner) -> None:
    page = runner.send(prompt="login")

    assert "/OAuth2/Login/" in page.path
    typed = {
        **page.forms[0].fields,
        "username": "robin",
        "password": "correct horse battery staple",
    }
    answer = runner.follow(runner.browser.post(page.path, typed))

    assert "200 OK" in runner.press(answer, "code").text


def test_whoever_else_signs_in_on_the_way_gets_no_verifier(runner: Runner, robin: Any) -> None:
    make_user("kim", is_staff=True, is_superuser=True)
    page = runner.send(prompt="login")
    typed = {**page.forms[0].fields, "username": "kim", "password": "correct horse battery staple"}

    answer = runner.follow(runner.browser.post(page.path, typed))

    assert "waits for no answer" in answer.text
    assert not answer.offers("code")


def test_plain_challenges_can_be_tried(runner: Runner) -> None:
    runner.application.allows_plain_pkce = True
    runner.application.save()

    answer = runner.send(code_challenge_method="plain")

    assert "200 OK" in runner.press(answer, "code").text


def test_a_challenge_of_ones_own_goes_with_a_verifier_of_ones_own(runner: Runner) -> None:
    answer = runner.send(code_challenge=s256(VERIFIER))

    assert "was not made by this page" in answer.text
    refused = runner.press(answer, "code")
    assert "invalid_grant" in refused.text
    assert "200 OK" in runner.press(refused, "code", code_verifier=VERIFIER).text
    assert VERIFIER not in refused.text


def test_a_missing_verifier_can_be_tried(runner: Runner) -> None:
    page = runner.press(runner.send(), "code", verifier="none")

    assert "400 Bad Request" in page.text
    assert "code_verifier" not in page.form("code").fields["code"]
    assert "code_verifier=" not in page.text


def test_the_sign_out_goes_to_the_public_endpoint_by_a_form(openid_runner: Runner) -> None:
    openid_runner.switch("on", sign_out="1")
    page = openid_runner.tokens()
    form = page.form("id_token_hint")

    assert form.action == f"{BASE}/OAuth2/EndSession/portal"
    body = urlencode(form.fields)
    response = openid_runner.browser.post(form.action, body, content_type=FORM)

    assert response.status_code == 303
    assert response["Location"] == f"{BASE}{openid_runner.path}"
    assert "_auth_user_id" not in openid_runner.browser.session


# --- what is typed, and what is sent ------------------------------------------------------------


def test_what_is_typed_is_sent_and_what_is_empty_is_not(runner: Runner) -> None:
    changes = {
        "state": " two  spaces ",
        "nonce": "n",
        "max_age": "soon",
        "resource": "https://a.example/",
        "further": "extra=1\nextra=2\nnothing\nempty=",
        "prompt": "",
    }
    response = runner.post_request(**changes)

    assert "extra=1&extra=2" in response["Location"]
    sent = query_of(response["Location"])
    assert sent["state"] == " two  spaces "
    assert sent["max_age"] == "soon"
    assert sent["resource"] == "https://a.example/"
    assert {"prompt", "nothing", "empty", "run", "csrfmiddlewaretoken"}.isdisjoint(sent)


def test_an_address_that_servers_do_not_read_is_refused_with_its_length(runner: Runner) -> None:
    response = runner.post_request(claims="x" * 9000)

    assert response.status_code == 200
    assert "characters long" in response.content.decode()


def test_a_form_without_its_run_sends_nothing(runner: Runner) -> None:
    response = runner.post_request(run="short")

    assert response.status_code == 200
    assert "this form is incomplete" in response.content.decode()


def test_the_address_can_be_shown_instead_of_opened(runner: Runner) -> None:
    response = runner.post_request(show="Show its address")

    assert response.status_code == 200
    assert f'href="{BASE}/OAuth2/Authorize/my_app?' in response.content.decode()


def test_a_request_for_another_redirect_uri_is_a_link(runner: Runner) -> None:
    """A browser that keeps to form-action 'self' would follow no redirect to another site."""
    response = runner.post_request(redirect_uri="http://localhost:5000/callback")

    assert response.status_code == 200
    assert "follow the link yourself" in response.content.decode()


def test_a_request_can_be_changed_and_sent_again(runner: Runner) -> None:
    answer = runner.send(scope="", login_hint="ada", further="x=1")
    found = re.search(r'href="([^"]*again=[^"]*)"', answer.html)
    assert found

    page = Page(runner.browser.get(found[1]), found[1])
    fields = page.form("response_type").fields

    assert (fields["login_hint"], fields["further"]) == ("ada", "x=1")
    assert fields["state"] not in ("", query_of(answer.path)["state"])
    fresh = runner.follow(runner.browser.post(runner.path, fields))
    assert "200 OK" in runner.press(fresh, "code").text


def test_a_run_that_nobody_sent_changes_nothing_in_the_form(runner: Runner) -> None:
    assert runner.open(again="x" * 32).form("response_type").fields["client_id"]


@pytest.mark.parametrize(
    ("fields", "client"),
    [
        ({"client_id_type": "List", "client_ids": ["first", "second"]}, "first"),
        ({"client_id_type": "Anything", "client_ids": []}, ""),
        ({"client_id_type": "Confidential", "client_ids": []}, "robot"),
    ],
    ids=["List", "Anything", "Confidential"],
)
def test_the_form_begins_with_a_client_of_the_application(
    robin: Any, robot: Any, fields: dict[str, Any], client: str
) -> None:
    made = make_application(**fields)

    assert Runner(robin, made).open().form("response_type").fields["client_id"] == client


def test_service_users_are_named_only_to_whom_may_see_them(robot: Any) -> None:
    made = make_application(client_id_type="Confidential", client_ids=[])
    staff = make_user("viewer", is_staff=True)
    give(made, staff, *_rights("can_view", "can_manage"))

    page = Runner(staff, made).open()

    assert page.form("response_type").fields["client_id"] == ""
    assert 'value="robot"' not in page.html


# --- what a client checks -----------------------------------------------------------------------


def test_another_state_stops_the_client(runner: Runner) -> None:
    answer = runner.send()
    forged = answer.path.replace("state=", "state=other-")

    page = runner.open(forged)

    assert re.search(r"state is “other-[^”]+”, but “[^”]+” was sent\.", page.text)
    assert "A client must stop here" in page.text
    assert not page.offers("code")


def test_an_answer_without_state_stops_the_client(runner: Runner) -> None:
    answer = runner.send()

    page = runner.open(re.sub(r"state=[^&]*&", "", answer.path))

    assert not page.offers("code")


def test_a_request_without_state_has_an_answer_without(runner: Runner) -> None:
    assert runner.send(state="").offers("code")


def test_a_very_long_state_is_compared_too(runner: Runner) -> None:
    answer = runner.send(state="s" * 4000)

    assert answer.offers("code")
    assert "s" * 700 not in session_text(runner)
    assert not runner.open(answer.path.replace("state=s", "state=t")).offers("code")


@pytest.mark.parametrize("issuer", ["https://evil.example/my_app/", ""])
def test_another_issuer_stops_the_client(runner: Runner, issuer: str) -> None:
    answer = runner.send()
    forged = re.sub(r"iss=[^&]*", f"iss={quote(issuer, safe='')}", answer.path)

    page = runner.open(forged)

    assert "another server answered" in page.text or "iss is missing" in page.text
    assert not page.offers("code")


def test_a_parameter_that_comes_twice_stops_the_client(runner: Runner) -> None:
    answer = runner.send()

    page = runner.open(f"{answer.path}&code=another")

    assert "code came more than once." in page.text
    assert not page.offers("code")


def test_the_answer_to_another_applications_request_is_none_of_this_one(
    runner: Runner, openid_runner: Runner
) -> None:
    openid_runner.browser = runner.browser
    answer = runner.send()

    page = openid_runner.open(
        answer.path.replace(runner.callback_path, openid_runner.callback_path)
    )

    assert "waits for no answer of this application" in page.text
    assert not page.offers("code")


def test_a_replayed_answer_has_no_verifier_any_more(runner: Runner) -> None:
    answer = runner.send()
    runner.press(answer, "code")

    replayed = runner.open(answer.path)
    assert not replayed.offers("code")
    page = runner.press(answer, "code")  # the form of the page that is still open

    assert "400 Bad Request" in page.text
    assert "code_verifier=" not in page.text


def test_a_stolen_answer_is_worth_nothing_in_another_session(runner: Runner, robin: Any) -> None:
    answer = runner.send()
    thief = Runner(robin, runner.application)

    assert not thief.open(answer.path).offers("code")
    page = thief.press(answer, "code")  # even with the form itself, the name of the run included

    assert "invalid_grant" in page.text or "invalid_request" in page.text
    assert "200 OK" in runner.press(answer, "code").text


def test_a_run_ends_after_the_lifetime_of_an_interaction(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = runner.send()
    later = timezone.now() + timedelta(seconds=3601)
    monkeypatch.setattr("oidc_pkce.portal.test_run.callback.timezone.now", lambda: later)

    page = runner.open(answer.path)

    assert "waits for no answer" in page.text


def test_a_session_remembers_a_few_runs(runner: Runner) -> None:
    for _ in range(5):
        runner.post_request(scope="x" * 5000)

    assert len(runner.browser.session[remembered.KEY]) == remembered.MOST
    assert len(session_text(runner)) < 10_000


# --- refusals -----------------------------------------------------------------------------------


def test_a_refusal_at_the_authorization_endpoint_is_explained(runner: Runner) -> None:
    page = runner.send(scope="unknown")

    assert "invalid_scope" in page.text
    assert "authorize.scope" in page.text
    trace = RequestTrace.objects.latest("pk")
    assert f"/admin/oidc_pkce/requesttrace/{trace.pk}/change/" in page.html


def test_a_refusal_at_the_token_endpoint_is_explained(runner: Runner) -> None:
    page = runner.press(runner.send(), "code", redirect_uri="https://elsewhere.example/")

    trace = RequestTrace.objects.latest("pk")
    assert trace.failed_check in page.text
    assert f"/admin/oidc_pkce/requesttrace/{trace.pk}/change/" in page.html
    assert "200 OK" in runner.press(page, "code", redirect_uri=runner.callback).text


def test_whoever_may_not_see_requests_is_told_the_id_and_no_more(list_app: Application) -> None:
    staff = make_user("viewer", is_staff=True)
    give(list_app, staff, *_rights("can_view"))
    viewer = Runner(staff, list_app).allow()

    page = viewer.press(viewer.send(), "code", redirect_uri="https://elsewhere.example/")

    trace = RequestTrace.objects.latest("pk")
    assert trace.request_id in page.text
    assert trace.failed_check not in page.text
    assert "requesttrace" not in page.html


def test_a_disabled_application_refuses_and_the_page_says_why(runner: Runner) -> None:
    Application.objects.update(enabled=False)

    assert "This application is disabled" in runner.open().text
    assert "this application is disabled" in runner.send().text


def test_a_redirect_uri_that_is_not_switched_on_ends_on_the_error_page(
    robin: Any, list_app: Application
) -> None:
    page = Runner(robin, list_app).send()

    assert page.response.status_code == 400
    assert "/OAuth2/Authorize/" in page.path


def test_the_latest_requests_are_listed(runner: Runner) -> None:
    runner.send(scope="unknown")

    assert "authorize.scope" in runner.open().text


def test_a_wrong_secret_counts_against_the_clients_address(server_runner: Runner) -> None:
    answer = server_runner.send()
    cache.clear()
    for _ in range(10):
        answer = server_runner.press(answer, "code", client_secret="not the secret")

    refused = server_runner.press(answer, "code", client_secret=SECRET)

    assert "200 OK" not in refused.text


# --- nothing that is secret stays anywhere ------------------------------------------------------


def test_no_verifier_stands_in_session_address_or_page(runner: Runner) -> None:
    response = runner.post_request()
    (run,) = runner.browser.session[remembered.KEY]
    verifier = remembered.derive_verifier(run["name"], runner.user, runner.application.pk)
    assert s256(verifier) == query_of(response["Location"])["code_challenge"]

    answer = runner.follow(response)
    page = runner.press(answer, "code")

    for where in (session_text(runner), answer.path, answer.html, page.html, page.path):
        assert verifier not in where


def test_no_secret_comes_back(server_runner: Runner) -> None:
    answer = server_runner.send()
    pages = [
        server_runner.press(answer, "code", client_secret=wrong, code_verifier="v" * 50)
        for wrong in ("a wrong secret of mine",)
    ]
    pages.append(server_runner.press(answer, "code", client_secret=SECRET))
    posted = {"client_secret": SECRET, "authentication": "client_secret_post"}
    pages.append(server_runner.press(pages[-1], "introspect_access_token", **posted))

    for page in pages:
        assert SECRET not in page.html
        assert "a wrong secret of mine" not in page.html
        assert "v" * 50 not in page.html
    assert "client_secret=•••" in pages[-1].text
    assert "Authorization: Basic •••" in pages[0].text


def test_tokens_stand_in_no_session_address_trace_or_record(server_runner: Runner) -> None:
    page = server_runner.tokens(client_secret=SECRET)
    page = server_runner.press(page, "refresh", client_secret=SECRET)
    form = page.form("call", "refresh")
    tokens = [form.fields[kind] for kind in ("access_token", "refresh_token")]
    assert all(tokens)

    rows = [*RequestTrace.objects.values(), *AuditEvent.objects.values()]
    for where in (session_text(server_runner), page.path, json.dumps(rows, default=str)):
        assert not any(token in where for token in tokens)


def test_credentials_are_shortened_in_the_shown_request() -> None:
    body = b"grant_type=refresh_token&refresh_token=abcdefghijklmnopqrstuvwxyz&client_secret=geheim"
    text = shown(
        Sent("POST", "https://id.example.com/x", {"Authorization": "Bearer " + "t" * 30}, body)
    )

    assert "refresh_token=abcdefghijkl•••" in text
    assert "client_secret=•••" in text
    assert f"Bearer {'t' * 12}•••" in text


def test_what_is_typed_as_a_credential_is_not_remembered(runner: Runner) -> None:
    secret = "s3cret-s3cret-s3cret"
    runner.post_request(id_token_hint=secret, request=secret, further=f"client_secret={secret}")

    assert secret not in session_text(runner)


def test_every_page_is_kept_by_no_cache_and_leaks_no_address(runner: Runner) -> None:
    answer = runner.send()
    page = runner.press(answer, "code")

    for each in (answer, page, runner.open()):
        assert "no-store" in each.response["Cache-Control"]
        assert each.response["Referrer-Policy"] == "same-origin"
        assert not INLINE.search(each.html)


def test_the_report_of_a_crash_holds_no_credential(
    server_runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = server_runner.send()
    reports: list[str] = []

    def crash(*_: Any) -> Any:
        raise RuntimeError

    def report(sender: Any, request: HttpRequest, **_: Any) -> None:
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    monkeypatch.setattr(calls, "step", crash)
    server_runner.browser.raise_request_exception = False
    got_request_exception.connect(report)
    try:
        form = answer.form("call", "code")
        sent = {**form.fields, "client_secret": SECRET, "call": "code"}
        assert server_runner.browser.post(form.action, sent).status_code == 500
    finally:
        got_request_exception.disconnect(report)

    (told,) = reports
    assert SECRET not in told
    assert form.fields["code"] not in re.sub(r"Referer.*", "", told)


def test_an_error_that_nobody_vouches_for_is_not_said_in_our_words(runner: Runner) -> None:
    page = runner.open(f"{runner.callback_path}?error=call&error_description=this+number")

    assert "oidc-refusal" not in page.html


HOSTILE = '"><script>alert(1)</script>'


def test_hostile_values_are_shown_and_not_obeyed(runner: Runner) -> None:
    answer = runner.send(state=HOSTILE, further=f"{HOSTILE}={HOSTILE}", login_hint=HOSTILE)
    page = runner.open(
        f"{runner.callback_path}?{quote(HOSTILE)}={quote(HOSTILE)}&error={quote(HOSTILE)}"
    )
    posted = Page(
        runner.browser.post(runner.callback_path, {HOSTILE: HOSTILE, "id_token": HOSTILE}), ""
    )
    called = runner.press(answer, "code", client_id=HOSTILE, redirect_uri=HOSTILE, nonce=HOSTILE)

    for each in (answer, page, posted, called):
        assert "<script>alert" not in each.html
    assert HOSTILE in page.text


def test_a_forged_token_is_not_called_verified(openid_runner: Runner) -> None:
    openid_runner.application.flows = ["Implicit"]
    openid_runner.application.save()
    response = openid_runner.post_request(query="response_type=id_token")
    form = Page(openid_runner.browser.get(response["Location"]), "").forms[0]
    head, body, signature = form.fields["id_token"].split(".")
    first = "A" if signature[0] != "A" else "B"
    forged = {**form.fields, "id_token": f"{head}.{body}.{first}{signature[1:]}"}

    page = Page(openid_runner.browser.post(form.action, forged), "")

    assert verified(page) == 0
    assert "The signature is not verified: the signature does not fit." in page.text


@pytest.mark.parametrize("moment", [253402300799, -62135596800, 10**18])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak"])
def test_a_forged_moment_that_no_calendar_has_breaks_nothing(
    openid_runner: Runner, settings: Any, moment: int, zone: str
) -> None:
    settings.TIME_ZONE = zone
    forged = jwt.encode({"sub": "x"}, "k" * 32, headers={"exp": moment, "iat": moment})
    page = openid_runner.press(openid_runner.tokens(), "userinfo", access_token=forged)

    assert str(moment) in page.text


# --- who may, and what changes ------------------------------------------------------------------


def _rights(*names: str) -> list[Any]:
    from oidc_pkce.models import Right

    return [Right(name) for name in names]


def test_whoever_may_see_the_application_may_run_but_not_switch(list_app: Application) -> None:
    staff = make_user("viewer", is_staff=True)
    give(list_app, staff, *_rights("can_view"))
    viewer = Runner(staff, list_app)

    page = viewer.open()
    assert "Switching needs the right Manage" in page.text
    path = viewer.path.replace("/test/", "/test-redirect/")
    response = viewer.browser.post(path, {"switch": "on", "seen_version": "1"})

    assert response.status_code == 403
    assert Application.objects.get().redirect_uris == list_app.redirect_uris
    assert viewer.allow().send().offers("code")


def test_whoever_may_not_see_the_application_finds_no_page(list_app: Application) -> None:
    list_app.permissions.all().delete()
    stranger = Runner(make_user("stranger", is_staff=True), list_app)

    for page in ("test", "test-callback", "test-call", "test-redirect"):
        path = stranger.path.replace("/test/", f"/{page}/")
        assert stranger.browser.get(path).status_code == 404
        assert stranger.browser.post(path).status_code == 404


def test_the_redirect_uri_is_switched_on_and_off_like_any_other(
    robin: Any, list_app: Application
) -> None:
    runner, before = Runner(robin, list_app), list_app.redirect_uris

    page = runner.switch("on")

    assert f"Added to Allowed Redirects: {runner.callback}" in page.text
    assert Application.objects.get().redirect_uris == [*before, runner.callback]
    event = AuditEvent.objects.get(action="application.updated")
    assert event.details["changes"]["redirect_uris"]["after"] == [*before, runner.callback]
    assert runner.send().offers("code")
    assert f"Removed: {runner.callback}" in runner.switch("off").text
    assert Application.objects.get().redirect_uris == before


def test_the_post_logout_redirect_is_switched_apart(robin: Any, list_app: Application) -> None:
    runner = Runner(robin, list_app)

    runner.switch("on", sign_out="1")

    stored = Application.objects.get()
    assert stored.post_logout_redirect_uris == [f"{BASE}{runner.path}"]
    assert stored.redirect_uris == list_app.redirect_uris


def test_the_second_of_two_administrators_is_told(robin: Any, list_app: Application) -> None:
    runner = Runner(robin, list_app)
    path = runner.path.replace("/test/", "/test-redirect/")
    Application.objects.update(version=7)

    response = runner.browser.post(path, {"switch": "on", "seen_version": "1"}, follow=True)

    assert "changed this application while you were editing it" in response.content.decode()
    assert Application.objects.get().redirect_uris == list_app.redirect_uris


def test_an_address_without_tls_is_refused_with_what_to_do(
    robin: Any, list_app: Application
) -> None:
    from django.test import Client as Browser

    browser = Browser(SERVER_NAME="portal.example.com")
    browser.force_login(robin)
    path = f"/admin/oidc_pkce/application/{list_app.pk}/test-redirect/"

    response = browser.post(path, {"switch": "on", "seen_version": "1"}, follow=True)

    told = response.content.decode()
    assert "http is for localhost" in told
    assert "Open this administration by its https address" in told


def test_a_get_writes_nothing(runner: Runner) -> None:
    answer = runner.send()
    counted = (RequestTrace, AuditEvent, AccessToken, Grant)
    before = [model.objects.count() for model in counted], session_text(runner)

    for path in (runner.path, answer.path, f"{runner.callback_path}?code=x&state=y"):
        runner.open(path)
    for page in ("test-call", "test-redirect"):
        assert runner.browser.get(runner.path.replace("/test/", f"/{page}/")).status_code == 302

    assert ([model.objects.count() for model in counted], session_text(runner)) == before


@pytest.mark.parametrize(
    ("page", "status"),
    [("test", 403), ("test-call", 403), ("test-redirect", 403), ("test-callback", 200)],
)
def test_a_form_of_another_site_is_refused_but_for_the_answer(
    robin: Any, list_app: Application, page: str, status: int
) -> None:
    browser = SecureBrowser(enforce_csrf_checks=True)
    browser.force_login(robin)
    path = f"/admin/oidc_pkce/application/{list_app.pk}/{page}/"

    assert browser.post(path, {"call": "userinfo", "switch": "on"}).status_code == status


def test_an_answer_that_is_posted_changes_nothing(runner: Runner) -> None:
    runner.post_request()
    before = session_text(runner)

    runner.browser.post(runner.callback_path, {"code": "c", "state": "s"})

    assert session_text(runner) == before
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("call", ["", "password", "nothing of this kind"])
def test_only_what_a_button_stands_for_is_sent(runner: Runner, call: str) -> None:
    path = runner.path.replace("/test/", "/test-call/")

    response = runner.browser.post(path, {"call": call, "client_id": "my_service_user"})

    assert "This form is incomplete" in response.content.decode()


@pytest.mark.parametrize("value", ["\0", "\ud800", "ü€", "a\r\nX-Evil: 1"])
def test_odd_input_gets_an_answer_and_no_crash(runner: Runner, value: str) -> None:
    path = runner.path.replace("/test/", "/test-call/")
    fields = {"client_id": value, "client_secret": value, "access_token": value, "code": value}
    encoded = {k: v.encode("utf-8", "surrogatepass") for k, v in fields.items()}

    for call in ("code", "userinfo", "client_credentials"):
        response = runner.browser.post(path, {**encoded, "call": call})
        assert response.status_code == 200
    assert (
        runner.browser.get(runner.callback_path, {"state": "\0", "code": "\0"}).status_code == 200
    )


def test_the_pages_ask_the_database_a_bounded_number_of_times(
    server_runner: Runner, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    answer = server_runner.send(scope="unknown")
    with django_assert_max_num_queries(25):
        server_runner.open()
    with django_assert_max_num_queries(25):
        server_runner.open(answer.path)


# --- the request inside this process ------------------------------------------------------------


def outer(**meta: str) -> HttpRequest:
    return RequestFactory().get("/", **meta)


def token_request(application: Application) -> Sent:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Sent("POST", application.locations.of("token"), headers, b"grant_type=nothing")


def test_a_request_inside_leaves_language_time_zone_and_urls_as_they_were(
    list_app: Application,
) -> None:
    with translation.override("de"), timezone.override("Asia/Tokyo"):
        set_urlconf("tests.api.urls")
        try:
            received = in_process.send(token_request(list_app), outer(HTTP_ACCEPT_LANGUAGE="en"))
            assert received.status == 400
            assert translation.get_language() == "de"
            assert timezone.get_current_timezone_name() == "Asia/Tokyo"
            assert get_urlconf() == "tests.api.urls"
        finally:
            set_urlconf(None)


def test_a_request_inside_leaves_the_connection_open(
    list_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: closed.append(True))

    in_process.send(token_request(list_app), outer())

    assert closed == []


def test_a_request_inside_comes_from_where_the_administrator_does(
    list_app: Application, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.portal.test_test_run.echo"]
    sender = outer(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="198.51.100.3", HTTP_COOKIE="a=b")

    received = in_process.send(token_request(list_app), sender)

    assert dict(received.headers)["Seen"] == "192.0.2.7 198.51.100.3 id.example.com https -"


def echo(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware of the host project."""

    def middleware(request: HttpRequest) -> Any:
        response, meta = get_response(request), request.META
        response["Seen"] = " ".join(
            (
                meta["REMOTE_ADDR"],
                meta.get("HTTP_X_FORWARDED_FOR", "-"),
                request.get_host(),
                str(request.scheme),
                meta.get("HTTP_COOKIE", "-"),
            )
        )
        response.set_cookie("nobody", "keeps it")
        return response

    return middleware


def test_no_cookie_of_the_answer_is_shown(list_app: Application, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.portal.test_test_run.echo"]

    received = in_process.send(token_request(list_app), outer())

    assert "set-cookie" not in {name.lower() for name, _ in received.headers}


def test_endpoints_that_are_served_elsewhere_are_said_to_be(
    list_app: Application, settings: Any
) -> None:
    settings.ROOT_URLCONF = __name__

    with pytest.raises(Unanswered, match="This process does not serve /OAuth2/Token/my_app"):
        in_process.send(token_request(list_app), outer())


def test_the_page_says_that_endpoints_are_served_elsewhere(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = runner.send()
    sentence = "This process does not serve it."

    def refuse(*_: Any) -> Any:
        raise Unanswered(sentence)

    monkeypatch.setattr(in_process, "send", refuse)
    assert sentence in runner.press(answer, "code").text


def test_a_crash_inside_is_a_sentence(list_app: Application, settings: Any) -> None:
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    settings.MIDDLEWARE = ["tests.portal.test_test_run.crashing"]

    with pytest.raises(Unanswered, match="an error of this server: ZeroDivisionError"):
        in_process.send(token_request(list_app), outer())


def crashing(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware that has a fault."""

    def middleware(request: HttpRequest) -> Any:
        return 1 // 0

    return middleware


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_large_answer_is_cut(list_app: Application, settings: Any, is_stream: bool) -> None:
    name = "streaming" if is_stream else "large"
    settings.MIDDLEWARE = [f"tests.portal.test_test_run.{name}"]

    received = in_process.send(token_request(list_app), outer())

    assert received.is_cut
    assert len(received.body) == in_process.MAX_BODY


def large(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware that answers with very much."""
    from django.http import HttpResponse

    return lambda _: HttpResponse(b"x" * 1_000_000)


def streaming(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A middleware that never ends."""
    from itertools import repeat

    from django.http import StreamingHttpResponse

    return lambda _: StreamingHttpResponse(repeat(b"x" * 1000))


def test_below_a_mount_point_the_path_is_that_of_the_project(list_app: Application) -> None:
    mounted = Sent("GET", "https://id.example.com/sso/OAuth2/Keys/my_app")

    received = in_process.send(mounted, outer(SCRIPT_NAME="/sso"))

    assert received.status == 200
    with pytest.raises(Unanswered, match="lies outside"):
        in_process.send(token_request(list_app), outer(SCRIPT_NAME="/sso"))


@pytest.mark.django_db(transaction=True)
def test_within_atomic_requests_the_endpoints_commit_by_themselves(
    robin: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    application = make_application()
    runner = Runner(robin, application).allow()
    answer = runner.send()
    inside: list[bool] = []
    send = in_process.send

    def spied(*args: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return send(*args)

    monkeypatch.setattr(in_process, "send", spied)
    page = runner.press(answer, "code")

    assert "200 OK" in page.text
    assert inside == [False]


def test_a_permission_of_django_opens_the_page_as_well(list_app: Application) -> None:
    staff = make_user("auditor", is_staff=True)
    staff.user_permissions.add(DjangoPermission.objects.get(codename="view_application"))

    assert Runner(staff, list_app).open().form("response_type")
