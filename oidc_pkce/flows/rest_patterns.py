"""Whether the scopes of a token open a path: their REST patterns, read afresh for each request."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..models import Scope
from ..protocol import rest_patterns

MAX_NAMED = 1000  # a pattern is complained of once, and not for ever

logger = logging.getLogger(__name__)

_named: set[str] = set()


def opens(application_pk: int, scopes: Sequence[str], path: str) -> bool:
    """Whether ANY of these scopes has ANY pattern that matches the path; one statement.

    A scope without patterns opens nothing. Raises ``rest_patterns.MissingEngine``.
    """
    mine = Scope.objects.filter(application=application_pk, name__in=scopes).order_by()
    lists = mine.values_list("rest_patterns", flat=True)
    patterns = [pattern for each in lists for pattern in each]
    _complain(patterns)
    return rest_patterns.matches(patterns, path)


@dataclass(frozen=True, slots=True)
class Opening:
    """A scope that opens a path, and by which of its patterns."""

    scope: str
    patterns: tuple[str, ...]


def openings(scopes: Iterable[Scope], path: str) -> Iterator[Opening]:
    """Which scopes open a path, and how; what a tester shows, by the matcher that decides.

    Raises ``rest_patterns.MissingEngine``.
    """
    for scope in scopes:
        found = tuple(p for p in scope.rest_patterns if rest_patterns.matches((p,), path))
        if found:
            yield Opening(scope.name, found)


def dead(scopes: Iterable[Scope]) -> Iterator[tuple[str, str, str]]:
    """Scope, pattern and fault of every pattern that can match nothing.

    Raises ``rest_patterns.MissingEngine``.
    """
    for scope in scopes:
        for pattern in scope.rest_patterns:
            if fault := rest_patterns.problem(pattern):
                yield scope.name, pattern, fault


def _complain(patterns: Iterable[str]) -> None:
    """Once per pattern and process: it opens nothing, and whoever wrote it should know."""
    for pattern in patterns:
        fault = rest_patterns.problem(pattern)
        if fault and pattern not in _named and len(_named) < MAX_NAMED:
            _named.add(pattern)
            logger.error("the REST pattern %r matches nothing: %s", pattern, fault)
