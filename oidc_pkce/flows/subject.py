"""By which name an application knows a user (OpenID Connect Core §8)."""

from __future__ import annotations

from typing import Any

from ..conf import settings
from ..protocol.application import ApplicationFacts
from ..protocol.subject import subject_for


def subject_of(application: ApplicationFacts, user: Any, known: object) -> str:
    """The ``sub`` of a user; ``known`` is the stored identifier, read along with the user."""
    stored = None if known is None else str(known)
    return subject_for(application, settings.subject_identifier.subject(user, stored))
