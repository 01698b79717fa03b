"""The Actions menu of an application: a page each that asks, and does it when confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers, widgets
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .. import headers
from ..flows import administration, webapps
from ..flows.webapps import Changes
from ..flows.webapps.document import render
from ..models import Application, Grant, RequestTrace, Right
from .application_page import ApplicationPage, add_errors, at_once
from .base import actor_of, whole_number


class NamingForm(forms.Form):
    """What a new application is called; the flow judges it."""

    application_id = forms.CharField(
        label=_("Application ID"),
        help_text=_("Stands in every address of this application."),
        widget=widgets.AdminTextInputWidget(attrs={"maxlength": 64}),
    )
    name = forms.CharField(
        label=_("Application Name"), widget=widgets.AdminTextInputWidget(attrs={"maxlength": 200})
    )


class ActionPage(ApplicationPage):
    """One entry of the menu: GET asks, POST does it."""

    template_name = "admin/oidc_pkce/application/action.html"
    button: ClassVar[Any]
    is_danger: ClassVar[bool] = False

    def is_offered(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> bool:
        """Whether the menu shows it."""
        return self.right in rights

    def sentence(self, application: Application) -> str:
        """What would happen."""
        raise NotImplementedError

    def do(self, request: HttpRequest, application: Application) -> HttpResponse:
        """Do it. Raises ``ValidationError`` and ``EditedMeanwhile``."""
        raise NotImplementedError

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Ask."""
        if not self.is_offered(request, application, rights):
            raise PermissionDenied
        return self.ask(request, application, rights)

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Do it; whoever lost the right meanwhile is refused."""
        if not self.is_offered(request, application, rights):
            raise PermissionDenied
        try:
            return self.do(request, application)
        except webapps.EditedMeanwhile:
            told = gettext(
                "Somebody changed this application since you opened this page, so nothing was done."
                " Look again, then confirm."
            )
        except ValidationError as fault:
            told = " ".join(fault.messages)
        messages.error(request, told)
        return self.ask(request, application, rights)

    def ask(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: forms.Form | None = None,
    ) -> HttpResponse:
        """The page with its one question."""
        context: dict[str, Any] = {
            "sentence": self.sentence(application),
            "button": self.button,
            "is_danger": self.is_danger,
            "back_url": reverse(
                f"{self.portal.admin_site.name}:oidc_pkce_application_change", args=[application.pk]
            ),
            **asked(form, self.portal),
        }
        return self.render(request, application, rights, context)


class ClonePage(ActionPage):
    """The same once more, under another name; needs the right to add applications."""

    name = "clone"
    title = _("Clone")
    right = Right.VIEW
    button = _("Clone")

    def is_offered(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> bool:
        """Whoever may see it and add another."""
        return self.right in rights and administration.may_add(request.user)

    def sentence(self, application: Application) -> str:
        """What is the same and what is not."""
        return gettext(
            "The clone has the same settings, scopes, permissions and logo as %(name)s. Its"
            " Application ID, its client ID and its secrets are its own."
        ) % {"name": application.name}

    def ask(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: forms.Form | None = None,
    ) -> HttpResponse:
        """Suggest an Application ID that is free."""
        suggested = {
            "application_id": webapps.free_application_id(f"{application.application_id}-copy"),
            "name": gettext("%(name)s (copy)") % {"name": application.name[:190]},
        }
        form = form or NamingForm(initial=suggested)
        return super().ask(request, application, rights, form)

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Clone; what is wrong stands beside its field."""
        if not self.is_offered(request, application, rights):
            raise PermissionDenied
        form = NamingForm(request.POST)
        if form.is_valid():
            try:
                made = webapps.clone(
                    application, **form.cleaned_data, user=request.user, now=timezone.now()
                )
            except IntegrityError:
                add_errors(form, at_once())
            except ValidationError as fault:
                add_errors(form, fault)
            else:
                told = gettext("%(name)s was cloned. This is the clone.")
                messages.success(request, told % {"name": application.name})
                route = f"{self.portal.admin_site.name}:oidc_pkce_application_change"
                return HttpResponseRedirect(reverse(route, args=[made.pk]))
        return self.ask(request, application, rights, form)


class ExportPage(ActionPage):
    """The application document, as ``export_webapps`` writes it; nothing to confirm."""

    name = "export"
    title = _("Export")
    right = Right.VIEW

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The file."""
        return exported([application])

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Reading is all there is to it."""
        return HttpResponse(status=405, headers={"Allow": "GET"})


class SwitchPage(ActionPage):
    """Enable or Disable, whichever the application is not."""

    enabled: ClassVar[bool]
    told: ClassVar[Any]

    def is_offered(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> bool:
        """Only what changes something."""
        return self.right in rights and application.enabled is not self.enabled

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Whoever comes second finds it done."""
        if application.enabled is self.enabled:
            return self._back(application)
        return super().post(request, application, rights)

    def do(self, request: HttpRequest, application: Application) -> HttpResponse:
        """Switch, audited."""
        switch(request, application, enabled=self.enabled, seen=_seen(request))
        messages.success(request, self.told % {"name": application.name})
        return self._back(application)

    def _back(self, application: Application) -> HttpResponse:
        route = f"{self.portal.admin_site.name}:oidc_pkce_application_change"
        return HttpResponseRedirect(reverse(route, args=[application.pk]))


class EnablePage(SwitchPage):
    """Serve again."""

    name = "enable"
    title = _("Enable")
    button = _("Enable")
    enabled = True
    told = _("%(name)s is enabled.")

    def sentence(self, application: Application) -> str:
        """What it serves again."""
        return gettext("%(name)s serves its clients again, with the settings that it has.") % {
            "name": application.name
        }


class DisablePage(SwitchPage):
    """Serve nobody, and keep everything."""

    name = "disable"
    title = _("Disable")
    button = _("Disable")
    enabled = False
    told = _("%(name)s is disabled: it serves nobody.")

    def sentence(self, application: Application) -> str:
        """What stops and what stays."""
        return gettext(
            "%(name)s serves nobody while it is disabled: nobody signs in, and its tokens count for"
            " nothing here. Its settings stay as they are."
        ) % {"name": application.name}


class DeletePage(ActionPage):
    """Delete with all that hangs on it; Manage alone does not do."""

    name = "delete"  # Django admin's own name
    title = _("Delete")
    right = Right.DELETE
    button = _("Delete")
    is_danger = True

    def sentence(self, application: Application) -> str:
        """What goes along."""
        return deletion([application])

    def do(self, request: HttpRequest, application: Application) -> HttpResponse:
        """Delete, audited."""
        by, now = actor_of(request), timezone.now()
        webapps.delete(application, actor=by, now=now, expected_version=_seen(request))
        messages.success(request, gettext("%(name)s was deleted.") % {"name": application.name})
        route = f"{self.portal.admin_site.name}:oidc_pkce_application_changelist"
        return HttpResponseRedirect(reverse(route))


#: The menu, from top to bottom; links to lists stand before Delete.
ACTIONS: tuple[type[ActionPage], ...] = (ClonePage, ExportPage, EnablePage, DisablePage, DeletePage)

MenuEntry = tuple[str, Any, bool]


def menu(
    portal: Any, request: HttpRequest, application: Application, rights: frozenset[Right]
) -> list[MenuEntry]:
    """Address, words, and whether it destroys something, of all that this administrator may do."""
    pages = [action(portal) for action in ACTIONS]
    offered = [page for page in pages if page.is_offered(request, application, rights)]
    entries = [(page.address(application), page.title, page.is_danger) for page in offered]
    links = list(_links(portal, request, application))
    return sorted([*entries, *links], key=lambda entry: entry[2])


def _links(portal: Any, request: HttpRequest, application: Application) -> Iterator[MenuEntry]:
    lists: Sequence[tuple[type[Model], Any]] = (
        (RequestTrace, _("Requests")),
        (Grant, _("Grants and tokens")),
    )
    for model, words in lists:
        site = portal.admin_site
        if site.is_registered(model) and site.get_model_admin(model).has_view_permission(request):
            listed = reverse(f"{site.name}:oidc_pkce_{model._meta.model_name}_changelist")
            yield f"{listed}?application__id__exact={application.pk}", words, False


def asked(form: forms.Form | None, portal: Any) -> Mapping[str, Any]:
    """A form as the administration's own templates show it."""
    if form is None:
        return {}
    fieldsets = [(None, {"fields": list(form.fields)})]
    return {
        "form": form,
        "adminform": helpers.AdminForm(form, fieldsets, {}, model_admin=portal),  # type: ignore[arg-type]
        "errors": form.errors,
    }


def switch(
    request: HttpRequest, application: Application, *, enabled: bool, seen: int | None = None
) -> None:
    """Enable or disable. Raises ``EditedMeanwhile`` and ``ValidationError``."""
    webapps.update(
        application,
        Changes({"enabled": enabled}),
        actor=actor_of(request),
        now=timezone.now(),
        expected_version=seen,
    )


def _seen(request: HttpRequest) -> int | None:
    """Which version the administrator was asked about."""
    return whole_number(request.POST.get("seen_version", ""))


def deletion(applications: Sequence[Application]) -> str:
    """What deleting these takes along; counted, for nobody reads a million rows."""
    grants = Grant.objects.filter(application__in=applications).count()
    along = ngettext(
        "%(count)s grant goes along with its tokens",
        "%(count)s grants go along with their tokens",
        grants,
    ) % {"count": grants}
    return gettext(
        "Deleting cannot be undone: %(along)s, and so do settings, scopes, permissions and secrets."
        " The audit log keeps what was."
    ) % {"along": along}


def exported(applications: Sequence[Application]) -> HttpResponse:
    """Application documents as a file."""
    if not applications:
        raise Http404
    only = applications[0].application_id if len(applications) == 1 else "web-apps"
    response = HttpResponse(
        render(webapps.export_documents(applications)), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="{only}.json"'
    response["X-Content-Type-Options"] = "nosniff"
    headers.forbid_caching(response)
    return response
