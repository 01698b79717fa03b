"""Lifetimes as application documents and the audit log spell them: ``d.hh:mm:ss``."""

from __future__ import annotations

import re
from datetime import timedelta

_SPELLING = re.compile(r"(?:([0-9]{1,5})\.)?([01]?[0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")


def parse(text: str) -> timedelta:
    """Read ``d.hh:mm:ss``; the days may be missing. Raises ``ValueError`` with a sentence."""
    found = _SPELLING.fullmatch(text)
    if found is None:
        raise ValueError("a lifetime is written d.hh:mm:ss, as 0.05:00:00 for five hours")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def render(lifetime: timedelta) -> str:
    """Write a lifetime of whole seconds as ``d.hh:mm:ss``."""
    minutes, seconds = divmod(lifetime.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{lifetime.days}.{hours:02}:{minutes:02}:{seconds:02}"
