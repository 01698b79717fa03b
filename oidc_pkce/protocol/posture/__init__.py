"""Posture: which rules of which specification an application keeps, and what the others cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# In the order of the report; each module puts its rules into the table.
from . import authorization_rules, client_rules, token_rules, server_rules  # isort: skip
from .facts import Question, SecretFacts, ServerFacts, Use
from .profiles import PROFILES, ProfileRules, breaches
from .rule import RULES, Affected, Effect, Finding, Judgement, Rule, Seen, Verdict, find
from .specification import Clause, Level, Specification

__all__ = [
    "PROFILES",
    "RULES",
    "Affected",
    "Clause",
    "Effect",
    "Finding",
    "Judgement",
    "Level",
    "ProfileRules",
    "Question",
    "Rule",
    "SecretFacts",
    "Seen",
    "ServerFacts",
    "Specification",
    "Tally",
    "Use",
    "Verdict",
    "breaches",
    "examine",
    "find",
    "of_specification",
    "tally",
]

_TABLES = (authorization_rules, client_rules, token_rules, server_rules)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rules of a specification are kept."""

    met: int
    not_met: int
    not_seen: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.met + self.not_met + self.not_seen


def examine(question: Question) -> tuple[Finding, ...]:
    """What every rule says, in the order of the table."""
    return tuple(find(each, question) for each in RULES.values())


def of_specification(
    findings: Iterable[Finding], specification: Specification
) -> tuple[Finding, ...]:
    """Those about which a specification has a clause."""
    return tuple(each for each in findings if each.rule.clause_of(specification))


def tally(findings: Sequence[Finding]) -> Tally:
    """How many are met, not met, not seen yet."""
    verdicts = [each.verdict for each in findings]
    return Tally(*(verdicts.count(verdict) for verdict in Verdict))
