"""A credential that a check refused: known by its length and a fingerprint, never shown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """What was presented, by the name of its parameter; ``stored`` are SHA-256 digests.

    The value goes no further than the trace, which keeps its length and a keyed fingerprint.
    """

    name: str
    value: str = field(repr=False)
    stored: tuple[bytes, ...] = field(default=(), repr=False)
