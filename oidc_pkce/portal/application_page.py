"""What the pages of an application share: who may see it, who may save, and the frame around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError
from django.forms import modelform_factory
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from .. import audit
from ..flows import administration, webapps
from ..flows.webapps import Changes
from ..flows.webapps.changes import FIELDS, set_fields
from ..flows.webapps.problems import require_sound
from ..models import Application, AuditEvent, Right
from ..protocol.application import Template
from .base import actor_of

if TYPE_CHECKING:
    from .web_apps import WebAppAdmin

    ApplicationForm = forms.ModelForm[Application]
else:
    ApplicationForm = forms.ModelForm

Fieldsets = Sequence[tuple[Any, dict[str, Any]]]

STALE = "stale"


class PageForm(ApplicationForm):
    """Some fields of an application; it knows which version the administrator saw."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Application
        fields: Sequence[str] = ()  # the page names them, by type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_version"] = self.instance.version

    def _post_clean(self) -> None:
        """The flow judges the whole application when it saves: here would be once too early."""

    def changes(self) -> Changes:
        """What the administrator sent, as one change."""
        given = self.cleaned_data
        return Changes({name: value for name, value in given.items() if name in FIELDS})

    def refused(self) -> None:
        """Nothing was saved: say what of the form a browser does not keep."""


class ApplicationPage:
    """One entry of the list at the left of an application."""

    name: ClassVar[str]
    title: ClassVar[Any]
    template_name: ClassVar[str] = "admin/oidc_pkce/application/page.html"
    #: What saving needs; seeing a page needs View.
    right: ClassVar[Right] = Right.MANAGE
    templates: ClassVar[frozenset[Template]] = frozenset(Template)
    #: Pages that this one leads to, and that the list does not show.
    below: ClassVar[tuple[type[ApplicationPage], ...]] = ()

    def __init__(self, portal: WebAppAdmin) -> None:
        self.portal = portal

    @classmethod
    def route(cls) -> str:
        """The name of its address within ``admin:``."""
        return f"oidc_pkce_application_{cls.name.replace('-', '_')}"

    def address(self, application: Application) -> str:
        """Where this page of an application is."""
        return reverse(f"{self.portal.admin_site.name}:{self.route()}", args=[application.pk])

    def mounted(self) -> Callable[..., HttpResponse]:
        """The view as a URL pattern takes it."""
        return self.view

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the page, or save it. 404 for whoever may not see the application."""
        application = self.portal.application_or_404(request, object_id)
        if application.template not in self.templates:
            raise Http404
        rights = administration.rights(request.user, application)
        if request.method == "POST":
            if self.right not in rights:
                raise PermissionDenied
            return self.post(request, application, rights)
        return self.get(request, application, rights)

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Show what is stored."""
        return self.render(request, application, rights, {})

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Save what was sent; most pages are a :class:`FormPage`."""
        return HttpResponse(status=405, headers={"Allow": "GET"})

    def render(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        context: Mapping[str, Any],
    ) -> HttpResponse:
        """The page in its frame."""
        frame = self.portal.frame(request, application, rights, page=self)
        return TemplateResponse(request, self.template_name, {**frame, **context})

    def save(
        self, request: HttpRequest, application: Application, changes: Changes, seen: Any
    ) -> Application:
        """Save through the flow. Raises ``EditedMeanwhile`` and ``ValidationError``."""
        return webapps.update(
            application,
            changes,
            actor=actor_of(request),
            now=timezone.now(),
            expected_version=seen if isinstance(seen, int) else 0,
        )


class FormPage(ApplicationPage):
    """A page that is one form."""

    form_class: ClassVar[type[PageForm]] = PageForm
    widgets: ClassVar[Mapping[str, forms.Widget]] = {}
    #: Where CyberArk's page calls a field otherwise than the model.
    labels: ClassVar[Mapping[str, Any]] = {}
    help_texts: ClassVar[Mapping[str, Any]] = {}
    #: With JavaScript a field is shown when another one holds a value: ``"client_id_type=List"``.
    shown_for: ClassVar[Mapping[str, str]] = {}

    def fieldsets(self, application: Application) -> Fieldsets:
        """The fields, under their headings."""
        raise NotImplementedError

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """What the template shows beside the form."""
        return {}

    def warnings(self, saved: Application) -> Sequence[str]:
        """What an administrator should know about what was just saved."""
        return ()

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Show the form; whoever may not save reads it."""
        form = self.form(request, application)
        if self.right not in rights:
            for field in form.fields.values():
                field.disabled = True
        return self._show(request, application, rights, form)

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Save; what is wrong stands beside its field, and nothing is lost."""
        form = self.form(request, application, bound=True)
        if form.is_valid():
            try:
                saved = self.save(
                    request, application, form.changes(), form.cleaned_data["seen_version"]
                )
            except webapps.EditedMeanwhile:
                form.add_error(None, ValidationError(edited_meanwhile(application), STALE))
            except IntegrityError:
                add_errors(form, at_once())
            except ValidationError as fault:
                add_errors(form, fault)
            else:
                return self.saved(request, saved)
        else:
            add_further_errors(form, application)
        form.refused()
        return self._show(request, application, rights, form)

    def saved(self, request: HttpRequest, application: Application) -> HttpResponse:
        """Say so, and show the page anew."""
        messages.success(request, gettext("%(page)s was saved.") % {"page": self.title})
        for sentence in self.warnings(application):
            messages.warning(request, sentence)
        return HttpResponseRedirect(self.address(application))

    def form(
        self, request: HttpRequest, application: Application, *, bound: bool = False
    ) -> PageForm:
        """The form with the administration's widgets."""
        made: Any = modelform_factory(
            Application,
            form=self.form_class,
            fields=self._names(application),
            widgets=dict(self.widgets),
            labels=dict(self.labels),
            help_texts=dict(self.help_texts),
            formfield_callback=partial(self.portal.formfield_for_dbfield, request=request),
        )
        # A copy: a form writes into its instance, and the header shows what is stored.
        instance = Application.objects.get(pk=application.pk)
        sent = (request.POST, request.FILES) if bound else ()
        form: PageForm = made(*sent, instance=instance)
        for name, condition in self.shown_for.items():
            if name in form.fields:
                form.fields[name].widget.attrs["data-shown-for"] = condition
        return form

    def _names(self, application: Application) -> list[str]:
        return [
            name
            for _, options in self.fieldsets(application)
            for line in options["fields"]
            for name in ([line] if isinstance(line, str) else line)
        ]

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        form: PageForm,
    ) -> HttpResponse:
        shown = helpers.AdminForm(
            form, list(self.fieldsets(application)), {}, model_admin=self.portal
        )
        context = {
            "adminform": shown,
            "form": form,
            "errors": form.errors,
            "is_stale": form.has_error(NON_FIELD_ERRORS, STALE),
            "may_save": self.right in rights,
            "has_file_field": form.is_multipart(),
            "form_media": form.media,
            **self.context(request, application),
        }
        return self.render(request, application, rights, context)


def add_errors(form: forms.BaseForm, fault: ValidationError) -> None:
    """Put each sentence beside its field; what belongs to another page goes above all fields."""
    for name, errors in fault.update_error_dict({}).items():
        place = name if name in form.fields else None
        for error in errors:
            if place is None and name in FIELDS:
                column: Any = Application._meta.get_field(name)
                form.add_error(None, f"{column.verbose_name}: {' '.join(error.messages)}")
            else:
                form.add_error(place, error)


def add_further_errors(form: PageForm, application: Application) -> None:
    """What the form itself could not read hides no other fault: all are mended at once."""
    read = PageForm.changes(form)
    candidate = Application.objects.get(pk=application.pk)
    try:
        set_fields(candidate, read)
        require_sound(candidate, read)
    except ValidationError as fault:
        known = {name: errors for name, errors in fault.error_dict.items() if name in read.fields}
        if known:
            add_errors(form, ValidationError(known))


def at_once() -> ValidationError:
    """The database refused what was sound a moment ago, an Application ID that is taken by now."""
    return ValidationError(
        gettext("Somebody else saved at the same moment. Nothing of yours was saved: try again.")
    )


def edited_meanwhile(application: Application) -> str:
    """Who was faster, and what to do."""
    saves = (audit.Action.APPLICATION_CREATED, audit.Action.APPLICATION_UPDATED)
    last = AuditEvent.objects.filter(application=application, action__in=saves).first()
    who = (last.actor_name if last else "") or gettext("Somebody else")
    return gettext(
        "%(who)s changed this application while you were editing it. Nothing of yours was saved:"
        " open this page again and repeat your changes."
    ) % {"who": who}
