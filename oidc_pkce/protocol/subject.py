"""Subject identifiers (OpenID Connect Core §8)."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64encode
from hashlib import sha256

from .application import ApplicationFacts, SubjectType


def subject_for(application: ApplicationFacts, identifier: str) -> str:
    """The ``sub`` by which one application knows a user.

    A pairwise one follows from the application's own secret salt (§8.1), so that two applications
    cannot find out that they mean the same person.
    """
    if application.subject_type is SubjectType.PUBLIC:
        return identifier
    hashed = sha256(f"{application.subject_salt}\0{identifier}".encode()).digest()
    return str(uuid.UUID(bytes=hashed[:16], version=4))


def session_for(application: ApplicationFacts, sid: str) -> str:
    """The ``sid`` by which one application knows a browser session; '' for one without a name.

    Where subjects are pairwise sessions are, too, or they would tell what subjects hide.
    """
    if not sid or application.subject_type is SubjectType.PUBLIC:
        return sid
    hashed = sha256(f"{application.subject_salt}\0sid\0{sid}".encode()).digest()
    return urlsafe_b64encode(hashed[:16]).rstrip(b"=").decode("ascii")
