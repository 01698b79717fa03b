"""What is said of an import: errors and warnings with their place, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_SHOWN = 80
MAX_NOTICES = 1000  # of each kind; who has mended those imports again


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence about one place of the document, as ``[2].OAuthProfile.Redirects[1]``."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


@dataclass(slots=True)
class Notices:
    """The errors and warnings of one import, as they come up."""

    errors: list[Notice] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)

    def error(self, path: str, sentence: str) -> None:
        """Note what makes the import impossible."""
        if len(self.errors) < MAX_NOTICES:
            self.errors.append(Notice(path, sentence))

    def warn(self, path: str, sentence: str) -> None:
        """Note what a person should know."""
        if len(self.warnings) < MAX_NOTICES:
            self.warnings.append(Notice(path, sentence))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to one application: ``created``, ``updated`` or ``unchanged``, field by field.

    ``changes`` maps a field to its ``before`` and ``after``; of a secret, only that it is set.
    """

    kind: str
    name: str
    changes: Mapping[str, Mapping[str, Any]]
    sets_secret: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or would do: Application IDs. With errors, nothing was written."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    warnings: tuple[Notice, ...] = ()
    errors: tuple[Notice, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    fingerprint: str = ""
    #: Something else would happen than was expected, so nothing did.
    is_outdated: bool = False

    def as_json(self) -> dict[str, Any]:
        """The report for a script."""
        return {
            "created": list(self.created),
            "updated": list(self.updated),
            "unchanged": list(self.unchanged),
            "warnings": [str(notice) for notice in self.warnings],
            "errors": [str(notice) for notice in self.errors],
        }


def shown(text: str) -> str:
    """Text of a document as a sentence may quote it."""
    short = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return "".join(char if char.isprintable() else "�" for char in short)


def join(path: str, key: str) -> str:
    """The path of a member."""
    return f"{path}.{key}" if path else key
