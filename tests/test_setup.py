"""A fresh machine: what the reader types, and what they read when something is missing."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import system_programs

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
FAILING_SHIM = "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n"
NO_VENV = "#!/bin/sh\necho '[[3, 12, 4], false]'\n"


@pytest.fixture
def interpreters(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The module as the script sees it: with its own folder first on the path."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import interpreters

    yield interpreters
    sys.modules.pop("interpreters")


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_shim_that_fails_is_passed_over(interpreters, tmp_path: Path) -> None:
    shim = executable(tmp_path / "python3.13", FAILING_SHIM)

    assert interpreters.probe(shim) is None
    assert interpreters.probe(Path(sys.executable)).version == sys.version_info[:3]


def test_an_interpreter_is_found_behind_its_failing_shim(
    interpreters, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "shims").mkdir()
    executable(tmp_path / "shims" / "python3.12", FAILING_SHIM)
    for patch in ("9", "10"):
        home = tmp_path / "versions" / f"3.12.{patch}" / "bin"
        home.mkdir(parents=True)
        executable(home / "python", f"#!/bin/sh\necho '[[3, 12, {patch}], true]'\n")
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert interpreters.of_minor("3.12").version == (3, 12, 10)


def test_a_python_without_venv_is_named_with_the_cure(
    interpreters, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import environments

    python = interpreters.probe(executable(tmp_path / "python3.12", NO_VENV))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(environments.SetupError, match=r"apt-get install python3\.12-venv"):
        environments.Environment(tmp_path / "venv").create(python)


def test_as_root_on_debian_the_browser_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    browser = tmp_path / "chromium"
    script = f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n: > {browser}; /bin/chmod +x {browser}\n'
    executable(tmp_path / "apt-get", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert system_programs.ensure_chromium() == browser
    update, install = (tmp_path / "calls").read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install -y --no-install-recommends chromium")


def test_without_a_way_to_install_it_the_reader_is_told_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(system_programs.MissingProgramError, match="apt-get install chromium"):
        system_programs.ensure_chromium()


@pytest.mark.parametrize(("version", "usable"), [("v18.20.4", False), ("v22.1.0", True)])
def test_a_node_that_is_too_old_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, *, usable: bool
) -> None:
    executable(tmp_path / "node", f"#!/bin/sh\necho {version}\n")
    executable(tmp_path / "npm", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert (system_programs.node() is not None) is usable


def test_without_any_python_make_says_so_in_one_sentence() -> None:
    done = make("bootstrap-demo", "PYTHON=")

    assert done.returncode != 0
    assert done.stderr.startswith("oidc_pkce needs Python 3.11 or newer")


def test_an_old_python_can_read_the_bootstrap_far_enough_to_be_refused() -> None:
    source = (SCRIPTS / "bootstrap.py").read_text()
    guard = source.partition("import argparse")[0]

    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer, and .* is Python 3\.9"):
        exec(guard.replace("sys.version_info", "(3, 9)"))  # noqa: S102
    ast.parse(source, feature_version=(3, 6))


def test_help_lists_every_target() -> None:
    listed = make("help").stdout

    for target in ("install", "demo", "serve", "test", "lint", "bench", "help"):
        assert re.search(rf"^  {target} ", listed, re.MULTILINE)


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda p: p.name)
def test_pins_hold_no_address(path: Path) -> None:
    assert not re.search(r"://|--index|--hash", path.read_text())


def test_the_lock_of_the_javascript_clients_holds_no_address() -> None:
    lock = json.loads((ROOT / "tests" / "clients" / "package-lock.json").read_text())

    assert lock["packages"]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_the_package_claims_exactly_the_supported_pairs() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    command = [sys.executable, SCRIPTS / "supported_pairs.py", "--list"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pairs = re.findall(r"Django ([\d.]+) on Python ([\d.]+)", table)

    claimed = {c.rpartition(" :: ")[2] for c in classifiers if re.search(r":: [\d.]+\.\d+$", c)}
    assert claimed == {version for pair in pairs for version in pair}
    assert ("6.1", "3.11") not in pairs
