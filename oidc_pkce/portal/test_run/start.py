"""Test this application: the request to begin with, and the switch for our redirect URI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...flows import webapps
from ...flows.webapps import Changes
from ...models import Application, Right
from ...protocol.application import Template
from ...protocol.metadata import grant_types
from ...protocol.response_type import offered
from ..application_page import edited_meanwhile
from ..base import whole_number
from ..client_suggestions import clients_of
from . import explained, forms, remembered
from .answer import TestCallPage
from .callback import TestCallbackPage
from .page import RunPage, is_same_origin

MAX_ADDRESS = 8000  # characters; servers stop reading a request line a little later


class TestRedirectPage(RunPage):
    """Adds our addresses to those of the application, or takes them away: an ordinary change."""

    name = "test-redirect"
    title = _("Redirect URI of the test")
    right = Right.MANAGE

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """There is nothing to see: the switch stands on the test's own page."""
        return HttpResponseRedirect(self.place("test", application))

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Save through the flow that saves General Usage and Trust, too."""
        is_on, is_sign_out = request.POST.get("switch") == "on", "sign_out" in request.POST
        if is_sign_out:
            column, uri = "post_logout_redirect_uris", self.test_page_uri(request, application)
        else:
            column, uri = "redirect_uris", self.callback_uri(request, application)
        others = [each for each in getattr(application, column) if each != uri]
        changes = Changes({column: [*others, uri] if is_on else others})
        try:
            self.save(
                request, application, changes, whole_number(request.POST.get("seen_version", ""))
            )
        except webapps.EditedMeanwhile:
            messages.error(request, edited_meanwhile(application))
        except ValidationError as fault:
            messages.error(request, " ".join((*fault.messages, *_what_to_do(request))))
        else:
            added, removed = gettext("Added to %(list)s: %(uri)s"), gettext("Removed: %(uri)s")
            stored: Any = Application._meta.get_field(column)
            messages.success(
                request, (added if is_on else removed) % {"uri": uri, "list": stored.verbose_name}
            )
        return HttpResponseRedirect(self.place("test", application))


def _what_to_do(request: HttpRequest) -> list[str]:
    if request.is_secure():
        return []
    return [
        gettext(
            "Open this administration by its https address. If you did, Django does not know it:"
            " set SECURE_PROXY_SSL_HEADER."
        )
    ]


class TestRunPage(RunPage):
    """An authorization request that the administrator sends as one of the application's clients."""

    name = "test"
    title = _("Test this application")
    template_name = "admin/oidc_pkce/application/test_run.html"
    below = (TestCallbackPage, TestCallPage, TestRedirectPage)

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """A request that the application answers, or one that was sent before, to be changed."""
        clients = clients_of(application, request.user)
        values = forms.suggested(
            application,
            self.callback_uri(request, application),
            request.user,
            clients,
            request.GET.get("response_type", "")[:100],
        )
        again = request.GET.get("again", "")
        run = remembered.find(request, application, again, timezone.now())
        values = _changed(values, run) if run else values
        form = forms.RequestForm(initial=values)
        return self._show(request, application, rights, form, clients)

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Send the browser to the authorization endpoint, with what was typed."""
        form = forms.RequestForm(request.POST)
        if not form.is_valid():
            return self._refused(request, application, rights, form)
        pairs = form.pairs()
        base = application.locations.of("authorize")
        address = f"{base}?{urlencode(pairs, quote_via=quote)}"
        if len(address) > MAX_ADDRESS:
            said = gettext("The address would be %(n)s characters long, and servers read %(max)s.")
            form.add_error(None, said % {"n": len(address), "max": MAX_ADDRESS})
            return self._refused(request, application, rights, form)
        name = form.cleaned_data["run"]
        remembered.remember(request, application, name, pairs, timezone.now())
        if "show" in request.POST or not self._may_redirect(request, application, pairs):
            shown = {"address": address, "pairs": pairs, "run": name, "endpoint": base}
            return self.render(request, application, rights, {"sending": shown})
        return HttpResponse(status=303, headers={"Location": address})

    def _may_redirect(
        self, request: HttpRequest, application: Application, pairs: list[tuple[str, str]]
    ) -> bool:
        """Chromium applies ``form-action`` to all redirects after a form; a link is free."""
        ours = self.callback_uri(request, application)
        stays = all(value == ours for name, value in pairs if name == "redirect_uri")
        return stays and is_same_origin(request, application.locations.of("authorize"))

    def _refused(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: forms.RequestForm,
    ) -> HttpResponse:
        clients = clients_of(application, request.user)
        return self._show(request, application, rights, form, clients)

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: forms.RequestForm,
        clients: list[str],
    ) -> HttpResponse:
        facts = application.facts()
        ours = self.callback_uri(request, application)
        context = {
            "form": form,
            "errors": form.errors,
            "suggestions": forms.suggestions(application, ours, clients),
            "response_types": offered(facts),
            "open_further": any(field.errors or field.value() for field in form.others),
            "switches": self._switches(request, application),
            "switch_url": self.place("test-redirect", application),
            "may_switch": Right.MANAGE in rights,
            "watch_url": self.place("watch", application),
            "latest": explained.latest(request, self.portal.admin_site, application),
            **self._machine(application, clients),
        }
        return self.render(request, application, rights, context)

    def _switches(self, request: HttpRequest, application: Application) -> list[Mapping[str, Any]]:
        ours = self.callback_uri(request, application)
        afterwards = self.test_page_uri(request, application)
        return [
            {
                "uri": ours,
                "is_on": ours in application.redirect_uris,
                "where": (
                    _("Authorized Redirect URIs")
                    if application.template == Template.OPENID_CONNECT
                    else _("Allowed Redirects")
                ),
                "why": _("Without it the answers cannot come back to this page."),
                "name": "redirect",
            },
            {
                "uri": afterwards,
                "is_on": afterwards in application.post_logout_redirect_uris,
                "where": _("Authorized post-logout redirect URIs"),
                "why": _("Only to try the sign-out: it leads back to this page."),
                "name": "sign_out",
            },
        ]

    def _machine(self, application: Application, clients: list[str]) -> dict[str, Any]:
        if "client_credentials" not in grant_types(application.facts()):
            return {}
        initial = {"client_id": next(iter(clients), ""), "scope": ""}
        form = forms.MachineForm(initial=initial, auto_id="machine_%s")
        return {"machine_form": form, "call_url": self.place("test-call", application)}


def _changed(fresh: dict[str, str], run: remembered.Run) -> dict[str, Any]:
    """What was sent before, but for what a client makes anew each time."""
    new = {"run", "state", "nonce", "code_challenge", "code_challenge_method"}
    names = (*forms.USUAL, *forms.FURTHER)
    kept = {name: run.get(name) or "" for name in names if name not in new}
    known = [(name, value) for name, value in run.sent if name not in names]
    further = "\n".join(f"{name}={value}" for name, value in known)
    made = {name: value if run.get(name) or name == "run" else "" for name, value in fresh.items()}
    challenge = {"code_challenge_method": run.get("code_challenge_method") or ""}
    return {**made, **kept, **challenge, "further": further}
