"""``import_webapps FILE``: create and change applications from CyberArk's application documents."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ...flows import webapps


class Command(BaseCommand):
    """Import one application document or a list of them, all or nothing."""

    help = (
        "Create and change applications from CyberArk's application documents: all of them or"
        " none. An application of the same ServiceName is changed, whatever the case."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what to print."""
        parser.add_argument("file", metavar="FILE", help="a JSON file; - reads standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Import, and say what happened."""
        report = webapps.import_documents(
            _read(options["file"]),
            actor=webapps.Actor(name="import_webapps"),
            now=timezone.now(),
            dry_run=options["dry_run"],
        )
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._tell(report, options["dry_run"])
        if report.errors:
            count = len(report.errors)
            raise CommandError(f"Nothing was imported: {count} {_errors(count)} to mend first.")

    def _tell(self, report: webapps.Report, dry_run: bool) -> None:
        for warning in report.warnings:
            self.stderr.write(f"Warning: {warning}", self.style.WARNING)
        for error in report.errors:
            self.stderr.write(f"Error: {error}")
        for word, names in _outcomes(report, dry_run):
            for name in names:
                self.stdout.write(f"{word}: {name}")


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as fault:
        raise CommandError(f"{name} cannot be read: {fault.strerror}.") from None


def _outcomes(report: webapps.Report, dry_run: bool) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if dry_run:
        words = ("Would be created", "Would be updated", "Would stay unchanged")
    else:
        words = ("Created", "Updated", "Unchanged")
    return tuple(zip(words, (report.created, report.updated, report.unchanged), strict=True))


def _errors(count: int) -> str:
    return "error" if count == 1 else "errors"
