"""General Usage: who may be a client of an OAuth2 application, and where codes are sent."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import Application, ServiceUser
from ..protocol.application import ClientIdType, Template
from .application_page import Fieldsets, FormPage, PageForm
from .widgets import ExplainedRadio

TYPES = {
    ClientIdType.ANYTHING.value: _(
        "Warning: any client_id is accepted, so whoever asks can be a client. Nobody can tell one"
        " client from another; for known clients, List is as easy and safer."
    ),
    ClientIdType.LIST.value: _(
        "List is the setting for PKCE: only the clients named below are accepted. They are public,"
        " as browser and mobile apps are, so they hold no secret; each proves with a code verifier"
        " that it is the one that asked."
    ),
    ClientIdType.CONFIDENTIAL.value: _(
        "For clients on servers, which can keep a secret: the client_id is the login name of a"
        " service user, and its secret is required."
    ),
}


class GeneralUsagePage(FormPage):
    """The Client ID Type and what belongs to it."""

    name = "general-usage"
    title = _("General Usage")
    templates = frozenset({Template.OAUTH2_CLIENT, Template.OAUTH2_SERVER})
    widgets = {"client_id_type": ExplainedRadio(TYPES, warned=(ClientIdType.ANYTHING.value,))}
    help_texts = {
        "client_id_type": _("Decides how the client_id of a request is checked."),
        "client_ids": _("The client_ids that are accepted, one per line."),
        "audience": _("Whom the tokens are for (aud), for example company://audience."),
        "redirect_uris": _(
            "Where codes and tokens may be sent, one address per line; compared character by"
            " character, no wildcards."
        ),
        "post_logout_redirect_uris": _(
            "Where a person may be sent after signing out, one address per line."
        ),
    }
    shown_for = {
        "client_ids": f"client_id_type={ClientIdType.LIST.value}",
        "must_be_oauth_client": f"client_id_type={ClientIdType.CONFIDENTIAL.value}",
    }

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
            (_("Clients"), {"fields": clients}),
            (_("Tokens"), {"fields": tokens}),
            (_("Redirects"), {"fields": ("redirect_uris", "trusted_origins")}),
            (_("Sign-out"), {"fields": signs_out}),
        )

    def form(
        self, request: HttpRequest, application: Application, *, bound: bool = False
    ) -> PageForm:
        """Say the default issuer, and where a service user is made."""
        form = super().form(request, application, bound=bound)
        name_default_issuer(form, application)
        if address := self._new_service_user(request):
            flag = form.fields["must_be_oauth_client"]
            flag.help_text = format_html(
                '{} <a href="{}">{}</a>',
                flag.help_text,
                address,
                gettext("Create a service user"),
            )
        return form

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

    def _new_service_user(self, request: HttpRequest) -> str:
        """The address of the form, for whoever may use it."""
        site = self.portal.admin_site
        if not site.is_registered(ServiceUser):
            return ""
        if not site.get_model_admin(ServiceUser).has_add_permission(request):
            return ""
        return reverse(f"{site.name}:oidc_pkce_serviceuser_add")


def name_default_issuer(form: PageForm, application: Application) -> None:
    """Say what an empty issuer means for this application."""
    field = form.fields["issuer"]
    default = application.locations.issuer
    field.widget.attrs["placeholder"] = default
    sentence = gettext(
        "Leave empty for the default, %(issuer)s, under which clients find the metadata."
    )
    field.help_text = format_html("{}", sentence % {"issuer": default})
