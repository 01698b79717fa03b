"""`make demo`: a provider and two sample clients that sign in at it, with nothing to set up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from demo_site import seed
from demo_site.sample_client.server import make_server

SERVER = settings.BASE_DIR / "scripts" / "serve.py"
FIRST_CLIENT_PORT = 5000
START_WITHIN = 30  # seconds
STOP_WITHIN = 15


class Command(BaseCommand):
    help = (
        "Migrate, make a signing key, people and applications, then serve the provider on "
        "$HOST:$PORT (127.0.0.1:8000) and the sample client, once for each application, from "
        "localhost:$SAMPLE_CLIENT_PORT (5000) on."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        """Serve until a signal comes; what is there already stays as it is."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            self._run()
        self.stdout.write("Stopped.")

    def _run(self) -> None:
        first_port = port_in("SAMPLE_CLIENT_PORT", FIRST_CLIENT_PORT)
        clients = seed.sample_clients(settings.ISSUER_BASE, first_port)
        refuse_strangers()
        refuse_if_taken(settings.HOST, int(settings.PORT), "PORT")
        for client in clients:
            refuse_if_taken("localhost", client.port, "SAMPLE_CLIENT_PORT")
        call_command("migrate", verbosity=0)
        passwords = seed.seed(clients)
        with ExitStack() as running:
            for client in clients:
                running.enter_context(sample_client(client))
            process = running.enter_context(provider())
            self._say_where(clients, passwords)
            process.wait()
        raise CommandError("The provider has stopped by itself; what it said stands above.")

    def _say_where(
        self, clients: Sequence[seed.SampleClient], passwords: Mapping[seed.DemoPerson, str]
    ) -> None:
        say, bold = self.stdout.write, self.style.SUCCESS
        say("\n  Begin here:")
        for client in clients:
            say(f"    {bold(f'{client.origin:<32}')}{client.title}")
        say("\n  Administration:")
        say(f"    {settings.ISSUER_BASE}/admin/")
        say("\n  Who can sign in:")
        for person, password in passwords.items():
            told = password or "(changed since)"
            say(f"    {person.username:<8}{bold(f'{told:<24}')}{person.role}")
        say("\n  Stop with Ctrl-C.")
        self.stdout.flush()


def refuse_strangers() -> None:
    """Raise CommandError where others could use the passwords that everybody knows."""
    try:
        seed.refuse_unless_local(settings.ISSUER_BASE, settings.HOST)
    except ImproperlyConfigured as problem:
        raise CommandError(str(problem)) from None


def port_in(variable: str, default: int) -> int:
    """The port that the environment names; raises CommandError for what is none."""
    text = os.environ.get(variable) or str(default)
    if not (text.isdecimal() and 0 < int(text) < 65535):
        raise CommandError(f'{variable} is "{text}": write a port, such as {default}.')
    return int(text)


def refuse_if_taken(host: str, port: int, variable: str) -> None:
    """Raise CommandError when something answers there already.

    Binding would not tell: on some systems it succeeds beside a program that took every address.
    """
    # Browsers try both addresses of localhost, whatever this machine's resolver says.
    for address in ("127.0.0.1", "::1") if host == "localhost" else (host,):
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            raise CommandError(
                f"Something listens on port {port} of {host} already: stop it, or choose "
                f"another port ({variable}={port + 100} make demo)."
            )


@contextmanager
def sample_client(client: seed.SampleClient) -> Iterator[None]:
    with make_server("127.0.0.1", client.port, client.config) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


@contextmanager
def provider() -> Iterator[subprocess.Popen[bytes]]:
    """The production server, once it answers; it is stopped at the end, come what may.

    Its session is its own, so that Ctrl-C reaches it once, from here.
    """
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, SERVER],
        env={**os.environ, "HOST": settings.HOST, "PORT": settings.PORT},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_it_answers(process)
        yield process
    finally:
        stop(process)


def wait_until_it_answers(process: subprocess.Popen[bytes]) -> None:
    """Raise CommandError when the server ends or stays silent for too long."""
    address = f"{settings.ISSUER_BASE}/{seed.LIST_APPLICATION}/.well-known/openid-configuration"
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    raise CommandError(f"The provider does not answer at {address}.")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
