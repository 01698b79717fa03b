"""Policy: how people must have signed in to use an application, and from where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from ..flows import step_up
from ..models import Application
from ..protocol import policy
from ..protocol.application import Flow
from .application_page import Fieldsets, FormPage, PageForm
from .sign_in import address_of


class PolicyForm(PageForm):
    """The authentication contexts that there are, as choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        acr = self.fields["required_acr"]
        acr.widget = forms.Select(choices=list(_options(self.instance.required_acr)))
        self.fields["sign_in_max_age"].widget.attrs["placeholder"] = gettext("no limit")


class PolicyPage(FormPage):
    """Rules that count whatever the client asks for."""

    name = "policy"
    title = _("Policy")
    template_name = "admin/oidc_pkce/application/policy.html"
    form_class = PolicyForm
    help_texts = {
        "sign_in_max_age": _(
            "Whoever signed in longer ago signs in again, for example 0.00:15:00 or 15 minutes."
            " Empty: no limit. Refreshing tokens asks nobody."
        ),
        "required_acr": _(
            "How strongly people must have signed in, the weakest first. Whoever has not is led to"
            " your project's page for more, or refused."
        ),
        "allowed_networks": _(
            "People reach the sign-in from these networks alone, one per line, for example"
            " 10.0.0.0/8 or 2001:db8::/32. Empty: from anywhere."
        ),
    }

    def fieldsets(self, application: Application) -> Fieldsets:
        """How fresh, how strong, from where."""
        sign_in = ("sign_in_max_age", "required_acr", "seen_version")
        return (
            (_("Sign-in"), {"fields": sign_in}),
            (_("Networks"), {"fields": ("allowed_networks",)}),
        )

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """From where the administrator comes, and whether anything is restricted at all."""
        found = application
        restricts = found.sign_in_max_age or found.required_acr or found.allowed_networks
        return {"your_address": address_of(request), "restricts": bool(restricts)}

    def saved(self, request: HttpRequest, application: Application) -> HttpResponse:
        """Who shuts out the network that they sit in should know."""
        self._warn_outside(request, application)
        return super().saved(request, application)

    def warnings(self, saved: Application) -> Sequence[str]:
        """Whom the required context shuts out."""
        facts = saved.facts()
        if step_up.password_is_enough(facts):
            return ()
        wanted = {"acr": saved.required_acr}
        sentences = [
            gettext(
                "A password alone does not reach %(acr)s: people need your project's page for a"
                " second factor, or they are refused."
            )
        ]
        if Flow.PASSWORD in facts.flows:
            sentences.append(
                gettext("The flow Resource Owner is refused, for it proves less than %(acr)s.")
            )
        return [sentence % wanted for sentence in sentences]

    def _warn_outside(self, request: HttpRequest, saved: Application) -> None:
        address = address_of(request)
        if policy.NetworkQuestion(address, tuple(saved.allowed_networks)).is_inside:
            return
        sentence = gettext(
            "You are at %(address)s, outside the allowed networks: from there you cannot sign in"
            " to this application."
        )
        messages.warning(request, sentence % {"address": address})


def _options(stored: str) -> Iterator[tuple[str, Any]]:
    """No requirement, every context that there is, and the stored one, though it is gone."""
    known = settings.interaction_policy.supported()
    yield "", gettext("None: what the client asks for")
    for acr in known:
        yield acr, acr
    if stored and stored not in known:
        yield stored, gettext("%(acr)s (no longer known)") % {"acr": stored}
