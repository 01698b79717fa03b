"""Keep what a request went through, so that an administrator can see why it was refused.

Bounded: the newest N per application, a cap for all unknown applications together, a lifetime.
Written after the request's own commit; never holds a credential.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from .. import identifiers
from ..conf import settings
from ..models import RequestTrace
from ..protocol.checks import Outcome, Trace
from ..protocol.credential import Credential

# Of the rows that a process writes for one application: one pays for throwing old ones away.
PRUNE_EVERY = 32
MOST_COUNTED = 10_000  # applications whose rows a process counts
MAX_TEXT = 300
MAX_CANDIDATES = 20


@dataclass(slots=True)
class Traced:
    """What is known of a request when it ends; filled in as the endpoint learns it."""

    endpoint: str
    application_pk: int | None = None
    client_id: str = ""
    user_pk: Any = None
    watched_until: datetime | None = None
    _request_id: str = ""

    @property
    def request_id(self) -> str:
        """The name of this request; made when somebody asks for it, which few requests need."""
        self._request_id = self._request_id or identifiers.new_request_id()
        return self._request_id


def record(traced: Traced, trace: Trace, now: datetime) -> None:
    """Write the trace of a request: of every refused one, and of a sample of the others.

    While somebody watches the application, of all of them.
    """
    failed = trace.failed
    is_watched = traced.watched_until is not None and now < traced.watched_until
    share = 1.0 if is_watched else settings.traced_successes
    if failed is None and random.random() >= share:  # noqa: S311 - a sample
        return
    with transaction.atomic():
        RequestTrace.objects.create(
            request_id=traced.request_id,
            application_id=traced.application_pk,
            endpoint=traced.endpoint,
            client_id=without_credentials(traced.client_id)[:255],
            user_id=_person(traced, trace, failed),
            succeeded=failed is None,
            failed_check=failed.check if failed else "",
            error=failed.error if failed else "",
            outcomes=[_as_json(outcome) for outcome in trace.outcomes],
            at=now,
            expires_at=now + settings.trace_lifetime,
        )
        if _must_prune(traced.application_pk):
            prune(traced.application_pk)


def _person(traced: Traced, trace: Trace, failed: Outcome | None) -> Any:
    """Whom the request is about, by key.

    Nobody, where what was presented belongs to another application: who administers this one is
    not told who uses that one.
    """
    if failed is not None and failed.elsewhere is not None:
        return None
    return trace.user_pk if traced.user_pk is None else traced.user_pk


_written: Counter[int | None] = Counter()
_written_lock = Lock()


def _must_prune(application_pk: int | None) -> bool:
    """True for the first row that this process writes for an application, and every so many.

    So the bound is certain: no more than that many rows too many for each process that runs.
    """
    with _written_lock:
        if len(_written) >= MOST_COUNTED:
            _written.clear()
        _written[application_pk] += 1
        return _written[application_pk] % PRUNE_EVERY == 1 % PRUNE_EVERY


def clear() -> None:
    """Forget how many rows this process has written."""
    with _written_lock:
        _written.clear()


def prune(application_pk: int | None) -> int:
    """Delete all but the newest traces of an application, or of unknown ones; how many went."""
    mine = RequestTrace.objects.filter(
        Q(application=application_pk) if application_pk else Q(application=None)
    )
    keep = (
        settings.traces_of_unknown_applications
        if application_pk is None
        else settings.traces_per_application
    )
    oldest = mine.order_by("-pk").values_list("pk", flat=True)[keep : keep + 1].first()
    return 0 if oldest is None else mine.filter(pk__lte=oldest)._raw_delete(using=mine.db)


_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SECRET = re.compile(r"[A-Za-z0-9_\-.~+/=]{32,}")
_WORD = re.compile(rf"(?<!\S){_SECRET.pattern}(?!\S)")
_BEFORE_HOST = re.compile(r"(?<=://)[^/?#]*@")  # https://client:secret@app.example/


def without_credentials(text: str) -> str:
    """Text from the wire without what may be a credential that was sent in the wrong place.

    Of an address the names of its parameters stay, and no user or password before the host; a long
    random word is only counted.
    """
    text = _BEFORE_HOST.sub("…@", text)
    head, mark, tail = cut_address(text)
    if mark and ":" in head:
        names = "&".join(f"{_name_of(pair)}=…" for pair in tail.split("&"))
        return f"{printable(head)}{mark}{printable(names)}"
    return printable(_WORD.sub(lambda found: _counted(found[0]), text))


def _name_of(pair: str) -> str:
    """The name of a parameter; one without a value may be a value without its name."""
    return _description(pair.partition("=")[0])


def _counted(word: str) -> str:
    """A long word as its length, unless it is an identifier of the kind that client ids are."""
    return word if _GUID.fullmatch(word) else f"({len(word)} characters)"


def _description(text: str) -> str:
    """A sentence without what may be a credential: it may name a scope that was asked for."""
    return _SECRET.sub(lambda found: _counted(found[0]), text)


def cut_address(text: str) -> tuple[str, str, str]:
    """An address before its query or fragment, the mark between, and what follows."""
    at = min((text.find(mark) for mark in "?#" if mark in text), default=len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


def printable(text: str) -> str:
    """Text from the wire as it may be stored and shown: nothing that cannot be printed."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _received(text: str | None) -> str | None:
    return None if text is None else without_credentials(text)[:MAX_TEXT]


def _as_json(outcome: Outcome) -> dict[str, Any]:
    if outcome.passed:
        return {"check": outcome.check, "passed": True}
    return {
        "check": outcome.check,
        "passed": False,
        "error": outcome.error,
        "description": _description(outcome.description)[:MAX_TEXT],
        "received": _received(outcome.received),
        "expected": [text[:MAX_TEXT] for text in outcome.expected[:MAX_CANDIDATES]],
        "detail": printable(outcome.detail[:MAX_TEXT]),
        "near_misses": list(outcome.near_misses),
        "credential": _fingerprints(outcome.credential),
        "elsewhere": outcome.elsewhere,
    }


def _fingerprints(credential: Credential | None) -> dict[str, Any] | None:
    """A credential as two people can compare it, though neither can learn it."""
    if credential is None:
        return None
    return {
        "name": credential.name,
        "length": len(credential.value),
        "fingerprint": fingerprint(credential.name, identifiers.digest(credential.value)),
        "stored": [
            fingerprint(credential.name, digest) for digest in credential.stored[:MAX_CANDIDATES]
        ],
    }


def fingerprint(name: str, digest: bytes) -> str:
    """Eight hexadecimal digits of a credential's SHA-256, keyed and bound to its parameter.

    So nobody can try guesses on it without this server, and guesses at a secret are counted, while
    those at a code would not be.
    """
    salt = f"oidc_pkce.fingerprint.{name}"
    return salted_hmac(salt, digest, algorithm="sha256").hexdigest()[:8]
