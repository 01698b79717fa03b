"""Ask a running issuer what a client would ask, and say what is wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...conf import settings
from ...models import Application
from ...protocol.metadata import Locations
from ..doctor import Finding, Issuer, examine


class Command(BaseCommand):
    """Examine one issuer; the exit code is 1 when something is wrong."""

    help = "Asks a running issuer what a client would ask, and says in sentences what is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom to examine."""
        parser.add_argument(
            "issuer",
            metavar="ISSUER_OR_APP_ID",
            help="the address of an issuer, or the Application ID of an application of this server",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Examine, then say what was found. Raises ``CommandError`` when something is wrong."""
        issuer = Issuer(_address_of(options["issuer"]))
        findings = examine(issuer)
        wrong = sum(bool(finding.complaints) for finding in findings)
        if options["json"]:
            found = [asdict(finding) for finding in findings]
            told = {"issuer": issuer.url, "healthy": not wrong, "findings": found}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write("\n".join(line for each in findings for line in _lines(each)))
        if wrong:
            raise CommandError(f"{wrong} of {len(findings)} examinations of {issuer.url} failed.")


def _address_of(issuer: str) -> str:
    """An address as it is; an Application ID as it is spelled in the database."""
    if "://" in issuer:
        return issuer
    known = Application.objects.named(issuer).values_list("application_id", flat=True).first()
    return Locations(settings.issuer_base, known or issuer).issuer


def _lines(finding: Finding) -> list[str]:
    if finding.postponed:
        return [f"  ?    {finding.rule} (Cannot be asked before the rest is mended.)"]
    if not finding.complaints:
        return [f"  ok   {finding.rule}"]
    return [f"WRONG  {complaint}" for complaint in finding.complaints]
