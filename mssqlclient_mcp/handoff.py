"""The handoff: a statement that runs longer than its caller should wait becomes a background session, where it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .alarms import Alarm, AlarmClock
from .errors import DatabaseMcpError, InternalError
from .execution import ResultBuffer
from .models import ResultSet, SessionType
from .procedure_models import ProcedureResult
from .running import Running
from .session import Session
from .sessions import SessionManager

TRY_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Offer:
    """What the session would be, should the statement take long: whose, after how many seconds, and with how many to live."""

    owner: str
    after_seconds: float
    session_seconds: float


class Handoff:
    """One statement that may become a session. The worker brackets it with ``watching``; the alarm clock takes the step.

    The lock decides between the worker's end and the step: either the caller gets the result or the session, never both.
    """

    def __init__(
        self,
        offer: Offer,
        sessions: SessionManager,
        running: Running,
        *,
        kind: SessionType,
        query: str,
        database: str | None,
        leave_pool: Callable[[], bool],
        collect: Callable[[tuple[ResultSet, ...]], ProcedureResult] | None = None,
    ) -> None:
        self._offer = offer
        self._sessions = sessions
        self._running = running
        self._kind = kind
        self._query = query
        self._database = database
        self._leave_pool = leave_pool
        self._collect = collect
        self._lock = threading.Lock()
        self._over = False
        self._alarm: Alarm | None = None
        self._session: Session | None = None

    @contextmanager
    def watching(self, alarms: AlarmClock, sink: ResultBuffer) -> Iterator[None]:
        """The statement runs inside this block, and ``sink`` takes its rows."""
        self._running.may_last = self._offer.session_seconds
        self._ring(alarms, sink, self._running.started + self._offer.after_seconds)
        try:
            yield
        except DatabaseMcpError as error:
            self._end(error)
            raise
        except BaseException:
            self._end(InternalError("The session failed by a defect of this server; its log has the details."))
            raise
        else:
            self._end(None)

    def _ring(self, alarms: AlarmClock, sink: ResultBuffer, when: float) -> None:
        def step() -> None:
            with self._lock:
                if not self._over and not self._take_over(sink):
                    self._ring(alarms, sink, alarms.now() + TRY_AGAIN_SECONDS)

        def begin() -> None:  # packing rows and waiting for memory would hold up the other alarms
            threading.Thread(target=step, name="handoff", daemon=True).start()

        self._alarm = alarms.set(when, begin)

    def _take_over(self, sink: ResultBuffer) -> bool:
        """Become a session. True when nothing is left to try; False when no session or no connection is there yet."""
        running = self._running
        if running.reason is not None:
            return True
        session = self._sessions.adopt(self._offer.owner, self._kind, self._query, self._database, running)
        if session is None:
            return False
        if not self._leave_pool():
            self._sessions.disown(session)
            return False
        if not sink.hand_over(session.store):
            self._sessions.disown(session)  # cut already: it ends soon
            return True
        if not running.extend(self._offer.session_seconds):
            self._sessions.disown(session)
            return True
        self._sessions.keep(session)
        if running.answer_early(value=session):
            self._session = session
        else:
            self._sessions.disown(session)
        return True

    def _end(self, error: DatabaseMcpError | None) -> None:
        with self._lock:
            self._over = True
            alarm, session = self._alarm, self._session
        if alarm is not None:
            alarm.off()
        if session is None:
            return
        self._running.finish()
        procedure = None
        if self._collect is not None:
            procedure = session.store.told_apart(self._collect)
        self._sessions.conclude(session, error, procedure)
