"""Read the members of one object of a document, and note what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from ....validators import holds_control_character
from .. import durations
from .report import Notices, join, shown

E = TypeVar("E", bound=Enum)

MAX_ROWS = 5000
MAX_NAMED = 40

_CALLED: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


class Reader:
    """One object. A member that is missing or null gives ``None``, and so does a wrong one."""

    def __init__(self, members: Mapping[str, Any], path: str, notices: Notices) -> None:
        self.members = members
        self.path = path
        self.notices = notices
        self._known: set[str] = set()
        self._failed: set[str] = set()

    def error(self, key: str, sentence: str) -> None:
        """Note what is wrong with a member, or with one of its entries: ``Redirects[1]``."""
        self._failed.add(key)
        self.notices.error(join(self.path, key), sentence)

    def warn(self, key: str, sentence: str) -> None:
        """Note what a person should know about a member."""
        self.notices.warn(join(self.path, key), sentence)

    def failed(self, key: str) -> bool:
        """Whether something was wrong with this member."""
        return key in self._failed

    def peek(self, key: str) -> Any:
        """The member as it is, if it says anything."""
        self._known.add(key)
        return self.members.get(key)

    def text(self, key: str) -> str | None:
        """A text without control characters."""
        value = self._typed(key, str)
        return self._readable(key, value) if isinstance(value, str) else None

    def required_text(self, key: str) -> str | None:
        """A text that must be there and not be empty."""
        value = self.text(key)
        if not value and not self.failed(key):
            self.error(key, "this is missing.")
        return value or None

    def flag(self, key: str) -> bool | None:
        """``true`` or ``false``."""
        value: bool | None = self._typed(key, bool)
        return value

    def number(self, key: str) -> int | None:
        """A whole number."""
        value: int | None = self._typed(key, int)
        return value

    def texts(self, key: str) -> list[str] | None:
        """A list of texts; one that holds anything else is no list."""
        values = self._typed(key, list)
        if values is None:
            return None
        for index, value in enumerate(values[:MAX_ROWS]):
            if not isinstance(value, str):
                self.error(f"{key}[{index}]", "this must be a text.")
                self._failed.add(key)
            elif self._readable(f"{key}[{index}]", value) is None:
                self._failed.add(key)
        return None if self.failed(key) else values

    def lifetime(self, key: str) -> timedelta | None:
        """A lifetime spelled ``d.hh:mm:ss``."""
        text = self.text(key)
        if not text:
            return None
        try:
            return durations.parse(text)
        except ValueError as fault:
            self.error(key, f"“{shown(text)}”: {fault}.")
            return None

    def choice(self, key: str, choices: type[E]) -> E | None:
        """One of the values of an enum."""
        text = self.text(key)
        if not text:
            return None
        try:
            return choices(text)
        except ValueError:
            listed = ", ".join(str(member.value) for member in choices)
            self.error(key, f"“{shown(text)}” is not possible: write one of {listed}.")
            return None

    def members_of(self, key: str) -> dict[str, Any] | None:
        """An object as it is: its own rules judge it."""
        value: dict[str, Any] | None = self._typed(key, dict)
        return value

    def child(self, key: str) -> Reader:
        """A reader of the object under this key; of an empty one when there is none."""
        return Reader(self._typed(key, dict) or {}, join(self.path, key), self.notices)

    def children(self, key: str) -> dict[int, Reader] | None:
        """A reader of each object in a list, by position."""
        values = self._typed(key, list)
        if values is None:
            return None
        if len(values) > MAX_ROWS:
            self.error(key, f"at most {MAX_ROWS} entries are possible.")
            return None
        readers = {}
        for index, value in enumerate(values):
            if isinstance(value, dict):
                path = join(self.path, f"{key}[{index}]")
                readers[index] = Reader(value, path, self.notices)
            else:
                self.error(f"{key}[{index}]", "this must be an object.")
        return readers

    def name_unknown_keys(self) -> None:
        """Warn about the members that nobody asked for."""
        unknown = [shown(key) for key in self.members if key not in self._known]
        if not unknown:
            return
        more = f" and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
        named = ", ".join(unknown[:MAX_NAMED]) + more
        self.notices.warn(self.path, f"not known here and left out: {named}.")

    def _typed(self, key: str, kind: type) -> Any:
        value = self.peek(key)
        if value is None:
            return None
        # A bool is an int to Python, and is none to JSON.
        if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
            return value
        self.error(key, f"this must be {_CALLED[kind]}.")
        return None

    def _readable(self, key: str, value: str) -> str | None:
        if holds_control_character(value):
            self.error(key, "this holds a control character.")
            return None
        return value
