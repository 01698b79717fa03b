"""Whoever sends slowly, or without end, keeps nobody else waiting."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from demo_site import asgi
from tests.live_server import ProductionServer

STALLED = 32  # more than all threads of all workers
SLOW = b"POST /OAuth2/Token/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na"


def connected(server: ProductionServer, request: bytes) -> socket.socket:
    address = ("127.0.0.1", int(server.environment["PORT"]))
    connection = socket.create_connection(address, timeout=asgi.BODY_SECONDS + 10)
    connection.sendall(request)
    return connection


def answer(server: ProductionServer, request: bytes) -> str:
    """All that comes back until the server closes the connection."""
    with connected(server, request) as connection:
        return connection.makefile("rb").read().decode()


@contextmanager
def stalled(server: ProductionServer) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(STALLED):
            stack.enter_context(connected(server, SLOW))
        yield


def test_stalled_requests_stop_nobody_else(live_provider: ProductionServer) -> None:
    with stalled(live_provider):
        time.sleep(0.5)
        started = time.monotonic()
        page = answer(live_provider, closing(b"GET /admin/login/ HTTP/1.1"))
        form = answer(live_provider, closing(b"POST /OAuth2/Token/x HTTP/1.1", b"a=1"))

    assert page.startswith("HTTP/1.1 200 ")
    assert "invalid_request" in form
    assert time.monotonic() - started < asgi.BODY_SECONDS / 2


def test_a_body_that_never_ends_is_answered_408(live_provider: ProductionServer) -> None:
    started = time.monotonic()

    assert answer(live_provider, SLOW).startswith("HTTP/1.1 408 ")
    assert time.monotonic() - started < asgi.BODY_SECONDS + 5


@pytest.mark.parametrize(
    "head",
    [
        f"Content-Length: {asgi.BODY_LIMIT + 1}\r\n\r\n",
        f"Transfer-Encoding: chunked\r\n\r\n{asgi.BODY_LIMIT + 1:x}\r\n{' ' * asgi.BODY_LIMIT} ",
    ],
)
def test_a_body_beyond_the_limit_is_answered_413(
    live_provider: ProductionServer, head: str
) -> None:
    request = f"POST /OAuth2/Token/x HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}"

    assert answer(live_provider, request.encode()).startswith("HTTP/1.1 413 ")


def test_a_chunked_body_is_read(live_provider: ProductionServer) -> None:
    head = b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + FORM
    token = "a" * 32
    form = f"csrfmiddlewaretoken={token}".encode()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(form), form)
    cookie = f"Cookie: csrftoken={token}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()

    # Without the form's own token this would be 403.
    assert answer(live_provider, head + cookie + chunks).startswith("HTTP/1.1 200 ")


def test_head_has_the_headers_of_get_and_no_body(live_provider: ProductionServer) -> None:
    path = b"/static/admin/css/base.css HTTP/1.1"
    got, _, style = answer(live_provider, closing(b"GET " + path)).partition("\r\n\r\n")
    head, _, nothing = answer(live_provider, closing(b"HEAD " + path)).partition("\r\n\r\n")

    assert f"content-length: {len(style)}" in got.lower()
    assert f"content-length: {len(style)}" in head.lower()
    assert nothing == ""


def test_a_header_with_an_underscore_does_not_pass_for_another() -> None:
    headers = [(b"x_forwarded_for", b"192.0.2.1"), (b"x-forwarded-for", b"192.0.2.2")]

    assert asgi.variables_of(headers) == {"HTTP_X_FORWARDED_FOR": "192.0.2.2"}


def test_a_header_that_comes_again_is_joined_to_the_first() -> None:
    headers = [(b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]

    assert asgi.variables_of(headers) == {"HTTP_X_A": "1,2", "HTTP_COOKIE": "a=1; b=2"}


FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def closing(line: bytes, body: bytes = b"") -> bytes:
    """A request after whose answer the server closes the connection."""
    head = line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + FORM
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
