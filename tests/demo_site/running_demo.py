"""`manage.py demo` as a stranger starts it, on free ports and with a database of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from tests import postgres
from tests.live_server import ROOT, environment_of, stop

LAST_LINE = "Stop with Ctrl-C."


@dataclass(frozen=True)
class RunningDemo:
    process: subprocess.Popen[str]
    printed: str
    base: str
    clients: tuple[str, str]

    def ask(self, address: str) -> Any:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)


def demo_environment(folder: Path, **changes: str) -> dict[str, str]:
    port = str(postgres.free_port())
    client_port = str(pair_of_free_ports())
    settings = {"SAMPLE_CLIENT_PORT": client_port, **changes}
    return environment_of(folder, port, f"sqlite:///{folder / 'demo.sqlite3'}", settings)


def pair_of_free_ports() -> int:
    """The first of two neighbours."""
    while True:
        first = postgres.free_port()
        with closing(socket()) as probe:
            if first < 65000 and probe.connect_ex(("127.0.0.1", first + 1)):
                return first


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running_demo(folder: Path) -> Iterator[RunningDemo]:
    environment = demo_environment(folder)
    port = int(environment["SAMPLE_CLIENT_PORT"])
    process = start(environment)
    try:
        yield RunningDemo(
            process,
            read_until(LAST_LINE, process),
            environment["OIDC_PKCE_ISSUER_BASE"],
            (f"http://localhost:{port}", f"http://localhost:{port + 1}"),
        )
    finally:
        stop(process)


def read_until(text: str, process: subprocess.Popen[str]) -> str:
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise RuntimeError(f"The demo ended:\n{''.join(lines)}")
