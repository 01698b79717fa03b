"""A rule, what it says of one application, and what keeping it would cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ..application import ApplicationFacts
from ..usage import Feature
from .facts import Question, Use
from .specification import Clause, Specification

#: Fields that only one kind of application has.
OPENID_FIELDS = frozenset({"require_client_secret", "client_jwks"})
OAUTH2_FIELDS = frozenset({"client_id_type", "client_ids", "audience"})


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; whoever shows it, translates it."""
    return text


class Verdict(StrEnum):
    """What a rule says of an application."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_SEEN = "not_seen"


class Effect(StrEnum):
    """What keeping a rule does to requests that did not keep it."""

    REFUSED = "refused"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason, in English and with placeholders."""

    verdict: Verdict
    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict)


def met(sentence: str, **values: Any) -> Judgement:
    """The rule is kept."""
    return Judgement(Verdict.MET, sentence, values)


def unmet(sentence: str, **values: Any) -> Judgement:
    """The rule is not kept."""
    return Judgement(Verdict.NOT_MET, sentence, values)


def unseen(sentence: str, **values: Any) -> Judgement:
    """Only requests could tell, and none has come."""
    return Judgement(Verdict.NOT_SEEN, sentence, values)


def always(sentence: str) -> Callable[[Question], Judgement]:
    """How a rule judges that this server keeps whatever is configured."""
    return lambda _: met(sentence)


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule: what must be true, by which clauses, and what to change."""

    id: str
    sentence: str
    cure: str
    clauses: tuple[Clause, ...]
    judge: Callable[[Question], Judgement]
    #: The fields that decide; none where an application decides nothing.
    fields: tuple[str, ...] = ()
    #: The setting that decides, for the whole server.
    setting: str = ""
    #: What of the traffic tells about it.
    shows: tuple[Feature, ...] = ()
    #: Which requests keeping the rule would touch: by feature the values, ``None`` for all.
    touches: Mapping[Feature, frozenset[str] | None] = field(default_factory=dict)
    effect: Effect = Effect.REFUSED

    def field_of(self, application: ApplicationFacts) -> str:
        """The field by which this kind of application keeps the rule, or nothing."""
        others = OAUTH2_FIELDS if application.is_openid_connect else OPENID_FIELDS
        return next((name for name in self.fields if name not in others), "")

    def clause_of(self, specification: Specification) -> Clause | None:
        """What this specification says about it."""
        return next((one for one in self.clauses if one.specification is specification), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """One way in which something was done, by all clients together."""

    feature: Feature
    value: str
    count: int
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Affected:
    """The real requests that keeping a rule would touch.

    ``observed`` are all requests of the kind: with none, nobody knows what would happen.
    """

    effect: Effect
    observed: int
    count: int = 0
    clients: tuple[tuple[str, int], ...] = ()
    since: datetime | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one application."""

    rule: Rule
    judgement: Judgement
    seen: tuple[Seen, ...] = ()
    affected: Affected | None = None

    @property
    def verdict(self) -> Verdict:
        """Met, not met, or not seen yet."""
        return self.judgement.verdict


_registry: dict[str, Rule] = {}
RULES: Mapping[str, Rule] = MappingProxyType(_registry)


def rule(name: str, **members: Any) -> Callable[[Callable[[Question], Judgement]], Rule]:
    """Put a rule into the table. Raises ``ValueError`` when two rules claim one name."""

    def register(judge: Callable[[Question], Judgement]) -> Rule:
        if name in _registry:
            raise ValueError(f"the rule {name} is there twice")
        made = Rule(id=name, judge=judge, **members)
        _registry[name] = made
        return made

    return register


def find(one: Rule, question: Question) -> Finding:
    """What a rule says, what was seen of it, and what keeping it would touch."""
    return Finding(one, one.judge(question), _seen(one, question), _affected(one, question))


def _seen(one: Rule, question: Question) -> tuple[Seen, ...]:
    found: dict[tuple[Feature, str], Seen] = {}
    for feature in one.shows:
        for use in question.seen(feature):
            before = found.get((feature, use.value))
            count = use.count + (before.count if before else 0)
            last = max(use.last_seen_at, before.last_seen_at) if before else use.last_seen_at
            found[feature, use.value] = Seen(feature, use.value, count, last)
    return tuple(sorted(found.values(), key=lambda each: (-each.count, each.value)))


def _affected(one: Rule, question: Question) -> Affected | None:
    if not one.touches:
        return None
    observed = [use for feature in one.touches for use in question.seen(feature)]
    touched = [use for name, ways in one.touches.items() for use in question.seen(name, ways)]
    return Affected(
        one.effect,
        observed=sum(use.count for use in observed),
        count=sum(use.count for use in touched),
        clients=_by_client(touched),
        since=min((use.first_seen_at for use in observed), default=None),
        last_seen_at=max((use.last_seen_at for use in touched), default=None),
    )


def _by_client(uses: list[Use]) -> tuple[tuple[str, int], ...]:
    """The busiest first."""
    counts: dict[str, int] = {}
    for use in uses:
        counts[use.client_id] = counts.get(use.client_id, 0) + use.count
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
