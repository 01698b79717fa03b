"""demo_site needs no setting, and refuses those that would be unsafe."""

import multiprocessing
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from demo_site import environment


@pytest.mark.parametrize(
    ("base", "secure"),
    [
        ("https://id.example.com", True),
        ("http://localhost:8000", False),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_cookies_are_secure_exactly_when_the_base_is_https(base: str, *, secure: bool) -> None:
    assert environment.is_secure(base) is secure


def test_the_default_base_is_where_the_server_listens() -> None:
    assert environment.address("127.0.0.1", "8000") == "http://127.0.0.1:8000"
    assert environment.address("::1", "8000") == "http://[::1]:8000"


@pytest.mark.parametrize(
    "base",
    ["http://id.example.com", "http://0.0.0.0:8000", "http://192.168.1.5", "ftp://localhost", "x"],
)
def test_plain_http_is_for_loopback_only(base: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="loopback only"):
        environment.is_secure(base)


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        secrets = set(pool.map(environment.secret_kept_in, [path] * 8))

    assert len(secrets) == 1
    assert len(secrets.pop()) > 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["secret"]


def test_a_flag_that_is_neither_on_nor_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_DEBUG", "true")

    with pytest.raises(ImproperlyConfigured, match='DJANGO_DEBUG is "true": write 1 or 0'):
        environment.flag("DJANGO_DEBUG", default=False)


def test_the_default_database_waits_for_its_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = environment.database(tmp_path / "db.sqlite3")

    assert settings["NAME"] == str(tmp_path / "db.sqlite3")
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["OPTIONS"]["timeout"] >= 20


def test_postgresql_keeps_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:p%40ss@db.example.com:5433/oidc")
    settings = environment.database(Path("unused"))

    assert settings["ENGINE"] == "django.db.backends.postgresql"
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == (
        "db.example.com",
        5433,
        "oidc",
    )
    assert (settings["USER"], settings["PASSWORD"]) == ("me", "p@ss")
    assert settings["CONN_MAX_AGE"] > 0
    assert settings["OPTIONS"] == {"server_side_binding": True, "prepare_threshold": 5}


@pytest.mark.parametrize(
    ("url", "backend", "location"),
    [
        ("", "SharedCache", "/somewhere/cache.sqlite3"),
        ("sqlite:///var/cache.sqlite3", "SharedCache", "/var/cache.sqlite3"),
        ("file:///var/cache", "FileBasedCache", "/var/cache"),
        ("redis://cache:6379/1", "RedisCache", "redis://cache:6379/1"),
        ("memcached://cache:11211", "PyMemcacheCache", "cache:11211"),
        ("locmem://", "LocMemCache", ""),
    ],
)
def test_the_cache_is_an_address(
    monkeypatch: pytest.MonkeyPatch, url: str, backend: str, location: str
) -> None:
    monkeypatch.setenv("CACHE_URL", url)
    settings = environment.cache(Path("/somewhere/cache.sqlite3"))

    assert settings["BACKEND"].rpartition(".")[2] == backend
    assert settings["LOCATION"] == location


def test_an_unknown_cache_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_URL", "mongo://x")

    with pytest.raises(ImproperlyConfigured, match=r"mongo://x.*redis://"):
        environment.cache(Path("unused"))
