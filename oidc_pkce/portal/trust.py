"""Trust: what an OpenID Connect application and its relying party tell each other."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ..models import Application
from ..protocol.application import Template
from .application_page import Fieldsets, FormPage


class TrustPage(FormPage):
    """Identity Provider Configuration to copy, Service Provider Configuration to fill in."""

    name = "trust"
    title = _("Trust")
    template_name = "admin/oidc_pkce/application/trust.html"
    templates = frozenset({Template.OPENID_CONNECT})

    def fieldsets(self, application: Application) -> Fieldsets:
        """CyberArk's two sections."""
        redirects = ("redirect_uris", "post_logout_redirect_uris", "trusted_origins")
        signs_out = ("backchannel_logout_uri", "frontchannel_logout_uri")
        provider = ("require_client_secret", "issuer", "seen_version")
        return (
            (_("Identity Provider Configuration"), {"fields": provider}),
            (
                _("Service Provider Configuration"),
                {"fields": ("login_initiation", "url", *redirects)},
            ),
            (_("Sign-out"), {"fields": signs_out}),
            (_("Client keys"), {"fields": ("client_jwks",)}),
        )
