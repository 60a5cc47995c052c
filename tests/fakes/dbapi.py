"""A module of pyodbc's shape, with a script in place of a server.

::

    driver = FakeDriver()
    driver.on("FROM t", Rows(("a", int), [(1,), (2,)]), Said("done"))
    driver.on("WAITFOR", Count(0), wait=Wait())
    connection = SqlServerDialect(module=driver).connect(settings)

Answers are a list of parts: ``Rows``, ``Count``, ``Said`` (a PRINT, which needs a nextset of its own) and ``Fails``. A ``Wait``
makes the statement take until it is released, cancelled, killed or out of time. Texts of ours (BEGIN TRANSACTION,
@@TRANCOUNT, @@SPID, KILL, ...) are understood without a script. What would crash a real driver (a handle freed while a call
runs on it) is noted in ``driver.crashes``.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

NATIVE = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"
_SIZES: dict[type, tuple[int, int]] = {
    int: (10, 0), str: (50, 0), bool: (1, 0), float: (53, 0), Decimal: (18, 2), bytearray: (100, 0), datetime: (23, 3),
    date: (10, 0), UUID: (36, 0),
}  # fmt: skip


class Error(Exception):
    """pyodbc.Error: arguments are a SQLSTATE and a text."""


class ProgrammingError(Error):
    """As in PEP 249."""


class OperationalError(Error):
    """As in PEP 249."""


def odbc_error(sqlstate: str, text: str = "", native: int = 0, *, function: str = "SQLExecDirectW") -> Error:
    """An error as pyodbc words it."""
    kind = ProgrammingError if sqlstate.startswith(("42", "23")) else OperationalError
    return kind(sqlstate, f"[{sqlstate}] {NATIVE}{text or sqlstate} ({native}) ({function})")


@dataclass
class Rows:
    """A result set. A column is (name, Python type) or (name, Python type, size, scale); ``fail_after`` rows, ``error``."""

    columns: Sequence[tuple[str, type] | tuple[str, type, int, int]]
    rows: Sequence[tuple[object, ...]] | Iterator[tuple[object, ...]]
    fail_after: int | None = None
    error: Error | None = None
    messages: Sequence[str] = ()

    @property
    def description(self) -> tuple[tuple[str, type, None, int, int, int, bool], ...]:
        """PEP 249's seven values a column, as pyodbc fills them."""
        told = []
        for column in self.columns:
            size, scale = column[2:] if len(column) == 4 else _SIZES.get(column[1], (0, 0))
            told.append((column[0], column[1], None, size, size, scale, True))
        return tuple(told)


@dataclass
class Count:
    """A statement that only counts; -1 as under SET NOCOUNT ON."""

    rowcount: int
    messages: Sequence[str] = ()


@dataclass
class Said:
    """PRINT or RAISERROR <= 10."""

    text: str
    native: int = 0


@dataclass
class Fails:
    """The statement fails here."""

    error: Error


Part = Rows | Count | Said | Fails


@dataclass
class Wait:
    """How long a statement takes, and how it bears a cancel.

    ``lost_cancels``: how many vanish without a trace, as those that come before the statement began. ``deaf``: no cancel
    and no time limit ends it, only ``release()`` or a KILL with ``obeys_kill``. ``cancel_seconds``: the cancel itself
    takes that long.
    """

    lost_cancels: int = 0
    deaf: bool = False
    obeys_kill: bool = True
    dies_of_timeout: bool = False
    cancel_seconds: float = 0.0
    started: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    error: Error | None = None

    def release(self) -> None:
        """Let the statement come to its natural end."""
        self.over.set()

    def fail(self, error: Error) -> None:
        """End the statement with an error."""
        self.error = error
        self.over.set()

    def run(self, seconds: float) -> bool:
        """Be the statement; returns whether the driver's own time limit (0 = none) ended it."""
        self.started.set()
        in_time = self.over.wait(None if self.deaf or not seconds else seconds)
        return not in_time


@dataclass
class Script:
    """What a statement answers; ``times`` limits how often (None = always)."""

    matches: Callable[[str], bool]
    parts: Sequence[Part]
    wait: Wait | None = None
    times: int | None = None


class FakeDriver:
    """The module. ``statements`` holds (session id, text, values) of all that was sent."""

    Error = Error

    def __init__(self, drivers: Sequence[str] = ("ODBC Driver 18 for SQL Server",)) -> None:
        self.pooling = True
        self.native_uuid = False
        self.installed = list(drivers)
        self.scripts: list[Script] = []
        self.statements: list[tuple[int, str, tuple[object, ...]]] = []
        self.connections: list[FakeConnection] = []
        self.connection_strings: list[str] = []
        self.attributes: list[dict[int, bytes]] = []  # those set before connecting
        self.crashes: list[str] = []
        self.connect_errors: list[Error] = []  # raised by the next connects, one each
        self.connect_wait: Wait | None = None
        self.idle_cancel: str | None = None  # the SQLSTATE of a cancel that finds nothing to stop
        self.after_cancel: str | None = "HY010"  # the SQLSTATE of a fetch after a cancel; None: the end of the rows
        self.database = "master"
        self._numbers = itertools.count(51)

    def drivers(self) -> list[str]:
        return list(self.installed)

    def connect(
        self,
        connection_string: str,
        *,
        autocommit: bool = False,
        timeout: int = 0,
        attrs_before: Mapping[int, bytes] | None = None,
    ) -> FakeConnection:
        self.connection_strings.append(connection_string)
        self.attributes.append(dict(attrs_before or {}))
        if self.connect_wait is not None and self.connect_wait.run(timeout):
            raise odbc_error("HYT00", "Login timeout expired", function="SQLDriverConnect")
        if self.connect_errors:
            raise self.connect_errors.pop(0)
        connection = FakeConnection(self, next(self._numbers), autocommit, timeout)
        self.connections.append(connection)
        return connection

    def on(self, text: str, *parts: Part, wait: Wait | None = None, times: int | None = None) -> Wait | None:
        """Answer statements that contain ``text`` with ``parts``; the latest script that fits wins."""
        self.scripts.insert(0, Script(lambda sql: text in sql, parts, wait, times))
        return wait

    def sent(self, text: str = "") -> list[str]:
        """The texts sent so far that contain ``text``."""
        return [sql for _, sql, _ in self.statements if text in sql]

    def find(self, sql: str) -> Script | None:
        """The script for a text, used up by one."""
        for script in self.scripts:
            if script.matches(sql) and script.times != 0:
                if script.times is not None:
                    script.times -= 1
                return script
        return None

    def kill(self, session_id: int) -> None:
        """KILL: the session's statement ends and its connection is dead."""
        for connection in self.connections:
            if connection.session_id == session_id:
                connection.die()


class FakeConnection:
    """A connection; ``trancount`` is the server's @@TRANCOUNT, ``die()`` loses the link."""

    def __init__(self, driver: FakeDriver, session_id: int, autocommit: bool, login_timeout: int) -> None:
        self.driver = driver
        self.session_id = session_id
        self.autocommit = autocommit
        self.login_timeout = login_timeout
        self.login_time = f"2026-01-01T00:00:{session_id:02}"
        self.timeout = 0
        self.trancount = 0
        self.lock_timeout = -1
        self.dead = False
        self.closed = False
        self.converters: dict[int, Callable[[bytes], object]] = {}
        self.decoding: dict[int, tuple[str, int]] = {}
        self.running = 0
        self.waiting: Wait | None = None
        self.open_cursors: list[FakeCursor] = []

    def cursor(self) -> FakeCursor:
        self._check()
        cursor = FakeCursor(self)
        self.open_cursors.append(cursor)
        return cursor

    def add_output_converter(self, sqltype: int, func: Callable[[bytes], object]) -> None:
        self.converters[sqltype] = func

    def clear_output_converters(self) -> None:
        self.converters.clear()

    def setdecoding(self, sqltype: int, encoding: str, ctype: int) -> None:
        self.decoding[sqltype] = (encoding, ctype)

    def close(self) -> None:
        if self.running:
            self.driver.crashes.append(f"connection {self.session_id} freed under a running call")
        if self.closed:
            raise ProgrammingError("Attempt to use a closed connection.", "HY000")
        self.closed = True
        self.trancount = 0

    def die(self) -> None:
        """Lose the link: a running statement and every later call fail with 08S01."""
        self.dead = True
        waiting = self.waiting
        if waiting is not None and waiting.obeys_kill:
            waiting.fail(odbc_error("08S01", "Communication link failure"))

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call under way in the driver."""
        self._check()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    def _check(self) -> None:
        if self.closed:
            raise ProgrammingError("The cursor's connection was closed.", "HY000")
        if self.dead:
            raise odbc_error("08S01", "Communication link failure")


class FakeCursor:
    """A cursor over the parts of one answer."""

    def __init__(self, connection: FakeConnection) -> None:
        self.connection = connection
        self.description: tuple[tuple[str, type, None, int, int, int, bool], ...] | None = None
        self.rowcount = -1
        self.messages: list[tuple[str, str]] | None = None
        self.noscan = False
        self.arraysize = 1
        self.closed = False
        self.query_timeout = connection.timeout
        self.cancels = 0
        self._busy = False
        self._cancelled = False
        self._cancelling = 0
        self._parts: list[Part] = []
        self._rows: Iterator[tuple[object, ...]] | None = None
        self._given = 0
        self._part: Rows | None = None

    def execute(self, sql: str, *values: object) -> FakeCursor:
        connection = self.connection
        with connection.call():
            connection.driver.statements.append((connection.session_id, sql, values))
            self._cancelled = False
            script = connection.driver.find(sql)
            self._busy = True
            try:
                if script is not None and script.wait is not None:
                    self._take_time(script.wait)
            finally:
                self._busy = False
            self._parts = list(script.parts if script is not None else _of_our_own(connection, sql, values))
            self._step()
        return self

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        with self.connection.call():
            if self._cancelled:
                return self._fetch_after_cancel()
            if self._rows is None or self._part is None:
                raise ProgrammingError("No results.  Previous SQL was not a query.", "HY000")
            rows: list[tuple[object, ...]] = []
            while len(rows) < size:
                if self._part.fail_after == self._given:
                    raise self._part.error or odbc_error("08S01", "Communication link failure", function="SQLFetch")
                row = next(self._rows, None)
                if row is None:
                    break
                rows.append(row)
                self._given += 1
            return rows

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        while rows := self.fetchmany(1):
            yield rows[0]

    def nextset(self) -> bool:
        with self.connection.call():
            if self._cancelled:
                self._fetch_after_cancel()
                return False
            if self._rows is not None:
                for _ in self._rows:  # a driver reads on to the next result
                    pass
            if not self._parts:
                self.description, self._rows, self._part = None, None, None
                return False
            self._step()
            return True

    def cancel(self) -> None:
        self._cancelling += 1
        try:
            self._cancel()
        finally:
            self._cancelling -= 1

    def close(self) -> None:
        if self._busy or self._cancelling:
            self.connection.driver.crashes.append("a statement handle freed in use")
        if self.closed:
            raise ProgrammingError("Attempt to use a closed cursor.", "HY000")
        self.closed = True
        self.connection.open_cursors.remove(self)

    def _cancel(self) -> None:
        if self.closed or self.connection.closed:
            self.connection.driver.crashes.append("a cancel on a freed handle")
        self.cancels += 1
        wait = self.connection.waiting
        if wait is not None and self._busy:
            time.sleep(wait.cancel_seconds)
            if wait.lost_cancels:
                wait.lost_cancels -= 1
            elif not wait.deaf:
                wait.fail(odbc_error("HY008", "Operation canceled"))
        elif self._rows is not None:
            self._cancelled = True
        elif self.connection.driver.idle_cancel:
            raise odbc_error(self.connection.driver.idle_cancel, "nothing to cancel", function="SQLCancel")

    def _take_time(self, wait: Wait) -> None:
        connection = self.connection
        connection.waiting = wait
        try:
            timed_out = wait.run(self.query_timeout)
        finally:
            connection.waiting = None
        if timed_out:
            connection.dead = connection.dead or wait.dies_of_timeout
            raise odbc_error("HYT00", "Query timeout expired")
        if wait.error is not None:
            raise wait.error

    def _fetch_after_cancel(self) -> list[tuple[object, ...]]:
        state = self.connection.driver.after_cancel
        if state:
            raise odbc_error(state, "Function sequence error", function="SQLFetch")
        return []

    def _step(self) -> None:
        """Stand on the next part."""
        self.description, self._rows, self._part, self.rowcount, self.messages = None, None, None, -1, []
        self._given = 0
        if not self._parts:
            return
        part = self._parts.pop(0)
        if isinstance(part, Fails):
            self._parts = []
            raise part.error
        if isinstance(part, Said):
            self.messages = [(f"[01000] ({part.native})", NATIVE + part.text)]
            return
        self.messages = [("[01000] (0)", NATIVE + text) for text in part.messages]
        if isinstance(part, Count):
            self.rowcount = part.rowcount
            return
        self._part, self._rows = part, iter(part.rows)
        self.description = part.description


def _of_our_own(connection: FakeConnection, sql: str, values: Sequence[object]) -> list[Part]:
    """The answers to the texts that the dialect sends by itself."""
    if "@@SPID, DB_NAME()" in sql:
        return [Rows([("", int), ("", str)], [(connection.session_id, connection.driver.database)])]
    if "sys.assembly_modules" in sql:
        return [Rows([("name", str)], [])]
    if "login_time" in sql:
        number = values[0] if values else connection.session_id
        found = [c.login_time for c in connection.driver.connections if c.session_id == number and not c.closed]
        return [Rows([("", str)], [(at,) for at in found])]
    if "SET LOCK_TIMEOUT" in sql:
        connection.lock_timeout = int(sql.split("LOCK_TIMEOUT")[1].split(";")[0])
    if "BEGIN TRANSACTION" in sql:
        connection.trancount += 1
    elif "ROLLBACK" in sql or sql.startswith("WHILE @@TRANCOUNT > 0 COMMIT"):
        connection.trancount = 0
    elif sql == "SELECT @@TRANCOUNT":
        return [Rows([("", int)], [(connection.trancount,)])]
    elif sql == "SELECT 1":
        return [Rows([("", int)], [(1,)])]
    elif sql.startswith("KILL "):
        connection.driver.kill(int(sql[5:]))
    return [Count(-1)]
