"""One cure as a value: what it would change, who may do it, and why it cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..actor import Actor

_VALUE = "\0"

#: Makes the change. Raises ``ValidationError`` and ``EditedMeanwhile``.
Change = Callable[[Actor, datetime], object]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What would be changed. ``value`` is what the request brought; ``host`` is where it leads.

    The three parts of the value, ``head``, ``host`` and ``tail``, are shown so that nobody
    overlooks the host of a long address.
    """

    before: str
    head: str = ""
    host: str = ""
    tail: str = ""
    after: str = ""

    @classmethod
    def about(cls, words: str, value: str = "", *, host: str = "", **names: object) -> Sentence:
        """``words`` name the value as ``%(value)s``; the first ``host`` in it is emphasised."""
        filled = words % {"value": _VALUE, **{k: _clean(v) for k, v in names.items()}}
        before, _, after = filled.partition(_VALUE)
        head, host, tail = value.partition(host) if host else (value, "", "")
        return cls(before, head, host, tail, after)

    @property
    def value(self) -> str:
        """What the request brought, whole."""
        return f"{self.head}{self.host}{self.tail}"

    def __str__(self) -> str:
        return f"{self.before}{self.value}{self.after}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the same is done by hand: the route of a screen within the portal, and its key."""

    route: str
    key: Any
    label: Any


@dataclass(frozen=True, slots=True)
class Cure:
    """One thing that can be done about a refused request.

    ``obstacle`` says why it cannot be done here with one click. ``is_allowed`` tells whether this
    administrator has the right that it needs. ``seen`` names the state that the page showed.
    """

    name: str
    trace_pk: Any
    sentence: Sentence
    button: str = ""
    done: str = ""
    warning: str = ""
    obstacle: str = ""
    is_allowed: bool = True
    place: Place | None = None
    seen: str = ""
    change: Change | None = None

    @property
    def can_be_applied(self) -> bool:
        """Whether this administrator is shown a button."""
        return self.is_allowed and not self.obstacle and self.change is not None


def _clean(value: object) -> str:
    return str(value).replace(_VALUE, "")
