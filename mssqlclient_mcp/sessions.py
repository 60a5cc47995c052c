"""Background sessions: started at once, run by workers on connections of their own, kept for a while after their end."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .alarms import AlarmClock
from .dialects.base import Connection
from .errors import DatabaseMcpError, InternalError, Outcome, SessionNotFound, StatementCancelled, TooManySessions
from .logs import request_id
from .models import QuerySession, SessionStatus, SessionType
from .names import shown
from .procedure_models import ProcedureResult
from .running import EndReason, Running
from .session import Session, utc_now
from .session_store import ResultMemory, ResultStore

log = logging.getLogger(__name__)

MOST_KEPT = 1000
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class SessionLimits:
    """How many sessions may run, how long an ended one is kept (seconds), and how many bytes results may hold."""

    running: int = 10
    kept_seconds: float = 900.0
    result_bytes: int = 64 << 20
    total_bytes: int = 256 << 20


class SessionWork(Protocol):
    """What a worker needs of the service: connections, and how query text and calls are run on them."""

    def connect(self, database: str | None, application_name: str) -> Connection:
        """A new connection of the session's own."""

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
        """Judge query text and run it. ``may_write``: whoever began the session may change data, where writes are on."""

    def procedure(
        self, connection: Connection, running: Running, database: str | None, name: str, parameters: object, store: ResultStore
    ) -> ProcedureResult:
        """Check the values, call the procedure, and tell outputs from result sets."""


class SessionManager:
    """All background sessions of one service. Thread-safe; nothing of it waits for a database, its workers aside."""

    def __init__(
        self,
        work: SessionWork,
        *,
        alarms: AlarmClock,
        limits: SessionLimits | None = None,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.limits = limits or SessionLimits()
        self.memory = ResultMemory(self.limits.total_bytes)
        self.abandoned_workers = 0
        self._work = work
        self._alarms = alarms
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._expiry: OrderedDict[str, float] = OrderedDict()  # ended sessions, in the order of their end
        self._expired: OrderedDict[str, str] = OrderedDict()  # id -> owner
        self._executor: ThreadPoolExecutor | None = None
        self._listeners: list[Callable[[str], object]] = []
        self._closed = False

    # -- starting ------------------------------------------------------------------------------------------------------

    def start_query(
        self,
        owner: str,
        database: str | None,
        sql: str,
        parameters: Sequence[object] = (),
        *,
        seconds: float,
        may_write: bool = False,
    ) -> QuerySession:
        """Begin query text in the background, with ``seconds`` to live. Raises TooManySessions."""
        session = self._new(owner, SessionType.QUERY, sql, database, Running(self._alarms))
        self.keep(session)
        session.running.extend(seconds)
        return self._submit(session, lambda: self._execute_query_in_background(session, sql, parameters, may_write))

    def start_stored_procedure(
        self, owner: str, database: str | None, procedure: str, parameters: object = None, *, seconds: float
    ) -> QuerySession:
        """Begin a call in the background, with ``seconds`` to live. Raises TooManySessions."""
        session = self._new(owner, SessionType.STORED_PROCEDURE, procedure, database, Running(self._alarms))
        self.keep(session)
        session.running.extend(seconds)
        return self._submit(session, lambda: self._execute_sp_in_background(session, procedure, parameters))

    def adopt(self, owner: str, kind: SessionType, query: str, database: str | None, running: Running) -> Session | None:
        """A session for a statement that runs already on another's thread, which decides between ``keep`` and ``disown``, and
        calls ``conclude`` at the end; None when no session is free."""
        try:
            return self._new(owner, kind, query, database, running)
        except (TooManySessions, StatementCancelled):  # the latter: the server is going down
            return None

    def keep(self, session: Session) -> None:
        """The session begins in earnest."""
        session.running.when_ended(lambda: self._when_abandoned(session))
        extra = {"session": session.id, "client": session.owner, "type": session.type.value}
        log.info("session %s: started", session.id, extra=extra)

    def disown(self, session: Session) -> None:
        """Take an adoption back, as if it had never been."""
        with self._lock:
            self._sessions.pop(session.id, None)
        session.store.forget()

    # -- looking -------------------------------------------------------------------------------------------------------

    def get_session(self, owner: str, session_id: str) -> Session:
        """The session of this owner. Raises SessionNotFound, saying whether it expired or never was."""
        with self._lock:
            session = self._sessions.get(session_id)
            expired = self._expired.get(session_id) == owner
        if session is not None and session.owner == owner:
            return session
        if expired:
            message = f"The session {session_id} has expired: its result is gone."
            raise SessionNotFound(message, next_step="Start the query again to see its result.")
        raise SessionNotFound(f"There is no session {shown(session_id)}.")

    def list_sessions(self, owner: str, status: SessionStatus | None = None) -> list[QuerySession]:
        """This owner's sessions, the latest first."""
        with self._lock:
            mine = [one for one in reversed(self._sessions.values()) if one.owner == owner]
        return [one.snapshot() for one in mine if status is None or one.status is status]

    @property
    def running_count(self) -> int:
        """Sessions that run right now, of all owners."""
        with self._lock:
            return len(self._running())

    @property
    def finished_count(self) -> int:
        """Sessions that have ended and are kept, of all owners."""
        with self._lock:
            return len(self._expiry)

    def when_any_over(self, listener: Callable[[str], object]) -> Callable[[], None]:
        """Call ``listener`` with the id of each session that ends; the answer takes it back."""
        with self._lock:
            self._listeners.append(listener)

        def undo() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return undo

    # -- ending --------------------------------------------------------------------------------------------------------

    def cancel_session(self, owner: str, session_id: str) -> Session:
        """Ask for the end, without waiting for it; harmless twice and after the end."""
        session = self.get_session(owner, session_id)
        session.running.end(EndReason.CLIENT)
        return session

    def cancel_all_of(self, owner: str) -> None:
        """Ask for the end of all that this owner runs (an anonymous client that is gone)."""
        with self._lock:
            mine = [one for one in self._running() if one.owner == owner]
        for session in mine:
            session.running.end(EndReason.CLIENT)

    def cleanup_completed_sessions(self) -> None:
        """Forget sessions whose time after their end is over. Runs by itself."""
        with self._lock:
            now = self._alarms.now()
            due = [key for key, when in self._expiry.items() if when <= now]
            crowd = max(0, len(self._expiry) - MOST_KEPT)
            due = list(dict.fromkeys([*list(self._expiry)[:crowd], *due]))
            gone = [self._expire(key) for key in due]
        for session in gone:
            session.store.forget()

    def conclude(self, session: Session, error: DatabaseMcpError | None, procedure: ProcedureResult | None = None) -> None:
        """The session is over; later calls change nothing."""
        if not session.end(error, kept_seconds=self.limits.kept_seconds, procedure=procedure):
            return
        with self._lock:
            when = self._alarms.now() + self.limits.kept_seconds
            self._expiry[session.id] = when
            listeners = list(self._listeners)
            crowded = len(self._expiry) > MOST_KEPT
            closed = self._closed
        _log_end(session)
        if not closed:
            self._alarms.set(when, self.cleanup_completed_sessions)
        if crowded:
            self.cleanup_completed_sessions()
        for listener in listeners:
            listener(session.id)

    def close(self) -> None:
        """Ask for the end of everything that runs, without waiting for it; harmless twice."""
        with self._lock:
            self._closed = True
            running = self._running()
            executor, self._executor = self._executor, None
        for session in running:
            session.running.end(EndReason.SHUTDOWN)
        if executor is not None:
            executor.shutdown(wait=False)

    # -- workers -------------------------------------------------------------------------------------------------------

    def _execute_query_in_background(
        self, session: Session, sql: str, parameters: Sequence[object], may_write: bool = False
    ) -> None:
        def work(connection: Connection) -> None:
            running, store = session.running, session.store
            self._work.query(connection, running, session.database, sql, parameters, store, may_write=may_write)

        self._drive(session, work)

    def _execute_sp_in_background(self, session: Session, procedure: str, parameters: object) -> None:
        def work(connection: Connection) -> ProcedureResult:
            return self._work.procedure(connection, session.running, session.database, procedure, parameters, session.store)

        self._drive(session, work)

    def _drive(self, session: Session, work: Callable[[Connection], ProcedureResult | None]) -> None:
        """A worker's whole life with a session: connect, work, close, tell."""
        error: DatabaseMcpError | None = None
        procedure: ProcedureResult | None = None
        try:
            session.running.check()
            connection = self._work.connect(session.database, _application_name(session))
            try:
                session.running.check()
                procedure = work(connection)
            finally:
                connection.close()
        except DatabaseMcpError as raised:
            error = raised.with_details(requestId=request_id.get())
            arrived = error.details.pop("arrived", None)
            procedure = arrived if isinstance(arrived, ProcedureResult) else None
        except Exception:  # the worker's top: a session must end in any case
            log.exception("session %s failed", session.id)
            error = InternalError("The session failed by a defect of this server; its log has the details.")
            error.with_details(requestId=request_id.get())
        session.running.finish()
        self.conclude(session, error, procedure)

    def _new(self, owner: str, kind: SessionType, query: str, database: str | None, running: Running) -> Session:
        with self._lock:
            if self._closed:
                raise StatementCancelled("The server is shutting down.", details={"outcome": Outcome.NOT_STARTED.value})
            busy = self._running()
            if len(busy) >= self.limits.running:
                raise _too_many(busy, owner)
            store = ResultStore(self.memory, self.limits.result_bytes, keep_last=kind is SessionType.STORED_PROCEDURE)
            session = Session(
                owner=owner,
                kind=kind,
                query=query,
                database=database,
                running=running,
                store=store,
                wall_clock=self._wall_clock,
            )
            self._sessions[session.id] = session
        return session

    def _submit(self, session: Session, work: Callable[[], None]) -> QuerySession:
        session.running.when_early(lambda: self._end_early(session))
        with self._lock:  # whoever replaces the workers waits: a job goes to workers that still take one
            closed = self._closed
            if not closed:
                self._executor = self._executor or ThreadPoolExecutor(self.limits.running, thread_name_prefix="session")
                self._executor.submit(copy_context().run, work)  # the log's lines name the request that began it
        if closed:
            session.running.end(EndReason.SHUTDOWN)
        return session.snapshot()

    def _end_early(self, session: Session) -> None:
        """The end was asked for before a connection was there: the worker may still be connecting, the session is over."""
        if not session.over:
            self._replace_workers()
            self.conclude(session, session.running.early_error)

    def _when_abandoned(self, session: Session) -> None:
        if session.running.abandoned and not session.over:
            with self._lock:
                self.abandoned_workers += 1
            self._replace_workers()
            error = session.running.ending(Outcome.UNKNOWN)
            error.with_details(stoppedAtDatabase=session.running.stopped_at_database)
            self.conclude(session, error)

    def _replace_workers(self) -> None:
        """A worker is stuck in its driver: the others finish what they do, and fresh ones take their places."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    def _running(self) -> list[Session]:
        return [one for one in self._sessions.values() if not one.over]

    def _expire(self, session_id: str) -> Session:
        del self._expiry[session_id]
        session = self._sessions.pop(session_id)
        self._expired[session_id] = session.owner
        while len(self._expired) > MOST_REMEMBERED:
            self._expired.popitem(last=False)
        return session


def _too_many(busy: Sequence[Session], owner: str) -> TooManySessions:
    mine = [one.id for one in busy if one.owner == owner]
    others = len(busy) - len(mine)
    also = f", {others} of them of other clients" if others else ""
    return TooManySessions(f"{len(busy)} sessions are running{also}; no more may start.", details={"sessionIds": mine})


def _application_name(session: Session) -> str:
    """Within PostgreSQL's 63 bytes: whose, and which."""
    client = session.owner.encode("ascii", "replace").decode("ascii")[:10]
    return f"mssqlclient_mcp {client} {session.id}"


def _log_end(session: Session) -> None:
    told = session.snapshot()
    code = told.error.code if told.error is not None else "ok"
    extra = {
        "session": session.id,
        "client": session.owner,
        "seconds": round(told.duration_seconds, 3),
        "rows": told.row_count,
        "code": code,
    }
    log.info("session %s: %s after %.3f s", session.id, told.status.value, told.duration_seconds, extra=extra)
