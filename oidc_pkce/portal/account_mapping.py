"""Account Mapping: the name under which an application knows people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..models import Application
from .application_page import Fieldsets, FormPage


class AccountMappingPage(FormPage):
    """What ``unique_name`` and ``preferred_username`` hold."""

    name = "account-mapping"
    title = _("Account Mapping")

    def fieldsets(self, application: Application) -> Fieldsets:
        """The strategy, and the field that each one needs."""
        fields = ("user_name_strategy", "user_name_claim", "shared_user_name", "seen_version")
        return ((None, {"fields": fields}),)
