"""The published matrix says what the tests say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conformance


def test_the_published_matrix_is_what_the_tests_hold(tmp_path: Path) -> None:
    fresh = tmp_path / "conformance.md"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", f"--write-matrix={fresh}"]

    done = subprocess.run(
        command, cwd=conformance.ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert conformance.PATH.read_text() == fresh.read_text(), "stale: run `make matrix`"


def test_sections_are_sorted_as_a_reader_counts() -> None:
    assert sorted(["4.10", "4.9", "10"], key=conformance.natural) == ["4.9", "4.10", "10"]


@pytest.mark.parametrize("left_out", conformance.NOT_SUPPORTED)
def test_what_is_left_out_is_published_with_its_reason(left_out: tuple[str, str, str]) -> None:
    assert " | ".join(left_out) in conformance.PATH.read_text()
