"""Tell applications of sign-outs; made to be run by cron, or to run for ever."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections
from django.utils import timezone

from ...flows import back_channel_logout
from ...flows.back_channel_logout import Outcome
from ...models import LogoutDelivery

PAUSE = 1.0  # seconds between two looks

logger = logging.getLogger(__name__)


class Stop:
    """Whether somebody has asked this process to end."""

    def __init__(self) -> None:
        """Begin as nobody has."""
        self.is_asked = False

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        self.is_asked = True


class Command(BaseCommand):
    """Post every logout token that is due; what is not taken waits for the next time."""

    help = "Tells applications of sign-outs (back-channel logout). Run it for ever, or from cron."

    def add_arguments(self, parser: CommandParser) -> None:
        """Once, or for ever."""
        parser.add_argument(
            "--forever", action="store_true", help="look every second, until SIGTERM or SIGINT"
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Deliver, then say what became of it."""
        with _stopped_by_signals() as stop:
            if options["forever"]:
                self._deliver_for_ever(stop, as_json=options["json"])
            else:
                self._tell(_deliver(stop), as_json=options["json"])

    def _deliver_for_ever(self, stop: Stop, *, as_json: bool) -> None:
        """Outlive a database that is away for a while, and speak only when something happened."""
        while not stop.is_asked:
            try:
                if outcomes := _deliver(stop):
                    self._tell(outcomes, as_json=as_json)
            except Error:
                logger.exception("sign-outs cannot be delivered at this moment")
            close_old_connections()
            if not stop.is_asked:
                time.sleep(PAUSE)

    def _tell(self, outcomes: Counter[Outcome], *, as_json: bool) -> None:
        delivered = outcomes[Outcome.DELIVERED]
        postponed = outcomes[Outcome.REFUSED] + outcomes[Outcome.UNREACHABLE]
        told = {"delivered": delivered, "postponed": postponed}
        told["waiting"] = LogoutDelivery.objects.count()
        sentence = ", ".join(f"{number} {word}" for word, number in told.items())
        self.stdout.write(json.dumps(told) if as_json else f"Sign-outs: {sentence}.")
        self.stdout.flush()


def _deliver(stop: Stop) -> Counter[Outcome]:
    """Round after round, as long as one delivers something."""
    outcomes: Counter[Outcome] = Counter()
    while not stop.is_asked:
        some = back_channel_logout.deliver_due(timezone.now, lambda: stop.is_asked)
        outcomes += some
        if not some[Outcome.DELIVERED]:
            break
    return outcomes


@contextmanager
def _stopped_by_signals() -> Iterator[Stop]:
    """A post that is under way is finished; what was not tried stays due."""
    stop = Stop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, stop.ask) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
