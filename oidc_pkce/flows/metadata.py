"""Metadata documents and key sets as bytes, kept for a few seconds per process.

Only what exists is kept: a refusal is asked again every time.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings as django_settings

from ..conf import settings
from ..models import Application
from ..protocol import metadata
from . import keys

MAX_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes as they are sent, and their entity tag."""

    body: bytes
    etag: str
    made_at: float


_kept: dict[tuple[str, str], Document] = {}
_lock = threading.Lock()


def clear() -> None:
    """Forget every document."""
    with _lock:
        _kept.clear()


def openid_configuration(application_id: str, now: datetime) -> Document | None:
    """The metadata of an application, or ``None`` when there is none of that name."""
    return _keep("metadata", application_id, now)


def key_set(application_id: str, now: datetime) -> Document | None:
    """The keys of an application, or ``None`` when there is none of that name."""
    return _keep("keys", application_id, now)


def _keep(kind: str, application_id: str, now: datetime) -> Document | None:
    # PostgreSQL refuses NUL with an exception, and the Kelvin sign folds to a k.
    if not application_id.isascii() or "\0" in application_id:
        return None
    folded = application_id.lower()
    found = _kept.get((kind, folded))
    if found is not None and time.monotonic() - found.made_at <= settings.process_cache_seconds:
        return found
    application = Application.objects.named(application_id).first()
    if application is None:
        return None
    body = _metadata(application) if kind == "metadata" else _keys(application, now)
    made = Document(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', time.monotonic())
    with _lock:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        _kept[kind, folded] = made
    return made


def _metadata(application: Application) -> bytes:
    members = metadata.document(
        application.facts(),
        application.locations,
        claims=settings.claims_provider.supported(),
        acr_values=settings.interaction_policy.supported(),
        locales=[code for code, _ in django_settings.LANGUAGES if code in LOCALES],
    )
    return json.dumps(members, separators=(",", ":")).encode()


LOCALES = ("en", "de")


def _keys(application: Application, now: datetime) -> bytes:
    """The application's own algorithm has a key before the first client looks for it."""
    keys.signer(application.facts().algorithm, now)
    return keys.jwks(now)
