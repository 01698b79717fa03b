"""What a request sent beside what would have been right, with the characters that differ.

Made of what a trace keeps. Of an address the values of its parameters are not kept, and of a long
text only the beginning: nothing is marked as different that may be the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from .tracing import MAX_TEXT, cut_address, printable

_ALIKE = 0.6  # below it, single characters that two texts share say nothing
_WITHHELD = re.compile(r"\([0-9]+ characters\)")
_HIDDEN = "=…"

Unit = tuple[str, str]  # what is compared, what is shown


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; one that differs and is empty says that something is missing there."""

    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value that would have been right."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The whole value."""
        return _whole(self.pieces)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The received value, marked against the closest candidate, and the candidates.

    ``hides_values``: values of a query are not kept, and may differ as well. ``is_cut``: only the
    beginning is kept. ``is_withheld``: what was received looked like a credential.
    ``first_difference`` counts from 1. ``is_unlike``: they share nothing, so nothing is marked.
    """

    pieces: tuple[Piece, ...]
    candidates: tuple[Candidate, ...]
    first_difference: int | None = None
    hides_values: bool = False
    is_cut: bool = False
    is_withheld: bool = False
    is_unlike: bool = False

    @property
    def received(self) -> str:
        """The whole value, as far as it is kept."""
        return _whole(self.pieces)

    @property
    def closest(self) -> Candidate | None:
        """The candidate that comes first."""
        return self.candidates[0] if self.candidates else None

    @property
    def others(self) -> tuple[Candidate, ...]:
        """The candidates that come after it."""
        return self.candidates[1:]

    @property
    def is_marked(self) -> bool:
        """Whether any difference could be marked."""
        return self.first_difference is not None


def compare(received: str, expected: Sequence[str]) -> Comparison:
    """Compare what is kept; ``expected`` comes closest first."""
    received, known = printable(received), [printable(each) for each in expected]
    plain = tuple(Candidate((Piece(each),)) for each in known)
    if _WITHHELD.fullmatch(received):
        return Comparison((Piece(received),), plain, is_withheld=True)
    hides, is_cut = _hides_values(received), len(received) >= MAX_TEXT
    if not known:
        return Comparison((Piece(received),), (), None, hides, is_cut)
    units = _units(received, hides)
    pairs = [_marked(units, _units(each, hides), is_cut=is_cut) for each in known]
    mine, first = pairs[0]
    if all(piece.differs for piece in mine[0]):
        return Comparison((Piece(received),), plain, None, hides, is_cut, is_unlike=True)
    others = (
        Candidate(pair[1] if _alike(units, _units(each, hides)) else (Piece(each),))
        for each, (pair, _) in zip(known[1:], pairs[1:], strict=True)
    )
    return Comparison(mine[0], (Candidate(mine[1]), *others), first, hides, is_cut)


def _marked(
    received: list[Unit], candidate: list[Unit], *, is_cut: bool
) -> tuple[tuple[tuple[Piece, ...], tuple[Piece, ...]], int | None]:
    """Both texts in pieces, and the number of the first character that differs."""
    blocks = list(_blocks(received, candidate, is_cut=is_cut))
    mine = tuple(_pieces(received, [block[:3] for block in blocks]))
    other = tuple(_pieces(candidate, [(block[0], *block[3:]) for block in blocks]))
    first = next((block[1] for block in blocks if block[0]), None)
    shown = None if first is None else len(_shown(received[:first])) + 1
    return (mine, other), shown


Block = tuple[bool, int, int, int, int]  # whether it differs; from, to of one text; of the other


def _blocks(one: list[Unit], other: list[Unit], *, is_cut: bool) -> Iterator[Block]:
    left, right = [unit[0] for unit in one], [unit[0] for unit in other]
    if is_cut:
        # What follows the first difference may continue in the same way, out of sight.
        at = _same(left, right)
        end = at < min(len(left), len(right))
        yield (False, 0, at, 0, at)
        yield (end, at, at + end, at, at + end)
        yield (False, at + end, len(left), at + end, len(right))
    elif _alike(one, other):
        for word, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            yield (word != "equal", a, b, c, d)
    else:
        head = _same(left, right)
        tail = _same(left[head:][::-1], right[head:][::-1])
        a, b = len(left) - tail, len(right) - tail
        yield (False, 0, head, 0, head)
        yield (True, head, a, head, b)
        yield (False, a, len(left), b, len(right))


def _pieces(units: list[Unit], spans: Sequence[tuple[bool, int, int]]) -> Iterator[Piece]:
    """What belongs together as one piece; an empty one stays where something is missing."""
    pieces = [(differs, _shown(units[start:end])) for differs, start, end in spans]
    kept = [(differs, text) for differs, text in pieces if differs or text]
    for differs, group in groupby(kept, key=lambda pair: pair[0]):
        yield Piece("".join(text for _, text in group), differs)


def _units(text: str, hides: bool) -> list[Unit]:
    """Character by character; of an address, each value of its query is one unit."""
    if not hides:
        return [(char, char) for char in text]
    head, mark, tail = cut_address(text)
    units = [(char, char) for char in head + mark]
    for number, pair in enumerate(tail.split("&") if mark else ()):
        name = pair.partition("=")[0]
        units += [("&", "&")] if number else []
        units += [(char, char) for char in name]
        units.append((_HIDDEN, pair[len(name) :]))
    return units


def _hides_values(received: str) -> bool:
    head, mark, tail = cut_address(received)
    return bool(mark) and ":" in head and _HIDDEN in tail


def _alike(one: list[Unit], other: list[Unit]) -> bool:
    left, right = [unit[0] for unit in one], [unit[0] for unit in other]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip_longest(one, other)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), len(one))


def _shown(units: Sequence[Unit]) -> str:
    return "".join(shown for _, shown in units)


def _whole(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)
