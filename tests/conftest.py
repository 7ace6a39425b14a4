"""What holds for all tests: how many examples hypothesis tries, a marker for each kind of test, and both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.lies.matrix import print_matrix

if TYPE_CHECKING:
    # Loaded when the first test wants them: most tests have no database.
    from registry.store.engine import Store
    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

TESTS = Path(__file__).parent

# dev: quick, and the same examples every time. ci: many, and new ones every time; a failure prints how to repeat it.
settings.register_profile("dev", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=1000, print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the folder that it lives in: its kind."""
    for item in items:
        item.add_marker(item.path.relative_to(TESTS).parts[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of the lies that the tests told."""
    reports = [each for kept in terminalreporter.stats.values() for each in kept if isinstance(each, pytest.TestReport)]
    calls = [report for report in reports if report.when == "call"]
    print_matrix(terminalreporter, [each for report in calls for each in report.user_properties])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server a session (one for each worker)."""
    from tests.support.postgres import PostgresServer

    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A file in the test's folder, not made yet."""
    from tests.support.databases import Database, remove_files

    path = tmp_path / "registry.db"
    database = Database(url=f"sqlite:///{path}", empty=lambda: remove_files(path))
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[Database]:
    """A database of its own, migrated."""
    from tests.support.databases import Database

    name = postgres.fresh()
    database = Database(url=postgres.url(name), empty=lambda: postgres.renew(name))
    yield database
    database.close()
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A database, first of one kind, then of the other: the test runs twice."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def store(database: Database) -> Store:
    """The database, opened."""
    return database.open()
