"""Serves the sample client: a fixed list of files, nothing else of the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
HTML = "text/html; charset=utf-8"
SCRIPT = "text/javascript; charset=utf-8"
FILES = {
    "/": ("index.html", HTML),
    "/app.js": ("app.js", SCRIPT),
    "/oidc.js": ("oidc.js", SCRIPT),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
POLICY = (
    "default-src 'self'; connect-src 'self' {issuer}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def serve(host: str, port: int, config: Mapping[str, str]) -> None:
    """Serve the client until the process ends. Raises ``OSError`` when the port is taken."""
    with make_server(host, port, config) as server:
        server.serve_forever()


def make_server(host: str, port: int, config: Mapping[str, str]) -> ThreadingHTTPServer:
    """A bound server, not yet serving; port 0 takes a free one.

    ``config`` is what the browser reads as ``/config.json``: ``issuer``, ``client_id``,
    ``redirect_uri``, ``scope`` and, where it is not the client's id, ``audience``.
    """
    return ThreadingHTTPServer((host, port), partial(Handler, config))


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for what is listed, and for the redirect URI."""

    server_version = "sample-client"
    sys_version = ""

    def __init__(self, config: Mapping[str, str], *connection: object) -> None:
        self.config = config
        super().__init__(*connection)  # type: ignore[arg-type]  # the base class serves in here

    def do_GET(self) -> None:
        """Send a listed file, or 404."""
        with suppress(ConnectionError):  # the browser went on without waiting
            body = self._send_head()
            if self.command != "HEAD":
                self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: a logged redirect would hold the code."""

    def _send_head(self) -> bytes:
        status, kind, body = self._find(urlsplit(self.path).path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY.format(issuer=self._issuer_origin()))
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        return body

    def _find(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        if path == "/config.json":
            return HTTPStatus.OK, "application/json", json.dumps(dict(self.config)).encode()
        if path == urlsplit(self.config["redirect_uri"]).path:
            path = "/"
        if path not in FILES:
            return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There is no such page.\n"
        name, kind = FILES[path]
        return HTTPStatus.OK, kind, (HERE / name).read_bytes()

    def _issuer_origin(self) -> str:
        issuer = urlsplit(self.config["issuer"])
        return f"{issuer.scheme}://{issuer.netloc}"
