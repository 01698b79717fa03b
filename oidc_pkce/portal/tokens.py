"""Tokens: what is issued, for how long, by which flows, and how strictly PKCE is asked for."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import Application
from ..protocol.application import Flow, Template
from .application_page import Fieldsets, FormPage, PageForm

FLOWS = (
    (Flow.AUTHORIZATION_CODE.value, _("Auth Code")),
    (Flow.CLIENT_CREDENTIALS.value, _("Client Creds")),
    (Flow.IMPLICIT.value, _("Implicit (legacy: tokens pass through the browser)")),
    (Flow.PASSWORD.value, _("Resource Owner (legacy: the client sees the password)")),
)


class TokensForm(PageForm):
    """The flows as check boxes."""

    flows = forms.MultipleChoiceField(
        label=_("Auth methods"),
        choices=FLOWS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("A flow that is not ticked is refused. PKCE rides on Auth Code."),
    )


class TokensPage(FormPage):
    """The same page for all three types; ID tokens belong to OpenID Connect."""

    name = "tokens"
    title = _("Tokens")
    form_class = TokensForm

    def fieldsets(self, application: Application) -> Fieldsets:
        """Tokens, flows, lifetimes, PKCE."""
        access_token = ("token_type", "access_token_typ", "access_token_lifetime", "seen_version")
        refresh = ("issues_refresh_tokens", "refresh_token_lifetime", "rotates_refresh_tokens")
        openid = application.template == Template.OPENID_CONNECT
        id_token = (("ID token", {"fields": ("claims_in_id_token", "subject_type")}),)
        return (
            (_("Access token"), {"fields": access_token}),
            *(id_token if openid else ()),
            (_("Flows"), {"fields": ("flows",)}),
            (_("Refresh tokens"), {"fields": refresh}),
            (_("PKCE"), {"fields": ("requires_pkce", "allows_plain_pkce")}),
        )
