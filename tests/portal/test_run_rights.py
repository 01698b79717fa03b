"""Test this application: who may run and who may switch, and what that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission as DjangoPermission

from oidc_pkce.models import AccessToken, Application, AuditEvent, Grant, RequestTrace, Right
from tests.fixtures import make_user
from tests.journeys import BASE
from tests.portal.permission_rows import give
from tests.portal.running import Runner, session_text

pytestmark = pytest.mark.django_db


def test_whoever_may_see_the_application_may_run_but_not_switch(list_app: Application) -> None:
    staff = make_user("viewer", is_staff=True)
    give(list_app, staff, Right.VIEW)
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


# --- what switching and looking change -----------------------------------------------------------


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


def test_the_pages_ask_the_database_a_bounded_number_of_times(
    server_runner: Runner, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    answer = server_runner.send(scope="unknown")
    with django_assert_max_num_queries(25):
        server_runner.open()
    with django_assert_max_num_queries(25):
        server_runner.open(answer.path)


def test_a_permission_of_django_opens_the_page_as_well(list_app: Application) -> None:
    staff = make_user("auditor", is_staff=True)
    staff.user_permissions.add(DjangoPermission.objects.get(codename="view_application"))

    assert Runner(staff, list_app).open().form("response_type")
