"""The registry of checks, and the trace that a request leaves as it passes through them.

A check is a named rule: what it compares, the clause it comes from, how to cure a failure. An
endpoint's rules are a tuple of checks in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, ParamSpec, TypeVar

from .credential import Credential
from .errors import OAuthError
from .near_miss import NearMiss

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check(Generic[P, T]):
    """One named rule; it raises an :class:`OAuthError`, or returns what it read or nothing."""

    id: str
    spec: str
    fix: str
    rule: Callable[P, T]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.rule(*args, **kwargs)

    @property
    def sentence(self) -> str:
        """What must be true, as the rule's docstring says it."""
        return (self.rule.__doc__ or "").strip().splitlines()[0]


_registry: dict[str, Check[..., Any]] = {}


def check(name: str, *, spec: str, fix: str) -> Callable[[Callable[P, T]], Check[P, T]]:
    """Register a rule under its name, with its clause and its cure.

    Raises ``ValueError`` when two rules claim one name.
    """

    def register(rule: Callable[P, T]) -> Check[P, T]:
        if name in _registry:
            raise ValueError(f"the check {name} is registered twice")
        made = Check(id=name, spec=spec, fix=fix, rule=rule)
        _registry[name] = made
        return made

    return register


def registry() -> Mapping[str, Check[..., Any]]:
    """Every check by name, in the order of definition."""
    return MappingProxyType(_registry)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check said of one request; a credential stands nowhere but in ``credential``."""

    check: str
    passed: bool
    error: str = ""
    description: str = ""
    received: str | None = None
    expected: tuple[str, ...] = ()
    detail: str = ""
    near_misses: tuple[NearMiss, ...] = ()
    credential: Credential | None = None
    elsewhere: int | None = None


@dataclass(slots=True)
class Trace:
    """The checks that one request went through, in order, and the refusal that ended them.

    ``user_pk`` names whose token or secret was presented, as soon as that is known.
    """

    entries: list[str | Outcome] = field(default_factory=list)  # what passed is only named
    is_refused: bool = False
    user_pk: Any = None

    def run(self, checks: Iterable[Check[..., None]], *args: Any, **kwargs: Any) -> None:
        """Run each check in order; record and re-raise the first refusal."""
        for item in checks:
            self.take(item, *args, **kwargs)

    def take(self, item: Check[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one check and hand on what it read; record and re-raise its refusal."""
        try:
            found = item.rule(*args, **kwargs)
        except OAuthError as refusal:
            self.refused(item.id, refusal)
            raise
        self.entries.append(item.id)
        return found

    def believe(self, item: Check[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Run one check whose failure ends nothing: the request goes on without what it read."""
        try:
            return self.take(item, *args, **kwargs)
        except OAuthError:
            self.is_refused = False
            return None

    def refused(self, check_id: str, refusal: OAuthError) -> None:
        """Record a refusal under ``check_id``, whether or not that passed before."""
        self.is_refused = True
        outcome = Outcome(
            check_id,
            passed=False,
            error=refusal.error,
            description=refusal.description,
            received=refusal.received,
            expected=tuple(refusal.expected or ()),
            detail=refusal.detail,
            near_misses=refusal.near_misses,
            credential=refusal.credential,
            elsewhere=refusal.elsewhere,
        )
        self.entries = [*(entry for entry in self.entries if entry != check_id), outcome]

    def clear(self) -> None:
        """Forget everything: of this request nothing is kept."""
        self.entries.clear()
        self.is_refused = False

    @property
    def passed(self) -> list[str]:
        """The names of the checks that held."""
        return [entry for entry in self.entries if isinstance(entry, str)]

    @property
    def failed(self) -> Outcome | None:
        """The refusal that ended the request; without one, the first check that did not hold."""
        failures = [entry for entry in self.entries if not isinstance(entry, str)]
        return failures[-1 if self.is_refused else 0] if failures else None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What every check said, in order."""
        return tuple(
            Outcome(entry, passed=True) if isinstance(entry, str) else entry
            for entry in self.entries
        )

    @property
    def is_empty(self) -> bool:
        """Whether no check has run."""
        return not self.entries
