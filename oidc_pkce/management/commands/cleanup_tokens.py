"""Free the space of what has expired; made to be run by cron."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from ...flows import cleanup

MAX_BATCH = 10_000  # rows in one transaction; more, and token requests wait for it


class Command(BaseCommand):
    """Delete expired codes, tokens, grants, consents, secrets, traces, audit events and keys."""

    help = "Deletes what has expired, a batch at a time. Run it from cron, daily."

    def add_arguments(self, parser: CommandParser) -> None:
        """How much at once, and whether at all."""
        parser.add_argument("--dry-run", action="store_true", help="count, delete nothing")
        parser.add_argument(
            "--batch",
            type=_batch,
            default=cleanup.BATCH,
            metavar="N",
            help=f"rows per transaction, 1 to {MAX_BATCH}; {cleanup.BATCH} by default",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Delete or count, then say how many rows of each kind."""
        now, dry_run = timezone.now(), options["dry_run"]
        rows = cleanup.count(now) if dry_run else cleanup.sweep(now, batch=options["batch"])
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry_run, "rows": rows}))
            return
        done = "expired" if dry_run else "deleted"
        for kind, number in rows.items():
            self.stdout.write(f"{kind.replace('_', ' ')}: {number} {done}")


def _batch(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_BATCH:
        raise ArgumentTypeError(f"write a whole number from 1 to {MAX_BATCH}")
    return int(text)
