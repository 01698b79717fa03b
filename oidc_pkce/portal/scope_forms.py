"""The forms of the Scope page: one definition, and a path to try the patterns with."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import ScopeChange
from ..models import Scope

if TYPE_CHECKING:
    ScopeModelForm = forms.ModelForm[Scope]
else:
    ScopeModelForm = forms.ModelForm

MAX_TYPED = 4096  # characters of a path


class DefinitionForm(ScopeModelForm):
    """CyberArk's dialog "Scope definition"; it knows which version the administrator saw."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Scope
        fields = ("name", "description", "rest_patterns")
        help_texts = {
            "name": _("Clients ask for the scope by this name."),
            "description": _("The consent page shows this to people."),
        }

    def __init__(self, *args: Any, others: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._others = others

    def clean_name(self) -> str:
        """Refuse a name that another scope of the application has."""
        name = str(self.cleaned_data["name"])
        if name in self._others:
            sentence = gettext("The scope “%(name)s” is defined already: edit that one.")
            raise ValidationError(sentence, params={"name": name})
        return name

    def change(self, stored: Scope | None) -> ScopeChange:
        """The scope as it shall be; patterns that the form does not show stay."""
        given = self.cleaned_data
        kept = stored.rest_patterns if stored else []
        patterns = given.get("rest_patterns", kept)
        return ScopeChange(given["name"], given["description"], tuple(patterns))


class PathForm(forms.Form):
    """A path to try; whoever pastes a whole address means its path."""

    tried = forms.CharField(
        label=_("Path"),
        max_length=MAX_TYPED,
        help_text=_("As the API receives it, for example /notes/17."),
    )

    def clean_tried(self) -> str:
        """What a server hands to the matcher: decoded, without host and query."""
        typed = str(self.cleaned_data["tried"])
        try:
            path = urlsplit(typed).path if "://" in typed else typed.partition("?")[0]
        except ValueError:
            raise ValidationError(gettext("This is not an address.")) from None
        return unquote(path)
