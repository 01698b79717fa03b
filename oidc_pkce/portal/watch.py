"""Watch: the checks of requests as they arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .. import headers
from ..flows import watch
from ..flows.reasons import NEAR_MISSES, OTHER_REASON, REASONS
from ..flows.watch import Watch
from ..models import Application, RequestTrace, Right
from ..protocol.near_miss import NearMiss
from .application_page import ApplicationPage
from .base import actor_of, whole_number
from .records import ApplicationFilter
from .request_explanation import ENDPOINTS

STATE = "Oidc-Watch"  # the header that tells watch.js whether to ask again


@dataclass(frozen=True, slots=True)
class Row:
    """One request as the list shows it; ``reasons`` say why it was refused."""

    trace: RequestTrace
    endpoint: Any
    address: str
    checks: Sequence[tuple[str, bool]]
    reasons: Sequence[Any]


class WatchNews(ApplicationPage):
    """What has arrived since, as a piece of the page, or 204; a header says when it is over."""

    name = "watch-news"
    title = _("Watch")
    template_name = "admin/oidc_pkce/application/_watched.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The requests after ``?after=``; who may no longer see them is told so by 403."""
        if not watch.may_watch(request.user, rights):
            raise PermissionDenied
        now = timezone.now()
        found = watch.find(application, request.user, now)
        after = whole_number(request.GET.get("after", "")) or 0
        rows = list(rows_of(found, request, self.portal.admin_site.name, after)) if found else []
        response = self._answer(request, rows)
        response[STATE] = "on" if found and found.is_on(now) else "over"
        headers.forbid_caching(response)
        return response

    def _answer(self, request: HttpRequest, rows: Sequence[Row]) -> HttpResponse:
        if not rows:
            return HttpResponse(status=204)
        context = {"rows": rows, "announcement": announced(rows)}
        return TemplateResponse(request, self.template_name, context)


class WatchPage(ApplicationPage):
    """The newest requests of the application, while somebody tries a client out."""

    name = "watch"
    title = _("Watch")
    template_name = "admin/oidc_pkce/application/watch.html"
    right = Right.VIEW  # and what watch.may_watch() asks for
    below = (WatchNews,)

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The watch of this administrator, or the button that begins one."""
        now = timezone.now()
        may_watch = watch.may_watch(request.user, rights)
        found = watch.find(application, request.user, now) if may_watch else None
        rows = list(rows_of(found, request, self.portal.admin_site.name)) if found else []
        context = {
            "may_watch": may_watch,
            "watch": found,
            "is_on": found is not None and found.is_on(now),
            "remaining": found.remaining(now) if found else 0,
            "left": _clock(found.remaining(now)) if found else "",
            "watched_by_others": self._is_watched(application, now),
            "rows": rows,
            "most": watch.SHOWN,
            "news_url": WatchNews(self.portal).address(application),
            "requests_url": self._requests_of(application),
        }
        response = self.render(request, application, rights, context)
        headers.forbid_caching(response)
        return response

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Begin, or stop."""
        if not watch.may_watch(request.user, rights):
            raise PermissionDenied
        actor, now = actor_of(request), timezone.now()
        if "stop" in request.POST:
            watch.stop(application, actor=actor, now=now)
            messages.success(request, gettext("Nobody watches this application any more."))
        else:
            watch.begin(application, actor=actor, now=now)
        return HttpResponseRedirect(self.address(application))

    def _is_watched(self, application: Application, now: datetime) -> bool:
        return application.watched_until is not None and now < application.watched_until

    def _requests_of(self, application: Application) -> str:
        route = f"{self.portal.admin_site.name}:oidc_pkce_requesttrace_changelist"
        return f"{reverse(route)}?{ApplicationFilter.parameter_name}={application.pk}"


def rows_of(found: Watch, request: HttpRequest, site: str, after: int = 0) -> Iterator[Row]:
    """What the list shows of a watch, the newest first."""
    for trace in watch.requests(found, request.user, after=after):
        address = reverse(f"{site}:oidc_pkce_requesttrace_change", args=[trace.pk])
        endpoint = ENDPOINTS.get(trace.endpoint, trace.endpoint)
        checks = [(each["check"], each["passed"]) for each in trace.outcomes]
        yield Row(trace, endpoint, address, checks, list(_reasons(trace)))


def announced(rows: Sequence[Row]) -> str:
    """For whoever hears the page: how many requests came, not each check of each."""
    refused = sum(not row.trace.succeeded for row in rows)
    came = ngettext("%(count)s new request", "%(count)s new requests", len(rows))
    told = ngettext("%(count)s refused", "%(count)s refused", refused)
    return f"{came % {'count': len(rows)}}, {told % {'count': refused}}"


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def _reasons(trace: RequestTrace) -> Iterator[Any]:
    """Why it was refused, and what was nearly right."""
    failed: Mapping[str, Any] | None = next(
        (each for each in trace.outcomes if not each["passed"]), None
    )
    if failed is None:
        return
    yield REASONS.get(failed["check"], OTHER_REASON)
    known = {near.value: near for near in NearMiss}
    for name in failed.get("near_misses") or ():
        if name in known:
            yield NEAR_MISSES[known[name]]
