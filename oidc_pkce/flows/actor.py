"""Who does something that the audit log keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, or a command that nobody is signed in to: then only a name."""

    pk: Any = None
    name: str = ""

    @classmethod
    def of(cls, user: Any) -> Actor:
        """The actor that a Django user is."""
        return cls(user.pk, user.get_username())
