"""Bearer tokens for plain Django views, synchronous and asynchronous."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.test import AsyncClient
from django.test import Client as Browser

from oidc_pkce.models import Application, RequestTrace, Scope
from oidc_pkce.resource_server.decorators import requires_scope
from tests.journeys import FORM, Answer, Journey, last_trace
from tests.performance.test_statements import at_most
from tests.resource_server.conftest import ask
from tests.resource_server.test_authentication import machine_token
from tests.spec import spec

PROTECTED = [
    "/plain/",
    "/plain/notes",
    "/plain/asynchronous",
    "/plain/class",
    "/plain/asynchronous-class",
    "/plain-rest/x",
]


@pytest.fixture
def writer(notes: Application, signed_in: Journey) -> str:
    Scope.objects.update(rest_patterns=["/plain-rest/.*"])
    return str(signed_in.tokens(scope="notes.read notes.write")["access_token"])


@pytest.mark.parametrize("path", PROTECTED)
def test_the_view_sees_who_came(writer: str, ada: Any, path: str) -> None:
    told = ask(path, writer).json

    assert (told["user"], told["pk"]) == ("ada", ada.pk)
    assert told["scopes"] == ["notes.read", "notes.write"]


@spec("RFC 6750", "3")
@pytest.mark.parametrize("path", PROTECTED)
def test_without_a_token_the_challenge_is_bare(notes: Application, path: str) -> None:
    answer = ask(path)

    assert (answer.status, answer.response["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json["error"] == "missing_token"
    assert answer.response["Cache-Control"] == "no-store"
    assert last_trace().failed_check == "bearer.present"


@spec("RFC 6750", "3.1")
@pytest.mark.parametrize("path", PROTECTED)
def test_a_bad_token_is_refused(notes: Application, path: str) -> None:
    answer = ask(path, "x.y.z")

    assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    assert answer.response["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert answer.json["request_id"] == last_trace().request_id


@spec("RFC 6750", "3.1")
def test_all_of_the_scopes_are_needed(reader: str) -> None:
    answer = ask("/plain/notes", reader)

    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")
    assert 'scope="notes.read notes.write"' in answer.response["WWW-Authenticate"]
    assert ask("/plain/class", reader).status == 200


def test_a_path_is_opened_by_a_pattern(writer: str) -> None:
    Scope.objects.filter(name="notes.read").update(rest_patterns=[])
    Scope.objects.filter(name="notes.write").update(rest_patterns=["plain-rest/(a|b)"])

    assert ask("/plain-rest/a", writer).status == 200
    answer = ask("/plain-rest/c", writer)
    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")
    assert "scope=" not in answer.response["WWW-Authenticate"]


def test_another_applications_token_is_refused(reader: str) -> None:
    assert ask("/plain/other", reader).status == 401


@spec("RFC 6750", "2.2")
def test_a_posted_token_needs_no_csrf_token(writer: str) -> None:
    strict = Browser(enforce_csrf_checks=True)
    bearer = {"Authorization": f"Bearer {writer}"}

    for path in ("/plain/", "/plain/notes", "/plain/class"):
        posted = strict.post(path, f"access_token={writer}", content_type=FORM)
        assert posted.status_code == 200, path
        assert strict.post(path, "x=y", content_type=FORM, headers=bearer).status_code == 200


def test_a_session_is_not_looked_at(notes: Application, ada: Any) -> None:
    browser = Browser()
    browser.force_login(ada)

    assert browser.get("/plain/").status_code == 401


def test_the_token_decides_and_not_the_session(reader: str, bob: Any) -> None:
    browser = Browser()
    browser.force_login(bob)
    answer = browser.get("/plain/", headers={"Authorization": f"Bearer {reader}"})

    assert answer.json()["user"] == "ada"


@spec("RFC 6750", "2")
def test_a_token_in_two_places_is_an_invalid_request(reader: str) -> None:
    bearer = {"Authorization": f"Bearer {reader}"}
    answer = Answer(
        Browser().post("/plain/", f"access_token={reader}", content_type=FORM, headers=bearer)
    )

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_a_check_costs_one_statement(reader: str) -> None:
    ask("/plain/", reader)

    with at_most(1):
        assert ask("/plain/", reader).status == 200


def test_a_success_leaves_no_trace(reader: str) -> None:
    ask("/plain/", reader)

    assert not RequestTrace.objects.filter(endpoint="resource_server").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/plain/asynchronous", "/plain/asynchronous-class"])
def test_an_asynchronous_view_is_served_by_an_asynchronous_server(
    confidential: Journey, path: str
) -> None:
    confidential.application.scopes.create(name="notes.read")
    token = machine_token(confidential, scope="notes.read")

    @async_to_sync
    async def get(**headers: str) -> Any:
        return await AsyncClient().get(path, headers=headers)

    assert get(Authorization=f"Bearer {token}").json()["user"] == "robot"
    assert get().status_code == 401


@pytest.mark.parametrize("scopes", [(), (None,), (["notes.read"],)])
def test_a_decorator_without_scopes_is_a_mistake(scopes: Any) -> None:
    with pytest.raises(TypeError, match="names of scopes"):
        requires_scope(*scopes)


def test_a_decorator_without_parentheses_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="names of scopes"):
        requires_scope(ask)  # type: ignore[arg-type]


def test_an_api_that_does_not_say_whose_tokens_it_takes_takes_none(
    reader: str, settings: Any
) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": None}

    with pytest.raises(ImproperlyConfigured, match="must name the APPLICATIONS or the AUDIENCE"):
        ask("/plain/", reader)


def test_plain_views_do_not_need_rest_framework() -> None:
    import subprocess

    code = (
        "import sys, django; django.setup();"
        "import oidc_pkce.urls, oidc_pkce.resource_server.decorators, oidc_pkce.checks;"
        "import oidc_pkce.resource_server.urls;"
        "print([name for name in sys.modules if name.startswith('rest_framework')])"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
