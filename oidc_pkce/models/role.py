"""Roles: Django's groups, as the Admin Portal shows them beside the applications they reach."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _


class Role(Group):
    """A Django group. Whoever may work on groups may work on roles."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("role")
        verbose_name_plural = _("roles")
