"""One statement or call: its transaction, its bounded fetch, and the truth about what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .dialects.base import Access, Connection, Cursor
from .errors import ConnectionFailed, DatabaseMcpError, Outcome, StatementError
from .messages import MOST_CHARACTERS, MOST_RESULT_SETS, MessageLog, sets_left_out
from .models import Column, Message, ResultSet, Row, Statement, StatementKind, TruncatedBy
from .plan_models import Plan
from .records import Record, Records
from .running import Running

CatalogReader = Callable[[str | None, str, Sequence[object]], Sequence[Record]]
"""(database or None, one SQL text with the dialect's markers, values) -> the rows as dicts by column alias."""

ACCESS = {
    StatementKind.CATALOG: Access.OWN_READ,
    StatementKind.READ: Access.READ_ONLY,
    StatementKind.WRITE: Access.READ_WRITE,
    StatementKind.CALL: Access.AUTOCOMMIT,
}

NET_GRACE_SECONDS = 5.0
MOST_ERRORS_TOLD = 100  # of one call that goes on behind errors
MESSAGES_SHARE = 4  # messages may take a quarter of what rows may take, beside them
BATCH_ROWS = 96

LEFT_OPEN = Message("A transaction was left open; it was rolled back.", severity="WARNING")

_COUNTED_AS_EIGHT = frozenset({type(None), bool, int, float})
_COUNTED_BY_LENGTH = frozenset({str, bytes})


@dataclass(frozen=True)
class Nets:
    """Limits set on the connection in case our own clock fails: seconds a statement may live, and wait for a lock."""

    statement_seconds: float
    lock_seconds: float


class Explain(Protocol):
    """``Dialect.explain``."""

    def __call__(
        self, connection: Connection, sql: str, *, net_seconds: float, lock_seconds: float, check: Callable[[], object]
    ) -> Plan:
        """The plan of a statement."""


class ResultSink(Protocol):
    """Where rows go as they come. Called by the worker thread only."""

    def begin(self, columns: tuple[Column, ...]) -> None:
        """A result set starts."""

    def wants(self) -> int:
        """How many rows to fetch next; 0: no more of this result set."""

    def add(self, rows: Sequence[Row]) -> None:
        """Rows of the current result set."""

    def end(self, rows_affected: int | None) -> None:
        """The current result set, or a statement that only counts, is over."""

    def say(self, messages: Sequence[Message]) -> None:
        """What the database said meanwhile."""


@dataclass
class _Part:
    columns: tuple[Column, ...] = ()
    rows: list[Row] = field(default_factory=list)
    bytes: int = 0
    rows_affected: int | None = None
    truncated_by: TruncatedBy | None = None

    def frozen(self) -> ResultSet:
        return ResultSet(self.columns, self.rows, self.rows_affected, self.truncated_by)


class ResultBuffer:
    """A sink that keeps up to ``max_rows`` rows a result set and ``max_bytes`` in all (None: any), and knows when it cut.

    ``hand_over`` gives what it has, and all that comes later, to another sink (a background session takes the statement over).
    """

    def __init__(self, *, max_rows: int, max_bytes: int | None) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._parts: list[_Part] = []
        self._messages = MessageLog(most_characters=MOST_CHARACTERS if max_bytes is None else max_bytes // MESSAGES_SHARE)
        self._sets_left_out = 0
        self._bytes = 0
        self._open = False
        self._heir: ResultSink | None = None

    @property
    def rows(self) -> int:
        """Rows kept so far, over all result sets."""
        return sum(len(part.rows) for part in self._parts)

    @property
    def touched(self) -> bool:
        """True once anything has arrived, unless it was handed over since."""
        return bool(self._parts or self._messages) and self._heir is None

    @property
    def handed_over(self) -> bool:
        """True once another sink has taken over."""
        return self._heir is not None

    def begin(self, columns: tuple[Column, ...]) -> None:
        with self._lock:
            if self._heir is not None:
                self._heir.begin(columns)
                return
            self._add_part(_Part(columns))
            self._open = True

    def wants(self) -> int:
        with self._lock:
            if self._heir is not None:
                return self._heir.wants()
            part = self._parts[-1]
            if part.truncated_by is not None:
                return 0
            return min(BATCH_ROWS, self._max_rows + 1 - len(part.rows))

    def add(self, rows: Sequence[Row]) -> None:
        with self._lock:
            if self._heir is not None:
                self._heir.add(rows)
                return
            part = self._parts[-1]
            size = 0 if self._max_bytes is None else rows_bytes(rows)
            if part.truncated_by is None and len(part.rows) + len(rows) <= self._max_rows and self._has_room(size):
                part.rows.extend(rows)
                self._bytes += size
                return
            for row in rows:
                self._add_row(part, row)

    def end(self, rows_affected: int | None) -> None:
        with self._lock:
            if self._heir is not None:
                self._heir.end(rows_affected)
                return
            if not self._open:
                self._add_part(_Part())
            self._parts[-1].rows_affected = rows_affected
            self._open = False

    def say(self, messages: Sequence[Message]) -> None:
        with self._lock:
            if self._heir is not None:
                self._heir.say(messages)
            else:
                self._messages.say(messages)

    def hand_over(self, heir: ResultSink) -> bool:
        """Give everything to ``heir``; False when rows were already left out, so that nothing can be taken back."""
        with self._lock:
            if any(part.truncated_by is not None for part in self._parts):
                return False
            for index, part in enumerate(self._parts):
                last_and_open = self._open and index == len(self._parts) - 1
                self._replay(part, heir, ended=not last_and_open)
            heir.say((*self._messages.all(), *sets_left_out(self._sets_left_out)))
            self._heir = heir
            return True

    def result_sets(self) -> tuple[ResultSet, ...]:
        """What was kept, in order."""
        with self._lock:
            return tuple(part.frozen() for part in self._parts)

    def messages(self) -> tuple[Message, ...]:
        """All that the database said."""
        with self._lock:
            return (*self._messages.all(), *sets_left_out(self._sets_left_out))

    def _add_part(self, part: _Part) -> None:
        if len(self._parts) >= MOST_RESULT_SETS:
            self._sets_left_out += 1
            self._parts.pop()
        self._parts.append(part)

    def _add_row(self, part: _Part, row: Row) -> None:
        if part.truncated_by is not None:
            return
        size = row_bytes(row)
        if len(part.rows) >= self._max_rows:
            part.truncated_by = TruncatedBy.ROWS
        elif part.rows and not self._has_room(size):
            part.truncated_by = TruncatedBy.BYTES
        else:
            part.rows.append(row)
            self._bytes += size

    def _has_room(self, size: int) -> bool:
        return self._max_bytes is None or self._bytes + size <= self._max_bytes

    @staticmethod
    def _replay(part: _Part, heir: ResultSink, *, ended: bool) -> None:
        if part.columns:
            heir.begin(part.columns)
            heir.add(part.rows)
        if ended:
            heir.end(part.rows_affected)


def records_of(part: ResultSet) -> Records:
    """The rows of a result set by column name."""
    return Records([column.name for column in part.columns], part.rows)


def row_bytes(row: Row) -> int:
    """About how many bytes a row's values take as text."""
    return sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in row)


def rows_bytes(rows: Sequence[Row]) -> int:
    """The same for many rows, counted column by column: most columns hold values of one kind."""
    return sum(map(_column_bytes, zip(*rows, strict=True)))


def _column_bytes(values: Row) -> int:
    kinds = set(map(type, values))
    if kinds <= _COUNTED_AS_EIGHT:
        return 8 * len(values)
    return sum(map(len, values)) if kinds <= _COUNTED_BY_LENGTH else row_bytes(values)  # type: ignore[arg-type]


def run_statement(
    connection: Connection, statement: Statement, running: Running, sink: ResultSink, nets: Nets, *, alone: bool = False
) -> None:
    """Run ``statement`` on ``connection`` and bring what it answers to ``sink``.

    The transaction follows from the statement's kind; ``alone`` runs a write in autocommit, for statements that the database
    refuses inside a transaction. Raises errors of ``errors`` with ``details.outcome`` where anything may have been changed.
    """
    access = Access.AUTOCOMMIT if alone else ACCESS[statement.kind]
    progress = _Progress(access)
    try:
        with running.driving(connection, decides=statement.kind is not StatementKind.CATALOG):
            connection.begin(access, net_seconds=nets.statement_seconds, lock_seconds=nets.lock_seconds)
            running.check()
            progress.sent = True
            _read_all(connection, statement, running, sink)
            running.check()
            _conclude(connection, access, sink, progress)
    except DatabaseMcpError as error:
        stands = connection.usable and running.reason is None
        if connection.usable and not running.abandoned:
            _undo(connection, access, sink)
        raise _judged(error, running, statement, progress, connection_stands=stands) from error


def make_plan(explain: Explain, connection: Connection, sql: str, running: Running, nets: Nets) -> Plan:
    """The estimated plan of a statement that is not run. Raises the errors of ``explain``, and our own for an early end."""
    try:
        with running.driving(connection):
            return explain(
                connection,
                sql,
                net_seconds=nets.statement_seconds,
                lock_seconds=nets.lock_seconds,
                check=running.check,
            )
    except (StatementError, ConnectionFailed) as error:
        if running.reason is None:
            raise
        raise running.ending() from error


@dataclass
class _Progress:
    """How far a statement came, for the outcome of an error."""

    access: Access
    sent: bool = False
    committing: bool = False


def _read_all(connection: Connection, statement: Statement, running: Running, sink: ResultSink) -> None:
    """Everything the statement brings. A call is read on behind an error, where the procedure may have gone on; then the
    first error is raised, and further ones are told as messages."""
    cursor = connection.execute(statement.sql, statement.parameters, batch=BATCH_ROWS)
    access = ACCESS[statement.kind]
    met: list[StatementError] = []
    try:
        while True:
            cut = False
            try:
                cut = not _read_part(cursor, running, sink, whole=not access.reads)
            except StatementError as error:
                if access is not Access.AUTOCOMMIT or running.reason is not None or not cursor.goes_on():
                    raise
                met.append(error)
                sink.end(None)
            running.check()
            sink.say(cursor.messages())
            if cut or not cursor.next_part():
                break
        sink.say(cursor.messages())
    except DatabaseMcpError as error:
        sink.say(cursor.messages())
        if not met or running.reason is not None or not isinstance(error, StatementError):
            sink.say([_as_message(one) for one in met])
            raise
        met.append(error)
    finally:
        cursor.close()
    if met:
        sink.say([_as_message(one) for one in met[1:MOST_ERRORS_TOLD]])
        raise met[0]


def _as_message(error: StatementError) -> Message:
    number = error.details.get("nativeError", "")
    return Message(f"Error {number}: {error.message}" if number else f"Error: {error.message}", code=str(number))


def _read_part(cursor: Cursor, running: Running, sink: ResultSink, *, whole: bool) -> bool:
    """One result set or count; False when it was left before its end. ``whole``: surplus rows are read and dropped, for
    leaving would stop the statement."""
    ended = True
    columns = cursor.columns
    if columns is not None:
        sink.begin(columns)
        while True:
            running.check()
            wanted = sink.wants()
            if not wanted and not whole:
                ended = False
                break
            rows = cursor.fetch(wanted or BATCH_ROWS)
            if not rows:
                break
            if wanted:
                sink.add(rows)
            running.rows += len(rows)
    sink.end(cursor.rows_affected)
    return ended


def _conclude(connection: Connection, access: Access, sink: ResultSink, progress: _Progress) -> None:
    if access.reads:
        connection.rollback()
    elif access is Access.READ_WRITE:
        progress.committing = True
        connection.commit()
        progress.committing = False
    elif connection.in_transaction():
        connection.rollback()
        sink.say((LEFT_OPEN,))


def _undo(connection: Connection, access: Access, sink: ResultSink) -> None:
    try:
        left_open = access is Access.AUTOCOMMIT and connection.in_transaction()
        connection.rollback()
        if left_open:
            sink.say((LEFT_OPEN,))
    except DatabaseMcpError:
        connection.close()


def _judged(
    error: DatabaseMcpError, running: Running, statement: Statement, progress: _Progress, *, connection_stands: bool
) -> DatabaseMcpError:
    """The error as the caller should see it: our own early end in our words, and what became of the statement."""
    told = error
    if running.reason is not None and isinstance(error, (StatementError, ConnectionFailed)):
        told = running.ending()
        told.with_details(**{k: v for k, v in error.details.items() if k == "stoppedAtDatabase"})
    if ACCESS[statement.kind].reads:
        return told
    told_already = error.details.get("outcome")  # a dialect knows when a commit was answered by a rollback
    return told.with_details(outcome=told_already or _outcome(progress, answered=connection_stands).value)


def _outcome(progress: _Progress, *, answered: bool) -> Outcome:
    """``answered``: the error came from the database over a connection that still stands, so a commit was refused."""
    if not progress.sent:
        return Outcome.NOT_STARTED
    if progress.access is Access.READ_WRITE and (answered or not progress.committing):
        return Outcome.ROLLED_BACK
    return Outcome.UNKNOWN
