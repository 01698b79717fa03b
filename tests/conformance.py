"""Writes the matrix of clauses and tests from the `spec` markers that pytest collected."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.spec import NOT_SUPPORTED

ROOT = Path(__file__).parent.parent
PATH = ROOT / "docs" / "reference" / "conformance.md"
HEAD = """\
# Which clause is held by which test

Written by `make matrix` from the `spec` markers of the tests; a test fails when it is stale.
"""


def matrix_of(items: Iterable[pytest.Item]) -> str:
    clauses = clauses_of(items)
    documents = sorted({document for document, _ in clauses}, key=natural)
    parts = [HEAD, *(table_of(document, clauses) for document in documents), left_out()]
    return "\n".join(parts)


def clauses_of(items: Iterable[pytest.Item]) -> dict[tuple[str, str], set[str]]:
    """The tests of each clause; a parametrised test counts once."""
    clauses: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in items:
        for marker in item.iter_markers("spec"):
            clauses[marker.args].add(item.nodeid.partition("[")[0])
    return clauses


def table_of(document: str, clauses: dict[tuple[str, str], set[str]]) -> str:
    sections = sorted((s for d, s in clauses if d == document), key=natural)
    rows = [
        f"| {section} | {'<br>'.join(map(sentence, sorted(clauses[document, section])))} |"
        for section in sections
    ]
    return "\n".join([f"## {document}\n", "| section | tests |", "|---|---|", *rows, ""])


def sentence(test: str) -> str:
    """The test's name as the sentence that it is, with a link to its file."""
    file, _, name = test.rpartition("::")
    words = name.removeprefix("test_").replace("_", " ")
    return f"[{words}](../../{file.partition('::')[0]})"


def left_out() -> str:
    rows = [f"| {document} | {section} | {why} |" for document, section, why in NOT_SUPPORTED]
    head = ["## Not supported, on purpose\n", "| document | section | why |", "|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def natural(text: str) -> list[tuple[bool, int, str]]:
    """Sort 4.10 behind 4.9."""
    parts = re.split(r"(\d+)", text)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
