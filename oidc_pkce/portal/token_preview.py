"""Token preview: what would be issued now, to whom, or which check would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import widgets
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from .. import headers
from ..flows import token_preview
from ..flows.interaction import Owed
from ..flows.token_preview import MADE_ANEW, Preview, PreviewRequest, Step, UnsignedToken
from ..models import Application, Right
from ..protocol import clause
from ..protocol.application import Template
from ..protocol.checks import registry
from ..protocol.token import AUTHORIZATION_CODE, CLIENT_CREDENTIALS
from .application_page import ApplicationPage
from .base import actor_of
from .claims import Claim, claims_of
from .client_suggestions import clients_of
from .request_explanation import ENDPOINTS

GRANT_TYPES = (
    (AUTHORIZATION_CODE, _("A person signs in (authorization code)")),
    (CLIENT_CREDENTIALS, _("The client acts for itself (client credentials)")),
)


class PreviewForm(forms.Form):
    """For whom, through which client, for what."""

    grant_type = forms.ChoiceField(
        label=_("Who asks"), choices=GRANT_TYPES, widget=forms.RadioSelect
    )
    user = forms.CharField(
        label=_("User"),
        required=False,
        widget=widgets.AdminTextInputWidget,
        help_text=_("The login name of the person who would sign in."),
    )
    client_id = forms.CharField(
        label=_("Client"),
        max_length=255,
        widget=widgets.AdminTextInputWidget(attrs={"list": "oidc-clients"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), required=False, widget=forms.CheckboxSelectMultiple
    )
    amr = forms.CharField(
        label=_("Signed in by"),
        required=False,
        initial="pwd",
        max_length=200,
        widget=widgets.AdminTextInputWidget,
        help_text=_("Methods of RFC 8176, with spaces between them, such as pwd otp."),
    )
    resource = forms.CharField(
        label=_("Resource"),
        required=False,
        max_length=500,
        widget=widgets.AdminTextInputWidget,
        help_text=_("The API that the client names (RFC 8707). Mostly empty."),
    )

    def __init__(
        self,
        application: Application,
        asks: Any,
        *args: Any,
        may_choose: bool,
        may_name_clients: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.asks = asks
        self.may_name_clients = may_name_clients
        facts = application.facts()
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(name, name) for name in facts.known_scopes]
        if not scopes.choices:
            del self.fields["scopes"]
        self.initial.update(_beginning(application, asks))
        if not may_choose:
            user = self.fields["user"]
            user.disabled = True
            user.help_text = gettext(
                "To see what is told of other people, you need Manage on this application and the"
                " permission to view users."
            )
        if application.template == Template.OPENID_CONNECT:
            self.fields["client_id"].disabled = True

    def clean_grant_type(self) -> str:
        """Who asks. Raises ``ValidationError`` for a service user that nobody may look at."""
        chosen = str(self.cleaned_data["grant_type"])
        if chosen == CLIENT_CREDENTIALS and not self.may_name_clients:
            raise ValidationError(
                gettext(
                    "To see what is told of a service user, you need Manage on this application"
                    " and the permission to view users or service users."
                )
            )
        return chosen

    def clean_user(self) -> Any:
        """The user of this login name. Raises ``ValidationError`` when there is none."""
        name = self.cleaned_data["user"]
        if self.cleaned_data.get("grant_type") == CLIENT_CREDENTIALS:
            return None
        if name == self.asks.get_username():
            return self.asks
        users: Any = get_user_model()._default_manager
        found = users.filter(**{get_user_model().USERNAME_FIELD: name}).first()
        if found is None:
            sentence = gettext("There is no user “%(name)s”. Login names are compared exactly.")
            raise ValidationError(sentence % {"name": name})
        return found

    def asked(self, application: Application) -> PreviewRequest:
        """What the administrator wants to see."""
        given = self.cleaned_data
        return PreviewRequest(
            application_id=application.application_id,
            user=given["user"],
            client_id=given["client_id"],
            scopes=tuple(given.get("scopes", ())),
            now=timezone.now(),
            grant_type=given["grant_type"],
            amr=tuple(given["amr"].split()),
            resources=tuple(given["resource"].split()),
        )


class TokenPreviewPage(ApplicationPage):
    """The tokens and answers that one user, client and set of scopes would get.

    Asked by POST: it tells of people, so no address keeps it, and it is audited.
    """

    name = "token-preview"
    title = _("Token preview")
    template_name = "admin/oidc_pkce/application/token_preview.html"
    right = Right.VIEW

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The question."""
        return self._show(request, application, rights, self._form(request, application, rights))

    @sensitive_variables()
    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The answer, below the question."""
        form = self._form(request, application, rights, data=request.POST)
        if not form.is_valid():
            return self._show(request, application, rights, form)
        asked = form.asked(application)
        found = token_preview.preview(asked, application, actor=actor_of(request))
        return self._show(request, application, rights, form, **_shown(found, asked.now))

    def _form(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        **data: Any,
    ) -> PreviewForm:
        may_choose = token_preview.may_preview_others(request.user, rights)
        may_name = token_preview.may_preview_clients(request.user, rights, application)
        return PreviewForm(
            application, request.user, may_choose=may_choose, may_name_clients=may_name, **data
        )

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: PreviewForm,
        **shown: Any,
    ) -> HttpResponse:
        clients = clients_of(application, request.user)
        context = {"form": form, "errors": form.errors, "suggested_clients": clients, **shown}
        response = self.render(request, application, rights, context)
        headers.forbid_caching(response)
        return response


def _beginning(application: Application, asks: Any) -> Mapping[str, Any]:
    """The commonest question."""
    is_openid = application.template == Template.OPENID_CONNECT
    listed = application.client_ids[0] if application.client_ids else ""
    return {
        "grant_type": AUTHORIZATION_CODE,
        "user": asks.get_username(),
        "client_id": application.openid_client_id if is_openid else listed,
        "scopes": ["openid", "profile", "email"] if is_openid else application.scope_names,
    }


def _shown(found: Preview, now: datetime) -> dict[str, Any]:
    """What the template shows of an answer."""
    return {
        "preview": found,
        "refusal": _refusal(found.refused_by),
        "owes_consent": found.owed is Owed.CONSENT,
        "owes_more": found.owed in {Owed.SIGN_IN, Owed.STEP_UP},
        "tokens": list(_tokens(found, now)),
        "answers": list(_answers(found, now)),
        "made_anew": ", ".join(MADE_ANEW),
    }


def _refusal(step: Step | None) -> Mapping[str, Any] | None:
    """The check that would refuse, in the words of the registry."""
    if step is None or step.refusal is None:
        return None
    known = registry()[step.refusal.check]
    return {
        "endpoint": ENDPOINTS.get(step.endpoint, step.endpoint),
        "outcome": step.refusal,
        "sentence": gettext(known.sentence),
        "fix": gettext(known.fix),
        "clauses": list(clause.read(known.spec)),
    }


def _tokens(
    found: Preview, now: datetime
) -> Iterator[tuple[Any, UnsignedToken, Sequence[Claim], Sequence[Claim]]]:
    for words, token in ((_("Access token"), found.access_token), (_("ID token"), found.id_token)):
        if token is not None:
            claims = claims_of(token.claims, now, MADE_ANEW)
            yield words, token, claims_of(token.header, now), claims


def _answers(found: Preview, now: datetime) -> Iterator[tuple[Any, Sequence[Claim]]]:
    told = (
        (_("Answer of the token endpoint"), found.answer),
        (_("UserInfo"), found.userinfo),
        (_("Introspect"), found.introspection),
    )
    for words, members in told:
        if members is not None:
            yield words, claims_of(members, now, MADE_ANEW)
