"""Changelog: who changed what of an application, and when."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .application_page import ApplicationPage


class ChangelogPage(ApplicationPage):
    """The application's own events, newest first."""

    name = "changelog"
    title = _("Changelog")
    template_name = "admin/oidc_pkce/application/changelog.html"
