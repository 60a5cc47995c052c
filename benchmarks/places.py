"""The databases that are measured: an embedded PostgreSQL (or TEST_DATABASE_URL), and the SQL Server that
TEST_MSSQL_CONNECTIONSTRING names. Each brings its raw driver, which is the floor."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from mssqlclient_mcp.config import Config, load_config
from mssqlclient_mcp.connection_rendering import odbc_connection_string
from mssqlclient_mcp.connection_settings import ConnectionSettings
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect

FAST = {"fsync": "off", "max_locks_per_transaction": "4096", "full_page_writes": "off", "max_connections": "200"}
"""A database that lives for one run need not survive a power cut."""

CHUNK = 1000


class Driver(Protocol):
    """A bare connection of the driver, without any layer of ours."""

    def fetch(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of a statement at once."""

    def stream(self, sql: str) -> Iterator[Any]:
        """The rows of a statement, of which the driver holds a bounded chunk at a time."""

    def close(self) -> None:
        """Close the connection."""


class PostgresDriver:
    """psycopg, sending each text as it is."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
        self._cursor = psycopg.RawCursor(self._connection)

    def fetch(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        return self._cursor.execute(sql.encode(), values).fetchall()

    def stream(self, sql: str) -> Iterator[Any]:
        return self._cursor.stream(sql.encode(), size=CHUNK)

    def close(self) -> None:
        self._cursor.close()
        self._connection.close()


class OdbcDriver:
    """pyodbc."""

    def __init__(self, settings: ConnectionSettings, odbc_driver: str | None) -> None:
        import pyodbc

        chosen = SqlServerDialect(odbc_driver).choose_driver(settings)
        text = odbc_connection_string(
            settings, driver=chosen.name, freetds=chosen.freetds, database=None, application_name="benchmark"
        )
        self._connection = pyodbc.connect(text, autocommit=True)

    def fetch(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        return list(self._connection.execute(sql, *values).fetchall())

    def stream(self, sql: str) -> Iterator[Any]:
        cursor = self._connection.execute(sql)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows

    def close(self) -> None:
        self._connection.close()


class Place:
    """A database to measure on: how the server is configured for it, how its SQL is spelt, and its bare driver."""

    label = ""
    dialect = ""
    one = "SELECT 1 AS n"

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def config(self, **settings: str) -> Config:
        """The configuration of a server on this database."""
        return load_config({**self.environment, "ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true", **settings})

    def service(self, **settings: str) -> DatabaseService:
        """A service on this database."""
        return DatabaseService(self.config(**settings))

    def driver(self) -> Driver:
        """A new bare connection."""
        raise NotImplementedError

    def rows(self, count: int) -> str:
        """A query with this many rows of eight columns: numbers, text, a boolean, a time and a NULL."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> str:
        """A statement that takes this long and costs the database nothing."""
        raise NotImplementedError


class PostgresPlace(Place):
    """PostgreSQL."""

    label = "PostgreSQL"
    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        super().__init__({"DATABASE_URL": url})
        self.url = url

    def beside(self, database: str) -> PostgresPlace:
        """Another database of the same server."""
        scheme, authority, _, query, fragment = urlsplit(self.url)
        return PostgresPlace(urlunsplit((scheme, authority, f"/{database}", query, fragment)))

    def driver(self) -> Driver:
        return PostgresDriver(self.url)

    def rows(self, count: int) -> str:
        return (
            "SELECT n, n * 7 AS m, n::float8 / 3 AS f, 'name ' || n AS a, 'some text ' || n AS b, n % 2 = 0 AS e, "
            "timestamp '2026-01-01' + n * interval '1 minute' AS t, NULL::int AS z "
            f"FROM (SELECT generate_series(1, {count}) AS n) AS numbers"  # in FROM it would be kept whole before its first row
        )

    def sleep(self, seconds: float) -> str:
        return f"SELECT pg_sleep({seconds}) IS NULL AS slept"


class SqlServerPlace(Place):
    """The SQL Server that the environment names."""

    label = "SQL Server"
    dialect = "sqlserver"
    _DIGITS = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"

    def __init__(self, text: str) -> None:
        chosen = {"MSSQL_ODBC_DRIVER": os.environ["MSSQL_ODBC_DRIVER"]} if os.environ.get("MSSQL_ODBC_DRIVER") else {}
        super().__init__({"MSSQL_CONNECTIONSTRING": text, **chosen})

    def driver(self) -> Driver:
        config = self.config()
        return OdbcDriver(config.connection, config.mssql_odbc_driver)

    def rows(self, count: int) -> str:
        return (
            "SELECT n, n * 7 AS m, n / CAST(3 AS float) AS f, 'name ' + CAST(n AS varchar(20)) AS a, "
            "'some text ' + CAST(n AS varchar(20)) AS b, CAST(n % 2 AS bit) AS e, "
            "DATEADD(minute, n, CAST('2026-01-01' AS datetime2)) AS t, CAST(NULL AS int) AS z FROM "
            f"{self._numbers(count)} AS numbers"
        )

    def _numbers(self, count: int) -> str:
        """The numbers from 1 on, without a table, a sort or a pause before the first."""
        places = range(len(str(count)))
        value = " + ".join(f"{10**place} * d{place}.n" for place in places)
        joined = " CROSS JOIN ".join(f"{self._DIGITS} AS d{place} (n)" for place in places)
        return f"(SELECT TOP ({count}) 1 + {value} AS n FROM {joined})"

    def sleep(self, seconds: float) -> str:
        return f"WAITFOR DELAY '00:00:{seconds:06.3f}'"


@contextmanager
def postgres() -> Iterator[PostgresPlace]:
    """The PostgreSQL of this run."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield PostgresPlace(given)
        return
    with (
        tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-bench-") as folder,
        EmbeddedServer(Path(folder) / "pg", keep=False, settings=FAST) as server,
    ):
        yield PostgresPlace(server.url())


@contextmanager
def places() -> Iterator[list[Place]]:
    """All databases of this run, PostgreSQL first."""
    with ExitStack() as stack:
        found: list[Place] = [stack.enter_context(postgres())]
        if text := os.environ.get("TEST_MSSQL_CONNECTIONSTRING"):
            place = SqlServerPlace(text)
            if place.config().connection.database is None:
                raise SystemExit("TEST_MSSQL_CONNECTIONSTRING names no database; benchmarks need one, such as Database=master")
            found.append(place)
        yield found
