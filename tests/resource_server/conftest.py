"""An API of the host project, and another server that issues tokens."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from django.test import Client as Browser
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import Application
from oidc_pkce.protocol import jose, jwk
from tests.journeys import Answer, Journey

AUDIENCE = "https://api.example.com"


def b64(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def ask(path: str, token: str | None = None, **headers: str) -> Answer:
    """Call an API, without cookies."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return Answer(Browser(raise_request_exception=True).get(path, headers=headers))


def use(settings: Any, **values: Any) -> None:
    """Set ``RESOURCE_SERVER``."""
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": values}


@pytest.fixture(autouse=True)
def api(settings: Any) -> None:
    """The project's APIs take the tokens of two applications."""
    settings.ROOT_URLCONF = "tests.resource_server.urls"
    use(settings, APPLICATIONS=["My_App", "portal", "backend"])


@pytest.fixture
def notes(list_app: Application) -> Application:
    """The List application, with two scopes."""
    for name in ("notes.read", "notes.write"):
        list_app.scopes.create(name=name)
    return list_app


@pytest.fixture
def reader(notes: Application, signed_in: Journey) -> str:
    """Ada's token, good for reading notes."""
    return str(signed_in.tokens(scope="notes.read")["access_token"])


# --- another server -----------------------------------------------------------------------------


@dataclass
class OtherServer:
    """A second issuer: metadata, keys, and a count of who asked for what."""

    issuer: str = ""
    algorithm: str = "RS256"
    kid: str = "first"
    private_key: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    cache_control: str = ""
    status: int = 200
    delay: float = 0
    body: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def start_over(self, algorithm: str, kid: str) -> None:
        """Sign with a new key, and publish no other."""
        self.algorithm, self.kid = algorithm, kid
        self.private_key = jwk.generate(algorithm)

    @property
    def key_set(self) -> dict[str, Any]:
        public = jwk.public_jwk(self.private_key, kid=self.kid, algorithm=self.algorithm)
        return {"keys": [public]}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What its access tokens say; ``None`` leaves a claim out."""
        now = int(time.time())
        made = {
            "iss": self.issuer,
            "sub": "remote-ada",
            "aud": AUDIENCE,
            "client_id": "remote-client",
            "iat": now,
            "exp": now + 300,
            "jti": "0123456789abcdef",
            "scope": "notes.read",
        } | changes
        return {name: value for name, value in made.items() if value is not None}

    def token(self, *, typ: str | None = "at+jwt", **changes: Any) -> str:
        key = jose.SigningKey(self.kid, self.algorithm, self.private_key)
        return jose.sign(self.claims(**changes), key, typ=typ)

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        time.sleep(self.delay)
        if self.status != 200:
            return self.status, b""
        if path == "/keys":
            return 200, json.dumps(self.key_set).encode() if self.body is None else self.body
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps({**self.default_metadata, **self.metadata}).encode()
        return 404, b""

    @property
    def default_metadata(self) -> dict[str, Any]:
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer.rstrip('/')}/keys"}


class Quiet(ThreadingHTTPServer):
    daemon_threads = True


@pytest.fixture
def other_server(settings: Any) -> Iterator[OtherServer]:
    """Another server on this machine, whose tokens the APIs take."""
    made = OtherServer()
    made.start_over("RS256", "first")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = made.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if made.cache_control:
                self.send_header("Cache-Control", made.cache_control)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Keep the tests' output quiet."""

    running = Quiet(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    made.issuer = f"http://127.0.0.1:{running.server_port}/"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ISSUER_BASE": "http://localhost:8000"}
    use(settings, ISSUERS=[made.issuer], AUDIENCE=AUDIENCE)
    yield made
    running.shutdown()
    running.server_close()


# --- either of them, for attacks ----------------------------------------------------------------


@dataclass
class Target:
    """An API, a token that it takes, and the key that signed it."""

    path: str
    token: str
    private_key: Any
    key_set: bytes
    id_token: str

    @property
    def header(self) -> dict[str, Any]:
        return dict(jwt.get_unverified_header(self.token))

    @property
    def claims(self) -> dict[str, Any]:
        return dict(jwt.decode(self.token, options={"verify_signature": False}))

    def ask(self, token: str) -> Answer:
        return ask(self.path, token)


@pytest.fixture(params=["own", "remote"])
def target(request: pytest.FixtureRequest, db: None) -> Target:
    """An API that takes our own tokens, or one that takes another server's."""
    return _own(request) if request.param == "own" else _remote(request)


def _own(request: pytest.FixtureRequest) -> Target:
    tokens = request.getfixturevalue("openid").tokens(scope="openid", nonce="n")
    now = timezone.now()
    key = keys.signer("RS256", now).private_key
    return Target("/api/", tokens["access_token"], key, keys.jwks(now), tokens["id_token"])


def _remote(request: pytest.FixtureRequest) -> Target:
    server = request.getfixturevalue("other_server")
    identity = {"client_id": None, "scope": None, "nonce": "n", "azp": "remote-client"}
    id_token = server.token(typ="JWT", **identity)
    key_set = json.dumps(server.key_set).encode()
    return Target("/api/remote", server.token(), server.private_key, key_set, id_token)
