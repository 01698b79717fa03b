"""How a field of an application reads: what the pages call it, and its value in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import durations
from ..models import Application, Principal, Right

MAX_TEXT = 500  # characters of one value
NOTHING = "\N{EN DASH}"

LABELS = {
    "scopes": _("Scope definitions"),
    "permissions": _("Permissions"),
    "logo": _("Logo"),
}


def label_of(name: str) -> str:
    """What the pages call a field; a field that is gone keeps the name it had."""
    if name in LABELS:
        return str(LABELS[name])
    try:
        column: Any = Application._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    return str(capfirst(column.verbose_name))


def words_of(name: str, value: Any) -> str:
    """Words for people; a list is one entry a line."""
    if value in (None, "", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, timedelta):
        return durations.render(value)
    if isinstance(value, list | tuple):
        entry = {"scopes": scope_words, "permissions": permission_words}.get(name, short)
        return "\n".join(map(entry, value))
    return short(_choices(name).get(value, value) if isinstance(value, str) else value)


def scope_words(row: Mapping[str, Any]) -> str:
    """A scope of a snapshot."""
    parts = [row["description"], " ".join(row["rest_patterns"])]
    return short(": ".join((row["name"], " · ".join(filter(None, parts)))).removesuffix(": "))


def permission_words(row: Mapping[str, Any]) -> str:
    """A permission of a snapshot."""
    rights = ", ".join(map(right_words, row["rights"]))
    return f"{principal_words(row)}: {rights or NOTHING}"


def principal_words(row: Mapping[str, Any]) -> str:
    """Whom a permission of a snapshot is about."""
    kind = str(dict(Principal.choices).get(row["principal"], row["principal"]))
    return kind if row["principal"] == Principal.EVERYBODY else f"{kind} {row['name']}"


def right_words(name: str) -> str:
    """What the pages call a right."""
    return str(dict(Right.choices).get(name, name))


def short(value: Any) -> str:
    """The beginning of a text that may be long."""
    text = str(value) if not isinstance(value, dict | list) else json.dumps(value)
    return str(Truncator(text).chars(MAX_TEXT))


def _choices(name: str) -> Mapping[str, Any]:
    try:
        column: Any = Application._meta.get_field(name)
    except FieldDoesNotExist:
        return {}
    return dict(column.flatchoices)
