"""Commands, as a script runs them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Ran:
    """What a command wrote, and the sentence with which it failed."""

    out: str
    err: str
    failure: str = ""

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(db: None) -> Callable[..., Ran]:
    def run(name: str, *arguments: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command(name, *arguments, stdout=out, stderr=err, no_color=True)
        except CommandError as fault:
            return Ran(out.getvalue(), err.getvalue(), str(fault))
        return Ran(out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def import_(run: Callable[..., Ran], tmp_path: Path) -> Callable[..., Ran]:
    """Import a value as JSON, or bytes as they are."""

    def import_(document: Any, *options: str) -> Ran:
        file = tmp_path / "document.json"
        given = document if isinstance(document, bytes) else json.dumps(document).encode()
        file.write_bytes(given)
        return run("import_webapps", str(file), *options)

    return import_
