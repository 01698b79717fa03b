"""Test this application: a refusal is explained, as far as whoever runs may know."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from oidc_pkce.models import Application, RequestTrace, Right
from oidc_pkce.portal.test_run import in_process
from oidc_pkce.portal.test_run.in_process import Unanswered
from tests.fixtures import make_user
from tests.journeys import SECRET
from tests.portal.permission_rows import give
from tests.portal.running import Runner

pytestmark = pytest.mark.django_db


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
    give(list_app, staff, Right.VIEW)
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


def test_an_error_that_nobody_vouches_for_is_not_said_in_our_words(runner: Runner) -> None:
    page = runner.open(f"{runner.callback_path}?error=call&error_description=this+number")

    assert "oidc-refusal" not in page.html


def test_the_page_says_that_endpoints_are_served_elsewhere(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = runner.send()
    sentence = "This process does not serve it."

    def refuse(*_: Any) -> Any:
        raise Unanswered(sentence)

    monkeypatch.setattr(in_process, "send", refuse)
    assert sentence in runner.press(answer, "code").text
