"""What the benchmarks send: token requests, and a bare Django view to compare them with."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from oidc_pkce import identifiers
from oidc_pkce.endpoints.base import Endpoint
from oidc_pkce.flows import keys, tracing
from oidc_pkce.models import AuthorizationCode, ClientAuthentication, Grant
from oidc_pkce.protocol import jose
from tests.journeys import CALLBACK, CHALLENGE, VERIFIER

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Cost:
    """CPU of one request, in milliseconds: in Python, and in the database's own process."""

    python: float
    database: float

    @property
    def total(self) -> float:
        return self.python + self.database


def bare(request: HttpRequest) -> JsonResponse:
    """One SELECT, one write in one transaction, one RS256 signature, as Django's users write it."""
    now = timezone.now()
    code = AuthorizationCode.objects.get(pk=identifiers.digest(request.POST["code"]))
    with transaction.atomic():
        unspent = AuthorizationCode.objects.filter(pk=code.pk, used_at=None)
        if not unspent.update(used_at=now) or code.expires_at <= now:
            return JsonResponse({"error": "invalid_grant"}, status=400)
    return _token(str(code.grant_id), now)


def bare_sql(request: HttpRequest) -> JsonResponse:
    """The same without the ORM: the least that Django can do."""
    now = timezone.now()
    digest = identifiers.digest(request.POST["code"])
    with connection.cursor() as cursor:
        cursor.execute(SELECT, [digest])
        grant, expires_at = cursor.fetchone()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(UPDATE, [now, digest])
        if cursor.rowcount != 1 or expires_at <= now:
            return JsonResponse({"error": "invalid_grant"}, status=400)
    return _token(str(grant), now)


def signature(request: HttpRequest) -> JsonResponse:
    """No database at all: what the size of no table can change."""
    return _token(request.POST["code"], timezone.now())


SELECT = "SELECT grant_id, expires_at FROM oidc_pkce_authorizationcode WHERE digest = %s"
UPDATE = "UPDATE oidc_pkce_authorizationcode SET used_at = %s WHERE digest = %s AND used_at IS NULL"


def _token(grant: str, now: datetime) -> JsonResponse:
    claims = {"iss": "https://id.example.com/", "sub": grant, "exp": int(now.timestamp())}
    token = jose.sign(claims, keys.signer("RS256", now), typ="JWT")
    return JsonResponse({"access_token": token, "token_type": "Bearer", "expires_in": 18000})


urlpatterns = [
    path("bare", csrf_exempt(bare)),
    path("bare-sql", csrf_exempt(bare_sql)),
    path("signature", csrf_exempt(signature)),
    path("", include("oidc_pkce.urls")),
]


def stored_codes(
    application_pk: int, user_pk: int, count: int, owner: dict[str, Any] | None = None
) -> list[str]:
    """Store grants with one live code each, as Authorize would; the codes."""
    now = timezone.now()
    codes = [identifiers.new_secret() for _ in range(count)]
    grants = [grant(application_pk, user_pk, now, **owner or {}) for _ in codes]
    Grant.objects.bulk_create(grants, batch_size=1000)
    rows = [
        AuthorizationCode(
            digest=identifiers.digest(code),
            grant=made,
            redirect_uri=CALLBACK,
            challenge=CHALLENGE,
            challenge_method="S256",
            expires_at=now + timedelta(hours=1),
        )
        for code, made in zip(codes, grants, strict=True)
    ]
    AuthorizationCode.objects.bulk_create(rows, batch_size=1000)
    return codes


def grant(application_pk: int, user_pk: int, now: Any, **fields: Any) -> Grant:
    """A grant as Authorize writes it, not stored yet."""
    defaults = {
        "client_id": "my_service_user",
        "client_authentication": ClientAuthentication.NONE,
        "subject": "8f14e45f-ceea-467f-9c2b-3d8bfc1d2f11",
        "auth_time": now,
        "created_at": now,
        "expires_at": now + timedelta(days=1),
    }
    return Grant(application_id=application_pk, user_id=user_pk, **{**defaults, **fields})


@dataclass
class Bench:
    """Sends requests through the whole of Django, without a socket."""

    handler: WSGIHandler

    def post(self, url: str, fields: dict[str, str]) -> int:
        """Post a form; the status of the answer."""
        return self.send(url, fields)[0]

    def redeemed(self, application_id: str, code: str, client_id: str, secret: str) -> str:
        """Redeem a code as a confidential client does; the access token."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": client_id,
            "client_secret": secret,
            "code_verifier": VERIFIER,
        }
        _, body = self.send(f"/OAuth2/Token/{application_id}", fields)
        return str(json.loads(body)["access_token"])

    def send(self, url: str, fields: dict[str, str]) -> tuple[int, bytes]:
        """Post a form; status and body of the answer."""
        body = urlencode(fields).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": url,
            "QUERY_STRING": "",
            "SERVER_NAME": "id.example.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "id.example.com",
            "CONTENT_TYPE": FORM,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
        }
        status: list[str] = []
        response = self.handler(environ, lambda line, _headers: status.append(line))
        answer = b"".join(response)
        response.close()  # type: ignore[attr-defined]
        return int(status[0].split()[0]), answer

    def token(self, code: str) -> int:
        """Redeem a code as a public client does."""
        return self.post(
            "/OAuth2/Token/my_app",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": CALLBACK,
                "client_id": "my_service_user",
                "code_verifier": VERIFIER,
            },
        )

    def bare(self, code: str) -> int:
        """Redeem a code at the bare view."""
        return self.post("/bare", {"code": code})

    def bare_sql(self, code: str) -> int:
        """Redeem a code at the bare view without the ORM."""
        return self.post("/bare-sql", {"code": code})

    def signature(self, code: str) -> int:
        """Only sign."""
        return self.post("/signature", {"code": code})


def tracing_off(send: Callable[[str], int]) -> Callable[[str], int]:
    """The same, with nothing kept: no trace, and no count of what was used."""

    def sent(code: str) -> int:
        kept = Endpoint._keep_trace
        Endpoint._keep_trace = _keep_nothing  # type: ignore[method-assign]
        try:
            return send(code)
        finally:
            Endpoint._keep_trace = kept  # type: ignore[method-assign]

    return sent


def every_success_traced(send: Callable[[str], int]) -> Callable[[str], int]:
    """The same, with a trace of each request, as for an application that somebody watches."""

    def sent(code: str) -> int:
        chance = tracing.random
        tracing.random = _Always()  # type: ignore[assignment]
        try:
            return send(code)
        finally:
            tracing.random = chance

    return sent


class _Always:
    """Draws every request."""

    @staticmethod
    def random() -> float:
        return -1.0


def _keep_nothing(_: Endpoint) -> None:
    pass


def measure(send: Callable[[str], int], codes: list[str]) -> Cost:
    """Redeem each code; the mean cost of one. Every one must be answered with 200."""
    backend = connection.connection.info.backend_pid if connection.vendor == "postgresql" else 0
    database, python = _cpu_of(backend), time.process_time()
    statuses = {send(code) for code in codes}
    python, database = time.process_time() - python, _cpu_of(backend) - database
    assert statuses == {200}, statuses
    return Cost(python * 1000 / len(codes), database * 1000 / len(codes))


def _cpu_of(pid: int) -> float:
    """Seconds that a process has spent on a processor; Linux counts them in nanoseconds."""
    if not pid:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
