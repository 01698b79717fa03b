"""Replace signing keys that have signed long enough; made to be run by cron."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from ...flows import keys
from ...models import SigningKey
from ...protocol.jwk import ALGORITHMS


class Command(BaseCommand):
    """Publish a new key for each one that is due; it signs when every client has seen it."""

    help = "Replaces signing keys that have signed long enough. Run it from cron, daily."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which keys, and how soon."""
        parser.add_argument("--algorithm", choices=ALGORITHMS, help="only keys of this algorithm")
        parser.add_argument("--force", action="store_true", help="also replace keys not yet due")
        parser.add_argument(
            "--emergency",
            action="store_true",
            help="sign with a new key at once and withdraw every earlier one:"
            " all tokens that are out become invalid",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Rotate, then say what happened."""
        now = timezone.now()
        chosen = [options["algorithm"]] if options["algorithm"] else keys.algorithms(now)
        resealed = keys.reseal(now)
        made = _rotate(chosen, now, force=options["force"], emergency=options["emergency"])
        if options["json"]:
            rotated = [_as_json(key) for key in made]
            self.stdout.write(json.dumps({"rotated": rotated, "resealed": resealed}))
        else:
            self.stdout.write("\n".join(_sentences(made, resealed)))


def _rotate(
    algorithms: list[str], now: datetime, *, force: bool, emergency: bool
) -> list[SigningKey]:
    if not force and not emergency:
        tried = (keys.rotate_if_due(algorithm, now) for algorithm in algorithms)
        return [key for key in tried if key is not None]
    try:
        return [keys.rotate(algorithm, now, emergency=emergency) for algorithm in algorithms]
    except IntegrityError:
        raise CommandError("Another process has just rotated the same key.") from None


def _sentences(made: list[SigningKey], resealed: int) -> list[str]:
    told = [
        f"{key.algorithm}: the new key {key.kid} signs from {key.signs_from.isoformat()}."
        for key in made
    ]
    if resealed:
        told.append(f"Encrypted {resealed} keys anew, under the first secret.")
    return told or ["No key is due."]


def _as_json(key: SigningKey) -> dict[str, str]:
    return {
        "algorithm": key.algorithm,
        "kid": key.kid,
        "signs_from": key.signs_from.isoformat(),
    }
