"""What every test gets, and what the command line of pytest can do here."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connections

from oidc_pkce import audit
from oidc_pkce.flows import tracing
from oidc_pkce.testing import clear_caches
from tests import conformance
from tests.fixtures import (  # noqa: F401
    ada,
    asking,
    bob,
    clock,
    confidential,
    journey,
    list_app,
    openid,
    openid_app,
    openid_with_secret,
    robot,
    signed_in,
)
from tests.live_server import ProductionServer, production_server

HERE = Path(__file__).parent
# Tests in these folders bear the marker of the same name.
MARKED_FOLDERS = {"browser", "clients", "packaging", "performance"}
RAN: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("oidc_pkce")
    group.addoption(
        "--write-matrix",
        nargs="?",
        const=str(conformance.PATH),
        metavar="PATH",
        help="write the matrix of clauses and tests, by default into docs/reference",
    )
    group.addoption(
        "--must-run",
        action="store_true",
        help="fail when no selected test ran or when one was skipped",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_postgresql = connections["default"].vendor == "postgresql"
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)
        if item.get_closest_marker("postgresql") and not on_postgresql:
            item.add_marker(pytest.mark.skip("needs OIDC_PKCE_TEST_DATABASE=postgresql"))


def pytest_collection_finish(session: pytest.Session) -> None:
    path = session.config.getoption("--write-matrix")
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(conformance.matrix_of(session.items))


def pytest_report_header() -> str:
    database = connections["default"].settings_dict
    return f"database: {database['ENGINE'].rpartition('.')[2]} {database['HOST']}".rstrip()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        RAN[report.outcome] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--must-run") and (RAN["skipped"] or not RAN["passed"]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if terminalreporter.config.getoption("--must-run") and (RAN["skipped"] or not RAN["passed"]):
        terminalreporter.write_line(
            f"--must-run: {RAN['passed']} passed and {RAN['skipped']} skipped, "
            "but each of these tests has to run.",
            red=True,
        )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give each of pytest's workers an SQLite file of its own: a race does not show in memory."""
    connection = connections["default"]
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(autouse=True)
def clean_caches() -> None:
    """No test sees what another left in this process: keys, metadata, attempt counters."""
    clear_caches()
    cache.clear()


@pytest.fixture(autouse=True)
def no_chance_of_pruning(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request in many tidies up; which one must not decide about a test."""
    monkeypatch.setattr(tracing, "PRUNE_EVERY", 10**12)
    monkeypatch.setattr(audit, "PRUNE_EVERY", 10**12)


@pytest.fixture(scope="session")
def live_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductionServer]:
    """The production server with an empty database; one for all tests of a worker."""
    with production_server(tmp_path_factory.mktemp("server")) as server:
        yield server
