"""The production server as `make serve` starts it, on a free port, with a database of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import psycopg

from tests import postgres

ROOT = Path(__file__).resolve().parent.parent
# The run of the tests itself must not leak into the server.
NOT_INHERITED = ("DJANGO_SETTINGS_MODULE", "OIDC_PKCE_", "PYTEST_", "CACHE_URL", "DATABASE_URL")
ADD_PERSON = """
import json, sys
from django.contrib.auth import get_user_model
fields = json.load(sys.stdin)
get_user_model().objects.create_user(**fields)
"""


@dataclass(frozen=True)
class ProductionServer:
    base: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"
    log: Path

    def manage(self, *arguments: str, standard_input: str = "") -> str:
        """Run a management command beside the server and return what it printed."""
        return manage(self.environment, *arguments, standard_input=standard_input)

    def add_person(self, username: str, password: str, **fields: object) -> None:
        """Create a user; `is_superuser=True, is_staff=True` makes an administrator."""
        person = {"username": username, "password": password, **fields}
        self.manage("shell", "--no-imports", "-c", ADD_PERSON, standard_input=json.dumps(person))

    def import_webapps(self, *documents: object) -> None:
        """Import application documents as an administrator would, while the server runs."""
        path = self.log.with_name(f"webapps-{token_hex(4)}.json")
        path.write_text(json.dumps(list(documents)))
        self.manage("import_webapps", str(path))


def manage(environment: dict[str, str], *arguments: str, standard_input: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        input=standard_input,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def production_server(
    folder: Path, *, database_url: str | None = None, **settings: str
) -> Iterator[ProductionServer]:
    """Migrate a fresh database and serve it; `settings` go into the server's environment."""
    port = str(postgres.free_port())
    environment = environment_of(folder, port, database_url or fresh_database(folder), settings)
    manage(environment, "migrate", "--verbosity", "0")
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "scripts/serve.py"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = ProductionServer(environment["OIDC_PKCE_ISSUER_BASE"], environment, process, log)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/", process, log)
        yield server
    finally:
        stop(process)


def environment_of(
    folder: Path, port: str, database_url: str, settings: dict[str, str]
) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)
    }
    return {
        **inherited,
        "HOST": "127.0.0.1",
        "PORT": port,
        "WEB_CONCURRENCY": "2",
        "DATABASE_URL": database_url,
        "CACHE_URL": f"sqlite://{folder / 'cache.sqlite3'}",
        "DJANGO_SECRET_KEY": token_hex(32),
        "OIDC_PKCE_ISSUER_BASE": f"http://127.0.0.1:{port}",
        **settings,
    }


def fresh_database(folder: Path) -> str:
    """A new database in the cluster when the suite runs on PostgreSQL, else an SQLite file."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        return f"sqlite:///{folder / 'live.sqlite3'}"
    name = f"live_{token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server.rpartition('/')[0]}/{name}"


def wait_until_it_answers(
    address: str, process: "subprocess.Popen[bytes]", log: Path | None = None, seconds: float = 90
) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if answers(address):
            return
        time.sleep(0.05)
    printed = log.read_text() if log else ""
    raise RuntimeError(f"The server does not answer at {address}:\n{printed}")


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=10).close()
    except urllib.error.HTTPError as answer:
        return answer.code < 500
    except OSError:
        return False
    return True


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
