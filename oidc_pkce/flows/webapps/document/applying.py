"""Carry out a plan: all of it or nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from ...actor import Actor
from ...client_secret import set_client_secret
from ..saving import create, update
from .planning import Kind, Plan, Step, plan
from .reading import read
from .report import Notice, Notices, Outcome, Report

_RACE = "Another import or administrator made the same application meanwhile: import once more."


def import_documents(
    data: bytes | str,
    *,
    actor: Actor,
    now: datetime,
    dry_run: bool = False,
    user: Any = None,
    expected: str | None = None,
) -> Report:
    """Read, plan and, unless there are errors or ``dry_run``, apply, in one transaction.

    Raises nothing for a bad document: the report's errors say what is wrong with it, and where.
    What ``user`` may not do is such an error, too. With ``expected``, the fingerprint of an earlier
    report, nothing is written when something else would happen now than was told then.
    """
    notices = Notices()
    entries = read(data, notices)
    try:
        with transaction.atomic():
            planned = plan(entries, notices, now, user)
            is_outdated = expected not in (None, fingerprint(planned))
            if not planned.errors and not dry_run and not is_outdated:
                apply(planned, actor=actor, now=now)
    except IntegrityError:
        return Report(errors=(Notice("", _RACE),))
    return replace(_report(planned), is_outdated=is_outdated)


def fingerprint(planned: Plan) -> str:
    """What would happen, as one value to compare; no secret goes into it."""
    steps = [(step.kind, step.name, step.told, step.sets_secret) for step in planned.steps]
    text = json.dumps(steps, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def apply(planned: Plan, *, actor: Actor, now: datetime) -> None:
    """Carry out a plan without errors, in the transaction in which it was made."""
    for step in planned.steps:
        if step.kind is not Kind.UNCHANGED:
            _apply(step, actor, now)


def _apply(step: Step, actor: Actor, now: datetime) -> None:
    if step.application is None:
        application = create(step.changes, actor=actor, now=now)
    else:
        application = update(step.application, step.changes, actor=actor, now=now)
    if step.client_secret is not None:
        set_client_secret(application, step.client_secret, actor=actor, now=now)


def _report(planned: Plan) -> Report:
    if planned.errors:
        return Report(warnings=planned.warnings, errors=planned.errors)
    names = {kind: tuple(s.name for s in planned.steps if s.kind is kind) for kind in Kind}
    return Report(
        created=names[Kind.CREATED],
        updated=names[Kind.UPDATED],
        unchanged=names[Kind.UNCHANGED],
        warnings=planned.warnings,
        outcomes=tuple(map(_outcome, planned.steps)),
        fingerprint=fingerprint(planned),
    )


def _outcome(step: Step) -> Outcome:
    return Outcome(step.kind.value, step.name, step.told, step.sets_secret)
