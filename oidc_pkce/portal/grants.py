"""Grants: what people allowed clients, and the button that takes it back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..flows import revocation
from .base import ReadOnlyAdmin, actor_of, badge


class GrantAdmin(ReadOnlyAdmin):
    """Grants, newest first; revoking one ends every code and token that descends from it."""

    list_display = ("created_at", "user", "client_id", "application", "scope", "state")
    list_filter = ("created_at", "application")
    list_select_related = ("user", "application")
    ordering = ("-created_at",)
    fields = (
        ("user", "subject"),
        ("application", "client_id", "client_authentication"),
        "scope",
        "resources",
        ("created_at", "auth_time", "expires_at"),
        ("state", "revoked_at"),
    )
    readonly_fields = ("state",)
    actions = ("revoke",)
    show_full_result_count = False

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Login name, client or application."""
        login = f"user__{get_user_model().USERNAME_FIELD}"
        return (login, "client_id", "application__application_id", "subject")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change grants."""
        return bool(request.user.has_perm("oidc_pkce.change_grant"))

    @admin.action(description=_("Revoke selected grants"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Revoke, audited."""
        by, now = actor_of(request), timezone.now()
        rows = queryset.select_related("application", "user")
        count = sum(revocation.revoke(row, actor=by, now=now) for row in rows)
        told = ngettext("%(count)s grant was revoked.", "%(count)s grants were revoked.", count)
        self.message_user(request, told % {"count": count}, messages.SUCCESS)

    @admin.display(description=_("State"))
    def state(self, obj: Any) -> SafeString:
        """Live, revoked or expired."""
        if obj.revoked_at is not None:
            return badge("bad", _("revoked"))
        if obj.expires_at <= timezone.now():
            return badge("muted", _("expired"))
        return badge("good", _("live"))
