"""Replace signing keys that have signed long enough; made to be run by cron."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from ...flows import key_retirement, keys
from ...flows.actor import Actor
from ...flows.key_retirement import KeyStillSigns, Retired
from ...models import SigningKey
from ...protocol.jwk import ALGORITHMS

ACTOR = Actor(name="rotate_keys")
BEATEN = "Another process has just rotated the same key."


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
        parser.add_argument(
            "--retire",
            metavar="KID",
            help="withdraw this one key at once: what it has signed becomes invalid",
        )
        parser.add_argument(
            "--now",
            action="store_true",
            help="with --retire: also the key that signs, which a new one replaces at once",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Rotate, then say what happened."""
        now = timezone.now()
        if options["retire"]:
            self._retire(options["retire"], now, replace=options["now"], as_json=options["json"])
            return
        if options["now"]:
            raise CommandError("--now goes with --retire KID. To replace every key: --emergency.")
        chosen = [options["algorithm"]] if options["algorithm"] else keys.algorithms(now)
        resealed = keys.reseal(now)
        made = _rotate(chosen, now, force=options["force"], emergency=options["emergency"])
        if options["json"]:
            rotated = [_as_json(key) for key in made]
            self.stdout.write(json.dumps({"rotated": rotated, "resealed": resealed}))
        else:
            self.stdout.write("\n".join(_sentences(made, resealed)))

    def _retire(self, kid: str, now: datetime, *, replace: bool, as_json: bool) -> None:
        retired = _retired(kid, now, replace=replace)
        made = [retired.replacement] if retired.replacement else []
        if as_json:
            told = {"retired": kid, "rotated": [_as_json(key) for key in made]}
            self.stdout.write(json.dumps(told))
        else:
            told_first = f"The key {kid} is withdrawn."
            self.stdout.write("\n".join([told_first, *(_sentence(key) for key in made)]))


def _retired(kid: str, now: datetime, *, replace: bool) -> Retired:
    """What was withdrawn. Raises ``CommandError``."""
    known = SigningKey.objects.filter(kid=kid).values_list("pk", flat=True).first()
    if known is None:
        raise CommandError(f"There is no key {kid!r}. The Admin Portal lists them.")
    try:
        retired = key_retirement.retire(known, now, actor=ACTOR, replace=replace)
    except KeyStillSigns:
        raise CommandError(
            f"The key {kid} signs now. Add --now to replace it at once, or wait until another"
            " one has taken its place."
        ) from None
    except IntegrityError:
        raise CommandError(BEATEN) from None
    if retired is None:
        raise CommandError(f"The key {kid} is not published: there is nothing to withdraw.")
    return retired


def _rotate(
    algorithms: list[str], now: datetime, *, force: bool, emergency: bool
) -> list[SigningKey]:
    if not force and not emergency:
        tried = (keys.rotate_if_due(algorithm, now, actor=ACTOR) for algorithm in algorithms)
        return [key for key in tried if key is not None]
    try:
        return [
            keys.rotate(algorithm, now, actor=ACTOR, emergency=emergency)
            for algorithm in algorithms
        ]
    except IntegrityError:
        raise CommandError(BEATEN) from None


def _sentences(made: list[SigningKey], resealed: int) -> list[str]:
    told = [_sentence(key) for key in made]
    if resealed:
        told.append(f"Encrypted {resealed} keys anew, under the first secret.")
    return told or ["No key is due."]


def _sentence(key: SigningKey) -> str:
    return f"{key.algorithm}: the new key {key.kid} signs from {key.signs_from.isoformat()}."


def _as_json(key: SigningKey) -> dict[str, str]:
    return {
        "algorithm": key.algorithm,
        "kid": key.kid,
        "signs_from": key.signs_from.isoformat(),
    }
