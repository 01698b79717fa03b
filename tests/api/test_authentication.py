"""Who comes in, and by which door not."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client as Browser

from oidc_pkce.models import Application
from tests.api.conftest import PREFIX, Api, caller
from tests.fixtures import make_user


@pytest.fixture
def victim(db: None) -> Browser:
    """An administrator's browser, as another site would use it."""
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(make_user("robin", is_staff=True, is_superuser=True))
    return browser


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded"],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_site_cannot_use_the_session(
    victim: Browser, list_app: Application, method: str, content_type: str
) -> None:
    path = f"{PREFIX}applications/{list_app.pk}" + ("/secrets" if method == "POST" else "")

    told = victim.generic(
        method,
        path,
        json.dumps({"name": "Stolen"}),
        content_type=content_type,
        headers={"Origin": "https://evil.example.com", "If-Match": "*"},
    )

    assert told.status_code in (403, 415)
    assert Application.objects.get().name == "My App"


def test_a_session_with_the_csrf_token_may_change(victim: Browser, list_app: Application) -> None:
    victim.get("/admin/password_change/")
    token = victim.cookies["csrftoken"].value

    told = victim.patch(
        f"{PREFIX}applications/{list_app.pk}",
        {"name": "Mine"},
        content_type="application/json",
        headers={"X-CSRFToken": token, "If-Match": "*"},
    )

    assert told.status_code == 200


def test_a_bearer_needs_no_csrf_token(bearer: Api, machine: Any) -> None:
    bearer.browser = Browser(enforce_csrf_checks=True)

    assert bearer.post("grants/revoke", {"user": "ada"}).status == 200


def test_a_token_in_the_address_or_in_the_body_is_none(bearer: Api) -> None:
    token, bearer.token = bearer.token, None

    assert bearer.get(f"applications?access_token={token}").status == 401
    form = "application/x-www-form-urlencoded"
    raw = f"access_token={token}".encode()
    assert bearer.call("POST", "grants/revoke", raw=raw, content_type=form).status == 415


def test_a_refusal_of_a_token_carries_its_challenge(bearer: Api) -> None:
    nobody, wrong = Api().get("grants"), Api(token="wrong").get("grants")

    assert nobody.response.headers["WWW-Authenticate"] == "Bearer"
    assert 'error="invalid_token"' in wrong.response.headers["WWW-Authenticate"]
    assert (nobody.status, wrong.status) == (401, 401)
    assert wrong.response.headers["Content-Type"] == "application/problem+json"


def test_without_the_setting_no_bearer_is_let_in(bearer: Api, settings: Any) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "MANAGEMENT_API": None}

    assert bearer.get("applications").status == 403


@pytest.mark.parametrize(
    "wrong",
    [
        *({}, {"APPLICATIONS": []}, {"APPLICATIONS": "x"}, {"SCOPE": "m"}, []),
        {"APPLICATIONS": ["x"], "SCOPE": "two words"},
        {"APPLICATIONS": ["x"], "ISSUERS": []},
    ],
    ids=str,
)
def test_a_wrong_setting_opens_nothing(db: None, settings: Any, wrong: Any) -> None:
    from oidc_pkce.checks import check_settings

    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "MANAGEMENT_API": wrong}

    assert [message.id for message in check_settings()] == ["oidc_pkce.E002"]
    with pytest.raises(ImproperlyConfigured):
        Api().get("applications")


def test_the_hosts_own_rest_framework_settings_change_nothing() -> None:
    """In a process of its own: views take most of them when they are imported."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.api.wilful_host"],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [
        "403 application/problem+json tight",
        *["200 application/json tight"] * 3,
        '400 application/problem+json tight "/name" “',
        "405 application/problem+json tight",
    ]


def test_the_page_works_under_a_strict_policy(db: None) -> None:
    mine = caller(make_user("robin", is_staff=True))

    told = mine.get("docs/")

    page = told.response.content.decode()
    assert told.response.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "<script" not in page
    assert " style=" not in page
    assert 'id="update_application"' in page
    assert 'id="precondition-required"' in page


def test_whoever_is_not_signed_in_is_led_to_the_administrations_sign_in(db: None) -> None:
    told = Api().get("docs/")

    assert told.response.headers["Location"] == (
        "/admin/login/?next=%2Fadmin%2Fapi%2Foidc_pkce%2Fv1%2Fdocs%2F"
    )


def test_a_project_without_the_extra_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from oidc_pkce.api import urls

    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(ImproperlyConfigured, match=r"install oidc-pkce\[api\]"):
        runpy.run_path(str(urls.__file__))
