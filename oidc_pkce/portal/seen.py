"""Forms that know what the administrator saw: the second of two is told, and overwrites nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm


class SeenForm(ModelForm):
    """For what has no version of its own: the page carries the values that it showed."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored = "" if self.instance._state.adding else self.stored()
        self.initial["seen"] = self._stored

    def stored(self) -> str:
        """What is stored now, as the page carries it."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Refuse what was changed on a page that is out of date."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("seen") not in ("", None, self._stored):
            sentence = gettext(
                "Somebody changed this while you were editing it. Nothing of yours was saved: open"
                " this page again and repeat your changes."
            )
            raise ValidationError(sentence)
        return cleaned
