"""What every endpoint shares: one moment, one trace, one way to refuse."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import SuspiciousOperation
from django.db import Error, connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.response import HttpResponseNotAllowed
from django.utils import timezone
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from .. import cors, headers, throttling
from ..conf import settings
from ..flows import application as applications
from ..flows import tracing, usage
from ..flows.tracing import Traced
from ..protocol import access_token
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.errors import (
    BearerError,
    InvalidClient,
    InvalidRequest,
    OAuthError,
    TemporarilyUnavailable,
)
from ..protocol.parameters import Parameters
from ..protocol.usage import Used

logger = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes
FORM = "application/x-www-form-urlencoded"


@check(
    "request.size",
    spec="RFC 9110 §15.5.14",
    fix="Send less: no request of these protocols needs more than a few kilobytes.",
)
def body_is_small(request: HttpRequest) -> bytes:
    """The body is of a size that these protocols can need."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > MAX_BODY:
        raise InvalidRequest("the request is too large")
    try:
        return request.body
    except SuspiciousOperation:
        raise InvalidRequest("the request is too large") from None


@check(
    "server.available",
    spec="RFC 9110 §15.6.4",
    fix="Send the request again after the seconds of Retry-After; if it lasts, add processes.",
)
def server_is_available(refusal: TemporarilyUnavailable) -> None:
    """The server has room for the request, and its storage answers."""
    raise refusal


class Endpoint(View):
    """Parse, call, render; a refusal is an exception whose type knows how it is answered."""

    name: ClassVar[str]
    methods: ClassVar[tuple[str, ...]] = ("GET",)

    now: datetime
    trace: Trace
    traced: Traced
    application: ApplicationFacts | None
    used: Used  # by a request that was granted

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, then keep the trace: after the request's own commit, on the same connection."""
        self.now = timezone.now()
        self.trace = Trace()
        self.traced = Traced(self.name)
        self.application = None
        self.used = {}
        response = self._answer(request, *args, **kwargs)
        if not self.trace.is_empty:
            self._keep_trace()
        return response

    def _keep_trace(self) -> None:
        """What cannot be written must not take the answer away, which may have spent a code."""
        if self.used:
            usage.note(self.traced.application_pk, self.traced.client_id, self.used, self.now)
        try:
            tracing.record(self.traced, self.trace, self.now)
        except Error:
            logger.exception("the trace of request %s was not kept", self.traced.request_id)

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in self.methods and request.method not in self.further_methods():
            return self.http_method_not_allowed(request)
        try:
            return super().dispatch(request, *args, **kwargs)
        except TemporarilyUnavailable as refusal:
            self.trace.refused(server_is_available.id, refusal)
            return self.refuse(refusal)
        except OAuthError as refusal:
            return self.refuse(refusal)

    def further_methods(self) -> tuple[str, ...]:
        """Methods that are answered without being advertised as the endpoint's own."""
        return ("HEAD",) if "GET" in self.methods else ()

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """405 with ``Allow`` (RFC 9110 §15.5.6)."""
        return HttpResponseNotAllowed(self.methods)

    def refuse(self, refusal: OAuthError) -> HttpResponseBase:
        """Answer a refusal."""
        raise NotImplementedError

    def remember(self, application: ApplicationFacts) -> ApplicationFacts:
        """Note whose request this is, for the trace, the refusal and CORS."""
        self.application = application
        self.traced.application_pk = application.pk
        self.traced.watched_until = application.watched_until
        return application

    @property
    def address(self) -> str:
        """Who sent the request, as far as trusted proxies say."""
        meta = self.request.META
        return throttling.client_address(
            meta.get("REMOTE_ADDR", ""),
            meta.get("HTTP_X_FORWARDED_FOR", ""),
            settings.trusted_proxies,
        )

    def form(self) -> bytes:
        """The body of a form post, or nothing. Raises ``InvalidRequest`` when it is too large."""
        if self.request.method != "POST" or self.request.content_type != FORM:
            return b""
        return self.body()

    def body(self) -> bytes:
        """The body. Raises ``InvalidRequest`` when it is too large."""
        return self.trace.take(body_is_small, self.request)

    def query(self) -> Parameters:
        """The parameters of the URL."""
        return Parameters.parse(self.request.META.get("QUERY_STRING", ""))

    @classmethod
    def mounted(cls) -> Any:
        """The view as a URL pattern takes it.

        Never inside the host's ``ATOMIC_REQUESTS``: a refusal must not undo a revocation. Nothing
        that was posted stands in the report of a crash. Free of the middleware's CSRF check: what
        clients send needs none, and pages with a form check it themselves, to refuse by a page.
        """
        view = csrf_exempt(sensitive_post_parameters()(cls.as_view()))
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view


class JsonEndpoint(Endpoint):
    """An endpoint that clients call: refusals are JSON (RFC 6749 §5.2)."""

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a preflight."""
        return HttpResponse(status=204)

    def further_methods(self) -> tuple[str, ...]:
        return (*super().further_methods(), "OPTIONS")

    def refuse(self, refusal: OAuthError) -> HttpResponseBase:
        """The error as JSON, with the challenge that its type asks for."""
        body = {"error": refusal.error, "error_description": refusal.description}
        body["request_id"] = self.traced.request_id
        response = JsonResponse(body, status=refusal.status)
        if isinstance(refusal, BearerError):
            response["WWW-Authenticate"] = access_token.challenge(refusal)
        if isinstance(refusal, InvalidClient) and refusal.challenge:
            response.status_code = 401
            response["WWW-Authenticate"] = 'Basic realm="OAuth2", charset="UTF-8"'
        if isinstance(refusal, TemporarilyUnavailable):
            response["Retry-After"] = str(refusal.retry_after)
        headers.forbid_caching(response)
        return response


class ApplicationJsonEndpoint(JsonEndpoint):
    """A JSON endpoint that scripts of the application's own origins may call."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and let the application's own scripts read the answer."""
        response = super().dispatch(request, *args, **kwargs)
        cors.allow_application(request, response, self.application)
        if request.method == "OPTIONS":
            cors.answer_preflight(response, ", ".join(self.methods))
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a preflight for this application."""
        self.remember(applications.find(kwargs["application_id"], self.trace))
        return super().options(request, *args, **kwargs)
