"""Which scripts may read which answers (Fetch standard, CORS protocol)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from .protocol.application import ApplicationFacts
from .protocol.metadata import script_origins

PREFLIGHT_MAX_AGE = 600  # seconds


def allow_everybody(response: HttpResponseBase) -> None:
    """Metadata and keys are public: any script may read them, without credentials."""
    response["Access-Control-Allow-Origin"] = "*"


def allow_application(
    request: HttpRequest, response: HttpResponseBase, application: ApplicationFacts | None
) -> None:
    """Let scripts of the application's own redirects and Trusted Origins read this answer.

    No ``Access-Control-Allow-Credentials``: these endpoints never look at a cookie.
    """
    patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin")
    if origin and application is not None and origin in script_origins(application):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "WWW-Authenticate"


def answer_preflight(response: HttpResponseBase, methods: str) -> None:
    """Say what a script may send, once its origin is allowed."""
    if "Access-Control-Allow-Origin" in response:
        response["Access-Control-Allow-Methods"] = methods
        response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE)
