"""What somebody who imports must be allowed to do; a command is allowed everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....models import Application, Right
from ... import administration
from ..changes import Changes
from ..succession import has_successor

_NOWHERE: frozenset[Right] = frozenset()


class Permit:
    """What one user may do with one application, or with one that there is not yet."""

    def __init__(self, user: Any, stored: Application | None) -> None:
        self.user = user
        self.stored = stored
        asked = user is not None and stored is not None
        self.rights = administration.rights(user, stored) if asked and stored else _NOWHERE

    @property
    def sees(self) -> bool:
        """Whether the user may learn what is stored; a document tells it by comparison."""
        return self.user is None or self.stored is None or Right.VIEW in self.rights

    @property
    def may_be_there(self) -> bool:
        """Whether there is such an application already, or the user may add it."""
        return self.user is None or self.stored is not None or administration.may_add(self.user)

    def refusal(
        self, changed: Mapping[str, Any], changes: Changes, *, has_secret: bool
    ) -> tuple[str, str] | None:
        """The field and the sentence of what the user may not do; nothing when all is allowed.

        A secret needs Manage even when it is the stored one: the answer would tell that it is.
        """
        if self.user is None or self.stored is None:
            return None
        if "permissions" in changed and Right.GRANT not in self.rights:
            return "permissions", "changing these needs the Grant right on this application."
        if "permissions" in changed and not has_successor(self.user, changes.permissions or ()):
            return "permissions", "nobody would have the Grant right any more."
        if (set(changed) - {"permissions"} or has_secret) and Right.MANAGE not in self.rights:
            return "application_id", "changing this application needs the Manage right on it."
        return None
