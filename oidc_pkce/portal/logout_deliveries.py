"""Sign-out deliveries: which applications are still to be told of a sign-out, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..flows import records
from .base import badge, code
from .records import ApplicationFilter, OverseenAdmin, PeriodFilter, applications_named


class SignedOutFilter(PeriodFilter):
    """When the person signed out."""

    title = _("Signed out")
    field = "created_at"


class LogoutDeliveryAdmin(OverseenAdmin):
    """The outbox of back-channel logout; what was taken is gone from it."""

    list_display = (
        "created_at",
        "shown_application",
        "client_id",
        "state",
        "attempts",
        "next_attempt_at",
        "short_error",
    )
    list_filter = (SignedOutFilter, ApplicationFilter)
    list_select_related = ("application",)
    ordering = ("next_attempt_at",)
    search_help_text = _("Exact Application ID, client ID or subject")
    fields = (
        ("shown_application", "client_id"),
        ("state", "attempts"),
        ("created_at", "next_attempt_at", "expires_at"),
        "shown_subject",
        "shown_error",
    )
    readonly_fields = ("shown_application", "state", "shown_subject", "shown_error")

    def overseen(self, user: Any) -> QuerySet[Any]:
        """All, or those of some applications."""
        return records.logout_deliveries(user)

    def matches(self, word: str) -> Q:
        """Application ID, client or subject."""
        named = Q(application__in=applications_named(word))
        return named | Q(client_id=word) | Q(subject=word)

    @admin.display(description=_("Application"))
    def shown_application(self, obj: Any) -> str:
        """Its name."""
        return str(obj.application.name)

    @admin.display(description=_("State"))
    def state(self, obj: Any) -> SafeString:
        """Waiting, failing, or given up."""
        if obj.expires_at <= timezone.now():
            return badge("bad", _("given up"))
        return badge("warning", _("failing")) if obj.attempts else badge("muted", _("waiting"))

    @admin.display(description=_("Last error"))
    def short_error(self, obj: Any) -> str:
        """The beginning of it."""
        text = obj.last_error or "-"
        return text if len(text) <= 80 else f"{text[:79]}…"

    @admin.display(description=_("Last error"))
    def shown_error(self, obj: Any) -> SafeString:
        """All of it."""
        return code(obj.last_error)

    @admin.display(description=_("Subject (sub)"))
    def shown_subject(self, obj: Any) -> SafeString:
        """Who the person is to the client."""
        return code(obj.subject)
