"""``oidc_doctor ISSUER_OR_APP_ID``: what a client would ask a running issuer."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TextIO

from django.core.management.base import CommandError

from ..conf import settings
from ..models import Application
from ..protocol.metadata import Locations
from .doctor import Finding, Issuer, examine


def run(named: str, out: TextIO, as_json: bool) -> None:
    """Examine one issuer. Raises ``CommandError`` when something is wrong."""
    issuer = Issuer(_address_of(named))
    findings = examine(issuer)
    wrong = sum(bool(finding.complaints) for finding in findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        out.write(json.dumps({"issuer": issuer.url, "healthy": not wrong, "findings": found}))
    else:
        out.write("\n".join(line for each in findings for line in _lines(each)))
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
