"""One request, explained; the way to it by its id; and what every check is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .. import headers
from ..flows import administration, cures, explanation
from ..flows.explanation import State, Step
from ..models import RequestTrace
from .base import actor_of
from .records import OverseenAdmin, require

READING = ("GET", "HEAD")
MAX_ID = 64  # of what somebody types

#: The endpoints that leave traces, by the name that is stored.
ENDPOINTS = {
    "authorize": "Authorize",
    "login": "Login",
    "confirm": "Confirm",
    "token": "Token",
    "userinfo": "UserInfo",
    "introspect": "Introspect",
    "revoke": "Revoke",
    "end_session": "EndSession",
    "discovery": "Discovery",
    "keys": "Keys",
    "logo": "Logo",
    "resource_server": _("Resource server"),
}
#: What the candidates are, by the failed check.
EXPECTED = {
    "authorize.client_id": _("Known clients"),
    "authorize.redirect_uri": _("Registered"),
    "authorize.scope": _("Defined"),
    "client.known": _("Known clients"),
    "code.client": _("Issued to"),
    "code.redirect_uri": _("Authorized"),
    "end_session.post_logout_redirect_uri": _("Registered"),
    "refresh.client": _("Issued to"),
    "refresh.scope": _("Granted"),
    "revocation.client": _("Issued to"),
    "token.scope": _("Defined"),
}
STATES = {
    State.PASSED: ("good", _("passed")),
    State.FAILED: ("bad", _("failed")),
    State.NOT_REACHED: ("muted", _("not reached")),
}


class RequestExplanation:
    """The pages about single requests; who may see a request, its screen knows."""

    def __init__(self, requests: OverseenAdmin) -> None:
        self.requests = requests

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One request. Reading it is audited. 404 for whoever may not see it."""
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        require(self.requests.has_view_permission(request))
        trace: RequestTrace = self.requests.get_object(request, object_id)
        made = explanation.read(
            trace, user=request.user, actor=actor_of(request), now=timezone.now()
        )
        context = {
            "explanation": made,
            "cures": cures.offered(request.user, trace),
            "is_outdated": _is_outdated(trace),
            "expected_label": EXPECTED.get(made.failed_check, _("Expected")),
            "facts": list(self._facts(request, trace, made)),
            "steps": [(step, *STATES[step.state]) for step in made.steps],
            "checks_url": self.requests.address("checks"),
            "tools": list(self.requests.tools(request, trace)),
        }
        title = _("Request %(id)s") % {"id": made.request_id}
        return self._page(request, "explanation", title, context)

    def why(self, request: HttpRequest) -> HttpResponse:
        """``?id=``: to the request that an error page named, if this administrator may see it."""
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        require(self.requests.has_view_permission(request))
        asked = request.GET.get("id", "").strip()[:MAX_ID]
        found = explanation.find(asked, self.requests.get_queryset(request))
        if found is not None:
            return HttpResponseRedirect(self.requests.address("change", found.pk))
        response = self._page(request, "why", _("Why was this refused?"), {"asked": asked})
        response.status_code = 404 if asked else 200
        return response

    def checks(self, request: HttpRequest) -> HttpResponse:
        """Every check: what must be true, where that is written, and what to do."""
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        require(self.requests.has_view_permission(request))
        groups = groupby(explanation.every_check(), key=_group)
        context = {"groups": [(name, list(steps)) for name, steps in groups]}
        return self._page(request, "checks", _("Checks"), context)

    def _facts(
        self, request: HttpRequest, trace: RequestTrace, made: explanation.Explanation
    ) -> Iterator[tuple[Any, str, str]]:
        """What the request was: a label, words, and where they lead."""
        yield _("Endpoint"), str(ENDPOINTS.get(made.endpoint, made.endpoint)), ""
        yield _("Application"), made.application, self._settings_of(request, trace)
        yield _("Client"), made.client_id, ""
        yield _("Person"), made.user, ""
        yield _("Time"), _exactly(made.at), ""

    def _settings_of(self, request: HttpRequest, trace: RequestTrace) -> str:
        """The application's first page, for whoever may open it."""
        application = trace.application
        if application is None or not administration.rights(request.user, application):
            return ""
        site = self.requests.admin_site.name
        return reverse(f"{site}:oidc_pkce_application_change", args=[application.pk])

    def _page(
        self, request: HttpRequest, template: str, title: Any, context: dict[str, Any]
    ) -> TemplateResponse:
        plural = capfirst(self.requests.opts.verbose_name_plural)
        frame = {
            **self.requests.admin_site.each_context(request),
            "opts": self.requests.opts,
            "title": title,
            "crumbs": [(self.requests.address("changelist"), plural), ("", title)],
            "why_url": self.requests.address("why"),
        }
        name = f"admin/oidc_pkce/requesttrace/{template}.html"
        response = TemplateResponse(request, name, {**frame, **context})
        headers.forbid_caching(response)
        return response


def _is_outdated(trace: RequestTrace) -> bool:
    """Whether the application has been changed since it refused the request."""
    application = trace.application
    return not trace.succeeded and application is not None and application.updated_at > trace.at


def _exactly(at: datetime) -> str:
    """To the second, to be found again in the log of a client or a proxy."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'DATE_FORMAT')}, {date_format(local, 'H:i:s T')}"


def _group(step: Step) -> str:
    return step.check.partition(".")[0]
