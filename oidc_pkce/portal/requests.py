"""Requests: the list, and the way from it to why one was refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..flows import records
from ..models import RequestTrace
from .base import good_or_bad
from .cures import CureView
from .records import (
    ApplicationFilter,
    OverseenAdmin,
    PeriodFilter,
    Tool,
    applications_named,
    users_named,
)
from .request_explanation import ENDPOINTS, RequestExplanation

EXAMINED = 1_000  # of the newest refusals, to offer the checks that failed among them


class OutcomeFilter(admin.SimpleListFilter):
    """Succeeded or refused."""

    title = _("Outcome")
    parameter_name = "succeeded__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """The two."""
        return (("0", _("refused")), ("1", _("succeeded")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The requests that ended so."""
        value = self.value()
        return queryset.filter(succeeded=value == "1") if value in ("0", "1") else queryset


class EndpointFilter(admin.SimpleListFilter):
    """Which endpoint was asked."""

    title = _("Endpoint")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """All of them: which ones occur, only the whole table could tell."""
        return ENDPOINTS.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The requests to it."""
        return queryset.filter(endpoint=self.value()) if self.value() else queryset


class FailedCheckFilter(admin.SimpleListFilter):
    """Which check failed; those that lately did are offered."""

    title = _("Failed check")
    parameter_name = "failed_check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The checks that failed among the newest refusals, and the one that was chosen."""
        seen = model_admin.get_queryset(request).filter(succeeded=False)
        found = set(seen.values_list("failed_check", flat=True)[:EXAMINED]) - {""}
        chosen = {self.value() or ""} - {""}
        return [(name, name) for name in sorted(found | chosen)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The requests that it refused."""
        return queryset.filter(failed_check=self.value()) if self.value() else queryset


class RequestAdmin(OverseenAdmin):
    """Request traces, found by the id that the person at the error page read out."""

    list_display = (
        "at",
        "request_id",
        "outcome",
        "shown_endpoint",
        "shown_application",
        "client_id",
    )
    list_display_links = ("at", "request_id")
    list_filter = (
        OutcomeFilter,
        EndpointFilter,
        FailedCheckFilter,
        PeriodFilter,
        ApplicationFilter,
    )
    list_select_related = ("application",)
    ordering = ("-pk",)
    search_help_text = _(
        "Exact request ID; or client ID, login name, Application ID or failed check"
    )

    def overseen(self, user: Any) -> QuerySet[Any]:
        """All, or those of some applications."""
        return records.requests(user)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages about single requests, and the address to which a cure is posted."""
        pages = RequestExplanation(self)
        own = (
            ("why/", pages.why, "why"),
            ("checks/", pages.checks, "checks"),
            ("<path:object_id>/cure/", CureView(self).view, "cure"),
        )
        mine = [
            path(address, self.admin_site.admin_view(view), name=f"oidc_pkce_requesttrace_{name}")
            for address, view, name in own
        ]
        return [*mine, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Why it was refused, instead of a form."""
        return RequestExplanation(self).view(request, object_id)

    def tools(self, request: HttpRequest, obj: Any) -> Iterable[Tool]:
        """The ways to other requests."""
        if obj.application_id:
            query = urlencode({ApplicationFilter.parameter_name: obj.application_id})
            yield (
                f"{self.address('changelist')}?{query}",
                _("Requests of this application"),
                False,
            )
        if obj.failed_check:
            query = urlencode({FailedCheckFilter.parameter_name: obj.failed_check})
            yield f"{self.address('changelist')}?{query}", _("Refused by the same check"), False

    def list_tools(self, request: HttpRequest) -> Iterable[Tool]:
        """The reference."""
        yield self.address("checks"), _("All checks"), False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A request ID names one request; anything else is looked for in the other columns."""
        named = queryset.filter(request_id=search_term.strip())
        if search_term.strip() and named.exists():
            return named, False
        return super().get_search_results(request, queryset, search_term)

    def matches(self, word: str) -> Q:
        """Client, login name, Application ID or failed check."""
        return (
            Q(client_id=word)
            | Q(user__in=users_named(word))
            | Q(application__in=applications_named(word))
            | Q(failed_check=word)
        )

    @admin.display(description=_("Endpoint"))
    def shown_endpoint(self, obj: Any) -> Any:
        """As its address names it."""
        return ENDPOINTS.get(obj.endpoint, obj.endpoint)

    @admin.display(description=_("Application"), empty_value="-")
    def shown_application(self, obj: RequestTrace) -> str | None:
        """Its name."""
        return obj.application.name if obj.application else None

    @admin.display(description=_("Outcome"))
    def outcome(self, obj: Any) -> SafeString:
        """Succeeded or refused, and by which check."""
        badge = good_or_bad(obj.succeeded, (_("succeeded"), _("refused")))
        if not obj.failed_check:
            return badge
        return format_html('{}<span class="oidc-id">{}</span>', badge, obj.failed_check)
