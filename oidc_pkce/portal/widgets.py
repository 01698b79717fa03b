"""Form widgets of the portal: choices that say what each means, and a logo beside its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    Choices = forms.RadioSelect
else:
    Choices = object


class _Explained(Choices):
    """Each choice has its own words under it; those in ``warned`` look like a warning."""

    template_name = "admin/oidc_pkce/widgets/explained_choices.html"

    def __init__(
        self, explanations: Mapping[str, Any], *, warned: Collection[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.explanations = explanations
        self.warned = warned

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the words, and let screen readers read them with the choice."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["explanation"] = self.explanations.get(str(value), "")
        option["is_warning"] = str(value) in self.warned
        if option["explanation"] and option["attrs"].get("id"):
            option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_explanation"
        return option


class ExplainedRadio(_Explained, forms.RadioSelect):
    """One of several, each explained."""


class ExplainedCheckboxes(_Explained, forms.CheckboxSelectMultiple):
    """Some of several, each explained."""


class LogoInput(forms.FileInput):
    """A file input; ``shown`` is the address of the logo that is stored."""

    template_name = "admin/oidc_pkce/widgets/logo.html"
    shown = ""

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Tell the template what is stored."""
        context = super().get_context(*args, **kwargs)
        context["widget"]["shown"] = self.shown
        return context
