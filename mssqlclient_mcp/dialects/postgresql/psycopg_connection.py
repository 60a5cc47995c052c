"""A connection to one PostgreSQL database: transactions, nets, and the way back to a known state."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ...errors import ConnectionFailed, DatabaseFault, DatabaseMcpError, Outcome
from ..base import Access
from .cursor import PostgresCursor, ask_names
from .types import OWN_TYPES, TypeNames
from .wire import Wire

_BEGIN = {
    Access.READ_ONLY: ("BEGIN READ ONLY",),
    Access.OWN_READ: ("BEGIN READ ONLY",),
    Access.READ_WRITE: ("BEGIN",),
    Access.AUTOCOMMIT: (),
}
_WATCHING_SINCE = 140000  # client_connection_check_interval came with PostgreSQL 14
_SET = "pg_catalog.set_config('{name}', '{value}', {local})"
_WATCH_CLIENT = (
    "CASE WHEN pg_catalog.version() ~ 'linux|darwin|bsd'"  # elsewhere the server refuses it
    " THEN pg_catalog.set_config('client_connection_check_interval', '2000', {local}) END"
)
"""Makes the server look every two seconds whether we are still there, so that a statement does not outlive a killed process."""
_MAX_MILLISECONDS = 2**31 - 1  # the server keeps timeouts as int4

CHUNK_ROWS = 96
"""The most rows libpq holds at a time: more gains less and less speed, and a row may be large."""


class PostgresConnection:
    """One connection; belongs to the worker that uses it, ``cancel`` and ``shutdown`` aside."""

    def __init__(self, wire: Wire, names: TypeNames) -> None:
        self._wire = wire
        self._names = names
        self._cursor: PostgresCursor | None = None
        self._opening: tuple[str, ...] = ()  # what begins a transaction, to be sent ahead of its first statement
        self._closing: tuple[str, ...] = ()  # what ends it, to be sent behind that one
        self._database = wire.driver.pgconn.db.decode("utf-8", "replace")

    @property
    def database(self) -> str:
        """The database it is connected to."""
        return self._database

    @property
    def usable(self) -> bool:
        """False once the connection is known to be lost or closed."""
        return self._wire.usable

    def begin(self, access: Access, *, net_seconds: float, lock_seconds: float) -> None:
        """Open the transaction (none for AUTOCOMMIT) and set the nets, in one round trip. For a read all this goes with its
        statement, and so does the end of the transaction, unless a script comes first."""
        local = "false" if access is Access.AUTOCOMMIT else "true"
        settings = {
            "statement_timeout": str(_milliseconds(net_seconds)),
            "lock_timeout": str(_milliseconds(lock_seconds)),
            "extra_float_digits": "3",  # a role or a database may have another, which rounds
            **self._strayed(access),
        }
        parts = [_SET.format(name=name, value=value, local=local) for name, value in settings.items()]
        if self._wire.driver.pgconn.server_version >= _WATCHING_SINCE:
            parts.append(_WATCH_CLIENT.format(local=local))
        self._close_cursor()
        if not self.usable:
            raise ConnectionFailed("The connection is closed.")
        self._opening = (*_BEGIN[access], f"SELECT {', '.join(parts)}")
        self._closing = ("ROLLBACK",) if access.reads else ()
        if not access.reads or self._names.incomplete:
            self._open()
            self._name_types()
        self._wire.take_messages()

    def execute(self, sql: str, parameters: Sequence[object] = (), *, batch: int = 1000) -> PostgresCursor:
        """Send exactly one statement with ``$1`` markers and wait for its first answer."""
        self._close_cursor()
        chunk = max(1, min(batch, CHUNK_ROWS))
        around = (self._opening, self._closing)
        self._opening = self._closing = ()
        try:
            self._cursor = PostgresCursor(self._wire, self._names, sql, parameters, chunk, around)
        except DatabaseMcpError as error:
            raise error.with_details(messages=[one.text for one in self._wire.take_messages()] or None) from error.__cause__
        return self._cursor

    def execute_script(self, sql: str) -> None:
        """Send text that may hold several statements, and drop what it brings back."""
        self._open()
        self._run(sql)

    def commit(self) -> None:
        """Make the open transaction last. Raises DatabaseFault when the server rolled it back instead."""
        self._close_cursor()
        if not self.usable:
            raise ConnectionFailed("The connection was lost before the commit.")
        self._opening = self._closing = ()
        if self._wire.in_transaction and self._run("COMMIT") == "ROLLBACK":
            raise DatabaseFault(
                "The transaction had failed before; the database rolled it back.",
                details={"outcome": Outcome.ROLLED_BACK.value},
            )

    def rollback(self) -> None:
        """Undo the open transaction; no harm without one."""
        self._close_cursor()
        self._opening = self._closing = ()
        if self._wire.in_transaction:
            self._run("ROLLBACK")

    def in_transaction(self) -> bool:
        """True while the server has a transaction open for us, or will have with the next statement; no round trip."""
        return bool(self._opening) or self._wire.in_transaction

    def reset(self, *, trusted: bool) -> bool:
        """Roll back and DISCARD ALL; False when that fails. What only gated reads ran on is cleaned all the same."""
        try:
            self.rollback()
            self._run("DISCARD ALL")
        except DatabaseMcpError:
            return False
        self._wire.take_messages()
        if not trusted:
            self._names.loaded = False  # types may have been made or renamed
        return self.usable

    def alive(self) -> bool:
        """True while the idle connection stands, as far as its socket tells; no round trip."""
        return self._wire.quiet()

    def cancel(self) -> None:
        """From any thread: ask the server to stop what runs here."""
        self._wire.cancel()

    def shutdown(self) -> bool:
        """From any thread: cut the socket. False: whether the server has stopped is not known."""
        self._wire.cut()
        return False

    def close(self) -> None:
        """Close; harmless twice; never raises."""
        self._cursor = None
        self._wire.close()

    def _run(self, sql: str) -> str:
        self._close_cursor()
        return self._wire.run(sql)

    def _open(self) -> None:
        opening, self._opening = self._opening, ()
        self._closing = ()
        if opening:
            self._run("; ".join(opening))

    def _name_types(self) -> None:
        """Learn what the database's own types are called, where that is not known yet."""
        if not self._names.loaded:
            self._names.loaded = True
            self._names.learn(self._wire.rows(OWN_TYPES, ()))
        ask_names(self._wire, self._names)

    def _close_cursor(self) -> None:
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            with suppress(DatabaseMcpError):
                cursor.close()

    def _strayed(self, access: Access) -> dict[str, str]:
        """Settings that must be as our value loaders and the read-only gate expect, but are not (a role or a database may
        have its own)."""
        found = {}
        if access.reads and self._wire.setting("standard_conforming_strings") == "off":
            found["standard_conforming_strings"] = "on"  # else a backslash ends strings elsewhere than the gate judged
        if not self._wire.setting("DateStyle").startswith("ISO"):
            found["DateStyle"] = "ISO"
        if self._wire.setting("client_encoding") != self._wire.encoding:
            found["client_encoding"] = self._wire.encoding
        return found


def _milliseconds(seconds: float) -> int:
    """Whole milliseconds, at least one (the server takes 0 for "no limit")."""
    return max(1, min(int(seconds * 1000), _MAX_MILLISECONDS))
