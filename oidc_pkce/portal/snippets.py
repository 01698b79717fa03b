"""Snippets: how a client is configured, ready to paste."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .application_page import ApplicationPage


class SnippetsPage(ApplicationPage):
    """Configurations of well-known clients, filled with this application's values."""

    name = "snippets"
    title = _("Snippets")
    template_name = "admin/oidc_pkce/application/snippets.html"
