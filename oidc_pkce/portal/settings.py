"""Settings: what the application is called, where it is, and who sees its tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from ..flows import administration
from ..flows.webapps import Changes, LogoChange
from ..models import Application
from .application_page import Fieldsets, FormPage, PageForm
from .logo import LogoField, logo_address

ENDPOINTS = (
    ("authorize", _("Authorize")),
    ("token", _("Token")),
    ("userinfo", _("UserInfo")),
    ("introspect", _("Introspect")),
    ("revoke", pgettext_lazy("endpoint", "Revoke")),
    ("end_session", _("EndSession")),
    ("keys", _("Keys")),
)
MOST_CATEGORIES = 100  # more than anybody reads, and a bound for the page


class SettingsForm(PageForm):
    """The logo is part of the same save as the other fields."""

    logo = LogoField()
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)

    def changes(self) -> Changes:
        """A file replaces the logo; without one, the box removes it."""
        fields = super().changes().fields
        logo = self.cleaned_data["logo"]
        if logo is None and self.cleaned_data["remove_logo"]:
            logo = LogoChange()
        return Changes(fields, logo=logo)

    def refused(self) -> None:
        """A browser does not keep a chosen file."""
        if self.files.get("logo") and not self.has_error("logo"):
            self.add_error("logo", gettext("Nothing was saved, so choose this file again."))


class SettingsPage(FormPage):
    """The first page of every application."""

    name = "change"  # Django admin's own name for an object's first page
    title = _("Settings")
    template_name = "admin/oidc_pkce/application/settings.html"
    form_class = SettingsForm
    widgets = {
        "category": AdminTextInputWidget(attrs={"list": "oidc-categories", "autocomplete": "off"})
    }
    help_texts = {
        "application_id": _(
            "Stands in every address of this application. Whoever changes it changes all of them:"
            " clients that use the addresses below are refused until they are told the new ones."
        ),
        "category": _("Choose one that is in use, or write a new one."),
        "show_in_user_app_list": _("Shows a tile to everybody who may run this application."),
    }

    def fieldsets(self, application: Application) -> Fieldsets:
        """CyberArk's fields, in its order."""
        remove = ("remove_logo",) if logo_address(application) else ()
        fields = ("application_id", "name", "description", "category", "logo", *remove)
        return ((None, {"fields": (*fields, "show_in_user_app_list", "seen_version")}),)

    def form(
        self, request: HttpRequest, application: Application, *, bound: bool = False
    ) -> PageForm:
        """Show the present logo beside its field."""
        form = super().form(request, application, bound=bound)
        widget: Any = form.fields["logo"].widget
        widget.shown = logo_address(application)
        return form

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """The addresses that a client is configured with, and the categories in use."""
        places = application.locations
        rows = [(_("Issuer"), application.effective_issuer), (_("Metadata"), places.discovery)]
        return {
            "addresses": rows + [(label, places.of(name)) for name, label in ENDPOINTS],
            "categories": _categories(request.user),
        }

    def save(
        self, request: HttpRequest, application: Application, changes: Changes, seen: Any
    ) -> Application:
        """Save, and say so when every address has changed."""
        before = application.application_id
        saved = super().save(request, application, changes, seen)
        if saved.application_id != before:
            sentence = gettext(
                "The Application ID was %(before)s and is %(after)s: every address has changed,"
                " so tell them to every client."
            )
            names = {"before": before, "after": saved.application_id}
            messages.warning(request, sentence % names)
        return saved


def _categories(user: Any) -> list[str]:
    """Those in use among the applications that this administrator may see."""
    named = administration.holding(user).order_by("category").values_list("category", flat=True)
    return list(named.distinct()[:MOST_CATEGORIES])
