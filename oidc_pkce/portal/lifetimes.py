"""Lifetimes as administrators write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import durations


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
