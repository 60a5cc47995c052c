"""What a database must offer: three protocols, and the one function that picks a dialect.

A ``Dialect`` makes ``Connection``s and holds the tables (catalogue SQL, types, features). A ``Connection`` belongs to the
worker thread that uses it: only ``cancel`` and ``shutdown`` may be called from another. A ``Cursor`` walks through what one
statement brings back, a bounded batch at a time.

All methods raise errors of ``mssqlclient_mcp.errors`` only; the driver's own never leave a dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from ..models import Column, Message, Row

if TYPE_CHECKING:
    from ..connection_string import ConnectionSettings
    from ..errors import DatabaseMcpError
    from ..plan_models import Plan


class Access(str, Enum):
    """The transaction a statement gets."""

    READ_ONLY = "read_only"  # PostgreSQL: BEGIN READ ONLY, for one statement; SQL Server: one that is always rolled back
    READ_WRITE = "read_write"
    AUTOCOMMIT = "autocommit"
    OWN_READ = "own_read"  # a catalogue statement of ours: as READ_ONLY on PostgreSQL; SQL Server needs no transaction for it

    @property
    def reads(self) -> bool:
        """True when nothing is to be kept."""
        return self in (Access.READ_ONLY, Access.OWN_READ)


class Cursor(Protocol):
    """What one statement brings back: result sets and counts in order. Nothing is read ahead of ``fetch``."""

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """The columns of the current part, known even when it has no rows; None when the part is only a count."""

    @property
    def rows_affected(self) -> int | None:
        """The count of the current part, when the database told one; None while rows are still to be read."""

    def fetch(self, size: int) -> Sequence[Row]:
        """Up to ``size`` further rows as tuples of the types the dialect's ``connection`` docstring lists;
        empty at the end of the part. Rows that were read before an error are given first, then it is raised."""

    def next_part(self) -> bool:
        """Go on to the next result set or count; False when there is none."""

    def goes_on(self) -> bool:
        """After an error of ``fetch``: True when the statement may have gone on, and ``next_part`` brings what came then."""

    def messages(self) -> tuple[Message, ...]:
        """What the database said since the last call of this method."""

    def close(self) -> None:
        """Give the cursor up, stopping the statement when rows are left; harmless twice."""


class Connection(Protocol):
    """One connection to one database."""

    @property
    def database(self) -> str:
        """The database it is connected to, as the server names it."""

    @property
    def usable(self) -> bool:
        """False once the connection is known to be lost or closed."""

    def begin(self, access: Access, *, net_seconds: float, lock_seconds: float) -> None:
        """Open the transaction and set the nets: the longest a statement may live, and wait for a lock."""

    def execute(self, sql: str, parameters: Sequence[object] = (), *, batch: int = 1000) -> Cursor:
        """Send exactly one text with its own positional markers (``?`` or ``$1``) and wait for its first answer.
        ``batch`` is how many rows the driver may hold at a time."""

    def execute_script(self, sql: str) -> None:
        """Send text without parameters that may hold several statements, and drop what it brings back."""

    def commit(self) -> None:
        """Make the work of the open transaction last; no harm without one."""

    def rollback(self) -> None:
        """Undo the open transaction; no harm without one."""

    def in_transaction(self) -> bool:
        """True while a transaction is open on the server (a procedure may have left one)."""

    def reset(self, *, trusted: bool) -> bool:
        """Bring the connection back to a known state before it is lent again; False: it must be closed instead.
        ``trusted`` says that only gated reads and our own catalogue SQL ran since the last reset."""

    def alive(self) -> bool:
        """A cheap look whether an idle connection still stands (False: replace it)."""

    def cancel(self) -> None:
        """From any thread: ask the database to stop what this connection runs. Harmless on an idle connection; may
        block for as long as the network does."""

    def shutdown(self) -> bool:
        """From any thread, the last resort when cancel does not help: cut the socket (PostgreSQL) or KILL from a second
        connection (SQL Server). True when the database is known to have stopped. Never frees a handle in use."""

    def close(self) -> None:
        """Close; harmless twice; never raises."""


class Dialect(Protocol):
    """A kind of database: makes connections, holds the tables."""

    @property
    def name(self) -> str:
        """``sqlserver`` or ``postgresql``."""

    def load(self) -> None:
        """Import the driver, which ``connect`` otherwise does. Raises DriverMissing."""

    def connect(self, settings: ConnectionSettings, *, database: str | None, application_name: str) -> Connection:
        """A new connection to ``database`` (None: the one of the settings, else the dialect's default for server mode).
        Raises ConnectionFailed, AuthenticationFailed, DriverMissing, ObjectNotFound."""

    def quote(self, identifier: str) -> str:
        """An identifier as the dialect quotes it."""

    def needs_autocommit(self, error: DatabaseMcpError) -> bool:
        """True when the database refused a statement only because it ran inside a transaction (CREATE DATABASE, VACUUM,
        BACKUP): it did nothing, and may run again alone."""

    def is_sole_statement(self, sql: str) -> bool:
        """True when the text is certainly a single statement."""

    def same_database(self, one: str, other: str) -> bool:
        """Whether two spellings name the same database (case counts on PostgreSQL, not on SQL Server)."""

    @property
    def outside_functions_sql(self) -> str:
        """Catalogue SQL with one column ``name``: functions that run outside the database's control, for the gate;
        empty when there is none to ask."""

    def explain(
        self, connection: Connection, sql: str, *, net_seconds: float, lock_seconds: float, check: Callable[[], object]
    ) -> Plan:
        """The estimated plan of a statement that the gate passed; it is not run. ``check`` is asked between the steps. The
        connection may be closed afterwards (it is, on SQL Server)."""


def dialect_for(name: str, *, odbc_driver: str | None) -> Dialect:
    """The dialect of ``sqlserver`` or ``postgresql``; only its own folder is imported. ``odbc_driver`` is the ODBC driver's
    name or path that goes before the installed ones, for SQL Server."""
    if name == "postgresql":
        from .postgresql.connection import PostgresDialect

        return PostgresDialect()
    from .sqlserver.connection import SqlServerDialect

    return SqlServerDialect(odbc_driver=odbc_driver)
