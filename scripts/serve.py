"""Serves demo_site with the production server; docs/decisions/0001-server.md says why this one.

HOST and PORT say where (127.0.0.1 and 8000), WEB_CONCURRENCY how many worker processes.
"""

import io
import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8000"
WORKERS = os.environ.get("WEB_CONCURRENCY") or str(max(2, os.cpu_count() or 1))
OPTIONS = [
    *("--interface", "asginl", "--host", HOST, "--port", PORT),
    *("--workers", WORKERS),
    *("--http", "1", "--no-ws"),
    *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
    # No access log: queries carry states and login hints.
    *("--no-access-log", "--log-level", "warning"),
]


def main() -> None:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_site.settings")
    check_settings()
    check_port()
    print(f"Serving http://{HOST}:{PORT}/ with {WORKERS} workers; Ctrl+C stops it.", flush=True)
    command = [sys.executable, "-m", "granian", *OPTIONS, "demo_site.asgi:application"]
    # Replaces this process, so that a signal reaches the server and not a parent that waits.
    os.execv(sys.executable, command)  # noqa: S606


def check_settings() -> None:
    """Let a wrong setting be one sentence here and not a traceback from each worker."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        django.setup()
        call_command("check", stdout=io.StringIO())  # only what is wrong is worth a line
    except (ImproperlyConfigured, SystemCheckError) as problem:
        sys.exit(str(problem))


def check_port() -> None:
    family = socket.AF_INET6 if ":" in HOST else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(PORT)))
        except OSError as problem:
            sys.exit(f"Cannot serve on {HOST}:{PORT}: {problem.strerror}. Set HOST or PORT.")


if __name__ == "__main__":
    main()
