"""Members of a body and parameters of a query, taken only as what they are: ``"1"`` is no number.

A wrong type is refused here, with status 400; what a value of the right type may be, the flows
say, with status 422.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ..flows.webapps import durations

LIFETIME = r"^([0-9]{1,5}\.)?([01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE | re.ASCII,
)


class StrictSerializer(serializers.Serializer[Any]):
    """An object whose members are all known."""

    def to_internal_value(self, data: Any) -> Any:
        """Read the members. Raises ``ValidationError`` that names those that are not known."""
        if isinstance(data, Mapping) and (faults := dict(self._faults(data))):
            raise ValidationError(faults)
        return super().to_internal_value(data)

    def _faults(self, data: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
        for name in list(data)[:1000]:
            field = self.fields.get(name)
            if field is None:
                yield name, [_("There is no such member.")]
            elif field.read_only:
                yield name, [_("This can only be read: leave it out.")]


class Text(serializers.CharField):
    """A text, exactly as it was sent."""

    default_error_messages = {"invalid": gettext_lazy("This must be a text.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)
        # What characters a text may hold, the model says.
        self.validators = [v for v in self.validators if not type(v).__name__.startswith("Prohi")]

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """``true`` or ``false``, and not their names."""

    default_error_messages = {"invalid": gettext_lazy("This must be true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        """The flag."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Choice(serializers.ChoiceField):
    """One of a few texts."""

    default_error_messages = {
        "invalid_choice": gettext_lazy("“{input}” is not possible: write one of {choices}.")
    }

    def to_internal_value(self, data: Any) -> Any:
        """The text."""
        if not isinstance(data, str) or data not in self.choices:
            shown = ", ".join(map(str, self.choices))
            self.fail("invalid_choice", input=str(data)[:80], choices=shown)
        return data


class Texts(serializers.ListField):
    """A list of texts; what each may be, the model says."""

    child = Text(allow_blank=True)
    default_error_messages = {"not_a_list": gettext_lazy("This must be a list of texts.")}


@extend_schema_field({"type": "object"})
class Object(serializers.Field[Any, Any, Any, Any]):
    """An object whose members have rules of their own."""

    default_error_messages = {"invalid": gettext_lazy("This must be an object.")}

    def to_internal_value(self, data: Any) -> Any:
        """The object."""
        if not isinstance(data, dict):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


@extend_schema_field({"type": "string", "pattern": LIFETIME, "example": "0.05:00:00"})
class Lifetime(serializers.Field[timedelta, Any, Any, Any]):
    """A duration as application documents spell it: ``d.hh:mm:ss``."""

    def to_internal_value(self, data: Any) -> timedelta:
        """The duration."""
        if not isinstance(data, str):
            raise ValidationError(_("This must be a text."))
        try:
            return durations.parse(data)
        except ValueError as fault:
            sentence = _("“%(value)s”: %(fault)s.") % {"value": data[:80], "fault": fault}
            raise ValidationError(sentence) from None

    def to_representation(self, value: timedelta) -> str:
        """The spelling."""
        return durations.render(value)


class Instant(serializers.DateTimeField):
    """A moment with its offset (RFC 3339 §5.6)."""

    default_error_messages = {
        "invalid": gettext_lazy("Write a moment with its offset, as 2030-01-31T12:00:00Z.")
    }

    def to_internal_value(self, value: Any) -> datetime:
        """The moment, in UTC; one beyond the calendar's edge is at the edge."""
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            self.fail("invalid", format="")
        try:
            found = datetime.fromisoformat(value.upper())
        except ValueError:
            self.fail("invalid", format="")
        try:
            return found.astimezone(UTC)
        except OverflowError:
            return found.replace(tzinfo=UTC)


@extend_schema_field({"type": "boolean"})
class QueryFlag(serializers.Field[bool, Any, Any, Any]):
    """``true`` or ``false`` in an address."""

    def to_internal_value(self, data: Any) -> bool:
        """The flag."""
        if data not in ("true", "false"):
            raise ValidationError(_("Write true or false."))
        return bool(data == "true")

    def to_representation(self, value: bool) -> bool:
        """As it is."""
        return value


class QueryNumber(serializers.IntegerField):
    """A whole number in an address: digits, and nothing else."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if not (isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 20):
            self.fail("invalid")
        return super().to_internal_value(data)


def choices(values: Iterable[Any]) -> list[str]:
    """The wire values of an enum."""
    return [str(value.value) for value in values]
