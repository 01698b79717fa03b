"""Settings: what the application is called, where it is, and who sees its tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..models import Application
from .application_page import Fieldsets, FormPage

ENDPOINTS = (
    ("authorize", _("Authorize")),
    ("token", _("Token")),
    ("userinfo", _("UserInfo")),
    ("introspect", _("Introspect")),
    ("revoke", _("Revoke")),
    ("end_session", _("EndSession")),
    ("keys", _("Keys")),
)


class SettingsPage(FormPage):
    """The first page of every application."""

    name = "change"  # Django admin's own name for an object's first page
    title = _("Settings")
    template_name = "admin/oidc_pkce/application/settings.html"

    def fieldsets(self, application: Application) -> Fieldsets:
        """CyberArk's fields, in its order."""
        fields = (
            "application_id",
            "name",
            "description",
            "category",
            "show_in_user_app_list",
            "seen_version",
        )
        return ((None, {"fields": fields}),)

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """The addresses that a client is configured with."""
        places = application.locations
        rows = [(_("Issuer"), application.effective_issuer), (_("Metadata"), places.discovery)]
        return {"addresses": rows + [(label, places.of(name)) for name, label in ENDPOINTS]}
