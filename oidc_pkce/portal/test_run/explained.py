"""Why a request of this run was refused, as far as the administrator may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from ...flows import records
from ...models import Application, RequestTrace
from ...protocol.checks import registry
from ..request_explanation import ENDPOINTS

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """The check that failed, and where all of them are listed."""

    check: str
    sentence: str
    cure: str
    address: str


def by_request_id(request: HttpRequest, site: Any, request_id: str) -> Explanation | None:
    """Of the request that an answer names."""
    if not request_id or "\0" in request_id:
        return None
    return _explanation(site, records.requests(request.user).filter(request_id=request_id).first())


def by_error(
    request: HttpRequest, site: Any, application: Application, error: str, since: float
) -> Explanation | None:
    """Of the newest request of this user that was refused so: a redirect names none."""
    refused = _mine(request, application).filter(succeeded=False)
    seen = refused.filter(at__gte=datetime.fromtimestamp(since, UTC))[:SHOWN]
    return _explanation(site, next((trace for trace in seen if trace.error == error), None))


def latest(
    request: HttpRequest, site: Any, application: Application
) -> list[tuple[RequestTrace, Any, str]]:
    """The newest requests of this user to this application: each, its endpoint, its address."""
    return [
        (trace, ENDPOINTS.get(trace.endpoint, trace.endpoint), _address(site, trace))
        for trace in _mine(request, application)[:SHOWN]
    ]


def _mine(request: HttpRequest, application: Application) -> Any:
    seen = records.requests(request.user).filter(application=application, user=request.user.pk)
    return seen.order_by("-pk")


def _explanation(site: Any, trace: RequestTrace | None) -> Explanation | None:
    if trace is None:
        return None
    known = registry().get(trace.failed_check)
    sentence, cure = (gettext(known.sentence), gettext(known.fix)) if known else ("", "")
    return Explanation(trace.failed_check, sentence, cure, _address(site, trace))


def _address(site: Any, trace: RequestTrace) -> str:
    return reverse(f"{site.name}:oidc_pkce_requesttrace_change", args=[trace.pk])
