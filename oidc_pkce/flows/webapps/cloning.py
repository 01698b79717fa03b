"""Clone an application: the same in all but its identifiers and its secrets."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower

from ...models import Application, ApplicationLogo
from ..actor import Actor
from .changes import FIELDS, Changes, PermissionChange, ScopeChange
from .logo import LogoChange
from .owning import owned_by
from .saving import create

MAX_ID = Application._meta.get_field("application_id").max_length or 64
_ROOM = 6  # characters for a number behind a suggested Application ID

#: What names one application and no other; ``create`` makes a new client id, salt and version.
IDENTIFIERS = frozenset({"application_id", "name", "openid_client_id"})


@transaction.atomic
def clone(
    source: Application, *, application_id: str, name: str, user: Any, now: datetime
) -> Application:
    """Create an application like ``source``; its client needs a secret of its own.

    Raises ``ValidationError`` with a sentence per fault, as ``create`` does.
    """
    copied = {field: getattr(source, field) for field in FIELDS if field not in IDENTIFIERS}
    if source.issuer.rstrip("/").lower() == source.locations.issuer.rstrip("/").lower():
        copied["issuer"] = ""  # the source's own place, and nobody else's
    rows = source.permissions.select_related("user", "group")
    changes = Changes(
        {**copied, "application_id": application_id, "name": name},
        scopes=tuple(map(ScopeChange.of, source.scopes.all())),
        permissions=tuple(map(PermissionChange.of, rows)),
        logo=_logo(source),
    )
    return create(owned_by(user, changes), actor=Actor.of(user), now=now)


def free_application_id(wish: str) -> str:
    """The wish when nobody has it, else the first free one of ``wish-2``, ``wish-3``, …"""
    stem = wish[: MAX_ID - _ROOM].lower()
    begins = Application.objects.annotate(folded=Lower("application_id"))
    taken = set(begins.filter(folded__startswith=stem).values_list("folded", flat=True))
    if len(wish) <= MAX_ID and wish.lower() not in taken:
        return wish
    numbered = (f"{wish[: MAX_ID - _ROOM]}-{number}" for number in count(2))
    return next(one for one in numbered if one.lower() not in taken)


def _logo(source: Application) -> LogoChange | None:
    stored = ApplicationLogo.objects.filter(pk=source.pk).first()
    return LogoChange(bytes(stored.content)) if stored else None
