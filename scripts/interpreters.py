"""Finds Python interpreters that really run.

Being on PATH is not enough: a pyenv shim exists for every version that pyenv holds, and fails for
those that are not selected. So each candidate is started once and asked for its version.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Best first. A machine that has none of these may still have something newer.
PREFERRED = ("3.13", "3.12", "3.11")
OLDEST = (3, 11)
PROBE = (
    "import importlib.util, json, sys;"
    "venv = all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip'));"
    "print(json.dumps([list(sys.version_info[:3]), venv]))"
)


@dataclass(frozen=True)
class Interpreter:
    path: Path
    version: tuple[int, ...]
    has_venv: bool

    @property
    def minor(self) -> str:
        return ".".join(str(part) for part in self.version[:2])

    def __str__(self) -> str:
        return f"Python {'.'.join(str(part) for part in self.version)} ({self.path})"


def best(*, must_have_venv: bool) -> Interpreter | None:
    """The newest supported interpreter; one without `venv` only when there is no other."""
    fallback = None
    for interpreter in working():
        if interpreter.has_venv or not must_have_venv:
            return interpreter
        fallback = fallback or interpreter
    return fallback


def of_minor(minor: str) -> Interpreter | None:
    """An interpreter of exactly this line, such as "3.12"."""
    found = (probe(path) for path in candidates_of(minor))
    return next((python for python in found if python and python.minor == minor), None)


def working() -> Iterator[Interpreter]:
    for path in candidates():
        interpreter = probe(path)
        if interpreter and interpreter.version >= OLDEST:
            yield interpreter


def candidates() -> Iterator[Path]:
    for minor in PREFERRED:
        yield from candidates_of(minor)
    yield Path(sys.executable)
    yield from on_path("python3")


def candidates_of(minor: str) -> Iterator[Path]:
    yield from on_path(f"python{minor}")
    for home in pyenv_homes():
        versions = [path for path in home.glob(f"versions/{minor}.*") if path.is_dir()]
        for version in sorted(versions, key=patch_number, reverse=True):
            yield version / "bin" / "python"
    yield from sorted(Path.home().glob(f".local/share/uv/python/cpython-{minor}.*/bin/python3"))
    for folder in ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"):
        yield Path(folder, f"python{minor}")


def on_path(name: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        yield Path(folder, name)


def pyenv_homes() -> list[Path]:
    homes = [os.environ.get("PYENV_ROOT", ""), "~/.pyenv", "/opt/pyenv", "/usr/local/pyenv"]
    return list(dict.fromkeys(Path(home).expanduser() for home in homes if home))


def patch_number(version: Path) -> int:
    patch = version.name.split(".")[2:3]
    return int(patch[0]) if patch and patch[0].isdigit() else -1


def probe(path: Path) -> Interpreter | None:
    """Start it and ask; None when it is absent or fails, as an unselected shim does."""
    if not path.is_file() or not os.access(path, os.X_OK):
        return None
    try:
        answer = subprocess.run(
            [path, "-c", PROBE],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=30,
            check=True,
        )
        version, has_venv = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(path, tuple(version), has_venv)
