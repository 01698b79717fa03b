"""Requests: why one was refused, check by check, with the clause and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..protocol.checks import registry
from .base import ReadOnlyAdmin, code, good_or_bad, table


class RequestAdmin(ReadOnlyAdmin):
    """Request traces, found by the id that the person at the error page read out."""

    list_display = (
        "at",
        "request_id",
        "endpoint",
        "application",
        "client_id",
        "outcome",
        "failed_check",
    )
    list_filter = ("succeeded", "endpoint", "at")
    list_select_related = ("application",)
    search_fields = ("request_id", "client_id", "failed_check", "application__application_id")
    search_help_text = _("Request ID, client, failed check or Application ID")
    fields = (
        ("request_id", "at"),
        ("endpoint", "application"),
        ("client_id", "user"),
        ("outcome", "error"),
        "checks",
    )
    readonly_fields = ("outcome", "checks")
    show_full_result_count = False

    @admin.display(description=_("Outcome"), ordering="succeeded")
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
