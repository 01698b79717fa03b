"""Posture: which rules of which specification this application keeps."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .application_page import ApplicationPage


class PosturePage(ApplicationPage):
    """Each rule as met, not met or not seen yet, and the profile that enforces some."""

    name = "posture"
    title = _("Posture")
    template_name = "admin/oidc_pkce/application/posture.html"
