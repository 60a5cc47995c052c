"""One connection to SQL Server through ODBC.

Values a cursor yields: None, bool, int, float, Decimal, str, bytes, uuid.UUID, and date, time, datetime (aware for
datetimeoffset); a time, datetime2 or datetimeoffset whose seventh decimal is not zero comes as ISO 8601 text.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence

from ...errors import DatabaseMcpError
from ..base import Access
from .cursor import SqlServerCursor
from .link import Link
from .parameters import bind

log = logging.getLogger(__name__)

SHORT_SECONDS = 5  # for our own questions: is it alive, who is it, KILL
TRUST_IDLE_SECONDS = 5.0

_WHO = "SELECT @@SPID, DB_NAME()"
_LOGIN_TIME = "SELECT CONVERT(varchar(33), login_time, 126) FROM sys.dm_exec_sessions WHERE session_id = @@SPID"
_ROLLBACK = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
_COMMIT = "WHILE @@TRANCOUNT > 0 COMMIT TRANSACTION"

Killer = Callable[[int, str], bool]
"""Ends the session of a number that logged in at a time; True when the server accepted it."""


class SqlServerConnection:
    """Implements ``dialects.base.Connection``.

    The ODBC connection stays in autocommit and transactions are written as T-SQL: one round trip opens one together with
    the lock timeout, ODBC cannot commit anything on its own when the mode changes, and the text is the same for every driver.
    """

    def __init__(self, link: Link, kill: Killer) -> None:
        self._link = link
        self._kill = kill
        self._clean = True  # no statement since the server was last known to have no transaction open
        self._lock_milliseconds: int | None = None
        self._own = False  # the statement under way is one of ours that only reads
        self._limit_short()
        self._session_id, self._database = self._who()
        self._login_time = self._when()

    @property
    def database(self) -> str:
        """The database it is connected to, as the server names it."""
        return self._database

    @property
    def session_id(self) -> int:
        """The server's number of this session (@@SPID)."""
        return self._session_id

    @property
    def usable(self) -> bool:
        """False once the connection is known to be lost or closed."""
        return self._link.usable

    def begin(self, access: Access, *, net_seconds: float, lock_seconds: float) -> None:
        """Open the transaction and set the nets. A read's transaction is one like any other: the caller rolls it back. Our
        own catalogue statements need none."""
        self._link.limit(max(1, math.ceil(net_seconds)))
        self._own = access is Access.OWN_READ
        lock = max(0, round(lock_seconds * 1000))
        texts = [f"SET LOCK_TIMEOUT {lock}"] if lock != self._lock_milliseconds else []
        if access in (Access.READ_ONLY, Access.READ_WRITE):
            texts.append("BEGIN TRANSACTION")
        if texts:
            self._lock_milliseconds = None
            self.execute_script("; ".join(texts))
        self._lock_milliseconds = lock

    def execute(self, sql: str, parameters: Sequence[object] = (), *, batch: int = 1000) -> SqlServerCursor:
        """Send one text with ``?`` markers and wait for its first answer. Rows come one by one from the driver's own
        buffer, so ``batch`` only sets the cursor's array size."""
        text, values = bind(sql, parameters)
        self._clean = self._clean and self._own
        cursor = self._link.cursor(cancellable=True)
        try:
            cursor.arraysize = batch
            self._link.answer(cursor, lambda: cursor.execute(text, *values))
            return SqlServerCursor(self._link, cursor)
        except BaseException:
            self._link.free(cursor, stop=False)
            raise

    def execute_script(self, sql: str) -> None:
        """Send text without parameters and drop what it brings back; every error in it is raised."""
        cursor = self.execute(sql)
        try:
            while cursor.next_part():
                pass
        finally:
            cursor.close()

    def commit(self) -> None:
        """Make the open transaction last, with those the text itself opened in it."""
        self._settle(_COMMIT)

    def rollback(self) -> None:
        """Undo the open transaction; no harm without one."""
        self._settle(_ROLLBACK)

    def in_transaction(self) -> bool:
        """True while a transaction is open on the server."""
        if self._clean:
            return False
        count = self._ask("SELECT @@TRANCOUNT")[0]
        self._clean = count == 0
        return not self._clean

    def reset(self, *, trusted: bool) -> bool:
        """Whether it may be lent again: SQL Server has no command that clears a session for its client, so only a
        connection that ran nothing but our own SQL and gated reads, and has no transaction open."""
        if not trusted or not self.usable:
            return False
        try:
            self.rollback()
            return not self._link.suspect or self._answers()
        except DatabaseMcpError:
            return False

    def alive(self) -> bool:
        """True when it was used a moment ago, or answers a question within seconds."""
        if not self.usable:
            return False
        if self._link.idle_seconds < TRUST_IDLE_SECONDS and not self._link.suspect:
            return True
        return self._answers()

    def cancel(self) -> None:
        """From any thread: the driver's cancel (an attention on the wire). Harmless when nothing runs."""
        self._link.cancel()

    def shutdown(self) -> bool:
        """From any thread: KILL this session from a second connection; True when the server accepted that. The handle
        stays as it is, for the call that may still run on it."""
        if self._login_time is None:
            return False  # the number alone could by now be another's session
        return self._kill(self._session_id, self._login_time)

    def close(self) -> None:
        """Close; a call that still runs keeps its handle until it returns."""
        self._link.close()

    def _settle(self, sql: str) -> None:
        """Out of a cancel's reach: half a commit or rollback would leave the outcome open."""
        if not self._clean:
            self._ask(sql)
            self._clean = True
            self._link.suspect = False

    def _answers(self) -> bool:
        try:
            self._limit_short()
            answered = self._ask("SELECT 1") == (1,)
        except DatabaseMcpError:
            return False
        self._link.suspect = not answered
        return answered

    def _ask(self, sql: str) -> tuple[object, ...]:
        return ask(self._link, sql)

    def _limit_short(self) -> None:
        self._link.limit(SHORT_SECONDS)

    def _who(self) -> tuple[int, str]:
        session_id, database = self._ask(_WHO)
        assert isinstance(session_id, int)
        return session_id, str(database)

    def _when(self) -> str | None:
        """When this session logged in, which tells it from a later one of the same number."""
        try:
            row = self._ask(_LOGIN_TIME)
        except DatabaseMcpError as error:
            log.debug("the session's login time cannot be read: %s", error.message)
            if not self.usable:
                raise
            return None
        finally:
            self._link.suspect = False
        return str(row[0]) if row else None


def ask(link: Link, sql: str, *values: object) -> tuple[object, ...]:
    """The first row of a question of our own (empty when it has none), which no cancel reaches."""
    cursor = link.cursor(cancellable=False)
    try:
        link.call(cursor, lambda: cursor.execute(sql, *values))
        if cursor.description is None:
            return ()
        rows = link.call(cursor, lambda: cursor.fetchmany(1))
        return tuple(rows[0]) if rows else ()
    finally:
        link.free(cursor, stop=False)
