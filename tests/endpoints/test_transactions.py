"""A host project with ATOMIC_REQUESTS: what a refusal has to keep is kept, at every endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.handlers.base import BaseHandler
from django.db import OperationalError, connection

from oidc_pkce.models import AuditEvent, AuthorizationCode, Grant, RequestTrace
from oidc_pkce.urls import urlpatterns
from oidc_pkce.well_known_urls import urlpatterns as well_known
from tests.journeys import FORM, PASSWORD, SECRET, Answer, Journey, encode, give_secret, last_trace
from tests.spec import spec


@pytest.fixture(autouse=True)
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every view of the host runs in a transaction, unless it says otherwise."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


@contextmanager
def failing(table: str) -> Iterator[None]:
    """No statement that names the table succeeds."""

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if table in sql:
            raise OperationalError("the disk is full")
        return run(sql, *rest)

    with connection.execute_wrapper(execute):
        yield


def test_no_endpoint_runs_in_the_hosts_transaction(db):
    for pattern in (*urlpatterns, *well_known):
        assert BaseHandler().make_view_atomic(pattern.callback) is pattern.callback, pattern


@spec("RFC 6749", "4.1.2")
@spec("RFC 9700", "4.14.2")
def test_what_a_replay_revokes_stays_revoked(signed_in, settings):
    signed_in.application.issues_refresh_tokens = True
    signed_in.application.save()
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "REFRESH_TOKEN_REUSE_WINDOW": 0}
    code = signed_in.authorize().code
    first = signed_in.redeem(code).json
    second = signed_in.tokens()
    signed_in.refresh(second["refresh_token"])

    assert signed_in.redeem(code).error == "invalid_grant"
    assert signed_in.refresh(second["refresh_token"]).error == "invalid_grant"

    for token in (first["access_token"], second["access_token"]):
        assert signed_in.userinfo(token).status == 401
    assert not Grant.objects.filter(revoked_at=None).exists()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"code.replayed", "refresh_token.replayed"} <= actions


@spec("RFC 7009", "2.2")
def test_what_a_client_revoked_stays_revoked_though_its_trace_is_lost(signed_in, settings):
    signed_in.application.issues_refresh_tokens = True
    signed_in.application.save()
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    tokens = signed_in.tokens()

    with failing("oidc_pkce_requesttrace"):
        assert signed_in.revoke(tokens["refresh_token"]).status == 200

    assert signed_in.userinfo(tokens["access_token"]).status == 401
    assert signed_in.refresh(tokens["refresh_token"]).error == "invalid_grant"


@spec("RFC 7009", "2.2.1")
def test_a_revocation_that_fails_leaves_a_trace_and_nothing_half_done(signed_in):
    signed_in.application.issues_refresh_tokens = True
    signed_in.application.save()
    tokens = signed_in.tokens()

    with failing("oidc_pkce_auditevent"):
        assert signed_in.revoke(tokens["refresh_token"]).status == 503

    assert last_trace().failed_check == "server.available"
    assert signed_in.userinfo(tokens["access_token"]).status == 200
    assert signed_in.refresh(tokens["refresh_token"]).status == 200


@spec("RFC 7662", "2.2")
@spec("RFC 6750", "3.1")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_storage_that_fails_is_never_an_answer_about_a_token(confidential, token_type):
    """Not even "inactive" or "invalid": whoever believes that throws a good token away."""
    confidential.application.token_type = token_type
    confidential.application.save()
    token = confidential.tokens()["access_token"]
    table = "oidc_pkce_accesstoken" if token_type == "Opaque" else "oidc_pkce_grant"

    for ask in (confidential.introspect, confidential.userinfo):
        with failing(table), pytest.raises(OperationalError):
            ask(token)
        assert ask(token).status == 200


@spec("RFC 6749", "4.3.2")
def test_what_a_wrong_password_leaves_behind_is_kept(openid, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": 2}
    openid.application.flows = ["ResourceCreds"]
    openid.application.save()
    give_secret(openid.application)
    form = {"grant_type": "password", "client_id": openid.client_id, "client_secret": SECRET}

    for password in ("wrong", "wrong", PASSWORD):
        answer = openid.post("Token", {**form, "username": "ada", "password": password})
        assert answer.told == (400, "invalid_grant", "access denied")

    assert RequestTrace.objects.filter(endpoint="token").count() == 3
    assert AuditEvent.objects.filter(action="user.sign_in_failed").count() >= 2
    assert not Grant.objects.exists()


@spec("RFC 6749", "4.1.2")
def test_an_answer_that_fails_leaves_no_code_and_a_refused_client_its_code(signed_in):
    signed_in.browser.raise_request_exception = False
    with failing('INTO "oidc_pkce_authorizationcode'):
        assert signed_in.authorize().status == 500
    assert (Grant.objects.count(), AuthorizationCode.objects.count()) == (0, 0)

    code = signed_in.authorize().code
    assert signed_in.redeem(code, code_verifier="x" * 43).error == "invalid_grant"
    assert signed_in.redeem(code).status == 200


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_a_session_that_was_ended_stays_ended_though_its_trace_is_lost(openid, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    hint = openid.tokens(scope="openid")["id_token"]

    with failing("oidc_pkce_requesttrace"):
        posted = openid.browser.post(
            openid.url("EndSession"), encode({"id_token_hint": hint}), content_type=FORM
        )

    assert Answer(posted).status == 200
    assert Session.objects.count() == 0
    assert (
        Journey(openid.application, openid.client_id, browser=openid.browser)
        .authorize(prompt="none")
        .error
        == "login_required"
    )
