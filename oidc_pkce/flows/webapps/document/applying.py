"""Carry out a plan: all of it or nothing."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from ...actor import Actor
from ...client_secret import set_client_secret
from ..saving import create, update
from .planning import Kind, Plan, Step, plan
from .reading import read
from .report import Notice, Notices, Report

_RACE = "Another import or administrator made the same application meanwhile: import once more."


def import_documents(
    data: bytes | str, *, actor: Actor, now: datetime, dry_run: bool = False
) -> Report:
    """Read, plan and, unless there are errors or ``dry_run``, apply, in one transaction.

    Raises nothing for a bad document: the report's errors say what is wrong with it, and where.
    """
    notices = Notices()
    entries = read(data, notices)
    try:
        with transaction.atomic():
            planned = plan(entries, notices, now)
            if not planned.errors and not dry_run:
                apply(planned, actor=actor, now=now)
    except IntegrityError:
        return Report(errors=(Notice("", _RACE),))
    return _report(planned)


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
    )
