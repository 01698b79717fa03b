"""Test this application: the whole flow in the browser, through the public endpoints."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .application_page import ApplicationPage


class TestRunPage(ApplicationPage):
    """A flow that the administrator runs as one of the application's clients."""

    name = "test"
    title = _("Test this application")
    template_name = "admin/oidc_pkce/application/test_run.html"
