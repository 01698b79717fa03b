"""Test this application: nothing that is secret stays anywhere."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.views.debug import ExceptionReporter

from oidc_pkce.models import AuditEvent, RequestTrace
from oidc_pkce.portal.test_run import calls, remembered
from oidc_pkce.portal.test_run.calls import shown
from oidc_pkce.portal.test_run.in_process import Sent
from tests.journeys import SECRET, s256
from tests.portal.conftest import INLINE
from tests.portal.running import Runner, query_of, session_text

pytestmark = pytest.mark.django_db


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
