"""``oidc_doctor explain REQUEST_ID``: why a request was refused, check by check."""

from __future__ import annotations

from typing import TextIO

from django.core.management.base import CommandError


def run(named: str | None, out: TextIO, as_json: bool) -> None:
    """Raises ``CommandError``."""
    raise CommandError("not built yet")
