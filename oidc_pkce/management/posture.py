"""``oidc_doctor posture [APP_ID]``: which rules the applications keep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TextIO

from django.core.management.base import CommandError
from django.utils import timezone

from ..flows import posture
from ..flows.posture import Report
from ..models import Application
from ..protocol.posture import Affected, Finding, Specification, tally

#: How wide the columns of the table are.
_ID, _PROFILE, _COLUMN = 32, 10, 9

_HEADS = {
    Specification.OAUTH21: "OAuth2.1",
    Specification.RFC9700: "RFC9700",
    Specification.FAPI2: "FAPI2.0",
    Specification.MCP: "MCP",
    Specification.FURTHER: "others",
}
_SIGNS = {"met": "ok", "not_met": "NO", "not_seen": "?"}


def run(named: str | None, out: TextIO, as_json: bool) -> None:
    """Report one application, or one line of each. Raises ``CommandError`` for an unknown name."""
    applications = Application.objects.all()
    if named is not None:
        applications = applications.named(named)
        if not applications.exists():
            raise CommandError(f"There is no application “{named}”.")
    reports = posture.reports(applications, timezone.now())
    if as_json:
        _write_json(reports, out)
    elif named is not None:
        out.write("\n".join(_lines(next(reports))))
    else:
        _write_table(reports, out)


def _write_json(reports: Iterable[Report], out: TextIO) -> None:
    """One line, written as it is made: ten thousand reports need not be in memory."""
    out.write('{"applications": [', ending="")  # type: ignore[call-arg]
    for number, report in enumerate(reports):
        separator = ", " if number else ""
        out.write(separator + json.dumps(_members(report)), ending="")  # type: ignore[call-arg]
    out.write("]}")


def _write_table(reports: Iterable[Report], out: TextIO) -> None:
    heads = "".join(f"{_HEADS[one]:>{_COLUMN}}" for one in Specification)
    out.write(f"{'application':<{_ID}} {'profile':<{_PROFILE}}{heads}")
    for report in reports:
        counts = (tally(report.of(one)) for one in Specification)
        cells = "".join(f"{f'{each.met}/{each.total}':>{_COLUMN}}" for each in counts)
        facts = report.application
        broken = " breaks its profile" if report.breaches else ""
        out.write(f"{facts.application_id:<{_ID}} {facts.profile:<{_PROFILE}}{cells}{broken}")


def _lines(report: Report) -> Iterator[str]:
    facts = report.application
    yield f"{facts.application_id}: profile {facts.profile}"
    for one in Specification:
        findings = report.of(one)
        count = tally(findings)
        yield f"\n{one.heading}: {count.met} of {count.total} met, {count.not_seen} not seen yet"
        for finding in findings:
            yield from _told(finding)
    if report.breaches:
        names = ", ".join(each.rule.id for each in report.breaches)
        yield f"\nBreaks its own profile: {names}"


def _told(finding: Finding) -> Iterator[str]:
    judgement = finding.judgement
    sign = _SIGNS[finding.verdict]
    yield f"  {sign:<3} {finding.rule.id}: {judgement.sentence % judgement.values}"
    if finding.verdict != "met":
        yield f"        {finding.rule.cure}"
        if finding.affected is not None:
            yield f"        {_breaks(finding.affected)}"


def _breaks(affected: Affected) -> str:
    if not affected.observed:
        return "No such request was seen yet."
    clients = ", ".join(f"{name or 'others'} ({count})" for name, count in affected.clients[:5])
    touched = f"{affected.count} of {affected.observed} requests since {_day(affected.since)}"
    return f"Would be {affected.effect}: {touched}{': ' if clients else ''}{clients}."


def _members(report: Report) -> dict[str, Any]:
    facts = report.application
    return {
        "application_id": facts.application_id,
        "profile": facts.profile.value,
        "since": _moment(report.since),
        "breaches": [each.rule.id for each in report.breaches],
        "specifications": {
            one.value: {
                "met": (count := tally(report.of(one))).met,
                "not_met": count.not_met,
                "not_seen": count.not_seen,
            }
            for one in Specification
        },
        "rules": [_rule(each) for each in report.findings],
        "secrets": [
            {
                "client_id": each.client_id,
                "created_at": _moment(each.created_at),
                "last_used_at": _moment(each.last_used_at),
                "expires_at": _moment(each.expires_at),
            }
            for each in report.secrets
        ],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    judgement = finding.judgement
    return {
        "rule": finding.rule.id,
        "verdict": finding.verdict.value,
        "reason": judgement.sentence % judgement.values,
        "clauses": [
            {"specification": each.specification.value, "clause": each.label, "level": each.level}
            for each in finding.rule.clauses
        ],
        "seen": [
            {
                "feature": each.feature.value,
                "value": each.value,
                "requests": each.count,
                "last_seen_at": _moment(each.last_seen_at),
            }
            for each in finding.seen
        ],
        "affected": None if finding.affected is None else _affected(finding.affected),
    }


def _affected(affected: Affected) -> dict[str, Any]:
    return {
        "effect": affected.effect.value,
        "observed": affected.observed,
        "requests": affected.count,
        "clients": dict(affected.clients),
        "since": _moment(affected.since),
        "last_seen_at": _moment(affected.last_seen_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"
