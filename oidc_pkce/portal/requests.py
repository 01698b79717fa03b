"""Requests: why one was refused, check by check, with the clause and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import records
from ..models import RequestTrace
from ..protocol.checks import registry
from .base import code, good_or_bad, table
from .records import (
    ApplicationFilter,
    OverseenAdmin,
    PeriodFilter,
    applications_named,
    users_named,
)

EXAMINED = 1_000  # of the newest refusals, to offer the checks that failed among them

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
        "shown_endpoint",
        "shown_application",
        "client_id",
        "outcome",
        "failed_check",
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
    fields = (
        ("request_id", "at"),
        ("shown_endpoint", "shown_application"),
        ("client_id", "user"),
        ("outcome", "error"),
        "checks",
    )
    readonly_fields = ("outcome", "checks", "shown_endpoint", "shown_application")

    def overseen(self, user: Any) -> QuerySet[Any]:
        """All, or those of some applications."""
        return records.requests(user)

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
        """Succeeded or refused."""
        return good_or_bad(obj.succeeded, (_("succeeded"), _("refused")))

    @admin.display(description=_("Checks"))
    def checks(self, obj: Any) -> SafeString | str:
        """Every check that the request went through."""
        if not obj.outcomes:
            return "-"
        heads = (
            gettext("Check"),
            gettext("Outcome"),
            gettext("What must be true"),
            gettext("Clause"),
        )
        return table((*heads, gettext("What to do")), map(_row, obj.outcomes))


def _row(outcome: Mapping[str, Any]) -> tuple[Any, ...]:
    known = registry().get(outcome["check"])
    sentence, clause = (known.sentence, known.spec) if known else ("", "")
    cure = known.fix if known and not outcome["passed"] else ""
    return (
        code(outcome["check"]),
        good_or_bad(outcome["passed"], (_("passed"), _("failed"))),
        sentence,
        clause,
        "" if outcome["passed"] else _explanation(outcome, cure),
    )


def _explanation(outcome: Mapping[str, Any], cure: str) -> SafeString:
    """The cure first, then what was compared."""
    compared = (
        (gettext("Answered"), outcome.get("error")),
        (gettext("Told"), outcome.get("description")),
        (gettext("Received"), outcome.get("received")),
        (gettext("Expected"), "\n".join(outcome.get("expected") or ())),
        (gettext("Detail"), outcome.get("detail")),
    )
    shown = ((label, code(value)) for label, value in compared if value not in (None, ""))
    listed = format_html_join("", "<dt>{}</dt><dd>{}</dd>", shown)
    return format_html('<p>{}</p><dl class="oidc-compared">{}</dl>', cure, listed)
