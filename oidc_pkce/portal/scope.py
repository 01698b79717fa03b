"""Scope: consent, the scopes that an application defines, and which paths they open."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..models import Application
from .application_page import Fieldsets, FormPage


class ScopePage(FormPage):
    """Consent and scope definitions."""

    name = "scope"
    title = _("Scope")
    template_name = "admin/oidc_pkce/application/scope.html"

    def fieldsets(self, application: Application) -> Fieldsets:
        """Consent; the definitions stand in a table of their own."""
        fields = ("requires_consent", "allows_scope_selection", "seen_version")
        return ((None, {"fields": fields}),)
