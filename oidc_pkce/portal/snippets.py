"""Snippets: how a client is configured, ready to paste."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import Application, Right
from ..protocol import redirect_uri
from ..protocol.application import ClientIdType
from ..validators import validate_client_ids
from .application_page import ApplicationPage
from .connection import YOUR_SERVICE_USER, Connection, best_redirect_uri, with_port
from .literals import UnwritableError
from .snippet_recipes import RECIPES, Block, Recipe, unwritable

WITH_SECRET, WITHOUT_SECRET = "secret", "pkce"
RECIPE = "client"


class ConnectionForm(forms.Form):
    """Which of the application's clients the snippets are for; what is left out has a default."""

    client_id = forms.CharField(label=_("Client ID"), required=False, max_length=255)
    redirect_uri = forms.ChoiceField(label=_("Redirect URI"), required=False)
    proof = forms.ChoiceField(
        label=_("The client proves itself by"),
        required=False,
        choices=[
            (WITHOUT_SECRET, _("PKCE alone")),
            (WITH_SECRET, _("PKCE and a client secret")),
        ],
    )

    def __init__(
        self, application: Application, sent: Mapping[str, str], *, not_theirs: str = ""
    ) -> None:
        self.application, self.facts = application, application.facts()
        self.given = {name: sent[name] for name in self.base_fields if sent.get(name)}
        self.usual = {"client_id": self._usual_client_id(), "proof": self._usual_proof()}
        super().__init__({**self.usual, **self.given})
        theirs = (uri for uri in self.facts.redirect_uris if urlsplit(uri).path != not_theirs)
        usable = [uri for uri in theirs if not redirect_uri.problem(uri)]
        self.redirect_uris = [with_port(uri) for uri in usable]
        self._offer_client_ids()
        self._offer_redirect_uris()
        if self.facts.require_client_secret or not self.facts.is_openid_connect:
            del self.fields["proof"]

    def clean_client_id(self) -> str:
        """Free text is held to the rules of the Client ID List."""
        typed: str = self.cleaned_data["client_id"]
        if typed:
            validate_client_ids([typed])
        return typed

    def connection(self, recipe: Recipe) -> Connection:
        """What was chosen, and for the rest what suits this client best."""
        chosen = self.cleaned_data if self.is_valid() else {}
        return Connection(
            self.application,
            self.facts,
            chosen.get("client_id") or self.usual["client_id"],
            chosen.get("redirect_uri") or best_redirect_uri(self.redirect_uris, recipe.callback),
            (chosen.get("proof") or self.usual["proof"]) == WITH_SECRET,
        )

    def _offer_client_ids(self) -> None:
        """A list where the application has one, nothing for its one GUID, or free text."""
        is_list = self.facts.client_id_type is ClientIdType.LIST
        if self.facts.is_openid_connect or (is_list and not self.facts.client_ids):
            del self.fields["client_id"]
        elif is_list:
            offered = [(client_id, client_id) for client_id in self.facts.client_ids]
            self.fields["client_id"] = forms.ChoiceField(
                label=_("Client ID"), required=False, choices=offered
            )
        elif self.facts.client_id_type is ClientIdType.CONFIDENTIAL:
            self.fields["client_id"].help_text = _("The login name of a service user.")

    def _offer_redirect_uris(self) -> None:
        if not self.redirect_uris:
            del self.fields["redirect_uri"]
            return
        fitting = ("", _("The one that suits the client"))
        self.fields["redirect_uri"] = forms.ChoiceField(
            label=_("Redirect URI"),
            required=False,
            choices=[fitting, *((uri, uri) for uri in self.redirect_uris)],
        )

    def _usual_client_id(self) -> str:
        if self.facts.is_openid_connect:
            return self.facts.openid_client_id
        if self.facts.client_id_type is ClientIdType.LIST:
            return next(iter(self.facts.client_ids), "")
        if self.facts.client_id_type is ClientIdType.ANYTHING:
            return self.facts.application_id
        return YOUR_SERVICE_USER

    def _usual_proof(self) -> str:
        if not self.facts.is_openid_connect:
            return WITHOUT_SECRET if self.facts.client_id_type.is_public else WITH_SECRET
        live = self.application.client_secrets.live(timezone.now())
        return WITH_SECRET if self.facts.require_client_secret or live.exists() else WITHOUT_SECRET


class SnippetsPage(ApplicationPage):
    """Configurations of well-known clients, filled with this application's values."""

    name = "snippets"
    title = _("Snippets")
    template_name = "admin/oidc_pkce/application/snippets.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """One client's files, and the list of all clients."""
        form = ConnectionForm(
            application, request.GET.dict(), not_theirs=self._callback_of_tests(application)
        )
        refusals = {each.key: each.refusal(form.connection(each)) for each in RECIPES}
        shown = chosen(request.GET.get(RECIPE, ""), refusals)
        context: dict[str, Any] = {
            "form": form,
            "groups": list(groups(form, refusals, shown)),
            "refused": list(reasons(refusals).items()),
            "recipe": shown,
            "refusal": refusals[shown.key] if shown else None,
        }
        if shown and not refusals[shown.key]:
            context.update(filled_in(shown, form.connection(shown)))
        return self.render(request, application, rights, context)

    def _callback_of_tests(self, application: Application) -> str:
        """The path at which Test this application takes its answers: no client's."""
        route = f"{self.portal.admin_site.name}:oidc_pkce_application_test_callback"
        return reverse(route, args=[application.pk])


def chosen(key: str, refusals: Mapping[str, str | None]) -> Recipe | None:
    """The client that the address names, else the first that makes sense, if any does."""
    named = next((each for each in RECIPES if each.key == key), None)
    return named or next((each for each in RECIPES if not refusals[each.key]), None)


def groups(
    form: ConnectionForm, refusals: Mapping[str, str | None], shown: Recipe | None
) -> Iterator[tuple[Any, list[tuple[str, str, bool]]]]:
    """The clients that make sense, in their groups: address, title, whether it is shown."""
    for group, members in groupby(RECIPES, lambda each: each.group):
        links = [
            ("?" + urlencode({RECIPE: each.key, **form.given}), each.title, each is shown)
            for each in members
            if not refusals[each.key]
        ]
        if links:
            yield group, links


def reasons(refusals: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Each reason with the clients that it keeps away."""
    told: dict[str, list[str]] = {}
    for each in RECIPES:
        if sentence := refusals[each.key]:
            told.setdefault(sentence, []).append(each.title)
    return told


def filled_in(recipe: Recipe, wanted: Connection) -> dict[str, Any]:
    """The files of one client, or why they cannot be written; and what to know about them."""
    context: dict[str, Any] = {"connection": wanted, "cautions": list(cautions(recipe, wanted))}
    try:
        blocks: list[Block] = list(recipe.blocks(wanted))
    except UnwritableError as fault:
        return {**context, "refusal": unwritable(recipe, fault)}
    return {**context, "blocks": blocks}


def cautions(recipe: Recipe, wanted: Connection) -> Iterator[str]:
    """What else must be right before it works."""
    if recipe.is_elsewhere(wanted):
        yield gettext(
            "%(client)s waits for the answer at an address that ends in %(path)s: register that"
            " address as a redirect URI, then choose it here."
        ) % {"client": recipe.title, "path": recipe.callback_shown}
    if wanted.client_id == YOUR_SERVICE_USER:
        yield gettext("Put the login name of your service user in the place of %(name)s.") % {
            "name": YOUR_SERVICE_USER
        }
