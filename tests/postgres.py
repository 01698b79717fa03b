"""A private PostgreSQL cluster: own folder, own loopback port, gone when the process ends."""

import atexit
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from scripts.system_programs import ensure_postgresql

# Nothing here must survive a power cut, and much of it is measured in commits.
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
QUIET = ("log_min_messages=warning", "listen_addresses=127.0.0.1", "unix_socket_directories=")
ROOMY = ("max_connections=300", "shared_buffers=256MB")
START_TRIES = 3


@dataclass(frozen=True)
class Cluster:
    port: int
    password: str

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgres://postgres:{self.password}@127.0.0.1:{self.port}/{database}"


@cache
def cluster(*, durable: bool = False) -> Cluster:
    """Start one, stopped when this process ends; benchmarks ask for `durable` commits."""
    programs, account = ensure_postgresql(), unprivileged_account()
    folder = Path(tempfile.mkdtemp(prefix="oidc_pkce_postgresql_"))
    password = secrets.token_urlsafe(12)
    if account:
        shutil.chown(folder, account)
    initialise(programs, folder, password, account)
    settings = QUIET + ROOMY + (() if durable else FAST)
    server, port = start(programs, folder, settings, account)
    atexit.register(stop, server, folder, os.getpid())
    return Cluster(port, password)


def unprivileged_account() -> str | None:
    """PostgreSQL refuses to run as root; None when we are not root to begin with."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def initialise(programs: Path, folder: Path, password: str, account: str | None) -> None:
    password_file = folder / "password"
    password_file.write_text(password)
    if account:
        shutil.chown(password_file, account)
    subprocess.run(
        [
            *(programs / "initdb", "--pgdata", folder / "data", "--username", "postgres"),
            *("--pwfile", password_file, "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        ],
        user=account,
        group=primary_group(account),
        extra_groups=[] if account else None,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def start(
    programs: Path, folder: Path, settings: tuple[str, ...], account: str | None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server on a free port; another program may take the port first, so try again."""
    for _ in range(START_TRIES):
        port = free_port()
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log").open("ab") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data", "-p", str(port), *options],
                user=account,
                group=primary_group(account),
                extra_groups=[] if account else None,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait_until_it_answers(port, server):
            return server, port
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")


def primary_group(account: str | None) -> int | None:
    return pwd.getpwnam(account).pw_gid if account else None


def answers(port: int) -> bool:
    """Whether it talks the protocol: an error about the password is an answer."""
    try:
        psycopg.connect(f"postgresql://nobody:x@127.0.0.1:{port}/postgres", connect_timeout=1)
    except psycopg.OperationalError as problem:
        return "password authentication failed" in str(problem)
    return True


def wait_until_it_answers(port: int, server: subprocess.Popen[bytes], seconds: float = 90) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        if answers(port):
            return True
        time.sleep(0.05)
    return False


def stop(server: subprocess.Popen[bytes], folder: Path, owner: int) -> None:
    """Stop it, in the process that started it and in no fork of that."""
    if os.getpid() != owner:
        return
    server.send_signal(signal.SIGINT)  # ends the clients' connections instead of waiting for them
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=10)
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on, for a server that starts a moment later.

    Not one that the system would choose: its next outgoing connection might take the same.
    """
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
