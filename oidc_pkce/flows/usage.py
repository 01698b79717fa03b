"""Count what granted requests used: in this process at once, in the database now and then.

A process writes what it sees for the first time, and later adds up: once in a minute at most for
each combination of application, client and what was used. An answer never waits for more than two
such writes, hardly ever for one, and is never lost over them.
"""

from __future__ import annotations

import atexit
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from threading import Lock
from typing import NamedTuple

from django.db import connections, models, router, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from ..models import Application, Usage
from ..protocol.usage import Used

PERIOD = 60.0  # seconds between two writes of one use
WRITES = 2  # of one request: its own first sight, and one that is due
MOST_USES = 5_000  # kept in the memory of a process
MOST_CLIENTS = 200  # of an application by name: type Anything lets strangers choose ids
OTHERS = ""  # the client that all others are counted under
MAX_CLIENT = 255  # characters

logger = logging.getLogger(__name__)


class Use(NamedTuple):
    """What one client of one application does in one kind of request."""

    application_pk: int
    client_id: str
    used: tuple[tuple[str, str], ...]


class Seen(NamedTuple):
    """How often, and when last."""

    requests: int
    last_seen_at: datetime


@dataclass(slots=True)
class Pending:
    """What of one use is not written yet, and when it last was, by the process's clock."""

    requests: int
    last_seen_at: datetime
    written: float = -math.inf


Write = Callable[[Use, Seen], None]


class Tally:
    """What this process has counted and not written; bounded, and shared by its threads."""

    def __init__(self, write: Write, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._lock = Lock()
        #: What was not written for the longest time comes first.
        self._pending: OrderedDict[Use, Pending] = OrderedDict()

    def note(self, use: Use, now: datetime) -> None:
        """Count one request; write it when it is new, or what else is due."""
        with self._lock:
            self._add(use, Seen(1, now))
            due = list(self._due())
        self._write_all(due)

    def flush(self, application_pk: int | None = None) -> None:
        """Write what is pending, of one application or of all."""
        with self._lock:
            counted = [
                (use, self._taken(pending))
                for use, pending in self._pending.items()
                if pending.requests and application_pk in (None, use.application_pk)
            ]
        self._write_all(counted)

    def forget(self) -> None:
        """Drop what is pending."""
        with self._lock:
            self._pending.clear()

    def __len__(self) -> int:
        return len(self._pending)

    def _add(self, use: Use, seen: Seen) -> None:
        pending = self._pending.get(use)
        if pending is None:
            self._pending[use] = Pending(*seen)
            self._pending.move_to_end(use, last=False)
        else:
            pending.requests += seen.requests
            pending.last_seen_at = max(pending.last_seen_at, seen.last_seen_at)

    def _due(self) -> Iterator[tuple[Use, Seen]]:
        """What one request has to write; what nobody did for a while is forgotten."""
        now = self._clock()
        for _ in range(WRITES):
            use, first = next(iter(self._pending.items()))
            is_full = len(self._pending) > MOST_USES
            if not is_full and now - first.written < PERIOD:
                return
            if is_full or not first.requests:
                del self._pending[use]
            else:
                self._pending.move_to_end(use)
            if first.requests:
                yield use, self._taken(first, now)
            if not self._pending:
                return

    @staticmethod
    def _taken(pending: Pending, now: float | None = None) -> Seen:
        seen = Seen(pending.requests, pending.last_seen_at)
        pending.requests = 0
        pending.written = pending.written if now is None else now
        return seen

    def _write_all(self, counted: list[tuple[Use, Seen]]) -> None:
        """Outside the lock: nobody waits for another one's database."""
        for use, seen in counted:
            try:
                self._write(use, seen)
            except Exception:  # the answer is made, and nobody may lose it over a count
                logger.exception("the use of application %s was not counted", use.application_pk)
                self._put_back(use, seen)

    def _put_back(self, use: Use, seen: Seen) -> None:
        with self._lock:
            if use in self._pending:
                self._add(use, seen)


def write(use: Use, seen: Seen) -> None:
    """Add to the rows of a use, which are made when there are none yet.

    Of an application that is gone nothing is kept.
    """
    _remember_database()
    with transaction.atomic():
        client_id = use.client_id
        if _present(use, client_id) < len(use.used):
            client_id = _make_rows(use, seen.last_seen_at)
        _lock(_rows(use, client_id))
        _rows(use, client_id).update(
            count=F("count") + seen.requests,
            last_seen_at=Greatest("last_seen_at", _moment(seen.last_seen_at)),
        )


def _present(use: Use, client_id: str) -> int:
    return _rows(use, client_id).count()


def _lock(rows: QuerySet[Usage]) -> None:
    """In one order: two uses of a client share rows, and no two processes may wait in a circle."""
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _rows(use: Use, client_id: str) -> QuerySet[Usage]:
    used = reduce(or_, (Q(feature=feature, value=value) for feature, value in use.used))
    return Usage.objects.filter(used, application=use.application_pk, client_id=client_id)


def _make_rows(use: Use, at: datetime) -> str:
    """Make the rows that are missing, with a count of 0; the client that they are counted under.

    One process after the other, by the row of the application: so the clients are never too many.
    """
    locked = Application.objects.select_for_update(no_key=True).filter(pk=use.application_pk)
    if not locked.values_list("pk").first():
        return use.client_id
    client_id = use.client_id if _has_room(use) else OTHERS
    there = set(_rows(use, client_id).values_list("feature", "value"))
    Usage.objects.bulk_create(
        Usage(
            application_id=use.application_pk,
            client_id=client_id,
            feature=feature,
            value=value,
            first_seen_at=at,
            last_seen_at=at,
        )
        for feature, value in use.used
        if (feature, value) not in there
    )
    return client_id


def _has_room(use: Use) -> bool:
    mine = Usage.objects.filter(application=use.application_pk)
    if mine.filter(client_id=use.client_id).exists():
        return True
    named = mine.exclude(client_id=OTHERS).values("client_id").distinct()
    return named.count() < MOST_CLIENTS


def _moment(at: datetime) -> Value:
    return Value(at, output_field=models.DateTimeField())


_tally = Tally(write)
_written_to: set[str] = set()


def note(application_pk: int | None, client_id: str, used: Used, now: datetime) -> None:
    """Count one granted request; an endpoint calls this when it has answered. Raises nothing."""
    if application_pk is not None:
        each = tuple((feature.value, value) for feature, value in used.items())
        _tally.note(Use(application_pk, client_id[:MAX_CLIENT], each), now)


def of(application_pk: int) -> list[Usage]:
    """The rows of an application, with all that this process knows.

    What other processes have counted since may be missing for a minute.
    """
    flush(application_pk)
    rows = Usage.objects.filter(application=application_pk, count__gt=0)
    return list(rows.order_by("feature", "value", "client_id"))


def flush(application_pk: int | None = None) -> None:
    """Write what this process has counted, of one application or of all. Raises nothing."""
    _tally.flush(application_pk)


def forget() -> None:
    """Drop what this process has counted; between tests."""
    _tally.forget()


def flush_at_exit() -> None:
    """Write what is pending when the process ends in good order."""
    atexit.register(_at_exit)


def _at_exit() -> None:
    # Tests that end leave counts of a database behind that is not there any more.
    if _written_to == {_database()}:
        flush()


def _remember_database() -> None:
    _written_to.add(_database())


def _database() -> str:
    return str(connections[router.db_for_write(Usage)].settings_dict["NAME"])
