"""The one facade over a database: builds and owns the parts, lends them to the tools, and closes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from . import read_only
from .alarms import AlarmClock
from .background import BackgroundWork, session_limits
from .capabilities import CapabilityDetector
from .clients import Clients
from .config import Config
from .dialects.base import Connection, Dialect, dialect_for
from .dialects.catalog import catalog_for
from .dialects.features import feature_book_for
from .errors import ConnectionFailed, DatabaseMcpError, InvalidParameter
from .execution import NET_GRACE_SECONDS, CatalogReader, Nets, ResultBuffer, ResultSink, make_plan, records_of, run_statement
from .handoff import Handoff, Offer
from .login_notice import LoginNotice
from .metadata import Metadata
from .models import DatabaseMode, QueryResult, QuerySession, ResultSet, SessionType, Statement, StatementKind, TableStatistics
from .names import MAX_LENGTH, shown
from .plan_models import Plan
from .pool import ConnectionPool, Lease, Reservation
from .procedure_models import ProcedureResult, ProcedureSignature
from .procedures import SPExecutor
from .query_gate import QueryGate
from .records import Record
from .running import EndReason, Running
from .schema_models import TableForeignKeys, TableIndexes
from .sessions import SessionManager
from .start_up import loading
from .structured_reads import StructuredReads

T = TypeVar("T")

APPLICATION_NAME = "mssqlclient_mcp"


@dataclass
class CurrentCall:
    """What the worker thread of a tool call works under, and the connection that is lent to it."""

    running: Running
    reservation: Reservation
    lease: Lease | None = None


_current_call: ContextVar[CurrentCall | None] = ContextVar("current_call", default=None)


class DatabaseService:
    """Everything one connection string offers. Synchronous and thread-safe; nothing connects before it is needed."""

    def __init__(self, config: Config, *, dialect: Dialect | None = None, alarms: AlarmClock | None = None) -> None:
        self.config = config
        self.settings = config.connection
        self.dialect = dialect or dialect_for(self.settings.dialect, odbc_driver=config.mssql_odbc_driver)
        self.alarms = alarms or AlarmClock()
        self.run_statement, self.make_plan = run_statement, make_plan  # tracing puts others in their places
        self.clients = Clients(config.default_command_timeout_seconds)
        self.pool = ConnectionPool(
            self._open,
            max_connections=config.pool_max_size,
            max_waiting=config.pool_max_waiting,
            idle_seconds=config.pool_idle_seconds,
        )
        self.metadata = Metadata(self.read_catalog, catalog_for(self.dialect.name))
        self.procedures = SPExecutor(self.read_catalog, self.dialect.name)
        self.data = StructuredReads(
            self.metadata.table_row,
            self.execute,
            self.dialect.name,
            most_rows=config.max_rows,
            most_bytes=config.max_response_chars,
        )
        self.capabilities = CapabilityDetector(
            self.read_catalog,
            feature_book_for(self.dialect.name),
            connection=repr(self.settings),
            host=self.settings.host,
            cache_seconds=config.capability_cache_minutes * 60,
        )
        self._gate = QueryGate(self.dialect.name, writes=config.enable_write_queries)
        self._login_notice = LoginNotice(lambda database: self.capabilities.get_capabilities(database).login)
        work = BackgroundWork(self.dialect, self.settings, kind_of=self.query_kind, run=self._run)
        self.sessions = SessionManager(work, alarms=self.alarms, limits=session_limits(config))
        self._under_way: set[Running] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._schedule_pruning()

    def load(self) -> None:
        """Import what the first call would otherwise wait for: the driver and the gate's parser. Connects to nothing. Raises
        DriverMissing."""
        with loading():
            read_only.judge(self.dialect.name, "SELECT 1")
            self.dialect.load()

    # -- calls ---------------------------------------------------------------------------------------------------------

    def reserve(self) -> Reservation:
        """A place in the pool or its queue; raises PoolExhausted at once when there is none."""
        return self.pool.reserve()

    def running(self, seconds: float | None = None) -> Running:
        """A call about to start, with a deadline in ``seconds``."""
        return Running(self.alarms, seconds=seconds)

    def in_call(self, running: Running, reservation: Reservation, work: Callable[[], T]) -> T:
        """Do ``work`` on this thread as the call ``running``; the reservation is given back at the end."""
        running.taken = True
        token = _current_call.set(CurrentCall(running, reservation))
        with self._lock:
            self._under_way.add(running)
            closing = self._closed
        try:
            if closing:
                running.end(EndReason.SHUTDOWN)
            return work()
        finally:
            _current_call.reset(token)
            running.finish()
            reservation.release()
            with self._lock:
                self._under_way.discard(running)

    # -- names ---------------------------------------------------------------------------------------------------------

    @property
    def mode(self) -> DatabaseMode:
        """Whether the connection string names a database."""
        return self.config.mode

    def database_for(self, requested: str | None, *, required: bool = True) -> str | None:
        """The database a call is about: in server mode the one requested, in database mode the connected one.

        Raises InvalidParameter when it is missing in server mode, or another one than the connected in database mode.
        """
        connected = self.settings.database
        if requested is not None and len(requested) > MAX_LENGTH:
            raise InvalidParameter(f"databaseName {shown(requested)} is longer than a name can be.")
        if connected is None:
            if requested is None and required:
                raise InvalidParameter(
                    "databaseName is missing: this server is connected to no particular database.",
                    details={"expected": "databaseName: string"},
                    next_step="Pass databaseName; list_databases shows which there are.",
                )
            return requested
        if requested is None or self.dialect.same_database(requested, connected):
            return connected
        raise InvalidParameter(
            f"This server is connected to the database {connected!r}; {shown(requested)} cannot be reached.",
            details={"expected": f"no databaseName, or {connected!r}"},
        )

    # -- statements ----------------------------------------------------------------------------------------------------

    def read_catalog(self, database: str | None, sql: str, parameters: Sequence[object] = ()) -> Sequence[Record]:
        """The rows of one of our own catalogue statements as dicts by column alias (a ``CatalogReader``)."""
        sink = ResultBuffer(max_rows=1_000_000, max_bytes=None)
        self.execute(database, Statement(sql, parameters, StatementKind.CATALOG), sink)
        [part] = sink.result_sets()
        return records_of(part)

    def get_table_indexes(self, database: str | None, table: str) -> TableIndexes:
        """See ``Metadata.table_indexes``."""
        return self.metadata.table_indexes(database, table)

    def get_table_foreign_keys(self, database: str | None, table: str) -> TableForeignKeys:
        """See ``Metadata.foreign_keys``."""
        return self.metadata.foreign_keys(database, table)

    def get_table_statistics(self, database: str | None, table: str) -> TableStatistics:
        """See ``Metadata.table_statistics``."""
        return self.metadata.table_statistics(database, table)

    def execute_query(
        self,
        database: str | None,
        sql: str,
        parameters: Sequence[object] = (),
        *,
        max_rows: int | None = None,
        offer: Offer | None = None,
        may_write: bool = False,
    ) -> QueryResult:
        """Run query text: a read when the gate says so, else, with writes on and for a caller who ``may_write``, one
        transaction. With an ``offer`` it becomes a session when it takes long; the caller is then answered early with the
        ``Session``.

        Raises ReadOnlyViolation before anything is sent, else the errors of ``execution``.
        """
        running = self._current().running
        statement = Statement(sql, parameters, self.query_kind(database, sql, may_write=may_write))
        sink = ResultBuffer(
            max_rows=min(max_rows or self.config.default_max_rows, self.config.max_rows),
            max_bytes=self.config.max_response_chars,
        )
        with self._handoff(offer, SessionType.QUERY, sql, database, sink):
            self.execute(database, statement, sink)
        return QueryResult(sink.result_sets(), running.elapsed, messages=sink.messages())

    def get_sp_parameters(self, database: str | None, procedure: str) -> tuple[ProcedureSignature, ...]:
        """What a procedure takes; several signatures where a name is overloaded. Raises ObjectNotFound."""
        return self.procedures.signatures(database, procedure)

    def execute_stored_procedure(
        self,
        database: str | None,
        procedure: str,
        parameters: object = None,
        *,
        max_rows: int | None = None,
        offer: Offer | None = None,
    ) -> ProcedureResult:
        """Call a procedure in autocommit and bring everything back. ``offer``: see ``execute_query``.

        Raises InvalidParameter before anything runs; an error of the database has what had arrived in ``details.arrived``.
        """
        running = self._current().running
        call = self.procedures.prepare(database, procedure, parameters)
        sink = ResultBuffer(
            max_rows=min(max_rows or self.config.default_max_rows, self.config.max_rows),
            max_bytes=self.config.max_response_chars,
        )

        def collect(sets: tuple[ResultSet, ...]) -> ProcedureResult:
            return self.procedures.collect(call, QueryResult(sets, running.elapsed, messages=sink.messages()))

        def arrived() -> ProcedureResult:
            return collect(sink.result_sets())

        try:
            with self._handoff(offer, SessionType.STORED_PROCEDURE, procedure, database, sink, collect):
                self.execute(database, call.statement, sink)
        except DatabaseMcpError as error:
            raise error.with_details(arrived=arrived() if sink.touched else None) from error
        return arrived()

    def query_kind(
        self, database: str | None, sql: str, read: CatalogReader | None = None, *, may_write: bool = False
    ) -> StatementKind:
        """How a text runs, see ``QueryGate.kind``. ``read`` asks the database what the gate has to know (default: by a pooled
        connection)."""
        kind = self._gate.kind(database, sql, lambda: self._outside_functions(database, read), may_write=may_write)
        if read is None:
            self._login_notice.tell(database)
        return kind

    def explain_query(self, database: str | None, sql: str, *, may_write: bool = False) -> Plan:
        """The estimated plan of a query that the gate passes or, with writes on and for a caller who ``may_write``, of one
        change of data; it is not run.

        Raises ReadOnlyViolation before anything is sent, else the errors of the dialect's ``explain``.
        """
        self._gate.pass_plan(database, sql, lambda: self._outside_functions(database), may_write=may_write)
        call = self._current()
        nets = self.nets(call.running)
        with self.pool.connection(database, call.running, reservation=call.reservation) as lease:
            lease.trusted = not self.config.enable_write_queries
            return self.make_plan(self.dialect.explain, lease.connection, sql, call.running, nets)

    def execute(self, database: str | None, statement: Statement, sink: ResultSink) -> None:
        """Run a statement on a pooled connection, under the current call.

        Reads and catalogue statements that met a connection which died while idle are sent again, at last on a new one.
        """
        for left in range(self.config.pool_max_size, -1, -1):  # as many may have died idle
            with suppress(_DiedIdle):
                self._execute_once(database, statement, sink, again=left > 0)
                return

    def _execute_once(self, database: str | None, statement: Statement, sink: ResultSink, *, again: bool) -> None:
        call = self._current()
        with self.pool.connection(database, call.running, reservation=call.reservation) as lease:
            lease.trusted = statement.kind in (StatementKind.CATALOG, StatementKind.READ)
            call.lease = lease
            try:
                self._run(lease.connection, statement, call.running, sink)
                lease.clean = statement.kind is StatementKind.CATALOG
            except ConnectionFailed as error:
                if again and self._may_send_again(lease, call.running, sink):
                    call.running.begin_again()
                    raise _DiedIdle from error
                raise
            finally:
                call.lease = None

    def _run(self, connection: Connection, statement: Statement, running: Running, sink: ResultSink) -> None:
        nets = self.nets(running)
        try:
            self.run_statement(connection, statement, running, sink, nets)
        except DatabaseMcpError as error:
            refused_inside = statement.kind is StatementKind.WRITE and self.dialect.needs_autocommit(error)
            if not (refused_inside and self.dialect.is_sole_statement(statement.sql)):
                raise
            self.run_statement(connection, statement, running, sink, nets, alone=True)

    def nets(self, running: Running) -> Nets:
        """The limits set on a connection in case our own clock fails."""
        longest = max(running.seconds or 0, self.config.session_max_timeout_seconds) + NET_GRACE_SECONDS
        return Nets(statement_seconds=longest, lock_seconds=max(running.seconds or longest, running.may_last))

    def _may_send_again(self, lease: Lease, running: Running, sink: ResultSink) -> bool:
        untouched = isinstance(sink, ResultBuffer) and not sink.touched and not sink.handed_over
        return lease.trusted and not lease.fresh and untouched and running.reason is None

    # -- background sessions -------------------------------------------------------------------------------------------

    def start_query(
        self,
        owner: str,
        database: str | None,
        sql: str,
        parameters: Sequence[object] = (),
        *,
        seconds: float | None = None,
        may_write: bool = False,
    ) -> QuerySession:
        """Begin query text as a session. What can be judged without the database is refused here, the rest by the worker.

        Raises InvalidParameter, ReadOnlyViolation and TooManySessions.
        """
        limit = self._session_seconds(seconds)
        self._gate.kind_yet(database, sql, may_write=may_write)
        return self.sessions.start_query(owner, database, sql, parameters, seconds=limit, may_write=may_write)

    def start_stored_procedure(
        self, owner: str, database: str | None, procedure: str, parameters: object = None, *, seconds: float | None = None
    ) -> QuerySession:
        """Begin a call as a session; its values are checked by the worker. Raises InvalidParameter and TooManySessions."""
        limit = self._session_seconds(seconds)
        return self.sessions.start_stored_procedure(owner, database, procedure, parameters, seconds=limit)

    def offer(self, owner: str, seconds: float | None, *, procedure: bool = False) -> Offer | None:
        """A call that takes long may go on as a session of ``owner``, when the START gate is open; ``seconds`` as the caller
        gave them."""
        config = self.config
        gate = config.enable_start_stored_procedure if procedure else config.enable_start_query
        if not gate or not config.query_handoff_seconds:
            return None
        limit = min(seconds or config.session_timeout_seconds, config.session_max_timeout_seconds)
        return Offer(owner, config.query_handoff_seconds, limit)

    def _session_seconds(self, seconds: float | None) -> float:
        most = self.config.session_max_timeout_seconds
        if seconds is not None and not 1 <= seconds <= most:
            raise InvalidParameter(
                f"timeoutSeconds must be from 1 to {most}; {seconds:g} is not.",
                details={"expected": f"timeoutSeconds: 1 to {most}"},
            )
        return seconds or self.config.session_timeout_seconds

    def _handoff(
        self,
        offer: Offer | None,
        kind: SessionType,
        query: str,
        database: str | None,
        sink: ResultBuffer,
        collect: Callable[[tuple[ResultSet, ...]], ProcedureResult] | None = None,
    ) -> AbstractContextManager[None]:
        if offer is None:
            return nullcontext()
        call = self._current()

        def leave_pool() -> bool:
            lease = call.lease
            if lease is None:
                return False
            self.pool.leave(lease)
            call.reservation.release()
            return True

        handoff = Handoff(
            offer,
            self.sessions,
            call.running,
            kind=kind,
            query=query,
            database=database,
            leave_pool=leave_pool,
            collect=collect,
        )
        return handoff.watching(self.alarms, sink)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _open(self, database: str | None) -> Connection:
        return self.dialect.connect(self.settings, database=database, application_name=APPLICATION_NAME)

    def _outside_functions(self, database: str | None, read: CatalogReader | None = None) -> frozenset[str]:
        sql = self.dialect.outside_functions_sql
        rows = (read or self.read_catalog)(database, sql, ()) if sql else ()
        return frozenset(str(row["name"]).lower() for row in rows)

    def _current(self) -> CurrentCall:
        call = _current_call.get()
        if call is None:
            raise RuntimeError("statements run inside DatabaseService.in_call()")
        return call

    def _schedule_pruning(self) -> None:
        def prune() -> None:
            if not self._closed:
                threading.Thread(target=self.pool.prune, name="pool-prune", daemon=True).start()
                self._schedule_pruning()

        self.alarms.after(max(1.0, self.config.pool_idle_seconds / 2), prune)

    # -- end -----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Cancel what runs at the database, close all connections; harmless twice. Takes 5 s at the most."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            under_way = list(self._under_way)
        for running in under_way:
            running.end(EndReason.SHUTDOWN)
        self.sessions.close()
        self._wait_until_idle(4.0)
        self.pool.close()
        self.alarms.close()

    def _wait_until_idle(self, seconds: float) -> None:
        give_up = self.alarms.now() + seconds
        while (self._under_way or self.sessions.running_count) and self.alarms.now() < give_up:
            threading.Event().wait(0.02)

    @contextmanager
    def call(self, seconds: float | None = None) -> Iterator[Running]:
        """For callers without a tool call of their own (tests, ``check``): be a call on this thread for a while."""
        running, reservation = self.running(seconds), self.reserve()
        token = _current_call.set(CurrentCall(running, reservation))
        try:
            yield running
        finally:
            _current_call.reset(token)
            running.finish()
            reservation.release()

    def __enter__(self) -> DatabaseService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _DiedIdle(Exception):
    """A pooled connection turned out to be dead before anything was answered."""
