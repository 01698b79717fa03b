"""Test this application: the client's request inside this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation

from oidc_pkce.models import Application
from oidc_pkce.portal.test_run import in_process
from oidc_pkce.portal.test_run.in_process import Sent, Unanswered
from tests.journeys import make_application
from tests.portal.running import Runner

pytestmark = pytest.mark.django_db

#: A project that serves nothing.
urlpatterns: list[Any] = []


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
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.echo"]
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
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.echo"]

    received = in_process.send(token_request(list_app), outer())

    assert "set-cookie" not in {name.lower() for name, _ in received.headers}


def test_endpoints_that_are_served_elsewhere_are_said_to_be(
    list_app: Application, settings: Any
) -> None:
    settings.ROOT_URLCONF = __name__

    with pytest.raises(Unanswered, match="This process does not serve /OAuth2/Token/my_app"):
        in_process.send(token_request(list_app), outer())


def test_a_crash_inside_is_a_sentence(list_app: Application, settings: Any) -> None:
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    settings.MIDDLEWARE = [f"{__name__}.crashing"]

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
    settings.MIDDLEWARE = [f"{__name__}.{name}"]

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
