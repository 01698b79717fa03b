"""The codes and tokens of one grant, by kind, state and time: never a token, never a digest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from ..models import Grant
from .base import badge, moment, table

SHOWN = 20  # of each kind, the newest


def tokens_of(grant: Grant, now: datetime) -> SafeString:
    """A table of them, and what is not in it."""
    rows = [*_codes(grant, now), *_refresh_tokens(grant, now), *_access_tokens(grant, now)]
    heads = (gettext("Kind"), gettext("State"), gettext("Issued"), gettext("Until"))
    note = gettext(
        "Access tokens that are JWTs are not stored: they end with the grant. Of each kind the"
        " newest %(shown)s are shown."
    ) % {"shown": SHOWN}
    listed = table(heads, rows) if rows else gettext("Nothing is stored.")
    return format_html('{}<p class="help">{}</p>', listed, note)


def _codes(grant: Grant, now: datetime) -> Iterable[tuple[Any, ...]]:
    kept = grant.codes.order_by("-expires_at").values_list("expires_at", "used_at")[:SHOWN]
    for until, used in kept:
        shown = _state(grant, until, now, used=used, words=gettext("redeemed"))
        yield gettext("Authorization code"), shown, "-", moment(until)


def _refresh_tokens(grant: Grant, now: datetime) -> Iterable[tuple[Any, ...]]:
    columns = ("created_at", "expires_at", "used_at")
    for since, until, used in grant.refresh_tokens.order_by("-created_at").values_list(*columns)[
        :SHOWN
    ]:
        shown = _state(grant, until, now, used=used, words=gettext("replaced"))
        yield gettext("Refresh token"), shown, moment(since), moment(until)


def _access_tokens(grant: Grant, now: datetime) -> Iterable[tuple[Any, ...]]:
    kept = grant.access_tokens.order_by("-issued_at").values_list("issued_at", "expires_at")
    for since, until in kept[:SHOWN]:
        shown = _state(grant, until, now)
        yield gettext("Access token (opaque)"), shown, moment(since), moment(until)


def _state(
    grant: Grant, until: datetime, now: datetime, *, used: datetime | None = None, words: str = ""
) -> SafeString:
    if used is not None:
        return badge("muted", words)
    if grant.revoked_at is not None:
        return badge("bad", gettext("revoked"))
    if until <= now:
        return badge("muted", gettext("expired"))
    return badge("good", gettext("live"))
