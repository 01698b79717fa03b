"""Trust: what an OpenID Connect application and its relying party tell each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import Application, LoginInitiation
from ..protocol.application import Template
from .application_page import Fieldsets, FormPage, PageForm
from .general_usage import GeneralUsagePage, name_default_issuer
from .widgets import ExplainedRadio

INITIATION = {
    LoginInitiation.RELYING_PARTY_OR_PORTAL.value: _(
        "A tile opens the Resource application URL, and the relying party starts the sign-in."
    ),
    LoginInitiation.APP_ONLY.value: _("There is no tile to open; the app alone starts sign-ins."),
}


class TrustPage(FormPage):
    """Identity Provider Configuration to copy, Service Provider Configuration to fill in."""

    name = "trust"
    title = _("Trust")
    template_name = "admin/oidc_pkce/application/trust.html"
    templates = frozenset({Template.OPENID_CONNECT})
    widgets = {"login_initiation": ExplainedRadio(INITIATION)}
    labels = {"redirect_uris": _("Authorized Redirect URIs")}
    help_texts = {
        "require_client_secret": _(
            "Refuse clients that prove themselves by PKCE alone. Not for browser and mobile apps:"
            " they cannot keep a secret."
        ),
        "url": _("The relying party's own address, which the tile opens."),
        "redirect_uris": GeneralUsagePage.help_texts["redirect_uris"],
        "post_logout_redirect_uris": GeneralUsagePage.help_texts["post_logout_redirect_uris"],
    }
    shown_for = {"url": f"login_initiation={LoginInitiation.RELYING_PARTY_OR_PORTAL.value}"}

    def fieldsets(self, application: Application) -> Fieldsets:
        """CyberArk's two sections; the first one's values to copy stand above the form."""
        redirects = ("redirect_uris", "post_logout_redirect_uris", "trusted_origins")
        signs_out = ("backchannel_logout_uri", "frontchannel_logout_uri")
        provider = ("require_client_secret", "issuer", "seen_version")
        return (
            (_("Client authentication and issuer"), {"fields": provider}),
            (
                _("Service Provider Configuration"),
                {"fields": ("login_initiation", "url", *redirects)},
            ),
            (_("Sign-out"), {"fields": signs_out}),
            (_("Client keys"), {"fields": ("client_jwks",)}),
        )

    def form(
        self, request: HttpRequest, application: Application, *, bound: bool = False
    ) -> PageForm:
        """Say the default issuer."""
        form = super().form(request, application, bound=bound)
        name_default_issuer(form, application)
        return form

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """What the relying party is told, and the secrets that it may hold."""
        return {
            "addresses": [
                (_("OpenID Connect client ID"), application.openid_client_id),
                (_("OpenID Connect issuer URL"), application.effective_issuer),
                (_("OpenID Connect metadata URL"), application.locations.discovery),
            ],
            **self.portal.secrets_context(request, application),
        }

    def warnings(self, saved: Application) -> Sequence[str]:
        """A secret is asked for and there is none."""
        live = saved.client_secrets.live(timezone.now())
        if saved.require_client_secret and not live.exists():
            return (gettext("A client secret is required and there is none: nobody is served."),)
        return ()
