"""Form fields of ours: how a person edits what a model field holds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

#: portal.js turns such a text area into rows with buttons; these are its words.
_AS_LINES = {
    "rows": 4,
    "spellcheck": "false",
    "data-lines": "",
    "data-add": _("Add"),
    "data-remove": _("Remove"),
    "data-entry": _("Entry"),
}


class LinesField(forms.CharField):
    """A list of texts as a person edits it: one entry per line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs=_AS_LINES))
        kwargs["help_text"] = kwargs.get("help_text") or _("One entry per line.")
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show one entry per line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read one entry per line; empty lines are none."""
        lines = value if isinstance(value, list) else (value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare entries, not line endings."""
        return bool(self.to_python(initial) != self.to_python(data))
