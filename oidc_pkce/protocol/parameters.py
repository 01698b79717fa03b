"""The parameters of a request, read once and judged once (RFC 6749 §3.1, §3.2, appendix B)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote, unquote_to_bytes, urlencode

from .errors import InvalidRequest

MAX_FIELDS = 100
MAX_NAME_LENGTH = 100
MAX_VALUE_LENGTH = 8192
MAY_REPEAT = frozenset({"resource"})  # RFC 8707 §2

_LONGEST_ENCODING = 12  # bytes of one character: four of UTF-8, each written %XX
_PRINTABLE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_FIELD = re.compile(rb"[^&]+")
_UNNAMED = "?"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a request said, once. Nothing is raised before ``require_wellformed()`` is asked.

    A value that is empty counts as left out and one that is malformed is not kept, yet both count
    when a name is looked at for repetition. ``malformed`` holds a sentence for each bad name.
    """

    repeated: frozenset[str] = frozenset()
    malformed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    _values: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({}),
        repr=False,  # secrets, codes and verifiers must not reach a log line
    )

    @classmethod
    def parse(cls, query: bytes | str = b"", body: bytes = b"") -> Parameters:
        """Read a query string and a form body; a name that stands in both is repeated.

        A ``str`` is taken as WSGI gives it, one character for each byte. An escape that is none
        (``%zz``) stays as it is, as in browsers. The caller bounds the size of the body.
        """
        raw = query if isinstance(query, bytes) else _wsgi_bytes(query)
        return _read((_decode(name), _decode(value)) for name, value in _cut(raw, body))

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Parameters:
        """Read names and values that somebody else has decoded, under the same rules."""
        return _read((_storable(name), _storable(value)) for name, value in pairs)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that has a value, in order of arrival."""
        return tuple(self._values)

    def get(self, name: str) -> str | None:
        """Give the first value of a parameter, or None when it was left out."""
        values = self._values.get(name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Give every value of a parameter that may be repeated: ``resource`` (RFC 8707 §2)."""
        return self._values.get(name, ())

    def as_query(self) -> str:
        """Write every value as a query string, from which ``parse()`` reads the same values."""
        pairs = [(name, value) for name, values in self._values.items() for value in values]
        return urlencode(pairs, quote_via=quote)

    def require_wellformed(self, *, may_repeat: frozenset[str] = MAY_REPEAT) -> None:
        """Raise InvalidRequest naming the first parameter that is malformed or repeated.

        RFC 6749 §3.1 and §3.2: no parameter more than once, whether or not it is known.
        """
        for sentence in self.malformed.values():
            raise InvalidRequest(sentence)
        for name in sorted(self.repeated - may_repeat):
            raise InvalidRequest(f"the parameter {_shown(name)} is repeated")


class _Reader:
    """Collects fields one by one, for a frozen Parameters at the end."""

    __slots__ = ("malformed", "repeated", "seen", "values")

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.repeated: set[str] = set()
        self.malformed: dict[str, str] = {}
        self.values: dict[str, tuple[str, ...]] = {}

    def take(self, name: str | None, value: str | None) -> None:
        """Note one field; None stands for bytes that are no text."""
        if name is None or len(name) > MAX_NAME_LENGTH:
            self.malformed[_UNNAMED] = "the name of a parameter is too long or not UTF-8 text"
        else:
            self._note(name)
            self._keep(name, value)

    def _note(self, name: str) -> None:
        if name in self.seen:
            self.repeated.add(name)
        self.seen.add(name)

    def _keep(self, name: str, value: str | None) -> None:
        if value is None:
            self.malformed[name] = f"the parameter {_shown(name)} is not UTF-8 text"
        elif len(value) > MAX_VALUE_LENGTH:
            self.malformed[name] = f"the parameter {_shown(name)} is too long"
        elif value:
            self.values[name] = (*self.values.get(name, ()), value)

    def refuse_the_rest(self) -> None:
        self.malformed[_UNNAMED] = f"more than {MAX_FIELDS} parameters were sent"

    def result(self) -> Parameters:
        return Parameters(
            repeated=frozenset(self.repeated),
            malformed=MappingProxyType(self.malformed),
            _values=MappingProxyType(self.values),
        )


def _read(fields: Iterable[tuple[str | None, str | None]]) -> Parameters:
    reader = _Reader()
    for count, (name, value) in enumerate(fields):
        if count == MAX_FIELDS:
            reader.refuse_the_rest()
            break
        reader.take(name, value)
    return reader.result()


def _wsgi_bytes(query: str) -> bytes:
    try:
        return query.encode("latin-1")
    except UnicodeEncodeError:
        return query.encode(errors="replace")


def _cut(*sources: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Cut at ``&``, then at the first ``=``; nothing between two ``&`` is no field."""
    for source in sources:
        for piece in _FIELD.finditer(source):
            name, _, value = piece[0].partition(b"=")
            yield name, value


def _decode(raw: bytes) -> str | None:
    if len(raw) > MAX_VALUE_LENGTH * _LONGEST_ENCODING:
        return "?" * (MAX_VALUE_LENGTH + 1)  # too long whatever it holds: not worth decoding
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _storable(text: str) -> str | None:
    return None if _UNSTORABLE.search(text) else text


def _shown(name: str) -> str:
    """Give a name that is safe in an error description (RFC 6749 §5.2)."""
    return name if _PRINTABLE.fullmatch(name) else _UNNAMED
