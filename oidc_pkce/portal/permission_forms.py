"""The forms of the Permissions page: a page of rows, one to add, and who is looked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import PermissionChange
from ..models import Permission, Principal, Right

PER_PAGE = 50  # rows: Django refuses forms of more than 1,000 fields
NEW_ROWS_GET = (Right.VIEW, Right.RUN, Right.DEPLOY)


class SearchForm(forms.Form):
    """Which rows are shown."""

    q = forms.CharField(label=_("Search by name"), required=False, max_length=255)


class WhoForm(forms.Form):
    """Whom the question is about."""

    who = forms.CharField(
        label=_("Login name"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class SeenForm(forms.Form):
    """Which version the administrator saw."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class RightsForm(forms.Form):
    """The six ticks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for right in Right:
            self.fields[right.value] = forms.BooleanField(label=right.label, required=False)

    @property
    def ticks(self) -> list[forms.BoundField]:
        """The ticks, in the order of the columns."""
        return [self[right.value] for right in Right]

    @property
    def ticked(self) -> frozenset[Right]:
        """The rights that were ticked."""
        return frozenset(right for right in Right if self.cleaned_data.get(right.value))


class RowForm(RightsForm):
    """A row that there is, by its principal: its own key changes at each saving."""

    principal = forms.CharField(widget=forms.HiddenInput, max_length=300)
    remove = forms.BooleanField(label=_("Remove"), required=False)

    row: Permission | None = None

    def name_ticks(self) -> None:
        """Whoever cannot see the table hears whose tick it is."""
        for field in (*self.ticks, self["remove"]):
            about = {"right": field.label, "name": self.row.shown_name if self.row else ""}
            label = gettext("%(right)s: %(name)s") % about
            field.field.widget.attrs |= {"aria-label": label}


class AddForm(RightsForm):
    """A row to add; the user or group is named, so any number of them can be there."""

    principal = forms.ChoiceField(
        label=_("Type"), choices=Principal.choices, initial=Principal.USER.value
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=255,
        help_text=_("A user's login name or a group's name, exactly; empty for Everybody."),
    )

    def __init__(self, *args: Any, listed: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed = frozenset(listed)
        self._pk: Any = None
        for right in NEW_ROWS_GET:
            self.fields[right.value].initial = True

    def has_changed(self) -> bool:
        """Ticks alone add nobody."""
        return bool({"principal", "name"} & set(self.changed_data))

    def clean(self) -> dict[str, Any]:
        """Find the user or the group, who must not have a row yet."""
        cleaned = self.cleaned_data
        name, principal = cleaned.get("name") or "", cleaned.get("principal")
        if principal == Principal.USER:
            users: Any = get_user_model()
            self._pk = self._find(users, users.USERNAME_FIELD, name)
        elif principal == Principal.GROUP:
            self._pk = self._find(Group, "name", name)
        elif name and principal:
            self.add_error("name", gettext("Leave the name empty for Everybody."))
        if principal and not self.errors and key_of(principal, self._pk) in self._listed:
            sentence = gettext("“%(name)s” has a row already: change that one.")
            self.add_error("name", sentence % {"name": name or Principal.EVERYBODY.label})
        return cleaned

    @property
    def change(self) -> PermissionChange | None:
        """The row as it shall be; ``None`` when nobody is named."""
        if not self.has_changed():
            return None
        given = self.cleaned_data
        principal = Principal(given["principal"])
        name = "Everybody" if principal == Principal.EVERYBODY else given["name"]
        return PermissionChange(principal, self.ticked, name, self._pk)

    def _find(self, model: Any, column: str, name: str) -> Any:
        if not name:
            self.add_error("name", gettext("Name whom this row is about."))
            return None
        pks = model._default_manager.filter(**{column: name}).values_list("pk", flat=True)
        found = pks.first()
        if found is None:
            sentence = gettext("There is no %(kind)s “%(name)s”; capital letters count.")
            about = {"kind": model._meta.verbose_name, "name": name}
            self.add_error("name", sentence % about)
        return found


RowForms = forms.formset_factory(RowForm, extra=0, max_num=PER_PAGE, absolute_max=PER_PAGE)


class Sheet:
    """Everything that one saving sends: some of the rows, and perhaps one more."""

    def __init__(
        self, stored: Iterable[Permission], version: int, data: Mapping[str, Any] | None = None
    ) -> None:
        """``stored`` are the rows to show, or all there are where ``data`` was sent."""
        self.stored = {key_of(row.principal, row.principal_key): row for row in stored}
        initial = None if data else [_initial(key, row) for key, row in self.stored.items()]
        self.rows = RowForms(data, prefix="rows", initial=initial)
        self.add = AddForm(
            data,
            prefix="add",
            empty_permitted=True,
            use_required_attribute=False,
            listed=self.stored,
        )
        self.seen = SeenForm(data, initial={"seen_version": version})
        self.faults: list[str] = []
        self._name_rows()

    def is_valid(self) -> bool:
        """Whether every form is; rows that are gone are told as an edit of somebody else's."""
        forms_are = (self.seen.is_valid(), self.rows.is_valid(), self.add.is_valid())
        return all(forms_are) and not self.faults

    @property
    def seen_version(self) -> int:
        """What the administrator saw; nothing is 0, which no application has."""
        return self.seen.cleaned_data["seen_version"] or 0

    @property
    def is_of_now(self) -> bool:
        """Whether every row that was sent is still there."""
        return all(form.row is not None for form in self.rows)

    def permissions(self) -> tuple[PermissionChange, ...]:
        """All rows of the application: those that were sent as they shall be, the others as is."""
        sent = {form.cleaned_data["principal"]: form for form in self.rows}
        made = [
            replace(PermissionChange.of(row), rights=sent[key].ticked)
            if key in sent
            else PermissionChange.of(row)
            for key, row in self.stored.items()
            if key not in sent or not sent[key].cleaned_data["remove"]
        ]
        return (*made, self.add.change) if self.add.change else tuple(made)

    def _name_rows(self) -> None:
        for form in self.rows:
            form.row = self.stored.get(form["principal"].value() or "")
            if form.row is not None:
                form.name_ticks()


def key_of(principal: Any, pk: Any) -> str:
    """A principal as the form sends it."""
    return f"{principal}:{'' if pk is None else pk}"


def _initial(key: str, row: Permission) -> dict[str, Any]:
    return {"principal": key, **{right.value: getattr(row, right.value) for right in Right}}
