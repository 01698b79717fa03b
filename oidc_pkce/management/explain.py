"""``oidc_doctor explain REQUEST_ID``: why a request was refused, check by check."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TextIO

from django.core.management.base import CommandError
from django.utils import timezone

from ..flows import explanation
from ..flows.actor import Actor
from ..flows.comparison import Comparison, Piece
from ..flows.explanation import Explanation, State
from ..flows.tracing import printable
from ..models import RequestTrace

ACTOR = Actor(name="oidc_doctor")
WORDS = {State.PASSED: "  ok  ", State.FAILED: "FAILED", State.NOT_REACHED: "   -  "}
INDENT = " " * 12


def run(named: str | None, out: TextIO, as_json: bool) -> None:
    """Explain one request; that is audited. Raises ``CommandError`` when there is none."""
    if not named:
        raise CommandError("Which request? Write: oidc_doctor explain REQUEST_ID")
    known = RequestTrace.objects.select_related("application", "user")
    trace = explanation.find(named, known)
    if trace is None:
        raise CommandError(
            f"There is no request with the ID {printable(named[:64])}: compare it with the error"
            " page, and see TRACE_LIFETIME for how long requests are kept."
        )
    made = explanation.read(trace, user=None, actor=ACTOR, now=timezone.now())
    if as_json:
        out.write(json.dumps(made.as_json()))
    else:
        out.write("\n".join(map(printable, _lines(made))))


def _lines(made: Explanation) -> Iterator[str]:
    yield made.reason
    for near in made.near_misses:
        yield near.sentence
    if made.elsewhere:
        yield made.elsewhere
    yield ""
    yield from _facts(made)
    if made.comparison:
        yield ""
        yield from _compared(made.comparison)
    yield from made.notes
    if made.credential:
        yield ""
        yield from _credential(made)
    if made.cure:
        yield ""
        yield f"What to do: {made.cure}"
    yield ""
    for step in made.steps:
        clauses = ", ".join(clause.text for clause in step.clauses)
        yield f"{WORDS[step.state]}  {step.check}: {step.sentence} ({clauses})"


def _facts(made: Explanation) -> Iterator[str]:
    told = f"{made.error} ({made.description})" if made.description else made.error
    pairs = (
        ("request", f"{made.request_id}, {made.endpoint}, {made.at:%Y-%m-%d %H:%M:%S %Z}"),
        ("application", f"{made.application} ({made.application_id})" * bool(made.application)),
        ("client", made.client_id),
        ("person", made.user),
        ("answered", told),
        ("log", made.detail),
    )
    for label, words in pairs:
        if words:
            yield f"{label:<12}{words}"


def _compared(comparison: Comparison) -> Iterator[str]:
    """One below the other; what differs stands above a row of carets."""
    rows = [("received", comparison.pieces)] if comparison.received else []
    rows += [("expected", candidate.pieces) for candidate in comparison.candidates]
    for label, pieces in rows:
        yield f"{label:<12}{''.join(piece.text for piece in pieces)}"
        if any(piece.differs for piece in pieces):
            yield INDENT + _carets(pieces)


def _carets(pieces: Sequence[Piece]) -> str:
    """A caret below each character that differs, and one where something is missing."""
    marks = "".join(
        ("^" * (len(piece.text) or 1)) if piece.differs else " " * len(piece.text)
        for piece in pieces
    )
    return marks.rstrip()


def _credential(made: Explanation) -> Iterator[str]:
    credential = made.credential
    assert credential is not None  # noqa: S101 - asked before
    yield f"{credential.name}: {credential.length} characters, fingerprint {credential.fingerprint}"
    if credential.stored:
        yield f"stored: {', '.join(credential.stored)}. {credential.sentence}"
