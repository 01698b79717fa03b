"""Lifetimes as administrators write them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import durations

_WORDS = re.compile(r"(?:[0-9]{1,6} ?(?:second|minute|hour|day|week)s?(?:,? |\Z))+")
_WORD = re.compile(r"([0-9]+) ?([a-z]+?)s?\b")


class LifetimeField(forms.CharField):
    """A lifetime as application documents spell it, ``d.hh:mm:ss``; words such as 5 hours do too.

    Where it is not required, nothing is ``None``.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs["help_text"] = kwargs.get("help_text") or _(
            "Days, hours, minutes, seconds: d.hh:mm:ss. Or words: 5 hours, 30 days."
        )
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No lifetime needs the width of an address."""
        return {**super().widget_attrs(widget), "class": "oidc-lifetime"}

    def prepare_value(self, value: Any) -> Any:
        """Spell a duration."""
        return durations.render(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> Any:
        """Read a duration."""
        text = (value or "").strip()
        if not text:
            return None
        try:
            return _in_words(text.lower()) or durations.parse(text)
        except ValueError:
            sentence = gettext(
                "“%(value)s” is no lifetime. Write d.hh:mm:ss, for example 0.05:00:00 for five"
                " hours, or in words: 5 hours."
            )
            raise ValidationError(sentence, params={"value": text[:100]}) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare spellings."""
        return bool((self.prepare_value(initial) or "") != (data or "").strip())


def _in_words(text: str) -> timedelta | None:
    """The sum of what is written, or None when it is not in these words."""
    if not _WORDS.fullmatch(text):
        return None
    parts = [timedelta(**{f"{unit}s": int(count)}) for count, unit in _WORD.findall(text)]
    return sum(parts, timedelta())
