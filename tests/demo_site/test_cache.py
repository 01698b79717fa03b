"""The cache that demo_site's workers share counts every attempt, whoever makes it."""

import multiprocessing
from pathlib import Path

import pytest

from demo_site.cache import SharedCache

HOUR = 3600


@pytest.fixture
def cache(tmp_path: Path) -> SharedCache:
    return open_cache(tmp_path / "private" / "cache.sqlite3")


def open_cache(path: Path, entries: int = 1000) -> SharedCache:
    return SharedCache(str(path), {"OPTIONS": {"MAX_ENTRIES": entries}})


def test_values_come_back_as_they_went_in(cache: SharedCache) -> None:
    values = {"text": "ä", "number": 3, "nothing": None, "big": 2**80, "list": [1, {"a": True}]}
    cache.set_many(values)

    assert cache.get_many([*values, "unknown"]) == values


def test_an_entry_ends_with_its_timeout(cache: SharedCache, monkeypatch) -> None:
    cache.set("short", 1, 10)
    cache.set("forever", 1, None)
    monkeypatch.setattr("time.time", lambda: 9e9)

    assert cache.get_many(["short", "forever"]) == {"forever": 1}
    assert cache.add("short", 2)


def test_adding_to_a_counter_keeps_its_expiry(cache: SharedCache, monkeypatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    cache.set("attempts", 1, 900)
    monkeypatch.setattr("time.time", lambda: 1899.0)
    assert cache.incr("attempts") == 2
    monkeypatch.setattr("time.time", lambda: 1900.0)

    with pytest.raises(ValueError, match="attempts"):
        cache.incr("attempts")


def test_only_one_process_adds_and_every_increase_counts(cache: SharedCache, tmp_path) -> None:
    path = tmp_path / "private" / "cache.sqlite3"
    cache.set("counter", 0, HOUR)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        added = pool.map(increase_often, [path] * 4)

    assert cache.get("counter") == 4 * 200
    assert sorted(added) == [False, False, False, True]


def increase_often(path: Path) -> bool:
    cache = open_cache(path)
    for _ in range(200):
        cache.incr("counter")
    return cache.add("first", 1, HOUR)


def test_a_full_cache_drops_what_expires_soonest(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "small.sqlite3", entries=2)
    for name, seconds in (("soon", 10), ("later", 20), ("latest", 30)):
        cache.set(name, 1, seconds)
    cache.cull()

    assert cache.get_many(["soon", "later", "latest"]) == {"later": 1, "latest": 1}


def test_deleting_touching_and_clearing_say_whether_there_was_something(cache: SharedCache) -> None:
    cache.set("a", 1, HOUR)

    assert cache.touch("a", HOUR)
    assert cache.delete("a")
    assert not cache.delete("a")
    assert not cache.touch("a")
    cache.set("b", 1)
    cache.clear()
    assert cache.get("b") is None


def test_nobody_else_may_write_what_we_unpickle(cache: SharedCache, tmp_path: Path) -> None:
    cache.set("a", 1)

    assert (tmp_path / "private").stat().st_mode & 0o077 == 0
