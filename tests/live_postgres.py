"""What tests of the PostgreSQL dialect share: connections to a real server, and a line that can be made to fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict

from mssqlclient_mcp.connection_settings import ConnectionSettings
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.dialects.base import Access, dialect_for
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.models import Column, Row


def connect(url: str, *, database: str | None = None, name: str = "dialect-test") -> PostgresConnection:
    """A connection of the dialect."""
    dialect = dialect_for("postgresql", odbc_driver=None)
    connection = dialect.connect(parse(url), database=database, application_name=name)
    assert isinstance(connection, PostgresConnection)
    return connection


def with_parameter(url: str, parameter: str) -> str:
    """The URL with a further parameter, whether it has some or none."""
    return f"{url}{'&' if '?' in url else '?'}{parameter}"


def ask(
    connection: PostgresConnection, sql: str, *parameters: object, access: Access = Access.READ_ONLY
) -> tuple[tuple[Column, ...] | None, list[Row]]:
    """Columns and all rows of one statement in a transaction of its own."""
    connection.begin(access, net_seconds=60, lock_seconds=60)
    cursor = connection.execute(sql, parameters)
    columns, rows = cursor.columns, list(all_rows(cursor.fetch))
    cursor.close()
    if access is Access.READ_WRITE:
        connection.commit()
    else:
        connection.rollback()
    return columns, rows


def all_rows(fetch: object) -> Iterator[Row]:
    """Every row that is left, by ``fetch(100)``."""
    assert callable(fetch)
    while True:
        rows: Sequence[Row] = fetch(100)
        if not rows:
            return
        yield from rows


class Relay:
    """A TCP line to the server that can be frozen (nothing passes any more) or cut."""

    def __init__(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        self._host, self._port = str(parts.get("host", "127.0.0.1")), int(str(parts.get("port", 5432)))
        self._url = url
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pass = threading.Event()
        self._pass.set()
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def settings(self) -> ConnectionSettings:
        """Settings that lead through this line."""
        return replace(parse(self._url), host="127.0.0.1", port=self._listener.getsockname()[1])

    def freeze(self) -> None:
        """From now on nothing passes, and nothing is closed either."""
        self._pass.clear()

    def thaw(self) -> None:
        """Let pass again, what was held back first."""
        self._pass.set()

    def cut(self) -> None:
        """Reset all lines."""
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut, and end all threads."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._pass.set()
        for thread in list(self._threads):
            thread.join(timeout=10)
        for line in self._lines:
            line.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._reach()
            self._lines += [client, server]
            for pair in ((client, server), (server, client)):
                thread = threading.Thread(target=self._pump, args=pair)
                self._threads.append(thread)
                thread.start()

    def _reach(self) -> socket.socket:
        if self._host.startswith("/"):
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(f"{self._host}/.s.PGSQL.{self._port}")
            return server
        return socket.create_connection((self._host, self._port))

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._pass.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def relayed(url: str) -> Iterator[tuple[Relay, PostgresConnection]]:
    """A connection of the dialect through a line that can be made to fail."""
    relay = Relay(url)
    try:
        dialect = dialect_for("postgresql", odbc_driver=None)
        connection = dialect.connect(relay.settings, database=None, application_name="relayed")
        assert isinstance(connection, PostgresConnection)
        with closing(connection):
            yield relay, connection
    finally:
        relay.close()
