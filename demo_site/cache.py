"""A file cache fit for counters: the workers share it, and no program beside them is needed."""

import pickle
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks

# Counting the files costs more than writing one, so few writes do it.
WRITES_PER_CULL = 500


class SharedFileCache(FileBasedCache):
    """Django's, whose `incr` forgets the expiry and loses counts when two processes add at once."""

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        with self._locked():
            return super().add(key, value, *args, **kwargs)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Add to a counter, which keeps its expiry; raises ValueError when there is none."""
        with self._locked():
            expires_at = self._expiry(Path(self._key_to_file(key, version)))
            count = self.get(key, version=version)
            if count is None:
                raise ValueError(f'There is no counter "{key}".')
            timeout = None if expires_at is None else expires_at - time.time()
            self.set(key, count + delta, timeout, version)
        return int(count + delta)

    def _expiry(self, path: Path) -> float | None:
        with suppress(FileNotFoundError, EOFError), path.open("rb") as file:
            expires_at: float | None = pickle.load(file)  # noqa: S301  (our own file, mode 0600)
            return expires_at
        return None

    def _cull(self) -> None:
        """Make room: the expired go first, and only then some of the living."""
        if random.randrange(WRITES_PER_CULL):  # noqa: S311  (nothing depends on guessing it)
            return
        for name in self._list_cache_files():
            self._drop_if_expired(name)
        super()._cull()

    def _drop_if_expired(self, name: str) -> None:
        with suppress(OSError), Path(name).open("rb") as file:
            self._is_expired(file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._createdir()
        with Path(self._dir, ".lock").open("w") as file:
            locks.lock(file, locks.LOCK_EX)
            try:
                yield
            finally:
                locks.unlock(file)
