"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OidcPkceConfig(AppConfig):
    """OAuth 2 and OpenID Connect provider."""

    name = "oidc_pkce"
    verbose_name = _("Identity provider")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect receivers and register system checks."""
        from . import checks, receivers
        from .flows import usage

        receivers.connect()
        checks.register()
        usage.flush_at_exit()
