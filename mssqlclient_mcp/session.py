"""One background session: what it is, how far it is, and the one moment in which it ends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from .errors import DatabaseMcpError, StatementCancelled
from .models import ErrorResponse, OutputValue, QuerySession, SessionStatus, SessionType
from .procedure_models import ProcedureResult
from .running import EndReason, Running
from .session_store import ResultStore

MOST_QUERY_CHARACTERS = 2000
CANCELS = (EndReason.CLIENT, EndReason.REQUEST, EndReason.SHUTDOWN)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(timezone.utc)


class Session:
    """A statement in the background. Thread-safe; ``end`` counts once, whoever comes first."""

    def __init__(
        self,
        *,
        owner: str,
        kind: SessionType,
        query: str,
        database: str | None,
        running: Running,
        store: ResultStore,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.owner = owner
        self.type = kind
        self.query = query if len(query) <= MOST_QUERY_CHARACTERS else query[:MOST_QUERY_CHARACTERS] + " …"
        self.database = database
        self.running = running
        self.store = store
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._began = wall_clock() - timedelta(seconds=running.elapsed)
        self._status = SessionStatus.RUNNING
        self._error: DatabaseMcpError | None = None
        self._ended: datetime | None = None
        self._expires: datetime | None = None
        self._seconds = 0.0
        self._procedure: ProcedureResult | None = None
        self._waiters: list[Callable[[], object]] = []

    @property
    def status(self) -> SessionStatus:
        """Where it stands."""
        return self._status

    @property
    def over(self) -> bool:
        """True once it has ended."""
        return self._status is not SessionStatus.RUNNING

    def when_over(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once, when the session ends, or now when it has."""
        with self._lock:
            if not self.over:
                self._waiters.append(callback)
                return
        callback()

    def no_longer(self, callback: Callable[[], object]) -> None:
        """Take a callback of ``when_over`` back."""
        with self._lock:
            if callback in self._waiters:
                self._waiters.remove(callback)

    def end(self, error: DatabaseMcpError | None, *, kept_seconds: float, procedure: ProcedureResult | None = None) -> bool:
        """The session is over: failed or cancelled by ``error``, else completed. False when it was over already."""
        with self._lock:
            if self.over:
                return False
            self._seconds = self.running.elapsed
            self._ended = self._wall_clock()
            self._expires = self._ended + timedelta(seconds=kept_seconds)
            self._error, self._procedure = error, procedure
            self._status = self._outcome(error)
            waiters, self._waiters = self._waiters, []
        self.store.seal()
        for waiter in waiters:
            waiter()
        return True

    def _outcome(self, error: DatabaseMcpError | None) -> SessionStatus:
        if error is None:
            return SessionStatus.COMPLETED
        asked = isinstance(error, StatementCancelled) and self.running.reason in CANCELS
        return SessionStatus.CANCELLED if asked else SessionStatus.FAILED

    def snapshot(self) -> QuerySession:
        """The session as it stands now."""
        with self._lock:
            status, error, procedure = self._status, self._error, self._procedure
            ended, expires = self._ended, self._expires
            seconds = self._seconds if self.over else self.running.elapsed
        sets = self.store.summary()
        return QuerySession(
            session_id=self.id,
            type=self.type,
            query=self.query,
            database_name=self.database,
            status=status,
            start_time=self._began,
            duration_seconds=seconds,
            timeout_seconds=self.running.seconds or 0,
            row_count=sum(one.rows for one in sets),
            result_sets=sets,
            result_bytes=self.store.held_bytes,
            truncated=any(one.truncated for one in sets),
            end_time=ended,
            expires_at=expires,
            error=_told(error),
            ending=status is SessionStatus.RUNNING and self.running.reason is not None,
            result_expired=self.store.dropped,
            outputs=_outputs(procedure),
            return_value=procedure.return_value if procedure is not None else None,
            messages=self.store.messages(),
            notes=procedure.result.notes if procedure is not None else (),
        )


def _told(error: DatabaseMcpError | None) -> ErrorResponse | None:
    if error is None:
        return None
    return ErrorResponse(error.code.value, error.message, error.retryable, dict(error.details))


def _outputs(procedure: ProcedureResult | None) -> tuple[OutputValue, ...]:
    return procedure.outputs if procedure is not None else ()
