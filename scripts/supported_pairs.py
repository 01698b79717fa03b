"""The Django and Python pairs that we support, and the run of the suite on each.

    python scripts/supported_pairs.py            run the suite on every pair but the default one
    python scripts/supported_pairs.py --all      on every pair
    python scripts/supported_pairs.py --list     print the table

A missing interpreter is a failure, not a skip: a pair that nobody ran is not supported.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import interpreters
from environments import REQUIREMENTS, ROOT, Environment, SetupError


@dataclass(frozen=True)
class Pair:
    django: str
    python: str
    requirements: str

    @property
    def environment(self) -> Environment:
        return Environment(ROOT / ".venvs" / f"django{self.django}-python{self.python}")

    def __str__(self) -> str:
        return f"Django {self.django} on Python {self.python}"


# The first line is the default: what `make test` runs where the interpreter is there.
# Django 6 does not exist for Python 3.11.
PAIRS = (
    Pair("6.1", "3.13", "dev.txt"),
    Pair("6.1", "3.12", "dev.txt"),
    Pair("5.2", "3.13", "django52.txt"),
    Pair("5.2", "3.12", "django52.txt"),
    Pair("5.2", "3.11", "django52.txt"),
)
# Browsers, JavaScript and timings do not depend on the pair; the default pair runs them.
SELECTION = "not browser and not clients and not performance and not packaging"
VERSIONS = (
    "import django, platform;"
    "print(f'Django {django.__version__} on Python {platform.python_version()}')"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the suite on the supported pairs.")
    parser.add_argument("--all", action="store_true", help="the default pair too")
    parser.add_argument("--list", action="store_true", help="print the table and stop")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(str(pair) for pair in PAIRS))
        return
    sys.exit(run(PAIRS if arguments.all else PAIRS[1:]))


def run(pairs: tuple[Pair, ...]) -> int:
    """Run them all, even after a failure; the exit code says whether every one passed."""
    failures = {str(pair): problem for pair in pairs if (problem := failure_of(pair))}
    for pair in pairs:
        print(f"{pair}: {failures.get(str(pair), 'passed')}", flush=True)
    return 1 if failures else 0


def failure_of(pair: Pair) -> str | None:
    try:
        prepare(pair)
    except SetupError as problem:
        return str(problem)
    print(f"\n== {pair}: {versions_of(pair)} ==", flush=True)
    started = time.monotonic()
    code = suite(pair)
    print(f"== {pair}: {time.monotonic() - started:.0f} s ==", flush=True)
    return f"the suite failed with exit code {code}" if code else None


def prepare(pair: Pair) -> None:
    environment, requirements = pair.environment, REQUIREMENTS / pair.requirements
    if environment.holds(requirements):
        return
    interpreter = interpreters.of_minor(pair.python)
    if interpreter is None:
        raise SetupError(f"no working Python {pair.python} on this machine")
    environment.create(interpreter)
    environment.install(requirements)


def versions_of(pair: Pair) -> str:
    """What the environment really holds; raises SystemExit when it is not the pair on the label."""
    answer = subprocess.run(
        [pair.environment.python, "-c", VERSIONS], capture_output=True, text=True, check=True
    ).stdout.strip()
    if f"Django {pair.django}." not in answer or f"Python {pair.python}." not in answer:
        sys.exit(f"The environment of {pair} holds {answer}: delete {pair.environment.folder}.")
    return answer


def suite(pair: Pair) -> int:
    command: list[Path | str] = [
        *(pair.environment.python, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-n", os.environ.get("TEST_WORKERS", "auto"), "--maxprocesses=4", "-m", SELECTION),
    ]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    main()
