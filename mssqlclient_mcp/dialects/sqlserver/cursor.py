"""What one statement brings back through ODBC, part by part."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice

from ...errors import DatabaseMcpError, StatementCancelled
from ...messages import MessageLog
from ...models import Column, Message, Row
from .errors import clean_text
from .link import Link
from .odbc import Description, OdbcCursor
from .types import column_type

DRAIN_SECONDS = 0.5
DRAIN_ROWS = 256
_SAID_BY_CONNECTING = frozenset({"5701", "5703"})  # the database, the language was changed


class SqlServerCursor:
    """Implements ``dialects.base.Cursor``. Made by ``SqlServerConnection.execute`` after the first answer came.

    Messages are those the driver reports with a part; FreeTDS drops a message or a count (never
    rows) right after a result set without rows. An error of ``nextset`` is the end (pyodbc frees the statement), one of a
    fetch is not: what the batch did afterwards can still be read.
    """

    def __init__(self, link: Link, cursor: OdbcCursor) -> None:
        self._link = link
        self._cursor = cursor
        self._columns: tuple[Column, ...] | None = None
        self._rows_affected: int | None = None
        self._rows_left = False
        self._over = False
        self._closed = False
        self._messages = MessageLog()
        self._error: DatabaseMcpError | None = None  # met behind rows that were read
        try:
            self._arrive()
        except DatabaseMcpError as error:
            raise error.with_details(messages=[one.text for one in self.messages()] or None) from error.__cause__

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """The columns of the current part; None when it is only a count, or nothing at all."""
        return self._columns

    @property
    def rows_affected(self) -> int | None:
        """The count of the current part; None for a result set, and where SET NOCOUNT or DDL gives none."""
        return self._rows_affected

    def fetch(self, size: int) -> Sequence[Row]:
        """Up to ``size`` further rows; empty at the end of the part. Rows before an error are given first: pyodbc's
        ``fetchmany`` would drop them, its iterator does not, and is as fast."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if not self._rows_left or size <= 0:
            return []
        rows: list[Row] = []
        try:
            self._link.call(self._cursor, lambda: rows.extend(map(tuple, islice(self._cursor, size))))
        except DatabaseMcpError as error:
            self._rows_left = False
            if not rows:
                raise
            self._error = error
            return rows
        if len(rows) < size:
            self._rows_left = False
            if self._link.was_cancelled(self._cursor):  # after a cancel some drivers tell the end of the rows instead
                raise StatementCancelled("The statement was cancelled.")
        return rows

    def next_part(self) -> bool:
        """Go on to the next result set or count. Rows left of the current one are skipped for half a second at most; when
        there are still more, the statement is stopped and there is no next part."""
        if self._over or self._closed:
            return False
        if self._rows_left and not self._skipped_rows():
            self._over = True
            return False
        if not self._advance():
            return False
        self._arrive()
        return self._columns is not None or self._rows_affected is not None

    def goes_on(self) -> bool:
        """After an error of ``fetch``: T-SQL may have gone on behind the statement that failed."""
        usable = self._link.usable and not self._link.was_cancelled(self._cursor)
        return usable and not self._over and not self._closed

    def messages(self) -> tuple[Message, ...]:
        """What the server said since the last call of this method."""
        said, self._messages = self._messages, MessageLog()
        return said.all()

    def close(self) -> None:
        """Give the cursor up, stopping the statement when anything is left; harmless twice."""
        if not self._closed:
            self._closed = True
            self._link.free(self._cursor, stop=self._rows_left or not self._over)

    def _arrive(self) -> None:
        """Look at the part the driver stands on, and pass by those that hold only messages."""
        self._look()
        while self._columns is None and self._rows_affected is None and not self._over:
            if self._advance():
                self._look()

    def _advance(self) -> bool:
        self._columns, self._rows_affected, self._rows_left = None, None, False
        if not self._link.answer(self._cursor, self._cursor.nextset):
            self._over = True
        return not self._over

    def _look(self) -> None:
        description = self._cursor.description
        self._columns = None if description is None else _columns(description)
        self._rows_left = description is not None
        count = self._cursor.rowcount
        self._rows_affected = count if description is None and count >= 0 else None
        self._messages.say(_messages(self._cursor))

    def _skipped_rows(self) -> bool:
        end = time.monotonic() + DRAIN_SECONDS
        while self.fetch(DRAIN_ROWS):
            if time.monotonic() > end:
                return False
        return True


def _columns(description: Description) -> tuple[Column, ...]:
    return tuple(Column(name, column_type(kind, size, scale)) for name, kind, _, size, _, scale, _ in description)


def _messages(cursor: OdbcCursor) -> list[Message]:
    said = []
    for where, text in cursor.messages or ():
        code = where.rpartition("(")[2].rstrip(")")
        words = text.decode("utf-16-le", "replace") if isinstance(text, bytes) else text
        if code not in _SAID_BY_CONNECTING:
            said.append(Message(clean_text(words), code="" if code == "0" else code))
    return said
