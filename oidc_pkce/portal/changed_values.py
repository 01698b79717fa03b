"""What was and what is, in words: a field, a list, scopes, permissions, a logo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .values import (
    NOTHING,
    label_of,
    permission_words,
    principal_words,
    right_words,
    scope_words,
    short,
    words_of,
)

MAX_ENTRIES = 50  # of one list in one event
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of a list: ``added``, ``removed`` or ``changed``."""

    kind: str
    text: str

    @property
    def sign(self) -> str:
        """What stands before it."""
        return {"added": "+", "removed": MINUS}.get(self.kind, "~")

    @property
    def word(self) -> str:
        """The same for whoever cannot see it."""
        words = {"added": _("added"), "removed": _("removed")}
        return str(words.get(self.kind, _("changed")))


@dataclass(frozen=True, slots=True)
class Line:
    """One field: either what was and what is, or notes about the entries of a list."""

    label: str
    before: str = ""
    after: str = ""
    notes: Sequence[Note] = ()
    #: How many notes were left out.
    more: int = 0

    @property
    def count(self) -> int:
        """How many entries differ."""
        return len(self.notes) + self.more


def line(name: str, before: Any, after: Any) -> Line:
    """How one field changed."""
    label = label_of(name)
    if name == "logo":
        return Line(label, _logo(before), _logo(after))
    if name == "scopes":
        return _listed(label, _entries(_by_name(before), _by_name(after), _scope))
    if name == "permissions":
        return _listed(label, _entries(_by_principal(before), _by_principal(after), _permission))
    if all(isinstance(each, list | None) for each in (before, after)) and (before or after):
        return _listed(label, _texts(before or [], after or []))
    return Line(label, words_of(name, before), words_of(name, after))


def _listed(label: str, notes: Iterator[Note]) -> Line:
    shown = tuple(islice(notes, MAX_ENTRIES))
    return Line(label, notes=shown, more=sum(1 for _ in notes))


def _texts(before: Sequence[str], after: Sequence[str]) -> Iterator[Note]:
    was, now = frozenset(before), frozenset(after)
    yield from (Note("added", short(each)) for each in after if each not in was)
    yield from (Note("removed", short(each)) for each in before if each not in now)
    if _moved(before, after):
        yield Note("changed", gettext("the order"))


def _moved(before: Iterable[Any], after: Iterable[Any]) -> bool:
    """Whether what stayed stands in another order."""
    was, now = list(before), list(after)
    stayed = frozenset(was) & frozenset(now)
    return [each for each in was if each in stayed] != [each for each in now if each in stayed]


def _entries(before: Mapping[Any, Any], after: Mapping[Any, Any], words: Any) -> Iterator[Note]:
    """Entry by entry; ``words`` says what one is, or how it differs from the one it was."""
    for key, entry in after.items():
        if key not in before:
            yield Note("added", words(entry, None))
        elif before[key] != entry:
            yield Note("changed", words(entry, before[key]))
    yield from (
        Note("removed", words(entry, None)) for key, entry in before.items() if key not in after
    )
    if _moved(before, after):
        yield Note("changed", gettext("the order"))


def _by_name(entries: Sequence[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    return {entry["name"]: entry for entry in entries or ()}


def _by_principal(
    entries: Sequence[Mapping[str, Any]] | None,
) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(entry["principal"], entry["name"]): entry for entry in entries or ()}


def _scope(now: Mapping[str, Any], was: Mapping[str, Any] | None) -> str:
    if was is None:
        return scope_words(now)
    parts = []
    if now["description"] != was["description"]:
        parts.append(f"“{was['description']}” → “{now['description']}”")
    parts += [f"{n.sign}{n.text}" for n in _texts(was["rest_patterns"], now["rest_patterns"])]
    return short(f"{now['name']}: {', '.join(parts)}")


def _permission(now: Mapping[str, Any], was: Mapping[str, Any] | None) -> str:
    if was is None:
        return permission_words(now)
    given = [f"+{right_words(each)}" for each in now["rights"] if each not in was["rights"]]
    taken = [f"{MINUS}{right_words(each)}" for each in was["rights"] if each not in now["rights"]]
    return f"{principal_words(now)}: {', '.join(given + taken)}"


def _logo(etag: Any) -> str:
    return gettext("a picture (%(name)s…)") % {"name": str(etag)[:8]} if etag else NOTHING
