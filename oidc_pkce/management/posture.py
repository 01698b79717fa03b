"""``oidc_doctor posture [APP_ID]``: which rules the applications keep."""

from __future__ import annotations

from typing import TextIO

from django.core.management.base import CommandError


def run(named: str | None, out: TextIO, as_json: bool) -> None:
    """Raises ``CommandError``."""
    raise CommandError("not built yet")
