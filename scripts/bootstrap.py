"""Sets a fresh checkout up. Standard library only; a second run finds the stamps and returns.

python3 scripts/bootstrap.py demo   what `make demo` and `make serve` need
python3 scripts/bootstrap.py dev    and the tools that test and lint
python3 scripts/bootstrap.py test   and Chromium, PostgreSQL, Node and the JavaScript clients
"""

import sys

# Before any import of ours, and in a syntax that older Pythons can read: they get this sentence.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"oidc_pkce needs Python 3.11 or newer, and {sys.executable} is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]}: install a newer one, "
        "then run the same command again."
    )

import argparse
import hashlib
import shutil
from pathlib import Path

import interpreters
import system_programs
from environments import REQUIREMENTS, ROOT, Environment, SetupError, run

VENV = Environment(ROOT / ".venv")
CLIENTS = ROOT / "tests" / "clients"


def main() -> None:
    parser = argparse.ArgumentParser(description="Set this checkout up.")
    parser.add_argument("goal", choices=["demo", "dev", "test"])
    goal = parser.parse_args().goal
    try:
        install("demo" if goal == "demo" else "dev")
        if goal == "test":
            install_for_tests()
    except (SetupError, system_programs.MissingProgramError) as problem:
        sys.exit(str(problem))


def install(name: str) -> None:
    requirements = REQUIREMENTS / f"{name}.txt"
    if VENV.holds(requirements):
        return
    if interpreters.probe(VENV.python) is None:
        VENV.create(choose_interpreter())
    VENV.install(requirements)


def choose_interpreter() -> interpreters.Interpreter:
    """The best one outside our own environment, which is about to be replaced."""
    chosen = interpreters.best(must_have_venv=shutil.which("uv") is None)
    if chosen is None:
        raise SetupError(
            "oidc_pkce needs Python 3.11 or newer, and no interpreter that runs was found."
        )
    return chosen


def install_for_tests() -> None:
    system_programs.ensure_chromium()
    system_programs.ensure_postgresql()
    install_javascript_clients(ensure_node())


def ensure_node() -> system_programs.Node:
    """Node from PATH, else from the package registry that the rest comes from too."""
    found = system_programs.node(site_packages())
    if found is None:
        VENV.install(REQUIREMENTS / "node.txt")
        found = system_programs.node(site_packages())
    if found is None:
        raise SetupError("The tests need Node 20 or newer with npm: put them on PATH.")
    return found


def install_javascript_clients(node: system_programs.Node) -> None:
    lock = CLIENTS / "package-lock.json"
    stamp = CLIENTS / "node_modules" / ".installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Installing the JavaScript clients", flush=True)
    run([*node.npm, "ci", "--ignore-scripts"], cwd=CLIENTS)
    stamp.write_text(wanted)


def site_packages() -> Path | None:
    return next(VENV.folder.glob("lib/python*/site-packages"), None)


if __name__ == "__main__":
    main()
