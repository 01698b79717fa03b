"""The server's clock, as tests turn it: what an endpoint takes for now."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from oidc_pkce.endpoints import base


class Clock:
    """Stands still until it is told to go on; put in place of ``timezone`` where endpoints ask."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def now(self) -> datetime:
        return self.at

    def step(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that every endpoint reads until the test ends."""
    clock = Clock()
    monkeypatch.setattr(base, "timezone", clock)
    return clock
