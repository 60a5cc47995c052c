"""How a session's worker does its work: judging, calling and reading, all on the session's own connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .config import Config
from .connection_settings import ConnectionSettings
from .dialects.base import Connection, Dialect
from .errors import DatabaseMcpError
from .execution import CatalogReader, ResultBuffer, ResultSink, records_of
from .models import QueryResult, Statement, StatementKind
from .procedure_models import ProcedureResult
from .procedures import SPExecutor
from .records import Record
from .running import Running
from .session_store import ResultStore
from .sessions import SessionLimits


class KindOf(Protocol):
    """How a text runs, see ``DatabaseService.query_kind``."""

    def __call__(
        self, database: str | None, sql: str, read: CatalogReader | None = None, *, may_write: bool = False
    ) -> StatementKind: ...


Run = Callable[[Connection, Statement, Running, ResultSink], None]


def session_limits(config: Config) -> SessionLimits:
    """The limits of sessions as the settings give them."""
    return SessionLimits(
        running=config.max_concurrent_sessions,
        kept_seconds=config.session_cleanup_interval_minutes * 60,
        # the rest of either limit is for batches on their way: the process as a whole stays inside
        result_bytes=(config.session_max_result_mb << 20) * 7 // 8,
        total_bytes=(config.sessions_max_memory_mb << 20) * 7 // 8,
    )


class BackgroundWork:
    """See ``sessions.SessionWork``. ``kind_of`` judges query text, ``run`` runs one statement on a connection."""

    def __init__(self, dialect: Dialect, settings: ConnectionSettings, *, kind_of: KindOf, run: Run) -> None:
        self._dialect = dialect
        self._settings = settings
        self._kind_of = kind_of
        self._run = run

    def connect(self, database: str | None, application_name: str) -> Connection:
        """A new connection of the session's own."""
        return self._dialect.connect(self._settings, database=database, application_name=application_name)

    def query(
        self,
        connection: Connection,
        running: Running,
        database: str | None,
        sql: str,
        parameters: Sequence[object],
        store: ResultStore,
        *,
        may_write: bool = False,
    ) -> None:
        """Judge query text and run it."""
        kind = self._kind_of(database, sql, self._reader(connection, running), may_write=may_write)
        self._run(connection, Statement(sql, parameters, kind), running, store)

    def procedure(
        self, connection: Connection, running: Running, database: str | None, name: str, parameters: object, store: ResultStore
    ) -> ProcedureResult:
        """Check the values, call the procedure, and tell outputs from result sets."""
        procedures = SPExecutor(self._reader(connection, running), self._dialect.name)
        call = procedures.prepare(database, name, parameters)

        def arrived() -> ProcedureResult:
            return store.told_apart(
                lambda sets: procedures.collect(call, QueryResult(sets, running.elapsed, messages=store.messages()))
            )

        try:
            self._run(connection, call.statement, running, store)
        except DatabaseMcpError as error:
            raise error.with_details(arrived=arrived()) from error.__cause__
        return arrived()

    def _reader(self, connection: Connection, running: Running) -> CatalogReader:
        def read(_: str | None, sql: str, parameters: Sequence[object] = ()) -> Sequence[Record]:
            sink = ResultBuffer(max_rows=1_000_000, max_bytes=1 << 30)
            self._run(connection, Statement(sql, parameters, StatementKind.CATALOG), running, sink)
            [part] = sink.result_sets()
            running.rows = 0
            return records_of(part)

        return read
