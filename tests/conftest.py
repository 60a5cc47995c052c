"""Fixtures for real databases, and a report of which servers took part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from mssqlclient_mcp.demo.embedded import major_version
from tests.databases import (
    POSTGRES_VARIABLE,
    SQLSERVER_VARIABLE,
    PostgresForTests,
    SqlServerForTests,
    TestDatabase,
    postgres_database,
)

NO_SQLSERVER = f"{SQLSERVER_VARIABLE} is not set: no SQL Server at hand"
_took_part = pytest.StashKey[list[str]]()


def pytest_report_header() -> list[str]:
    """Which servers this run can use."""
    postgres = POSTGRES_VARIABLE if os.environ.get(POSTGRES_VARIABLE) else f"{major_version()}, embedded"
    sqlserver = (
        f"from {SQLSERVER_VARIABLE}" if os.environ.get(SQLSERVER_VARIABLE) else f"none ({SQLSERVER_VARIABLE} is not set)"
    )
    return [f"PostgreSQL: {postgres}", f"SQL Server: {sqlserver}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Which servers took part, with their versions as they told them."""
    terminalreporter.write_line("servers that took part: " + ("; ".join(config.stash.get(_took_part, [])) or "none"))


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Iterator[PostgresForTests]:
    """The PostgreSQL server of this run."""
    server = PostgresForTests()
    pytestconfig.stash.setdefault(_took_part, []).append(server.label)
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_admin_url(postgres_server: PostgresForTests) -> str:
    """The URL of an administrator's database, for tests that make databases or look at other connections."""
    return postgres_server.admin_url


@pytest.fixture(scope="session")
def make_postgres_database(postgres_server: PostgresForTests) -> Callable[[], str]:
    """Makes a new, empty database and returns its URL."""
    return postgres_server.create_database


@pytest.fixture(scope="module")
def postgres_url(postgres_server: PostgresForTests) -> str:
    """The URL of a PostgreSQL database of the test module's own, empty at first."""
    return postgres_server.create_database()


@pytest.fixture(scope="session")
def sqlserver(pytestconfig: pytest.Config) -> Iterator[SqlServerForTests]:
    """The SQL Server of this run; skips when there is none."""
    text = os.environ.get(SQLSERVER_VARIABLE)
    if not text:
        pytest.skip(NO_SQLSERVER)
    server = SqlServerForTests(text)
    pytestconfig.stash.setdefault(_took_part, []).append(server.label)
    yield server
    server.close()


@pytest.fixture(scope="module", params=["postgresql", pytest.param("sqlserver", marks=pytest.mark.sqlserver)])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    """Every database at hand, one after the other; the PostgreSQL one is the test module's own."""
    if request.param == "postgresql":
        return postgres_database(request.getfixturevalue("postgres_url"))
    server: SqlServerForTests = request.getfixturevalue("sqlserver")
    return server.database()
