"""What the scopes of a token open, in REST framework: by name, and by REST pattern."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client as Browser
from rest_framework.test import APIRequestFactory

from oidc_pkce import validators
from oidc_pkce.flows import rest_patterns as flow
from oidc_pkce.models import Application, Scope
from oidc_pkce.protocol import rest_patterns
from oidc_pkce.resource_server.permissions import has_scope
from tests.journeys import Journey, last_trace, make_application
from tests.performance.test_statements import at_most
from tests.resource_server.conftest import ask, use
from tests.resource_server.urls import Notes
from tests.spec import spec


@pytest.fixture
def writer(notes: Application, signed_in: Journey) -> str:
    return str(signed_in.tokens(scope="notes.read notes.write")["access_token"])


@pytest.fixture
def nothing(notes: Application, signed_in: Journey) -> str:
    """A token without any scope."""
    return str(signed_in.tokens()["access_token"])


def call(method: str, path: str, token: str) -> Any:
    return getattr(Browser(), method)(path, headers={"Authorization": f"Bearer {token}"})


# --- by name ------------------------------------------------------------------------------------


@spec("RFC 6750", "3.1")
def test_a_granted_scope_opens(reader: str, nothing: str) -> None:
    for path in ("/api/notes", "/api/function"):
        assert ask(path, reader).status == 200
        answer = ask(path, nothing)
        assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")
        assert answer.response["WWW-Authenticate"] == (
            'Bearer error="insufficient_scope", error_description="the scopes of the access token'
            ' do not open this", scope="notes.read"'
        )
        assert answer.response["Cache-Control"] == "no-store"


@spec("RFC 9728", "5.1")
def test_the_challenge_names_the_metadata(nothing: str, settings: Any) -> None:
    use(settings, APPLICATIONS=["my_app"], RESOURCE="https://api.example.com")

    assert (
        ask("/api/notes", nothing)
        .response["WWW-Authenticate"]
        .endswith(
            'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'
        )
    )


@spec("RFC 6750", "3.1")
def test_each_method_may_need_others_and_all_of_them(reader: str, writer: str) -> None:
    path = "/api/notes-by-method"

    assert call("get", path, reader).status_code == 200
    assert call("head", path, reader).status_code == 200
    refusal = call("post", path, reader)
    assert refusal.status_code == 403
    assert 'scope="notes.read notes.write"' in refusal["WWW-Authenticate"]
    assert call("post", path, writer).status_code == 200
    for method in ("delete", "options", "put"):
        assert call(method, path, writer).status_code == 405


@spec("RFC 6750", "3.1")
def test_without_a_token_it_is_401_and_not_403(notes: Application) -> None:
    for path in ("/api/notes", "/api/notes-or-administrators", "/rest"):
        answer = ask(path)
        assert (answer.status, answer.response["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "scopes", [None, "notes.read", [], {"GET": "notes.read"}, {"GET": []}, {"GET": None}, [7]]
)
def test_a_view_that_names_no_scopes_is_a_mistake(
    reader: str, monkeypatch: pytest.MonkeyPatch, scopes: Any
) -> None:
    monkeypatch.setattr("tests.resource_server.urls.NotesOfAnything.required_scopes", scopes)

    with pytest.raises(ImproperlyConfigured, match="NotesOfAnything needs required_scopes"):
        ask("/api/notes-of-anything", reader)


@pytest.mark.parametrize("scopes", [(), (["notes.read"],)])
def test_a_permission_for_no_scope_is_a_mistake(scopes: Any) -> None:
    with pytest.raises(TypeError, match="names of scopes"):
        has_scope(*scopes)


def test_a_scope_is_one_of_several_ways_in(reader: str, nothing: str, ada: Any) -> None:
    path = "/api/notes-or-administrators"
    assert ask(path, reader).status == 200
    assert ask(path, nothing).status == 403

    get_user_model().objects.update(is_staff=True)
    assert ask(path, nothing).status == 200
    browser = Browser()
    browser.force_login(ada)
    assert browser.get(path).status_code == 200


def test_another_authenticators_credential_is_no_token(rf: Any) -> None:
    request = APIRequestFactory().get("/")
    request._force_auth_user, request._force_auth_token = object(), "somebody else's token"

    assert Notes.as_view()(request).status_code == 403


@spec("RFC 6750", "3.1")
def test_a_refusal_is_traced(nothing: str, notes: Application, ada: Any) -> None:
    answer = ask("/api/notes", nothing)
    trace = last_trace()

    assert answer.json["request_id"] == trace.request_id
    assert (trace.failed_check, trace.error) == ("resource_server.scope", "insufficient_scope")
    assert (trace.application, trace.user, trace.client_id) == (notes, ada, "my_service_user")
    assert trace.outcomes[-1]["expected"] == ["notes.read"]
    passed = [outcome["check"] for outcome in trace.outcomes[:-1]]
    assert (passed[0], passed[-1]) == ("bearer.form_field", "resource_server.audience")


# --- by REST pattern ----------------------------------------------------------------------------


@pytest.fixture
def pattern(notes: Application, signed_in: Journey) -> Any:
    """Asks for a path with a token whose scopes hold these patterns."""
    token = signed_in.tokens(scope="notes.read notes.write")["access_token"]

    def status(path: str, read: list[str], write: list[str] | None = None) -> int:
        Scope.objects.filter(name="notes.read").update(rest_patterns=read)
        Scope.objects.filter(name="notes.write").update(rest_patterns=write or [])
        return ask(path, token).status

    return status


@pytest.mark.parametrize(
    ("pattern_text", "path"),
    [
        ("/Redrock/query", "/Redrock/query"),
        ("Redrock/query", "/Redrock/query"),
        ("/redrock/QUERY", "/Redrock/query"),
        ("^/Redrock/.*$", "/Redrock/query"),
        ("Redrock/*", "/Redrock/query"),
        ("Redrock/*", "/redrock"),
        ("/Redrock", "/Redrock/query"),
        ("/Redrock/", "/Redrock/query"),
        ("/Redrock/query", "/Redrock/query/"),
        ("scim*", "/scim/v2/Users"),
        ("core*", "/core/ping"),
        ("/a|/b", "/a/c"),
        (".*", "/anything/at/all"),
        (".*", "/"),
        ("a|/b/c", "/b/c"),
        ("/b/(c|d)/?", "/b/d/"),
        ("/caf\u00e9/\\pL+", "/caf%C3%A9/%C3%BC"),
        ("/a/b", "/a%2Fb"),  # as Django's resolver reads it
        ("/a b", "/a%20b"),
        ("/100%25", "/100%2525"),
        ("(?i)/x", "/X"),
    ],
)
def test_a_pattern_opens_what_it_matches_and_what_lies_below(
    pattern: Any, pattern_text: str, path: str
) -> None:
    assert pattern(path, [pattern_text]) == 200
    assert pattern(path, [], [pattern_text]) == 200
    assert pattern(path, ["/nothing", pattern_text]) == 200


@pytest.mark.parametrize(
    ("pattern_text", "path"),
    [
        ("/Redrock$", "/Redrock/query"),
        ("Redrock/*", "/Redrockets"),
        ("/Redrock/", "/Redrock"),
        ("query", "/Redrock/query"),
        ("/Redrock/query", "/Redrock/queryall"),
        ("/Redrock/query", "/x/Redrock/query"),
        ("/a|/b", "/ac"),
        ("a)|(b", "/a"),
        ("/x", "/x%0A"),
        ("/x$", "/x%0A"),
        ("(?s).*", "/x%0A"),
        ("/api/.*", "/api/../admin"),
        ("/api/.*", "/api/%2e%2e/admin"),
        ("/api/.*", "/api/..%2fadmin"),
        ("/api/.*", "/api/..%5cadmin"),
        ("/api/.*", "/api//admin"),
        ("/api/.*", "/api/%2fadmin"),
        ("/api/.*", "/api/x/."),
        ("/api/.*", "/api/%00"),
        ("/a/b", "/a%252Fb"),
        (".*", "/" + "x" * 4096),
        ("[a-z", "/x"),
        (r"(/x)\1", "/x/x"),
        ("(?=/x)/x", "/x"),
        (r"/x\Z", "/x"),
    ],
)
def test_a_pattern_opens_nothing_else(pattern: Any, pattern_text: str, path: str) -> None:
    assert pattern(path, [pattern_text]) == 403


@spec("RFC 6750", "3.1")
def test_a_scope_without_patterns_opens_no_path(pattern: Any) -> None:
    assert pattern("/anything", []) == 403
    assert last_trace().failed_check == "resource_server.path"


def test_a_scope_that_was_not_granted_opens_nothing(reader: str, notes: Application) -> None:
    Scope.objects.filter(name="notes.write").update(rest_patterns=[".*"])
    stranger = make_application(application_id="stranger")
    stranger.scopes.create(name="notes.read", rest_patterns=[".*"])

    assert ask("/anything", reader).status == 403


def test_a_pattern_that_was_changed_counts_at_once(reader: str, notes: Application) -> None:
    Scope.objects.filter(name="notes.read").update(rest_patterns=["/x"])
    assert ask("/x", reader).status == 200

    Scope.objects.filter(name="notes.read").update(rest_patterns=["/y"])
    assert ask("/x", reader).status == 403


def test_patterns_cost_one_more_statement(reader: str, notes: Application) -> None:
    Scope.objects.update(rest_patterns=["/x"])
    ask("/x", reader)

    with at_most(2):
        assert ask("/x", reader).status == 200


@pytest.mark.parametrize(
    "evil", ["(a+)+$", "(a|a)*$", "(.*)*x", "(a|aa)+$", "([a-z]+)*!", "(.*.*.*.*.*.*)*x"]
)
def test_an_evil_pattern_costs_no_time(evil: str) -> None:
    began = time.perf_counter()

    assert not rest_patterns.matches([evil], "/" + "a" * 4000 + "?")
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "huge", ["(((a{1000}){1000}){1000})", "(\\pL{1,30}|\\w{1,30}){1,9}", "\ud800"]
)
def test_a_pattern_that_would_fill_the_memory_matches_nothing(huge: str) -> None:
    assert rest_patterns.problem(huge)
    assert not rest_patterns.matches([huge], "/a")


def test_thousands_of_patterns_are_matched_in_time() -> None:
    patterns = [f"/area{number}/.*" for number in range(500)]
    path = "/" + "a" * 4000
    rest_patterns.matches(patterns, path)
    began = time.perf_counter()

    assert not rest_patterns.matches(patterns, path)
    assert time.perf_counter() - began < 0.5


def test_an_unusable_pattern_is_logged_once(
    reader: str, notes: Application, caplog: pytest.LogCaptureFixture
) -> None:
    flow._named.clear()
    Scope.objects.filter(name="notes.read").update(rest_patterns=[r"(a)\1", "/x"])

    with caplog.at_level(logging.ERROR, "oidc_pkce"):
        assert [ask("/x", reader).status for _ in range(3)] == [200, 200, 200]
    assert [record.getMessage() for record in caplog.records] == [
        r"the REST pattern '(a)\\1' matches nothing: invalid escape sequence: \1"
    ]


@pytest.mark.parametrize("text", [r"(a)\1", "(?=x)y", "(?<!x)y", "x{2000}", "("])
def test_a_pattern_that_matches_nothing_is_refused_where_it_is_written(text: str) -> None:
    with pytest.raises(ValidationError, match="not a regular expression"):
        validators.validate_rest_patterns([text])


def test_without_the_engine_nothing_is_opened(
    reader: str, notes: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    Scope.objects.filter(name="notes.read").update(rest_patterns=["/x"])
    monkeypatch.setitem(sys.modules, "re2", None)

    assert not rest_patterns.engine_is_installed()
    with pytest.raises(ImproperlyConfigured, match=r"oidc-pkce\[resource-server\]"):
        ask("/x", reader)
    assert ask("/api/notes", reader).status == 200
    validators.validate_rest_patterns(["/x/.*"])
    with pytest.raises(ValidationError):
        validators.validate_rest_patterns(["("])
