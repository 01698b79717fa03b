"""Permissions: which users, groups, or Everybody, may do what with an application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ..flows import administration, webapps
from ..flows.webapps import Changes
from ..flows.webapps.succession import require_successor
from ..flows.who_can_use import who_can_use
from ..models import Application, Permission, Right
from .application_page import ApplicationPage, edited_meanwhile
from .permission_forms import PER_PAGE, SearchForm, Sheet, WhoForm

MEANINGS = (
    (Right.GRANT, _("changes these permissions, and so can give any right to anybody")),
    (Right.VIEW, _("sees the application in this administration")),
    (Right.MANAGE, _("changes its configuration; brings View along")),
    (Right.DELETE, _("deletes it; brings View along")),
    (Right.RUN, _("uses it: signs in to it, gets tokens")),
    (Right.DEPLOY, _("finds it among the own applications, where Settings shows it there")),
)

#: What ``Access.refusal`` says, for translators.
REFUSALS = (
    gettext_noop("the application is disabled"),
    gettext_noop("the user is not active"),
    gettext_noop("a service user cannot sign in as a person"),
    gettext_noop("no row of Permissions gives the user the Run right"),
)


class PermissionsPage(ApplicationPage):
    """Principals and their rights; changing them needs the Grant right."""

    name = "permissions"
    title = _("Permissions")
    template_name = "admin/oidc_pkce/application/permissions.html"
    right = Right.GRANT

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """A page of rows; whoever may not grant reads them."""
        found = _rows_sought(request, application)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("p"))
        sheet = Sheet(page.object_list, application.version)
        return self._show(request, application, rights, {"sheet": sheet, "rows_page": page})

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Save the rows that were sent among all the others; the second of two is told."""
        sheet = Sheet(application.permissions.by_name(), application.version, request.POST)
        if sheet.is_valid():
            try:
                saved = self._save(request, application, sheet)
            except webapps.EditedMeanwhile:
                sheet.faults.append(edited_meanwhile(application))
            except ValidationError as fault:
                sheet.faults += fault.messages
            else:
                return self._saved(request, saved)
        return self._show(request, application, rights, {"sheet": sheet, "has_errors": True})

    def _save(self, request: HttpRequest, application: Application, sheet: Sheet) -> Application:
        if not sheet.is_of_now:
            raise webapps.EditedMeanwhile(application.application_id)
        permissions = sheet.permissions()
        require_successor(request.user, permissions)
        changes = Changes(permissions=permissions)
        return self.save(request, application, changes, sheet.seen_version)

    def _saved(self, request: HttpRequest, application: Application) -> HttpResponse:
        messages.success(request, gettext("%(page)s was saved.") % {"page": self.title})
        held = administration.rights(request.user, application)
        if Right.GRANT not in held:
            sentence = gettext("You have given up the Grant right on this application.")
            messages.warning(request, sentence)
        if Right.VIEW not in held:
            route = f"{self.portal.admin_site.name}:oidc_pkce_application_changelist"
            return HttpResponseRedirect(reverse(route))
        return HttpResponseRedirect(f"{self.address(application)}{_query(request)}")

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        context: Mapping[str, Any],
    ) -> HttpResponse:
        search = SearchForm(request.GET)
        search.is_valid()
        shown = {
            "may_save": self.right in rights,
            "rights_columns": Right.choices,
            "meanings": [(right.label, text) for right, text in MEANINGS],
            "search_form": search,
            "query": _words(request),
            **_who(request, application),
            **context,
        }
        return self.render(request, application, rights, shown)


def _rows_sought(request: HttpRequest, application: Application) -> Any:
    words = _words(request)
    rows = application.permissions.by_name()
    return rows.about(words) if words else rows


def _words(request: HttpRequest) -> str:
    form = SearchForm(request.GET)
    return str(form.cleaned_data["q"]) if form.is_valid() else ""


def _query(request: HttpRequest) -> str:
    kept = {name: request.GET[name] for name in ("q", "p") if request.GET.get(name)}
    return f"?{urlencode(kept)}" if kept else ""


def _who(request: HttpRequest, application: Application) -> dict[str, Any]:
    """The answer to "who can use this?", if it was asked."""
    form = WhoForm(request.GET if "who" in request.GET else None)
    shown: dict[str, Any] = {"who_form": form}
    if not form.is_bound or not form.is_valid():
        return shown
    name = form.cleaned_data["who"]
    reach = who_can_use(application, name)
    shown |= {"asked": name, "reach": reach}
    if reach is not None:
        shown["refusal"] = gettext(reach.refusal) if reach.refusal else ""
        shown["through"] = [(row, _ticked(row)) for row in reach.rows]
        shown["administrative"] = [
            right.label for right in administration.ADMINISTRATIVE if right in reach.rights
        ]
        shown["everywhere"] = administration.holds_everywhere(reach.user, Right.VIEW)
    return shown


def _ticked(row: Permission) -> list[str]:
    return [str(right.label) for right in Right if right in row.rights]
