"""Tokens: what is issued, for how long, by which flows, and how strictly PKCE is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import Application
from ..protocol.application import Flow, SubjectType, Template, TokenType
from .application_page import Fieldsets, FormPage, PageForm
from .widgets import ExplainedCheckboxes, ExplainedRadio

FLOWS = (
    (Flow.AUTHORIZATION_CODE.value, _("Auth Code")),
    (Flow.CLIENT_CREDENTIALS.value, _("Client Creds")),
    (Flow.IMPLICIT.value, _("Implicit (legacy)")),
    (Flow.PASSWORD.value, _("Resource Owner (legacy)")),
)
ABOUT_FLOWS = {
    Flow.AUTHORIZATION_CODE.value: _(
        "A person signs in here, and the client redeems a code. PKCE rides on it."
    ),
    Flow.CLIENT_CREDENTIALS.value: _(
        "A machine gets tokens for itself with its secret; there is no person."
    ),
    Flow.IMPLICIT.value: _(
        "Tokens pass through the browser's address, where history and scripts can read them."
        " Auth Code with PKCE does the same, safely."
    ),
    Flow.PASSWORD.value: _(
        "The client sees the person's password, and no second factor can be asked for."
    ),
}
ABOUT_TYPES = {
    TokenType.RS256.value: _("Signed with RSA; every library can verify it. APIs need no call."),
    TokenType.PS256.value: _("Signed with RSA-PSS; some older libraries cannot verify it."),
    TokenType.ES256.value: _("Signed with an elliptic curve: shorter; most libraries know it."),
    TokenType.EDDSA.value: _("Signed with Ed25519: shortest; only newer libraries know it."),
    TokenType.OPAQUE.value: _(
        "A random text that says nothing: APIs must ask Introspect about each, so that a revoked"
        " one ends at once. ID tokens are signed with RS256."
    ),
}
ABOUT_SUBJECTS = {
    SubjectType.PUBLIC.value: _("A person has the same subject in all applications."),
    SubjectType.PAIRWISE.value: _(
        "A person's subject differs from application to application, so that they cannot be linked."
    ),
}


class TokensForm(PageForm):
    """The flows as check boxes."""

    flows = forms.MultipleChoiceField(
        label=_("Auth methods"),
        choices=FLOWS,
        widget=ExplainedCheckboxes(ABOUT_FLOWS, warned=(Flow.IMPLICIT.value, Flow.PASSWORD.value)),
        required=False,
        help_text=_("A flow that is not ticked is refused."),
    )


class TokensPage(FormPage):
    """The same page for all three types; ID tokens belong to OpenID Connect."""

    name = "tokens"
    title = _("Tokens")
    form_class = TokensForm
    widgets = {
        "token_type": ExplainedRadio(ABOUT_TYPES),
        "subject_type": ExplainedRadio(ABOUT_SUBJECTS),
    }
    help_texts = {
        "token_type": _("What an access token looks like, and which algorithm signs it."),
        "access_token_typ": _("The typ in a JWT's header; at+jwt is what RFC 9068 asks for."),
        "subject_type": _("Whether applications can recognise a person together."),
        "issues_refresh_tokens": _(
            "With them a client gets new access tokens without the person. Auth Code and Resource"
            " Owner only."
        ),
        "rotates_refresh_tokens": _(
            "Each use gives a new refresh token and ends the old one, so that a stolen one is"
            " noticed. Public clients' tokens always rotate, whatever is chosen here."
        ),
        "requires_pkce": _(
            "Costs nothing: every current library does it. Without it, whoever catches a code can"
            " redeem it; untick it only for an old client that cannot be changed."
        ),
        "allows_plain_pkce": _(
            "With plain, whoever sees the request can redeem the code. Only for clients that"
            " cannot compute SHA-256."
        ),
    }
    shown_for = {
        "refresh_token_lifetime": "issues_refresh_tokens=on",
        "rotates_refresh_tokens": "issues_refresh_tokens=on",
    }

    def fieldsets(self, application: Application) -> Fieldsets:
        """Tokens, flows, lifetimes, PKCE."""
        access_token = ("token_type", "access_token_typ", "access_token_lifetime", "seen_version")
        refresh = ("issues_refresh_tokens", "refresh_token_lifetime", "rotates_refresh_tokens")
        openid = application.template == Template.OPENID_CONNECT
        id_token = ((_("ID token"), {"fields": ("claims_in_id_token", "subject_type")}),)
        return (
            (_("Access token"), {"fields": access_token}),
            *(id_token if openid else ()),
            (_("Flows"), {"fields": ("flows",)}),
            (_("Refresh tokens"), {"fields": refresh}),
            ("PKCE", {"fields": ("requires_pkce", "allows_plain_pkce")}),
        )

    def warnings(self, saved: Application) -> Sequence[str]:
        """What is possible and dangerous."""
        sentences = (
            (not saved.flows, _("No auth method is ticked, so nobody is served.")),
            (
                Flow.IMPLICIT in saved.flows,
                _("Implicit is on: tokens pass through the browser. Prefer Auth Code with PKCE."),
            ),
            (
                Flow.PASSWORD in saved.flows,
                _("Resource Owner is on: clients see people's passwords. Prefer Auth Code."),
            ),
            (
                not saved.requires_pkce,
                _("PKCE is not required: a code that is caught on its way can be redeemed."),
            ),
            (
                saved.allows_plain_pkce,
                _("Plain PKCE is allowed: whoever sees a request can redeem its code."),
            ),
        )
        return [str(sentence) for is_so, sentence in sentences if is_so]
