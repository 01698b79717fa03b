"""JSON that can be read in one way only (RFC 8259 §4, §6)."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read(text: str) -> Any:
    """Read a text in which no member is named twice and every number is one.

    Raises ``ValueError``, also for what is nested too deeply for Python.
    """
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
