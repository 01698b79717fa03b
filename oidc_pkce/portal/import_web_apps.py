"""Import: a file is read, what it would change is shown, and only then it happens.

Nothing of the upload is kept here: it travels through the page, encrypted for this administrator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import headers
from ..flows import webapps
from ..flows.webapps.document import carrying
from ..flows.webapps.document.reading import MAX_BYTES
from ..flows.webapps.document.report import Outcome, Report
from .base import actor_of, badge
from .values import label_of, words_of

if TYPE_CHECKING:
    from .web_apps import WebAppAdmin

MAX_SHOWN = 200  # applications and notices each; a whole tenant is the command's work
_MARGIN = 16 * 1024  # bytes of a form beside the document

KINDS = {
    "created": ("good", _("Will be created")),
    "updated": ("warning", _("Will be updated")),
    "unchanged": ("muted", _("Stays unchanged")),
}


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("Application documents in JSON, as an export writes them."),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean_file(self) -> bytes:
        """Its bytes, unless there are too many."""
        file: Any = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_too_large())
        return bytes(file.read())


class ImportWebApps:
    """Upload, preview, import."""

    def __init__(self, portal: WebAppAdmin) -> None:
        self.portal = portal

    def view(self, request: HttpRequest) -> HttpResponse:
        """POST alone: a file asks for its preview, a preview that was confirmed is imported."""
        if not self.portal.may_add_or_import(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(self._address("add") + "?tab=import")
        if "sealed" in request.POST:
            return self._import(request)
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._show(request, form, None, "")
        return self._preview(request, form.cleaned_data["file"])

    def _preview(self, request: HttpRequest, data: bytes) -> HttpResponse:
        report = self._run(request, data, dry_run=True)
        sealed = carrying.seal(data, request.user)
        form = UploadForm()
        if not report.errors and len(sealed) > _room():
            form.errors["file"] = form.error_class([_too_large()])
            return self._show(request, form, None, "")
        return self._show(request, form, report, sealed)

    def _import(self, request: HttpRequest) -> HttpResponse:
        sealed = request.POST["sealed"]
        try:
            data = carrying.unseal(sealed, request.user)
        except carrying.Lost:
            messages.error(request, gettext("This preview is too old: choose the file once more."))
            return HttpResponseRedirect(self._address("add") + "?tab=import")
        try:
            report = self._run(request, data, expected=request.POST.get("expected", ""))
        except webapps.EditedMeanwhile:
            return self._preview_anew(request, data)
        if report.errors or report.is_outdated:
            return self._preview_anew(request, data)
        counts = {kind: len(getattr(report, kind)) for kind in KINDS}
        told = gettext(
            "Imported: %(created)s created, %(updated)s updated, %(unchanged)s unchanged."
        )
        messages.success(request, told % counts)
        return HttpResponseRedirect(self._address("changelist"))

    def _preview_anew(self, request: HttpRequest, data: bytes) -> HttpResponse:
        told = gettext(
            "Nothing was imported: somebody changed something since the preview. This is what would"
            " happen now."
        )
        messages.warning(request, told)
        return self._preview(request, data)

    def _run(self, request: HttpRequest, data: bytes, **options: Any) -> Report:
        return webapps.import_documents(
            data, actor=actor_of(request), now=timezone.now(), user=request.user, **options
        )

    def _show(
        self, request: HttpRequest, form: UploadForm, report: Report | None, sealed: str
    ) -> HttpResponse:
        add = self._address("add")
        context = {
            **self.portal.admin_site.each_context(request),
            "opts": self.portal.opts,
            "title": _("Import Web Apps"),
            "crumbs": [
                (self._address("changelist"), _("Web Apps")),
                (add, _("Add Web Apps")),
                ("", _("Import")),
            ],
            "form": form,
            "errors": form.errors,
            "import_url": self._address("import"),
            "back_url": f"{add}?tab=import",
            **(_told(report, sealed) if report else {}),
        }
        response = TemplateResponse(request, "admin/oidc_pkce/import_web_apps.html", context)
        headers.forbid_caching(response)
        return response

    def _address(self, name: str) -> str:
        return reverse(f"{self.portal.admin_site.name}:oidc_pkce_application_{name}")


def _told(report: Report, sealed: str) -> dict[str, Any]:
    changing = [one for one in report.outcomes if one.kind != "unchanged"]
    return {
        "report": report,
        "faults": report.errors[:MAX_SHOWN],
        "warnings": report.warnings[:MAX_SHOWN],
        "outcomes": [_shown(one) for one in changing[:MAX_SHOWN]],
        "more": max(0, len(changing) - MAX_SHOWN),
        "unchanged": report.unchanged[:MAX_SHOWN],
        "may_import": bool(changing) and not report.errors,
        "sealed": sealed,
    }


def _shown(outcome: Outcome) -> dict[str, Any]:
    colour, words = KINDS[outcome.kind]
    return {
        "name": outcome.name,
        "badge": badge(colour, words),
        "is_new": outcome.kind == "created",
        "rows": list(_rows(outcome.changes.items())),
        "sets_secret": outcome.sets_secret,
    }


def _rows(changes: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterable[tuple[str, ...]]:
    for name, change in changes:
        before, after = (words_of(name, change[when]) for when in ("before", "after"))
        yield label_of(name), before, after


def _room() -> int:
    """How many bytes of a form Django reads; a file is not counted, what a page carries is."""
    most: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return MAX_BYTES if most is None else max(0, most - _MARGIN)


def _too_large() -> str:
    return gettext("This file is too large for a preview: import it by the command import_webapps.")
