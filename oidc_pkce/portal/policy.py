"""Policy: how people must have signed in to use an application, and from where."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..models import Application
from .application_page import Fieldsets, FormPage


class PolicyPage(FormPage):
    """Rules that count whatever the client asks for."""

    name = "policy"
    title = _("Policy")

    def fieldsets(self, application: Application) -> Fieldsets:
        """How fresh, how strong, from where."""
        fields = ("sign_in_max_age", "required_acr", "allowed_networks", "seen_version")
        return ((None, {"fields": fields}),)
