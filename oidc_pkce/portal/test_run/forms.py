"""What the administrator sends as a client: an authorization request, and what a client can ask."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...models import Application
from ...protocol.authorization import PROMPTS, RESPONSE_MODES, challenge_methods
from ...protocol.metadata import authentication_methods
from ...protocol.parameters import MAX_VALUE_LENGTH
from ...protocol.pkce import S256
from ...protocol.response_type import ResponseType, offered
from ...protocol.scope import OPENID
from . import remembered

MAX_TYPED = 2 * MAX_VALUE_LENGTH  # more than the endpoint takes: its refusal can be tried, too

Suggestions = Mapping[str, Sequence[str]]

#: The parameters that most requests have, and then the others, by their names on the wire.
USUAL = (
    *("client_id", "response_type", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge_method", "code_challenge", "response_mode", "prompt"),
)
FURTHER = (
    *("max_age", "acr_values", "login_hint", "ui_locales", "resource"),
    *("claims", "id_token_hint", "request"),
)
_LONG = ("claims", "id_token_hint", "request")
#: Those for which values are offered while one types.
OFFERED = (
    *("client_id", "response_type", "redirect_uri", "scope"),
    *("code_challenge_method", "response_mode", "prompt"),
)

_AS_TYPED = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


def wire_field(name: str, *, is_long: bool = False, label: Any = "") -> forms.CharField:
    """A parameter as it is typed: nothing is stripped, nothing is demanded."""
    if is_long:
        widget: forms.Widget = forms.Textarea(attrs={**_AS_TYPED, "rows": 2})
    else:
        listed = {"list": f"{name}_offered"} if name in OFFERED else {}
        widget = forms.TextInput(attrs={**_AS_TYPED, "class": "vTextField", **listed})
    return forms.CharField(
        label=label or name, required=False, strip=is_long, max_length=MAX_TYPED, widget=widget
    )


class RequestForm(forms.Form):
    """Every parameter of an authorization request (RFC 6749 §4.1.1 and what extends it)."""

    run = forms.CharField(widget=forms.HiddenInput, max_length=64)
    further = forms.CharField(
        label=_("Further parameters"),
        required=False,
        strip=False,
        max_length=MAX_TYPED,
        help_text=_("One per line, as name=value. A name that stands twice is sent twice."),
        widget=forms.Textarea(attrs={**_AS_TYPED, "rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (*USUAL, *FURTHER):
            self.fields[name] = wire_field(name, is_long=name in _LONG)

    def clean_run(self) -> str:
        """The name that the page made."""
        name = str(self.cleaned_data["run"])
        if not remembered.is_name(name):
            raise forms.ValidationError(gettext("Open the page again: this form is incomplete."))
        return name

    def clean_further(self) -> list[tuple[str, str]]:
        """Names and values. A line without = is a name without a value, and so left out."""
        lines = str(self.cleaned_data["further"]).splitlines()
        cut = (line.partition("=") for line in lines)
        return [(name.strip(), value) for name, _, value in cut]

    def pairs(self) -> list[tuple[str, str]]:
        """What is sent, in order: nothing that is empty."""
        given = self.cleaned_data
        named = [(name, given[name]) for name in (*USUAL, *FURTHER)]
        return [pair for pair in (*named, *given["further"]) if all(pair)]

    @property
    def usual(self) -> list[forms.BoundField]:
        """The parameters that most requests have."""
        return [self[name] for name in USUAL]

    @property
    def others(self) -> list[forms.BoundField]:
        """The other ones."""
        return [self[name] for name in (*FURTHER, "further")]


def suggested(
    application: Application,
    redirect_uri: str,
    user: Any,
    clients: Sequence[str],
    response_type: str = "",
) -> dict[str, str]:
    """A request that this application answers, for the page to begin with."""
    facts, name = application.facts(), remembered.new_name()
    types = offered(facts)
    asked = ResponseType(response_type or (types[0] if types else "code"))
    scopes = _scopes(facts.known_scopes)
    values = {
        "run": name,
        "client_id": next(iter(clients), ""),
        "response_type": asked.sent,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": secrets.token_urlsafe(12),
        # A fragment never reaches a server.
        "response_mode": "form_post" if asked.is_front_channel else "",
    }
    if OPENID in scopes or asked.has_id_token:
        values["nonce"] = secrets.token_urlsafe(12)
    if asked.has_code:
        values["code_challenge_method"] = S256
        values["code_challenge"] = remembered.challenge(name, user, application.pk)
    return values


def _scopes(known: Sequence[str]) -> Sequence[str]:
    """openid and profile where they are known, else the application's own first one."""
    wanted = [name for name in (OPENID, "profile") if name in known]
    return wanted or known[:1]


def suggestions(
    application: Application, redirect_uri: str, clients: Iterable[str]
) -> list[tuple[str, Sequence[str]]]:
    """What each field offers while one types; anything else can be typed, too."""
    facts = application.facts()
    offers: Suggestions = {
        "client_id": tuple(clients),
        "response_type": offered(facts),
        "redirect_uri": tuple(dict.fromkeys((redirect_uri, *application.redirect_uris[:50]))),
        "scope": facts.known_scopes[:50],
        "code_challenge_method": challenge_methods(facts),
        "response_mode": RESPONSE_MODES,
        "prompt": PROMPTS,
    }
    return [(f"{name}_offered", values) for name, values in offers.items()]


METHODS = (
    ("", _("Basic when a secret is typed, else none")),
    ("client_secret_basic", "client_secret_basic"),
    ("client_secret_post", "client_secret_post"),
    ("none", "none"),
)


class ClientForm(forms.Form):
    """Who asks, and how it proves that. The secret is never shown again."""

    client_id = wire_field("client_id")
    client_secret = forms.CharField(
        label="client_secret",
        required=False,
        strip=False,
        max_length=MAX_TYPED,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text=_("It is sent once and kept nowhere: type it again for the next request."),
    )
    authentication = forms.ChoiceField(
        label=_("Client authentication"), choices=METHODS, required=False
    )


OWN_VERIFIER, NO_VERIFIER = "own", "none"


class CodeForm(ClientForm):
    """A code that is redeemed (RFC 6749 §4.1.3, RFC 7636 §4.5)."""

    redirect_uri = wire_field("redirect_uri")
    verifier = forms.ChoiceField(
        label="code_verifier",
        required=False,
        choices=((OWN_VERIFIER, _("the one of this request")), (NO_VERIFIER, _("none"))),
    )
    code_verifier = wire_field("code_verifier", label=_("or another code_verifier"))


class MachineForm(ClientForm):
    """A client that asks for itself (RFC 6749 §4.4)."""

    scope = wire_field("scope")
    resource = wire_field("resource")


def _carried() -> forms.CharField:
    return forms.CharField(required=False, strip=False, max_length=4 * MAX_TYPED)


class SentForm(CodeForm, MachineForm):
    """Whatever the pages of a run send: some of it."""

    run = _carried()
    nonce = _carried()
    code = _carried()
    access_token = _carried()
    refresh_token = _carried()
    id_token = _carried()


def may_introspect(application: Application) -> bool:
    """Whether a client of this application can have a secret, which introspection asks for."""
    return set(authentication_methods(application.facts())) != {"none"}
