"""Serves demo_site with the production server; docs/decisions/0001-server.md says why this one.

HOST and PORT say where (127.0.0.1 and 8000), WEB_CONCURRENCY how many worker processes.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
THREADS = 4


def main() -> None:
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_site.settings")
    command = [sys.executable, "-m", "granian", *options(), "demo_site.wsgi:application"]
    # Replaces this process, so that a signal reaches the server and not a parent that waits.
    os.execv(sys.executable, command)  # noqa: S606


def options() -> list[str]:
    workers = os.environ.get("WEB_CONCURRENCY") or str(max(2, os.cpu_count() or 1))
    return [
        *("--interface", "wsgi"),
        *("--host", os.environ.get("HOST") or "127.0.0.1"),
        *("--port", os.environ.get("PORT") or "8000"),
        *("--workers", workers),
        *("--blocking-threads", str(THREADS)),
        # A new thread opens a new database connection: keep threads as long as allowed.
        *("--blocking-threads-idle-timeout", "600"),
        *("--http", "1", "--no-ws"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
        # No access log: queries carry states and login hints.
        *("--no-access-log", "--log-level", "warning"),
    ]


if __name__ == "__main__":
    main()
