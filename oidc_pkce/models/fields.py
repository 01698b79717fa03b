"""Model fields of ours. Migrations name them: their paths are frozen."""

from __future__ import annotations

from typing import Any

from django.db import models


class StringListField(models.JSONField):
    """An ordered list of texts in one column, edited one per line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", list)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        """A text area with one entry per line."""
        from ..formfields import LinesField

        kwargs.pop("form_class", None)
        return models.Field.formfield(self, **{"form_class": LinesField, **kwargs})
