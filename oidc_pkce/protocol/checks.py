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

    ``user_pk`` names whose token was presented, as soon as that is known.
    """

    passed: list[str] = field(default_factory=list)
    failed: Outcome | None = None
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
        self.passed.append(item.id)
        return found

    def refused(self, check_id: str, refusal: OAuthError) -> None:
        """Record a refusal under ``check_id``, whether or not that passed before."""
        self.passed = [name for name in self.passed if name != check_id]
        self.failed = Outcome(
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

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What every check said, in order."""
        passed = (Outcome(name, passed=True) for name in self.passed)
        return (*passed, self.failed) if self.failed else tuple(passed)

    @property
    def is_empty(self) -> bool:
        """Whether no check has run."""
        return not self.passed and self.failed is None
