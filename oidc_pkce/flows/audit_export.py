"""Hand out the audit log as a file: CSV for people's spreadsheets, JSON for programs.

Streamed in batches, bounded, and audited itself before the first byte leaves.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from io import StringIO
from typing import Any

from django.db.models import QuerySet

from .. import audit
from ..models import AuditEvent
from .actor import Actor

MOST = 100_000  # the newest events of one export
BATCH = 1_000  # rows in memory
MAX_FILTER = 300  # characters of what was asked for, in the audit event

COLUMNS = ("time", "action", "label", "actor", "application", "client", "details")


class Format(Enum):
    """What can be asked for."""

    CSV = "csv"
    JSON = "json"

    @property
    def content_type(self) -> str:
        """For the response's header."""
        return "text/csv; charset=utf-8" if self is Format.CSV else "application/json"


def export(
    events: QuerySet[AuditEvent],
    form: Format,
    *,
    asked: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> Iterator[str]:
    """Note who takes these events, chosen by ``asked``; then the file, piece by piece."""
    newest = events.order_by("-pk").values_list("pk", flat=True).first()
    chosen = {name[:MAX_FILTER]: value[:MAX_FILTER] for name, value in asked.items()}
    audit.record(
        audit.Action.AUDIT_EXPORTED,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        details={"format": form.value, "filter": chosen},
    )
    found = newest_first(events, newest)
    return as_csv(found) if form is Format.CSV else as_json(found)


def newest_first(events: QuerySet[AuditEvent], newest: int | None) -> Iterator[AuditEvent]:
    """At most ``MOST`` events, from this key downwards, a batch at a time."""
    left, last = MOST, newest + 1 if newest is not None else 0
    while left > 0:
        batch = list(events.filter(pk__lt=last).order_by("-pk")[: min(BATCH, left)])
        yield from batch
        if len(batch) < BATCH:
            return
        left, last = left - len(batch), batch[-1].pk


def as_csv(events: Iterable[AuditEvent]) -> Iterator[str]:
    """A row each. A spreadsheet takes no cell for a formula, whoever chose its text."""
    yield "\ufeff" + _row(COLUMNS)  # the mark by which spreadsheets know UTF-8
    for event in events:
        yield _row(harmless(_as_text(value)) for value in _values(event))


def as_json(events: Iterable[AuditEvent]) -> Iterator[str]:
    """An array of objects, exactly as they are stored."""
    before = "[\n"
    for event in events:
        members = dict(zip(COLUMNS, _values(event), strict=True))
        yield before + json.dumps(members, ensure_ascii=False, default=str)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


#: What begins a formula, also in its wide forms, behind anything that a spreadsheet may skip: at
#: the beginning of a cell, or behind what some spreadsheets take for the end of one.
_SKIPPED = r"[\s'\"\x00-\x1f\x7f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
_FORMULA = re.compile(
    rf"(\A|[;\t\r\n\v\f|])({_SKIPPED})(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212\ufe63])"
)
_CONTROL = re.compile(r"\A[\t\r\n]")


def harmless(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet could take for a formula."""
    guarded = _FORMULA.sub(r"\1\2'", text)
    return f"'{guarded}" if _CONTROL.match(guarded) else guarded


def _values(event: AuditEvent) -> tuple[Any, ...]:
    return (
        event.at.isoformat(),
        event.action,
        label(event.action),
        event.actor_name,
        event.application_name,
        event.client_id,
        event.details,
    )


def label(action: str) -> str:
    """What people call an action; one that a later or earlier version wrote is its own name."""
    known = action in audit.Action.values
    return str(audit.Action(action).label) if known else action


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str) if value else ""


def _row(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue()
