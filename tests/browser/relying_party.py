"""An application of somebody else's, as the browser meets it: one page that shows what arrived."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

Fields = dict[str, str]


@dataclass(frozen=True)
class RelyingParty:
    """Answers on `localhost`, which is another site than the provider's 127.0.0.1."""

    origin: str

    @property
    def callback(self) -> str:
        return f"{self.origin}/callback"

    def page_framing(self, url: str) -> str:
        """A page of ours that puts the address into a frame."""
        return f"{self.origin}/frame?{url}"


@contextmanager
def relying_party() -> Iterator[RelyingParty]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield RelyingParty(f"http://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/frame":
            self.show(f'<iframe src="{html.escape(parts.query)}"></iframe>')
        else:
            self.show_fields(parts.query)

    def do_POST(self) -> None:
        self.show_fields(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def show_fields(self, encoded: str) -> None:
        rows = "".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
            for name, value in parse_qsl(encoded, keep_blank_values=True)
        )
        self.show(f"<h1>{self.command}</h1><dl>{rows}</dl>")

    def show(self, body: str) -> None:
        page = f"<!doctype html><link rel=icon href=data:,><title>Application</title>{body}"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *arguments: object) -> None:
        """Nothing: the test tells what went wrong."""
