"""Add Web Apps: the catalogue, the three types, and the question before anything is added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import widgets
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import administration, webapps
from ..flows.webapps import catalogue
from ..flows.webapps.catalogue import Entry, Question
from ..models import Application
from ..models.application import TEMPLATE_NAMES
from .application_page import add_errors, at_once
from .base import actor_of, whole_number
from .import_web_apps import UploadForm
from .values import label_of, words_of
from .web_app_actions import NamingForm, asked

if TYPE_CHECKING:
    from .web_apps import WebAppAdmin

MAX_ADDED = 30  # applications that one visit remembers

TABS = {"search": _("Search"), "custom": _("Custom"), "import": _("Import")}

QUESTIONS: Mapping[Question, tuple[Any, Any]] = {
    Question.ADDRESS: (
        _("Address of the application"),
        _("Where people open it. Its redirect URI is built from this."),
    ),
    Question.REDIRECT: (
        _("Redirect URI"),
        _("Where the application receives the answer, exactly as it will send it."),
    ),
    Question.AUDIENCE: (_("Audience"), _("The API that the tokens are for. May stay empty.")),
}
#: The field of the application that the answer to a question ends in.
_ANSWERED = {"redirect_uris", "post_logout_redirect_uris", "audience"}


class AddForm(NamingForm):
    """Application ID and name, and the entry's own question."""

    def __init__(self, entry: Entry, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if entry.question in QUESTIONS:
            label, help_text = QUESTIONS[entry.question]
            self.fields["answer"] = forms.CharField(
                label=label,
                help_text=help_text,
                required=entry.question is not Question.AUDIENCE,
                max_length=2000,
                widget=widgets.AdminTextInputWidget(
                    attrs={"placeholder": entry.example, "spellcheck": "false"}
                ),
            )

    def note(self, fault: ValidationError) -> None:
        """Put each sentence beside its field; what the answer became belongs to the answer."""
        by_field = fault.update_error_dict({})
        if "answer" in self.fields:
            for name in _ANSWERED & set(by_field):
                by_field.setdefault("answer", []).extend(by_field.pop(name))
        add_errors(self, ValidationError(by_field))


class AddWebApps:
    """The window of three tabs, and the box that asks."""

    def __init__(self, portal: WebAppAdmin) -> None:
        self.portal = portal

    def view(self, request: HttpRequest) -> HttpResponse:
        """One of the tabs; whoever may not add sees Import alone, for changing by a file."""
        may_add = administration.may_add(request.user)
        if not self.portal.may_add_or_import(request):
            raise PermissionDenied
        asked_for = request.GET.get("tab", "")
        chosen = (asked_for if asked_for in TABS else "search") if may_add else "import"
        words, category = (request.GET.get(name, "")[:200] for name in ("q", "category"))
        context = {
            **self._frame(request, _("Add Web Apps")),
            "tab": chosen,
            "tabs": self._tabs(request, chosen, may_add=may_add),
            "words": words,
            "categories": self._categories(request, words, category),
            "category": category,
            "entries": self._entries(request, chosen, words, category),
            "form": UploadForm(),
            "import_url": self._address("import"),
        }
        return TemplateResponse(request, "admin/oidc_pkce/add_web_apps.html", context)

    def confirm(self, request: HttpRequest, key: str) -> HttpResponse:
        """Ask “Do you want to add this application?”; Yes adds it."""
        if not administration.may_add(request.user):
            raise PermissionDenied
        entry = catalogue.find(key)
        if entry is None:
            raise Http404
        form = AddForm(entry, request.POST or None, initial=_suggested(entry))
        if request.method == "POST" and form.is_valid():
            try:
                made = self._add(request, entry, form.cleaned_data)
            except IntegrityError:
                form.note(at_once())
            except ValidationError as fault:
                form.note(fault)
            else:
                return self._back(request, entry, made)
        return self._ask(request, entry, form)

    def _add(self, request: HttpRequest, entry: Entry, given: Mapping[str, Any]) -> Application:
        changes = entry.changes(given["application_id"], given["name"], given.get("answer", ""))
        owned = webapps.owned_by(request.user, changes)
        return webapps.create(owned, actor=actor_of(request), now=timezone.now())

    def _back(self, request: HttpRequest, entry: Entry, made: Application) -> HttpResponse:
        told = gettext("%(name)s was added.") % {"name": made.name}
        messages.success(request, f"{told} {entry.advice}".strip())
        added = [*(one.pk for one in self._added(request)), made.pk][-MAX_ADDED:]
        tab = "custom" if entry in catalogue.CUSTOM else "search"
        return HttpResponseRedirect(self._address("add", tab=tab, added=_joined(added)))

    def _ask(self, request: HttpRequest, entry: Entry, form: AddForm) -> HttpResponse:
        tab = "custom" if entry in catalogue.CUSTOM else "search"
        added = _joined(one.pk for one in self._added(request))
        context = {
            **self._frame(request, _("Add Web App")),
            "entry": entry,
            "presets": list(_presets(entry)),
            "no_url": self._address("add", tab=tab, added=added),
            **asked(form, self.portal),
        }
        return TemplateResponse(request, "admin/oidc_pkce/add_web_app.html", context)

    def _frame(self, request: HttpRequest, title: Any) -> dict[str, Any]:
        added = self._added(request)
        listed = self._address("changelist")
        here = [(self._address("add"), _("Add Web Apps"))] if title != _("Add Web Apps") else []
        only = self._address("change", pk=added[0].pk) if len(added) == 1 else listed
        return {
            **self.portal.admin_site.each_context(request),
            "opts": self.portal.opts,
            "title": title,
            "crumbs": [(listed, _("Web Apps")), *here, ("", title)],
            "added": [(self._address("change", pk=one.pk), one.name) for one in added],
            "close_url": only,
        }

    def _tabs(
        self, request: HttpRequest, chosen: str, *, may_add: bool
    ) -> list[tuple[str, Any, bool]]:
        added = _joined(one.pk for one in self._added(request))
        return [
            (self._address("add", tab=name, added=added), words, name == chosen)
            for name, words in TABS.items()
            if may_add or name == "import"
        ]

    def _categories(
        self, request: HttpRequest, words: str, chosen: str
    ) -> list[tuple[str, Any, bool]]:
        added = _joined(one.pk for one in self._added(request))
        used = dict.fromkeys(entry.category for entry in catalogue.CATALOGUE)
        named = [("", _("All")), *((category.name, category.value) for category in used)]
        return [
            (self._address("add", category=name, q=words, added=added), label, name == chosen)
            for name, label in named
        ]

    def _entries(
        self, request: HttpRequest, tab: str, words: str, category: str
    ) -> list[tuple[Entry, str, str]]:
        added = _joined(one.pk for one in self._added(request))
        found = {"search": catalogue.search(words, category), "custom": iter(catalogue.CUSTOM)}
        return [
            (
                entry,
                TEMPLATE_NAMES[entry.template.value],
                self._address("add_one", key=entry.key, added=added),
            )
            for entry in found.get(tab, iter(()))
        ]

    def _added(self, request: HttpRequest) -> list[Application]:
        """What was added in this visit, as far as this administrator may see it."""
        named = request.GET.get("added", "").split(",")[:MAX_ADDED]
        keys = [key for key in map(whole_number, named) if key is not None]
        if not keys:
            return []
        return list(administration.holding(request.user).filter(pk__in=keys).order_by("pk"))

    def _address(self, name: str, *, pk: Any = None, key: str = "", **query: str) -> str:
        """The address of a page of ours, with a query of what is not empty."""
        place = [part for part in (pk, key) if part]
        route = f"{self.portal.admin_site.name}:oidc_pkce_application_{name}"
        said = urlencode({name: value for name, value in query.items() if value})
        return reverse(route, args=place) + (f"?{said}" if said else "")


def _suggested(entry: Entry) -> dict[str, str]:
    wish = webapps.free_application_id(entry.key)
    return {"application_id": wish, "name": str(entry.title)}


def _presets(entry: Entry) -> Iterator[tuple[Any, Any]]:
    yield _("Type"), TEMPLATE_NAMES[entry.template.value]
    if entry.callback:
        yield _("Redirect URI"), gettext("the address, and %(path)s") % {"path": entry.callback}
    for name, value in entry.fields.items():
        yield label_of(name), words_of(name, value)


def _joined(keys: Any) -> str:
    return ",".join(str(key) for key in keys)
