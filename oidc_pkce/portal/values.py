"""How a field's value reads where it is only shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..flows.webapps import durations
from ..models import Application, Right

_LISTS = {
    "scopes": gettext_lazy("Scope definitions"),
    "permissions": gettext_lazy("Permissions"),
    "logo": gettext_lazy("Logo"),
}


def shown_field(name: str, *values: Any) -> tuple[str, ...]:
    """A field of an application, or one of its lists, as its page calls it; then its values."""
    if name in _LISTS:
        return (str(_LISTS[name]), *map(shown_value, values))
    column: Any = Application._meta.get_field(name)
    choices = dict(column.flatchoices)
    words = (choices.get(value, value) if isinstance(value, str) else value for value in values)
    return (capfirst(str(column.verbose_name)), *map(shown_value, words))


def shown_value(value: Any) -> str:
    """Words for people; nothing is a hyphen, a list is one entry a line."""
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, timedelta):
        return durations.render(value)
    if isinstance(value, list | tuple):
        return "\n".join(map(shown_value, value))
    if isinstance(value, Mapping):
        return _shown_row(value)
    return str(value)  # a label may be lazy


def _shown_row(row: Mapping[str, Any]) -> str:
    """A scope or a permission of a snapshot; anything else member by member."""
    if "rights" in row:
        rights = ", ".join(str(Right(name).label) for name in row["rights"])
        return f"{row['name']}: {rights or '-'}"
    if "rest_patterns" in row:
        parts = [row["name"], row["description"], *row["rest_patterns"]]
        return " · ".join(part for part in parts if part)
    return ", ".join(f"{name}: {shown_value(value)}" for name, value in row.items())
