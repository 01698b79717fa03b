"""Send a request to one of our own public addresses without leaving this process.

A client's request to the token endpoint goes from server to server. A real one, sent by this
process to itself, would need a second worker that is free while this one waits (with one worker it
would wait for ever), the public name resolved from inside, and a way out through the proxy and
back. So the request is made as a server would make it and given to the host project's whole stack,
its middleware first: every check runs and leaves its trace, and nothing is bypassed.

What the stack keeps per thread is put back afterwards: the language, the time zone, the URLconf.
The signals that begin and end a request are not sent: the outer request is still going on, and
Django would close its database connections.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_urlconf, set_urlconf
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

MAX_BODY = 256 * 1024  # bytes of an answer; ours have a few thousand

#: What says who is asking, and by which way: throttling and the Policy's networks look at it.
_PASSED_ON = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_USER_AGENT")


class Unanswered(Exception):
    """There is no answer. The text is a sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it goes over the wire."""

    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it comes over the wire; of a large one, the beginning."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    is_cut: bool
    milliseconds: int


def send(sent: Sent, outer: HttpRequest) -> Received:
    """The public endpoint's answer to a request from where ``outer`` comes from.

    Without cookies, as a client has none. Raises ``Unanswered``.
    """
    inner = WSGIRequest(_environ(sent, outer))
    began = time.perf_counter()
    with _thread_kept():
        try:
            response = _response(inner)
            took = int((time.perf_counter() - began) * 1000)
            return _received(response, inner, took)
        finally:
            inner.close()


def _response(inner: WSGIRequest) -> HttpResponseBase:
    try:
        return _handler(tuple(django_settings.MIDDLEWARE)).get_response(inner)
    except Exception as trouble:
        said = gettext("The request ended in an error of this server: %(error)s.")
        raise Unanswered(said % {"error": type(trouble).__name__}) from trouble


@lru_cache(maxsize=2)
def _handler(_: tuple[str, ...]) -> BaseHandler:
    """The host project's stack, by its middleware; loaded once per process, as a server does."""
    handler = BaseHandler()
    handler.load_middleware()
    return handler


def _received(response: HttpResponseBase, inner: WSGIRequest, took: int) -> Received:
    if response.status_code == 404 and inner.resolver_match is None:
        said = gettext(
            "This process does not serve %(path)s: the endpoints run elsewhere, or ISSUER_BASE"
            " does not say where they are."
        )
        raise Unanswered(said % {"path": inner.path})
    body = _beginning(response)
    headers = tuple(
        (name, value) for name, value in response.items() if name.lower() != "set-cookie"
    )
    return Received(
        status=response.status_code,
        reason=response.reason_phrase,
        headers=headers,
        body=body[:MAX_BODY],
        is_cut=len(body) > MAX_BODY,
        milliseconds=took,
    )


def _beginning(response: Any) -> bytes:
    """As much of the body as is kept, and one byte more when there is more."""
    if not response.streaming:
        return bytes(response.content[: MAX_BODY + 1])
    if response.is_async:
        raise Unanswered(gettext("The answer is a stream, as none of our endpoints sends."))
    read = bytearray()
    pieces: Iterable[bytes] = response
    for piece in pieces:
        read += piece
        if len(read) > MAX_BODY:
            break
    return bytes(read)


@sensitive_variables()
def _environ(sent: Sent, outer: HttpRequest) -> dict[str, Any]:
    parts = urlsplit(sent.address)
    mounted, path = _below_mount(parts.path, outer)
    passed_on = {name: outer.META[name] for name in _PASSED_ON if name in outer.META}
    headers = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in sent.headers.items()}
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(sent.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": mounted,
        "PATH_INFO": path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(sent.body)),
        "CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE", ""),
        **passed_on,
        **_seen_by_the_proxy(parts.scheme),
        **headers,
    }


def _below_mount(path: str, outer: HttpRequest) -> tuple[str, str]:
    """The part of the path that the server has cut off for the project, and the rest."""
    mounted = outer.path.removesuffix(outer.path_info).rstrip("/")
    if mounted and not path.startswith(f"{mounted}/"):
        said = gettext("This process serves %(mounted)s, and %(path)s lies outside.")
        raise Unanswered(said % {"mounted": mounted, "path": path})
    return mounted, path[len(mounted) :]


def _seen_by_the_proxy(scheme: str) -> dict[str, str]:
    """What the proxy in front would say of the public address, so that Django believes it."""
    trusted: tuple[str, str] | None = django_settings.SECURE_PROXY_SSL_HEADER
    return {trusted[0]: trusted[1]} if trusted and scheme == "https" else {}


@contextmanager
def _thread_kept() -> Iterator[None]:
    """Put back what a request changes in its thread."""
    urlconf = get_urlconf()
    with (
        translation.override(translation.get_language()),
        timezone.override(timezone.get_current_timezone()),
    ):
        try:
            yield
        finally:
            set_urlconf(urlconf)
