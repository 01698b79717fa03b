"""The forms of an application: its fields, its scopes, its permissions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import Changes, PermissionChange, ScopeChange, durations
from ..flows.webapps.changes import FIELDS
from ..models import Application, AuditEvent, Permission, Principal, Right, Scope
from ..protocol.application import Flow

if TYPE_CHECKING:
    ApplicationForm = forms.ModelForm[Application]
    ScopeModelForm = forms.ModelForm[Scope]
    PermissionModelForm = forms.ModelForm[Permission]
    PermissionRows = forms.BaseInlineFormSet[Permission, Application, Any]
else:
    ApplicationForm = ScopeModelForm = PermissionModelForm = forms.ModelForm
    PermissionRows = forms.BaseInlineFormSet

FLOWS = (
    (Flow.AUTHORIZATION_CODE.value, _("Auth Code")),
    (Flow.CLIENT_CREDENTIALS.value, _("Client Creds")),
    (Flow.IMPLICIT.value, _("Implicit (legacy: tokens pass through the browser)")),
    (Flow.PASSWORD.value, _("Resource Owner (legacy: the client sees the password)")),
)


class LifetimeField(forms.CharField):
    """A lifetime as application documents spell it: ``d.hh:mm:ss``."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["help_text"] = kwargs.get("help_text") or _(
            "Days, hours, minutes, seconds: d.hh:mm:ss"
        )
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Spell a duration."""
        return durations.render(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> Any:
        """Read a duration."""
        try:
            return durations.parse((value or "").strip())
        except ValueError:
            sentence = gettext("Write d.hh:mm:ss, for example 0.05:00:00 for five hours.")
            raise ValidationError(sentence) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare spellings."""
        return bool(self.prepare_value(initial) != data)


class NewWebAppForm(ApplicationForm):
    """The first step: which type, under which name."""

    class Meta:
        model = Application
        fields = ("template", "application_id", "name")


class WebAppForm(ApplicationForm):
    """Everything else; it knows which version the administrator saw."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    flows = forms.MultipleChoiceField(
        label=_("Auth methods"),
        choices=FLOWS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("A flow that is not ticked is refused. PKCE rides on Auth Code."),
    )

    class Meta:
        model = Application
        fields = ("application_id",)  # the screen names the others, by type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_version"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite what somebody else saved meanwhile."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("seen_version") != self.instance.version:
            raise ValidationError(edited_meanwhile(self.instance))
        return cleaned


def edited_meanwhile(application: Application) -> str:
    """Who was faster, and what to do."""
    last = AuditEvent.objects.filter(application=application).first()
    who = (last.actor_name if last else "") or gettext("Somebody else")
    return gettext(
        "%(who)s changed this application while you were editing it. Nothing of yours was saved:"
        " open this page again and repeat your changes."
    ) % {"who": who}


class PermissionForm(PermissionModelForm):
    """A row of Permissions; the user or group is named, so any number of them can be there."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=255,
        help_text=_("A user's login name or a group's name; empty for Everybody."),
    )

    class Meta:
        model = Permission
        fields = ("principal", "name", *(right.value for right in Right))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.principal != Principal.EVERYBODY:
            self.initial["name"] = self.instance.principal_name

    def clean(self) -> dict[str, Any]:
        """Find the user or the group.

        The rows replace each other all at once, so none is compared with those that are stored:
        ``super().clean()``, which would ask for that, is left out on purpose.
        """
        cleaned = self.cleaned_data
        self.instance.user = self.instance.group = None
        name, principal = cleaned.get("name") or "", cleaned.get("principal")
        if principal == Principal.USER:
            users: Any = get_user_model()
            self.instance.user = self._find(users, users.USERNAME_FIELD, name)
        elif principal == Principal.GROUP:
            self.instance.group = self._find(Group, "name", name)
        elif name:
            self.add_error("name", gettext("Leave the name empty for Everybody."))
        return cleaned

    def change(self) -> PermissionChange:
        """The row as it shall be."""
        row = self.instance
        rights = frozenset(right for right in Right if self.cleaned_data.get(right.value))
        pk = row.user_id if row.principal == Principal.USER else row.group_id
        return PermissionChange(Principal(row.principal), rights, row.principal_name, pk)

    def _find(self, model: Any, column: str, name: str) -> Any:
        found = model._default_manager.filter(**{column: name}).first() if name else None
        if found is None:
            sentence = gettext("There is no %(kind)s of this name.")
            self.add_error("name", sentence % {"kind": model._meta.verbose_name})
        return found

    def _post_clean(self) -> None:
        """A row without its user or group would only be refused once more, in vaguer words."""
        if not self.errors:
            super()._post_clean()  # type: ignore[misc]


class PermissionFormSet(PermissionRows):
    """All rows together: each principal once."""

    def clean(self) -> None:
        """Refuse a second row for one principal."""
        super().clean()
        seen = set()
        for form in kept(self):
            row = form.instance
            principal = (row.principal, row.user_id, row.group_id)
            if not form.errors and principal in seen:
                form.add_error("name", gettext("This name is listed twice."))
            seen.add(principal)


def kept(formset: Any) -> list[Any]:
    """The rows of a formset that shall be there."""
    deleted = formset.deleted_forms
    return [
        form
        for form in formset.forms
        if form not in deleted and (form.instance.pk or form.has_changed())
    ]


def changes_of(form: Any, formsets: Any) -> Changes:
    """Everything that the administrator sent, as one change."""
    given = form.cleaned_data
    fields = {name: value for name, value in given.items() if name in FIELDS}
    rows = {formset.model: kept(formset) for formset in formsets}
    return Changes(
        fields,
        scopes=tuple(map(_scope, rows[Scope])) if Scope in rows else None,
        permissions=tuple(row.change() for row in rows[Permission]) if Permission in rows else None,
    )


def _scope(form: Any) -> ScopeChange:
    row = form.instance
    return ScopeChange(row.name, row.description, tuple(row.rest_patterns))
