"""Scope: consent, the scopes that an application defines, and which paths they open."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import rest_patterns, webapps
from ..flows.webapps import Changes, ScopeChange
from ..models import Application, Right, Scope
from ..protocol import rest_patterns as rules
from ..protocol.application import Template
from .application_page import (
    STALE,
    ApplicationPage,
    Fieldsets,
    FormPage,
    add_errors,
    edited_meanwhile,
)
from .base import whole_number
from .scope_forms import DefinitionForm, PathForm

MAX_SHOWN = 20  # patterns that match nothing


def has_patterns(application: Application) -> bool:
    """An OAuth2 Server's API is somebody else's: paths mean nothing there."""
    return application.template != Template.OAUTH2_SERVER


class BelowScope(ApplicationPage):
    """What concerns one scope, which the address names: rows have new keys after each saving."""

    def render(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        context: Mapping[str, Any],
    ) -> HttpResponse:
        """Within the frame of the Scope page."""
        overview = ScopePage(self.portal)
        frame = self.portal.frame(request, application, rights, page=overview)
        address = overview.address(application)
        crumbs = [*frame["crumbs"][:-1], (address, overview.title), ("", self.title)]
        back = {"crumbs": crumbs, "overview": address, "changelist_url": address}
        return TemplateResponse(request, self.template_name, {**frame, **back, **context})

    def back(self, request: HttpRequest, application: Application, said: str) -> HttpResponse:
        """Say what was done, and go back to the table."""
        messages.success(request, said)
        return HttpResponseRedirect(ScopePage(self.portal).address(application))

    def gone(self, request: HttpRequest, application: Application, name: str) -> HttpResponse:
        """There is no scope of this name, or no longer."""
        sentence = gettext("There is no scope “%(name)s”: it was renamed or deleted.")
        messages.warning(request, sentence % {"name": name[:255]})
        return HttpResponseRedirect(ScopePage(self.portal).address(application))


class DefinitionPage(BelowScope):
    """Add a scope, or edit the one that the address names."""

    name = "scope-definition"
    title = _("Scope definition")
    template_name = "admin/oidc_pkce/application/scope_definition.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """The dialog; whoever may not save reads it."""
        scopes, name = list(application.scopes.all()), request.GET.get("name")
        stored = named(scopes, name)
        if name is not None and stored is None:
            return self.gone(request, application, name)
        if stored is None and self.right not in rights:
            raise PermissionDenied
        form = self._form(request, application, scopes, stored)
        for field in form.fields.values():
            field.disabled = self.right not in rights
        return self._show(request, application, rights, form)

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Save it with all the others; what is wrong stands beside its field."""
        scopes, name = list(application.scopes.all()), request.GET.get("name")
        stored = named(scopes, name)
        form = self._form(request, application, scopes, stored, bound=True)
        if name is not None and stored is None:
            form.add_error(None, ValidationError(edited_meanwhile(application), STALE))
        if form.is_valid():
            changes = Changes(scopes=put(scopes, stored, form.change(stored)))
            try:
                self.save(request, application, changes, form.cleaned_data["seen_version"])
            except webapps.EditedMeanwhile:
                form.add_error(None, ValidationError(edited_meanwhile(application), STALE))
            except ValidationError as fault:
                add_errors(form, fault)
            else:
                said = gettext("The scope “%(name)s” was saved.")
                return self.back(request, application, said % {"name": form.cleaned_data["name"]})
        return self._show(request, application, rights, form)

    def _form(
        self,
        request: HttpRequest,
        application: Application,
        scopes: list[Scope],
        stored: Scope | None,
        *,
        bound: bool = False,
    ) -> DefinitionForm:
        made: Any = modelform_factory(
            Scope,
            form=DefinitionForm,
            fields=_fields(application),
            formfield_callback=partial(self.portal.formfield_for_dbfield, request=request),
        )
        form: DefinitionForm = made(
            request.POST if bound else None,
            # A copy: a form writes into its instance.
            instance=Scope.objects.get(pk=stored.pk) if stored else None,
            initial={"seen_version": application.version},
            others=[each.name for each in scopes if each is not stored],
        )
        return form

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: DefinitionForm,
    ) -> HttpResponse:
        fieldset: Any = (None, {"fields": (*_fields(application), "seen_version")})
        context = {
            "adminform": helpers.AdminForm(form, [fieldset], {}, model_admin=self.portal),
            "form": form,
            "errors": form.errors,
            "is_stale": form.has_error(NON_FIELD_ERRORS, STALE),
            "scope": request.GET.get("name"),
            "may_save": self.right in rights,
        }
        return self.render(request, application, rights, context)


class DeletionPage(BelowScope):
    """Ask once more, then delete a scope."""

    name = "scope-delete"
    title = _("Delete a scope")
    template_name = "admin/oidc_pkce/application/scope_delete.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """What it is that would go."""
        if self.right not in rights:
            raise PermissionDenied
        name = request.GET.get("name", "")
        stored = named(application.scopes.all(), name)
        if stored is None:
            return self.gone(request, application, name)
        return self.render(request, application, rights, {"scope": stored})

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Save all the others."""
        name, seen = request.GET.get("name", ""), request.POST.get("seen_version", "")
        scopes = list(application.scopes.all())
        stored = named(scopes, name)
        if stored is None:
            return self.gone(request, application, name)
        changes = Changes(scopes=put(scopes, stored, None))
        try:
            self.save(request, application, changes, whole_number(seen))
        except webapps.EditedMeanwhile:
            messages.error(request, edited_meanwhile(application))
            return HttpResponseRedirect(ScopePage(self.portal).address(application))
        said = gettext("The scope “%(name)s” was deleted.")
        return self.back(request, application, said % {"name": name})


class ScopePage(FormPage):
    """Consent and scope definitions."""

    name = "scope"
    title = _("Scope")
    template_name = "admin/oidc_pkce/application/scope.html"
    below = (DefinitionPage, DeletionPage)

    def fieldsets(self, application: Application) -> Fieldsets:
        """Consent; the definitions stand in a table of their own."""
        fields = ("requires_consent", "allows_scope_selection", "seen_version")
        return ((None, {"fields": fields}),)

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """The definitions, and what the path opens that somebody typed."""
        scopes = list(application.scopes.all())
        shown: dict[str, Any] = {
            "definitions": [self._line(application, scope) for scope in scopes],
            "definition_url": DefinitionPage(self.portal).address(application),
            "has_patterns": has_patterns(application),
        }
        if has_patterns(application):
            shown |= _tried(request, scopes)
        return shown

    def _line(self, application: Application, scope: Scope) -> dict[str, Any]:
        query = urlencode({"name": scope.name})
        return {
            "scope": scope,
            "edit_url": f"{DefinitionPage(self.portal).address(application)}?{query}",
            "delete_url": f"{DeletionPage(self.portal).address(application)}?{query}",
        }


def named(scopes: Any, name: str | None) -> Scope | None:
    """The scope of this name."""
    found: Scope | None = next((scope for scope in scopes if scope.name == name), None)
    return found


def put(
    scopes: list[Scope], stored: Scope | None, changed: ScopeChange | None
) -> tuple[ScopeChange, ...]:
    """All scopes, one of them replaced, left out or added; their order stays."""
    made = [
        changed if scope is stored else ScopeChange.of(scope)
        for scope in scopes
        if scope is not stored or changed is not None
    ]
    return tuple(each for each in (*made, None if stored else changed) if each is not None)


def _fields(application: Application) -> tuple[str, ...]:
    return ("name", "description", *(("rest_patterns",) if has_patterns(application) else ()))


def _tried(request: HttpRequest, scopes: list[Scope]) -> dict[str, Any]:
    form = PathForm(request.GET if "tried" in request.GET else None)
    shown = {"path_form": form, "engine_is_missing": not rules.engine_is_installed()}
    if shown["engine_is_missing"] or not form.is_bound or not form.is_valid():
        return shown
    path = form.cleaned_data["tried"]
    return {
        **shown,
        "tried": path,
        "is_plain": rules.is_plain(path),
        "openings": list(rest_patterns.openings(scopes, path)),
        "dead": list(islice(rest_patterns.dead(scopes), MAX_SHOWN)),
    }
