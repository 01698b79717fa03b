"""Claims, and the other members of a JSON object, as people read them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.template.defaultfilters import date as format_date
from django.utils.timesince import timesince, timeuntil
from django.utils.timezone import localtime
from django.utils.translation import gettext

_TIMES = ("exp", "iat", "nbf", "auth_time", "updated_at")


@dataclass(frozen=True, slots=True)
class Claim:
    """A member as JSON writes it; of a time, the words."""

    name: str
    value: str
    words: str = ""
    is_made_anew: bool = False


def claims_of(
    members: Mapping[str, Any], now: datetime, made_anew: Collection[str] = ()
) -> tuple[Claim, ...]:
    """Each member in its order; ``made_anew`` names those that the next token has otherwise."""
    return tuple(
        Claim(name, as_json(value), _time(name, value, now), name in made_anew)
        for name, value in members.items()
    )


def as_json(value: Any) -> str:
    """A value in one line."""
    return json.dumps(value, ensure_ascii=False)


def in_words(value: Any, now: datetime) -> str:
    """A NumericDate as people read it, and how far away it is; nothing for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        at = localtime(datetime.fromtimestamp(value, UTC))
    except (OverflowError, OSError, ValueError):
        return ""
    return f"{format_date(at, 'DATETIME_FORMAT')} ({_distance(at, now)})"


def _time(name: str, value: Any, now: datetime) -> str:
    return in_words(value, now) if name in _TIMES else ""


def _distance(at: datetime, now: datetime) -> str:
    if abs((at - now).total_seconds()) < 60:
        return gettext("now")
    if at > now:
        return gettext("in %(time)s") % {"time": timeuntil(at, now)}
    return gettext("%(time)s ago") % {"time": timesince(at, now)}
