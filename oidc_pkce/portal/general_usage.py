"""General Usage: who may be a client of an OAuth2 application, and where codes are sent."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import Application
from ..protocol.application import ClientIdType, Template
from .application_page import Fieldsets, FormPage


class GeneralUsagePage(FormPage):
    """The Client ID Type and what belongs to it."""

    name = "general-usage"
    title = _("General Usage")
    templates = frozenset({Template.OAUTH2_CLIENT, Template.OAUTH2_SERVER})

    def fieldsets(self, application: Application) -> Fieldsets:
        """An OAuth2 Client has no audience: its tokens name the client."""
        has_audience = application.template == Template.OAUTH2_SERVER or application.audience
        clients = ("client_id_type", "client_ids", "must_be_oauth_client", "seen_version")
        tokens = ("issuer", *(("audience",) if has_audience else ()))
        signs_out = (
            "post_logout_redirect_uris",
            "backchannel_logout_uri",
            "frontchannel_logout_uri",
        )
        return (
            (None, {"fields": clients}),
            (_("Tokens"), {"fields": tokens}),
            (_("Redirects"), {"fields": ("redirect_uris", "trusted_origins")}),
            (_("Sign-out"), {"fields": signs_out}),
        )

    def warnings(self, saved: Application) -> Sequence[str]:
        """Anything lets everybody in, an empty List nobody."""
        if saved.client_id_type == ClientIdType.ANYTHING:
            return (
                gettext(
                    "Client ID Type is Anything: whoever asks can be a client of this application."
                    " For PKCE with known clients, List is the safe setting."
                ),
            )
        if saved.client_id_type == ClientIdType.LIST and not saved.client_ids:
            return (gettext("The Client ID List is empty, so nobody is served."),)
        return ()
