"""Reads demo_site's settings from the environment, with defaults that work on a fresh machine."""

import os
import secrets
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

# A cache address's scheme, and the backend behind it.
CACHE_BACKENDS = {
    "file": "django.core.cache.backends.filebased.FileBasedCache",
    "locmem": "django.core.cache.backends.locmem.LocMemCache",
    "memcached": "django.core.cache.backends.memcached.PyMemcacheCache",
    "redis": "django.core.cache.backends.redis.RedisCache",
    "rediss": "django.core.cache.backends.redis.RedisCache",
    "sqlite": "demo_site.cache.SharedCache",
}
# Attempt counters must not be pushed out by a flood of others.
CACHE_ENTRIES = 1_000_000
# What an address may override: `…?prepare_threshold=…`.
OPTIONS: dict[str, dict[str, Any]] = {
    "django.db.backends.sqlite3": {
        # A write that starts as a read cannot wait for another writer; one that starts as a
        # write does.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode = WAL",
    },
    # Connections last, so a statement that comes again is planned once.
    "django.db.backends.postgresql": {"server_side_binding": True, "prepare_threshold": 5},
}


def flag(name: str, *, default: bool) -> bool:
    """Read "1" or "0"; raises ImproperlyConfigured for anything else."""
    value = os.environ.get(name) or str(int(default))
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f'{name} is "{value}": write 1 or 0.')
    return value == "1"


def words(name: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def address(host: str, port: str) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_secure(base: str) -> bool:
    """Whether the base is https; raises ImproperlyConfigured for http that leaves the machine."""
    parts = urlsplit(base)
    if parts.scheme == "https" and parts.hostname:
        return True
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return False
    raise ImproperlyConfigured(
        f'OIDC_PKCE_ISSUER_BASE is "{base}": write the https address that people and clients see, '
        "such as https://id.example.com. Plain http is accepted on loopback only "
        "(localhost, 127.0.0.1, [::1])."
    )


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def secret_kept_in(path: Path) -> str:
    """The secret in that file, made on first use; processes that start at once agree on one."""
    if not path.exists():
        keep_secret(path)
    return path.read_text().strip()


def keep_secret(path: Path) -> None:
    """Write a whole file, then link it: the first process wins, and none sees half a secret."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # only we may read it
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()


def database(default: Path) -> dict[str, Any]:
    """Read DATABASE_URL: `sqlite:///path` or `postgres://user:password@host:port/name`."""
    url = os.environ.get("DATABASE_URL") or f"sqlite:///{default}"
    settings: dict[str, Any] = dict(
        dj_database_url.parse(url, conn_max_age=600, conn_health_checks=True)
    )
    defaults = OPTIONS.get(settings["ENGINE"], {})
    settings["OPTIONS"] = {**defaults, **settings.get("OPTIONS", {})}
    return settings


def cache(default: Path) -> dict[str, Any]:
    """Read CACHE_URL: `sqlite:///file`, `file:///folder`, `redis://…`, `memcached://…`, `locmem://`."""
    url = os.environ.get("CACHE_URL") or f"sqlite://{default}"
    parts = urlsplit(url)
    if parts.scheme not in CACHE_BACKENDS:
        known = ", ".join(f"{scheme}://" for scheme in CACHE_BACKENDS)
        raise ImproperlyConfigured(f'CACHE_URL is "{url}": it must begin with one of {known}.')
    of_our_own = parts.scheme in {"file", "locmem", "sqlite"}
    return {
        "BACKEND": CACHE_BACKENDS[parts.scheme],
        "LOCATION": url if parts.scheme.startswith("redis") else parts.netloc + parts.path,
        "OPTIONS": {"MAX_ENTRIES": CACHE_ENTRIES} if of_our_own else {},
    }
