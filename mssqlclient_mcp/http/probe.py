"""Whether the database answers: one thread asks on a connection of its own, beside all calls; others read its answer."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..database_service import DatabaseService
from ..dialects.base import Connection
from ..errors import DatabaseMcpError, ErrorCode
from ..execution import NET_GRACE_SECONDS, Nets, ResultBuffer, run_statement
from ..models import Statement, StatementKind
from ..running import EndReason, Running

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
FRESH_SECONDS = 1.0
DEADLINE_SECONDS = 3.0
WAIT_SECONDS = 0.1
LOOK_SECONDS = 0.005
MOST_STUCK = 5
QUESTION = Statement("SELECT 1 AS one", (), StatementKind.CATALOG)
NO_ANSWER = ErrorCode.TIMEOUT.value


@dataclass(frozen=True)
class Standing:
    """What is known of the database: ``code`` is the error's when it is not reachable, ``age`` the answer's in seconds."""

    reachable: bool
    latency_seconds: float | None
    age_seconds: float | None
    code: str | None


@dataclass(frozen=True)
class _Answer:
    at: float
    latency: float | None = None
    code: str | None = None


class Prober:
    """Asks every five seconds, and at once when somebody wants to know and the last answer is older than a second. A database
    that hangs holds up this thread alone; that it does not answer is seen by the time which has passed."""

    def __init__(self, service: DatabaseService, *, now: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._settings = replace(service.settings, connect_timeout=int(DEADLINE_SECONDS))
        self._now = now
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._answer: _Answer | None = None
        self._asked: float | None = None
        self._running: Running | None = None
        self._thread: threading.Thread | None = None
        self._stuck = 0
        self._closed = False

    def start(self) -> None:
        """Begin to ask."""
        self._thread = threading.Thread(target=self._run, name="health-probe", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ask no more; harmless twice."""
        self._closed = True
        self._wanted.set()
        running, thread = self._running, self._thread
        if running is not None:
            running.end(EndReason.SHUTDOWN)
        if thread is not None:
            thread.join(DEADLINE_SECONDS)

    def standing(self) -> Standing:
        """What is known right now."""
        with self._lock:
            answer, asked = self._answer, self._asked
        now = self._now()
        if asked is not None and now - asked > DEADLINE_SECONDS:
            return Standing(False, None, None if answer is None else now - answer.at, NO_ANSWER)
        if answer is None:
            return Standing(False, None, None, None)
        return Standing(answer.code is None, answer.latency, now - answer.at, answer.code)

    async def fresh_standing(self) -> Standing:
        """The same after a new answer, if one comes within a tenth of a second."""
        began = self._now()
        answer = self._answer
        if answer is None or began - answer.at > FRESH_SECONDS:
            self._wanted.set()
            while self._answer is answer and self._now() - began < WAIT_SECONDS:
                await asyncio.sleep(LOOK_SECONDS)
        return self.standing()

    def _run(self) -> None:
        connection: Connection | None = None
        mine = threading.current_thread()
        while not self._closed and self._thread is mine:
            with self._lock:
                self._asked = self._now()
            connection, answer = self._ask(connection)
            if self._thread is not mine:
                break  # another took over while the driver did not come back
            with self._lock:
                self._answer, self._asked = answer, None
            self._wanted.wait(EVERY_SECONDS)
            self._wanted.clear()
        if connection is not None:
            connection.close()

    def _ask(self, connection: Connection | None) -> tuple[Connection | None, _Answer]:
        """The connection to keep, and the answer."""
        try:
            kept = self._kept(connection)
            if kept is None:
                kept = self._service.dialect.connect(self._settings, database=None, application_name="mssqlclient_mcp health")
            began = self._now()
            try:
                self._question(kept)
            except BaseException:
                kept.close()
                raise
        except DatabaseMcpError as error:
            return None, _Answer(self._now(), code=error.code.value)
        except Exception:  # the thread's top: it must go on asking
            log.exception("the database could not be asked")
            return None, _Answer(self._now(), code=ErrorCode.INTERNAL.value)
        return kept, _Answer(self._now(), latency=self._now() - began)

    @staticmethod
    def _kept(connection: Connection | None) -> Connection | None:
        """A connection that still stands, or None: the one of before may have died with the database."""
        if connection is not None and not (connection.usable and connection.alive()):
            connection.close()
            return None
        return connection

    def _question(self, connection: Connection) -> None:
        running = self._running = Running(self._service.alarms, seconds=DEADLINE_SECONDS)
        running.when_early(lambda: self._give_up(running))
        try:
            nets = Nets(statement_seconds=DEADLINE_SECONDS + NET_GRACE_SECONDS, lock_seconds=DEADLINE_SECONDS)
            run_statement(connection, QUESTION, running, ResultBuffer(max_rows=1, max_bytes=100), nets)
        finally:
            running.finish()
            self._running = None

    def _give_up(self, running: Running) -> None:
        """The driver does not come back: another thread goes on asking, a few times at the most."""
        if running.abandoned and self._stuck < MOST_STUCK and not self._closed:
            self._stuck += 1
            self.start()
