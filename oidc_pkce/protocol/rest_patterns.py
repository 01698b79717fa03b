"""REST patterns: regular expressions over the paths that a scope opens.

They are matched by RE2, whose time is linear in the path whatever the pattern: ``(a+)+$`` stops no
server. RE2 comes with the extra ``resource-server``; nothing here works without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

MAX_PATH = 4096  # characters
MEMORY = 512 * 1024  # bytes for one pattern
MAX_COMPILED = 512  # patterns that one process keeps

# Another reader may take such a path for another one: dots that it resolves, slashes that it
# merges or turns, characters that it drops.
_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\]|//|(?:\A|/)\.{1,2}(?:/|\Z)")
_BELOW = {True: ".*", False: "(?:/.*)?"}  # by whether the pattern ends with a slash


class MissingEngine(Exception):
    """google-re2 is not installed."""


def engine_is_installed() -> bool:
    """Whether patterns can be matched."""
    try:
        _engine()
    except MissingEngine:
        return False
    return True


def problem(pattern: str) -> str | None:
    """Why a pattern cannot be matched, in the engine's words; ``None`` when it can.

    RE2 knows neither backreferences nor look-around. Raises ``MissingEngine``.
    """
    found = _compiled(pattern)
    return found if isinstance(found, str) else None


def matches(patterns: Iterable[str], path: str) -> bool:
    """Whether any pattern matches the path from its beginning, or a folder that the path is in.

    With the leading slash or without, whatever the case: ``Redrock/*`` and ``/redrock`` both match
    ``/Redrock/query``, and neither ``/Redrockets`` nor ``/x/Redrock``. A pattern that is not one of
    RE2's matches nothing, and no pattern matches a path of dot segments, doubled slashes,
    backslashes or control characters. Raises ``MissingEngine``.
    """
    _engine()
    if not is_plain(path):
        return False
    spelled = path.encode("utf-8", "replace")
    spellings = (spelled, spelled.removeprefix(b"/"))
    return any(_matches(pattern, spellings) for pattern in patterns)


def is_plain(path: str) -> bool:
    """Whether a path is one that a pattern may match at all."""
    return len(path) <= MAX_PATH and not _AMBIGUOUS.search(path)


def _matches(pattern: str, spellings: Iterable[bytes]) -> bool:
    found = _compiled(pattern)
    return not isinstance(found, str) and any(map(found.fullmatch, spellings))


@lru_cache(maxsize=MAX_COMPILED)
def _compiled(pattern: str) -> Any:
    """The compiled pattern, or what is wrong with it."""
    engine = _engine()
    options = engine.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False  # to standard error, that is
    options.max_mem = MEMORY
    try:
        engine.compile(pattern, options)  # by itself: "a)(b" must not become right in brackets
        return engine.compile(f"(?:{pattern}){_BELOW[pattern.endswith('/')]}", options)
    except engine.error as error:
        return _words(error)
    except UnicodeError:
        return "it holds half of a character"


def _words(error: Exception) -> str:
    """The engine speaks in bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _engine() -> Any:
    try:
        import re2
    except ImportError:
        raise MissingEngine from None
    return re2
