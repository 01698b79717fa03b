"""A cache in an SQLite file: the workers share it, and it needs no program beside them.

Django's own file cache adds without a lock and forgets the expiry when it does, so attempts made in
parallel would go uncounted. Here each operation is one statement.
"""

import pickle
import random
import sqlite3
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry
    (key TEXT PRIMARY KEY, value, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_expires_at ON entry (expires_at);
"""
NEVER = 1e18  # seconds; an entry without a timeout
WRITE = "INSERT INTO entry (key, value, expires_at) VALUES (:key, :value, :expires_at) "
OVERWRITE = "ON CONFLICT (key) DO UPDATE SET value = :value, expires_at = :expires_at"
# Counting a million entries takes long, so few writes do it.
WRITES_PER_CULL = 1000


class SharedCache(BaseCache):
    """LOCATION is the file; its folder is made for our eyes only, since values are pickled."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._path = Path(location)
        self._limit = int(params.get("OPTIONS", {}).get("MAX_ENTRIES", 300))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        query = "SELECT value FROM entry WHERE key = :key AND expires_at > :now"
        row = self._execute(query, key, version).fetchone()
        return default if row is None else unpacked(row[0])

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return self._write(
            WRITE + OVERWRITE + " WHERE expires_at <= :now", key, value, timeout, version
        )

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._write(WRITE + OVERWRITE, key, value, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Add to a counter, which keeps its expiry; raises ValueError when there is none."""
        query = (
            "UPDATE entry SET value = value + :delta "
            "WHERE key = :key AND expires_at > :now RETURNING value"
        )
        row = self._execute(query, key, version, delta=delta).fetchone()
        if row is None:
            raise ValueError(f'There is no counter "{key}".')
        return int(row[0])

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        query = "UPDATE entry SET expires_at = :expires_at WHERE key = :key AND expires_at > :now"
        expires_at = self._expiry(timeout)
        return self._execute(query, key, version, expires_at=expires_at).rowcount == 1

    def delete(self, key: Any, version: int | None = None) -> bool:
        query = "DELETE FROM entry WHERE key = :key AND expires_at > :now"
        return self._execute(query, key, version).rowcount == 1

    def clear(self) -> None:
        self._connection.execute("DELETE FROM entry")

    def cull(self) -> None:
        """Drop what has expired, then what expires soonest, until the rest fits."""
        self._connection.execute("DELETE FROM entry WHERE expires_at <= ?", (time.time(),))
        (count,) = self._connection.execute("SELECT count(*) FROM entry").fetchone()
        self._connection.execute(
            "DELETE FROM entry WHERE key IN (SELECT key FROM entry ORDER BY expires_at LIMIT ?)",
            (max(0, count - self._limit),),
        )

    def _write(
        self, statement: str, key: Any, value: Any, timeout: Any, version: int | None
    ) -> bool:
        if not random.randrange(WRITES_PER_CULL):  # noqa: S311  (nothing depends on guessing it)
            self.cull()
        expires_at = self._expiry(timeout)
        written = self._execute(statement, key, version, value=packed(value), expires_at=expires_at)
        return written.rowcount == 1

    def _expiry(self, timeout: Any) -> float:
        expires_at: float | None = self.get_backend_timeout(timeout)
        return NEVER if expires_at is None else expires_at

    def _execute(self, query: str, key: Any, version: int | None, **values: Any) -> sqlite3.Cursor:
        name = self.make_and_validate_key(key, version=version)
        return self._connection.execute(query, {"key": name, "now": time.time(), **values})

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        """Django keeps one cache object per thread, so one connection serves one thread."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA)
        return connection


def packed(value: Any) -> int | bytes:
    """Integers stay what they are, so that SQLite can add to them."""
    fits = type(value) is int and value.bit_length() < 64
    return value if fits else pickle.dumps(value)


def unpacked(value: int | bytes) -> Any:
    return value if isinstance(value, int) else pickle.loads(value)  # noqa: S301  (our own file)
