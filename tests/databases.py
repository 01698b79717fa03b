"""The database under the tests: an SQLite file, a private PostgreSQL cluster, or DATABASE_URL.

OIDC_PKCE_TEST_DATABASE=postgresql starts the cluster. It happens when the settings are read, since
that comes first in the process that starts pytest's workers: they inherit its DATABASE_URL.
"""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from tests import postgres

SQLITE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    # conftest gives the test database a file: races do not show in memory.
    "NAME": "oidc_pkce.sqlite3",
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF",
    },
}


def chosen(environment: MutableMapping[str, str]) -> dict[str, Any]:
    wanted = environment.get("OIDC_PKCE_TEST_DATABASE") or "sqlite"
    if wanted not in {"sqlite", "postgresql"}:
        raise ValueError(f'OIDC_PKCE_TEST_DATABASE is "{wanted}": write sqlite or postgresql.')
    if wanted == "postgresql" and not environment.get("DATABASE_URL"):
        environment["DATABASE_URL"] = postgres.cluster().url
    url = environment.get("DATABASE_URL", "")
    return from_url(url) if url.startswith("postgres") else SQLITE


def from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        # As demo_site connects.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
    }
