"""Permissions: which users, groups, or Everybody, may do what with an application."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..models import Right
from .application_page import ApplicationPage


class PermissionsPage(ApplicationPage):
    """Principals and their rights; changing them needs the Grant right."""

    name = "permissions"
    title = _("Permissions")
    template_name = "admin/oidc_pkce/application/permissions.html"
    right = Right.GRANT
