"""Posture: which rules of which specification this application keeps, and its profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import posture, webapps
from ..flows.posture import Switch
from ..models import Application, Profiles, Right
from ..protocol.application import Flow, Profile
from .application_page import ApplicationPage, edited_meanwhile
from .changed_values import Line, line
from .posture_report import Row, day, profile_name, secrets, sections, standouts
from .tokens import FLOWS
from .values import label_of

ABOUT: Mapping[str, Any] = {
    Profile.CYBERARK.value: _("Presets what a new application has; enforces nothing."),
    Profile.OAUTH21.value: _("PKCE with S256, and neither Implicit nor Resource Owner."),
    Profile.FAPI2.value: _(
        "As OAuth 2.1, and confidential clients alone, tokens signed with PS256, ES256 or EdDSA."
        " Some of FAPI 2.0 this server cannot do."
    ),
    Profile.LEGACY.value: _("Presets nothing and enforces nothing."),
}


class ProfileForm(forms.Form):
    """Which profile to look at."""

    profile = forms.ChoiceField(label=_("Profile"), choices=Profiles.choices)


class ProfilePage(ApplicationPage):
    """What choosing a profile would change and break; then the change."""

    name = "posture-profile"
    title = _("Another profile")
    template_name = "admin/oidc_pkce/application/posture_profile.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The difference, for whoever may look."""
        return self._show(request, application, rights, _chosen(request.GET))

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Choose it: one change, like any other."""
        profile = _chosen(request.POST)
        if profile is None:
            return self._back(application)
        changes = posture.switch(application, profile, timezone.now()).changes
        try:
            self.save(request, application, changes, _seen(request))
        except webapps.EditedMeanwhile:
            errors = [edited_meanwhile(application)]
        except ValidationError as fault:
            errors = list(_sentences(fault))
        else:
            told = gettext("The profile is %(profile)s.")
            messages.success(request, told % {"profile": profile_name(profile)})
            return self._back(application)
        return self._show(request, application, rights, profile, errors)

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        profile: Profile | None,
        errors: list[str] | None = None,
    ) -> HttpResponse:
        if profile is None:
            return self._back(application)
        switch = posture.switch(application, profile, timezone.now())
        if not posture.names_clients(request.user, application, rights):
            switch = switch.without_names
        context = {
            "errors": errors,
            "may_save": self.right in rights,
            "profile": profile.value,
            "profile_name": profile_name(profile),
            "about": ABOUT[profile],
            "lines": list(_lines(switch)),
            "enforced": [Row(each, switch.report) for each in switch.enforced],
            "affected": [Row(each, switch.report) for each in switch.affected],
            "unmet": [Row(each, switch.report) for each in switch.unmet],
            "back_url": PosturePage(self.portal).address(application),
        }
        return self.render(request, application, rights, context)

    def _back(self, application: Application) -> HttpResponse:
        return HttpResponseRedirect(PosturePage(self.portal).address(application))


class PosturePage(ApplicationPage):
    """Each rule as met, not met or not seen yet, and the profile that enforces some."""

    name = "posture"
    title = _("Posture")
    template_name = "admin/oidc_pkce/application/posture.html"
    below = (ProfilePage,)

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The card, then the report."""
        report = posture.report(application, timezone.now())
        if not posture.names_clients(request.user, application, rights):
            report = report.without_names
        context = {
            "profile_name": profile_name(application.profile),
            "about": ABOUT[application.profile],
            "profile_form": ProfileForm(initial={"profile": application.profile}),
            "profile_url": ProfilePage(self.portal).address(application),
            "addresses": self._addresses(application),
            "sections": sections(report),
            "standouts": standouts(report),
            "secrets": secrets(report),
            "since": day(report.since),
        }
        return self.render(request, application, rights, context)

    def _addresses(self, application: Application) -> dict[str, str]:
        """Where each field is changed, by the route's name."""
        names = ("tokens", "scope", "general_usage", "trust")
        site = self.portal.admin_site.name
        return {
            name: reverse(f"{site}:oidc_pkce_application_{name}", args=[application.pk])
            for name in names
        }


def _chosen(sent: Mapping[str, Any]) -> Profile | None:
    form = ProfileForm(dict(sent.items()))
    return Profile(form.cleaned_data["profile"]) if form.is_valid() else None


def _seen(request: HttpRequest) -> int | None:
    """The version that the page showed."""
    sent = request.POST.get("seen_version", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 12 else None


def _lines(switch: Switch) -> Iterator[Line]:
    """Field by field, in the words of the screens."""
    flows = {flow: str(words) for flow, words in FLOWS}
    for name, (before, after) in switch.fields.items():
        if name == "flows":
            pair = ([flows[Flow(each)] for each in value] for value in (before, after))
            yield line(name, *pair)
        else:
            yield line(name, before, after)


def _sentences(fault: ValidationError) -> Iterator[str]:
    for name, errors in fault.update_error_dict({}).items():
        for error in errors:
            told = " ".join(error.messages)
            yield f"{label_of(name)}: {told}" if name in FIELD_NAMES else told


FIELD_NAMES = frozenset(column.name for column in Application._meta.concrete_fields)
