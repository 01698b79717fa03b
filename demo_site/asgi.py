"""What the production server loads: the WSGI application, behind a door for slow clients.

A request takes one of the few threads only once it has arrived whole, so that whoever sends a body
byte by byte keeps nobody waiting. An answer is gathered whole, too: nothing here streams.
"""

import asyncio
import io
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import unquote_to_bytes

from demo_site.wsgi import application as wsgi_application

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

# Each thread keeps a database connection, and lives as long as its process.
THREADS = 4
BODY_LIMIT = 1024 * 1024  # bytes; nothing here takes files
BODY_SECONDS = 10  # from the last header to the last byte


class BodyIsTooLarge(Exception):
    """The body is larger than anything here reads."""


class ClientIsGone(Exception):
    """Nobody is there to be answered."""


class WholeRequests:
    """An ASGI application that gives a WSGI application nothing but whole requests."""

    def __init__(self, wsgi: Callable[..., Any]) -> None:
        self._wsgi = wsgi
        self._arrived: SimpleQueue[tuple[Message, bytes, Callable[[Answer], Any]]] = SimpleQueue()
        for _ in range(THREADS):
            Thread(target=self._work, daemon=True).start()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Take a request in, let a thread answer it, send the answer."""
        if scope["type"] != "http":
            raise ValueError(f'Only http is served here, not "{scope["type"]}".')
        try:
            body = await body_of(scope, receive)
        except TimeoutError:
            status, headers, content = refusal(HTTPStatus.REQUEST_TIMEOUT)
        except BodyIsTooLarge:
            status, headers, content = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except ClientIsGone:
            return
        else:
            status, headers, content = await self._answered(scope, body)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answered(self, scope: Message, body: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def deliver(found: Answer) -> None:
            if not answer.done():
                answer.set_result(found)

        self._arrived.put((scope, body, lambda found: loop.call_soon_threadsafe(deliver, found)))
        return await answer

    def _work(self) -> None:
        """In a thread: answer one request after another, for ever."""
        while True:
            scope, body, deliver = self._arrived.get()
            try:
                answer = self._answer(environ_of(scope, body))
            except Exception:
                logger.exception("a request could not be answered")
                answer = refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
            deliver(answer)

    def _answer(self, environ: dict[str, Any]) -> Answer:
        said: list[tuple[str, list[tuple[str, str]]]] = []
        chunks: Iterable[bytes] = self._wsgi(environ, lambda *head: said.append(head[:2]))
        try:
            content = b"".join(chunks)
        finally:
            getattr(chunks, "close", bool)()
        status, headers = said[-1]
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        return int(status[:3]), encoded, content


async def body_of(scope: Message, receive: Receive) -> bytes:
    """The body. Raises ``BodyIsTooLarge``, ``ClientIsGone``, or ``TimeoutError``."""
    announced = dict(scope["headers"])
    if b"content-length" not in announced and b"transfer-encoding" not in announced:
        return b""
    if int(announced.get(b"content-length", 0)) > BODY_LIMIT:
        raise BodyIsTooLarge
    async with asyncio.timeout(BODY_SECONDS):
        return await all_parts(receive)


async def all_parts(receive: Receive) -> bytes:
    """The body, once its last part is here."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientIsGone
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise BodyIsTooLarge
        more = message.get("more_body", False)
    return bytes(body)


def environ_of(scope: Message, body: bytes) -> dict[str, Any]:
    """The request as a WSGI application takes it (PEP 3333)."""
    name, port = scope["server"]
    return {
        **variables_of(scope["headers"]),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "CONTENT_LENGTH": str(len(body)),  # that of a chunked body is known by now
        "REMOTE_ADDR": scope["client"][0],
        "SERVER_NAME": name,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def variables_of(headers: Headers) -> dict[str, str]:
    """The headers by their CGI names; one that comes again is joined to the first."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue  # X_Forwarded_For would pass for X-Forwarded-For, which a proxy vouches for
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        separator = "; " if key == "HTTP_COOKIE" else ","
        found[key] = f"{found[key]}{separator}{value}" if key in found else value
    return found


def refusal(status: HTTPStatus) -> Answer:
    """A few words, and no further request on this connection."""
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    return status, headers, status.phrase.encode()


application = WholeRequests(wsgi_application)
