"""The databases that tests run on: a real PostgreSQL always, a real SQL Server when one is named.

* ``TEST_DATABASE_URL``: a PostgreSQL whose login may create databases; without it an embedded one is started.
* ``TEST_MSSQL_CONNECTIONSTRING``: a SQL Server. Without a database in it, each run makes one and drops it at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psutil
import psycopg
from mcp import StdioServerParameters

from mssqlclient_mcp.config import Config, load_config
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.errors import DatabaseMcpError

ROOT = Path(__file__).resolve().parents[1]
POSTGRES_VARIABLE = "TEST_DATABASE_URL"
SQLSERVER_VARIABLE = "TEST_MSSQL_CONNECTIONSTRING"

LEFTOVER_PREFIX = "mssqlclient_mcp-tests-"
_FAST = {"fsync": "off", "full_page_writes": "off", "max_connections": "200", "max_prepared_transactions": "5"}
"""A database that lives for one run need not survive a power cut."""


@dataclass(frozen=True)
class TestDatabase:
    """A database to test with: how to configure the server for it, and how its SQL is spelt."""

    __test__ = False

    dialect: str
    name: str
    environment: Mapping[str, str]
    slow_query: str
    genuine: bool = True

    def config(self, **settings: str) -> Config:
        """The configuration of a server on this database, with further settings by their names."""
        return load_config({**self.environment, **settings})

    def server_mode_config(self, **settings: str) -> Config:
        """The same login without a database in the connection string."""
        config = self.config(**settings)
        return replace(config, connection=replace(config.connection, database=None))

    def marker(self, number: int, type_name: str) -> str:
        """The positional marker of the ``number``th parameter, cast to a type."""
        return f"CAST({'?' if self.dialect == 'sqlserver' else f'${number}'} AS {type_name})"

    def codes(self, code: str) -> frozenset[str]:
        """The error codes that stand for ``code`` here: T-SQL endpoints other than SQL Server have their own numbers."""
        return frozenset({code} if self.genuine else {code, "DATABASE_ERROR", "SYNTAX_ERROR"})


class PostgresForTests:
    """A PostgreSQL server for one run, and the databases made on it."""

    def __init__(self) -> None:
        self._embedded: EmbeddedServer | None = None
        given = os.environ.get(POSTGRES_VARIABLE)
        if given:
            self.admin_url = given
        else:
            clear_away_leftovers()
            folder = Path(tempfile.mkdtemp(prefix=LEFTOVER_PREFIX)) / "pg"
            self._embedded = EmbeddedServer(folder, keep=False, settings=_FAST)
            self.admin_url = self._embedded.url()
        with psycopg.connect(self.admin_url) as connection:
            self.version = str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]
        self._made: list[str] = []

    @property
    def label(self) -> str:
        """What took part, for the run's report."""
        return f"PostgreSQL {self.version} ({'embedded' if self._embedded else POSTGRES_VARIABLE})"

    def create_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self._made.append(name)
        return with_database(self.admin_url, name)

    def close(self) -> None:
        """Drop what was made; stop the embedded server."""
        if self._embedded:
            parent = self._embedded.folder.parent
            self._embedded.close()
            parent.rmdir()
            return
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            for name in self._made:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def clear_away_leftovers() -> None:
    """Stop and delete the servers of earlier runs that were killed before they could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{LEFTOVER_PREFIX}*/pg"):
        with suppress(OSError, ValueError, DatabaseMcpError):
            users = json.loads((folder / ".handle_pids.json").read_text(encoding="utf-8"))
            if users and not any(psutil.pid_exists(pid) for pid in users):
                EmbeddedServer(folder, keep=False).close()
                folder.parent.rmdir()


def with_database(url: str, name: str) -> str:
    """A connection URL with another database in it."""
    scheme, authority, _, query, fragment = urlsplit(url)
    return urlunsplit((scheme, authority, "/" + quote(name, safe=""), query, fragment))


def postgres_database(url: str) -> TestDatabase:
    """A PostgreSQL database as a contract test sees it."""
    return TestDatabase(
        dialect="postgresql",
        name=urlsplit(url).path.lstrip("/"),
        environment={"DATABASE_URL": url},
        slow_query="SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000) b",
    )


class SqlServerForTests:
    """The SQL Server that the environment names; when the string names no database, one is made for the run."""

    def __init__(self, text: str) -> None:
        from mssqlclient_mcp.dialects.base import Connection, dialect_for

        self._text = text
        self._config = load_config({"MSSQL_CONNECTIONSTRING": text})
        self._dialect = dialect_for("sqlserver", odbc_driver=os.environ.get("MSSQL_ODBC_DRIVER"))
        self._made: str | None = None

        def connect(database: str | None) -> Connection:
            return self._dialect.connect(self._config.connection, database=database, application_name="tests")

        self._connect = connect
        connection = connect(None)
        try:
            cursor = connection.execute("SELECT CAST(@@VERSION AS nvarchar(300)) AS v, DB_NAME() AS d")
            [[version, name]] = cursor.fetch(2)
            cursor.close()
            self.version, self.name = str(version).splitlines()[0], str(name)
            if self._config.connection.database is None:
                self._made = self.name = f"test_{uuid.uuid4().hex[:12]}"
                connection.rollback()
                connection.execute_script(f"CREATE DATABASE {self._made}")
        finally:
            connection.close()

    @property
    def label(self) -> str:
        """What took part, for the run's report."""
        return f"SQL Server: {self.version} ({SQLSERVER_VARIABLE})"

    def database(self) -> TestDatabase:
        """The database as a contract test sees it."""
        text = f"{self._text.rstrip(';')};Database={self._made}" if self._made else self._text
        environment = {"MSSQL_CONNECTIONSTRING": text}
        if os.environ.get("MSSQL_ODBC_DRIVER"):
            environment["MSSQL_ODBC_DRIVER"] = os.environ["MSSQL_ODBC_DRIVER"]
        source = "(SELECT TOP 3000 1 AS n FROM sys.all_columns)"
        return TestDatabase(
            dialect="sqlserver",
            name=self.name,
            environment=environment,
            slow_query=f"SELECT COUNT_BIG(*) AS n FROM {source} a CROSS JOIN {source} b CROSS JOIN "
            "(SELECT TOP 20 1 AS n FROM sys.all_columns) c",
            genuine=self.version.startswith("Microsoft SQL"),
        )

    def close(self) -> None:
        """Drop the database made for this run."""
        if self._made:
            connection = self._connect(None)
            try:
                connection.execute_script(f"DROP DATABASE {self._made}")
            finally:
                connection.close()


def server_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server process: what the platform needs, nothing of this project's but ``settings``."""
    from mcp.client.stdio import get_default_environment

    path = os.pathsep.join(filter(None, [settings.get("PYTHONPATH"), str(ROOT)]))
    return {**get_default_environment(), "PYTHONUNBUFFERED": "1", **settings, "PYTHONPATH": path}


def stdio_parameters(settings: Mapping[str, str], *arguments: str) -> StdioServerParameters:
    """What ``mcp.Client`` needs to start ``python -m mssqlclient_mcp`` and talk to it over stdio. The server runs in an
    empty folder, so that no ``.env`` of the developer's counts."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "mssqlclient_mcp", *arguments],
        env=server_environment(settings),
        cwd=tempfile.gettempdir(),
    )


def spawn_server(settings: Mapping[str, str], *arguments: str, module: str = "mssqlclient_mcp") -> subprocess.Popen[str]:
    """``python -m mssqlclient_mcp`` with pipes, for tests of signals, EOF and exit codes. The caller ends and waits for it."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=server_environment(settings),
        cwd=tempfile.gettempdir(),
        encoding="utf-8",
    )
