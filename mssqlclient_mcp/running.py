"""A call under way: its deadline, its cancel flag, and the one way in which both reach the database.

The worker thread drives a connection inside ``driving()`` and asks ``check()`` before each driver call. Whoever wants the end
(the deadline, a cancelled request, ``cancel_session``, the server going down) calls ``end()``; a stopper thread then sends the
driver's cancel every 250 ms until the worker lets go, for a cancel that arrives before the statement began is lost. Each cancel
runs on a thread of its own: over a network that fell silent a driver may never return from it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from enum import Enum
from functools import partial

from .alarms import Alarm, AlarmClock
from .dialects.base import Connection
from .errors import DatabaseMcpError, Outcome, StatementCancelled, StatementError, StatementTimeout

log = logging.getLogger(__name__)

CANCEL_EVERY_SECONDS = 0.25
GIVE_UP_AFTER_SECONDS = 5.0
LAST_GRACE_SECONDS = 1.0


class EndReason(str, Enum):
    """Who asked for the end of a call."""

    TIMEOUT = "timeout"
    CLIENT = "client"
    REQUEST = "request"
    SHUTDOWN = "shutdown"


class Running:
    """One call under way. Thread-safe; made by the caller, driven by one worker."""

    def __init__(self, alarms: AlarmClock, *, seconds: float | None = None) -> None:
        self._alarms = alarms
        self._lock = threading.Lock()
        self._reason: EndReason | None = None
        self._connection: Connection | None = None
        self._stopper: threading.Thread | None = None
        self._cancelling: threading.Thread | None = None
        self._let_go = threading.Event()
        self._finished = False
        self._decided = False
        self._deadline_alarm: Alarm | None = None
        self._listeners: list[Callable[[], object]] = []
        self._on_early: Callable[[], object] | None = None
        self.answered_early = False
        self.early_error: DatabaseMcpError | None = None
        self.early_value: object = None
        self.abandoned = False
        self.stopped_at_database = ""  # yes | unknown, once the worker was abandoned
        self.taken = False  # a worker thread has begun with it
        self.rows = 0  # read so far, for progress
        self.may_last = 0.0  # seconds, when it may be extended
        self.started = alarms.now()
        self.seconds = seconds
        self._context = copy_context()  # for the log's lines about this call, whoever ends it
        if seconds is not None:
            self.extend(seconds)

    @property
    def reason(self) -> EndReason | None:
        """Why the call was ended early; None while nobody asked."""
        return self._reason

    @property
    def finished(self) -> bool:
        """True once the worker is done with the call."""
        return self._finished

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return self._alarms.now() - self.started

    def extend(self, seconds: float) -> bool:
        """Set the deadline to ``seconds`` after the start of the call, in place of the one it had. False when it is too late:
        the call is over or ending."""
        alarm = self._alarms.set(self.started + seconds, self._time_is_up)
        with self._lock:
            in_time = not self._finished and self._reason is None
            if in_time:
                superfluous, self._deadline_alarm, self.seconds = self._deadline_alarm, alarm, seconds
            else:
                superfluous = alarm
        if superfluous is not None:
            superfluous.off()
        return in_time

    def _time_is_up(self) -> None:
        self.end(EndReason.TIMEOUT)

    def when_ended(self, listener: Callable[[], object]) -> None:
        """Call ``listener`` when somebody asks for the end (a waiter in the pool wants to know)."""
        with self._lock:
            self._listeners.append(listener)

    def when_early(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` when the caller is to be answered before the worker is done: with ``early_error``, else with
        ``early_value``."""
        with self._lock:
            self._on_early = callback
            already = self.answered_early
        if already:
            callback()

    def end(self, reason: EndReason) -> bool:
        """Ask for the end, from any thread, without waiting. False when the call is over or already ending.

        Before the statement was begun the caller is answered at once; once it is decided what became of it, the worker that
        is on its way back tells.
        """
        with self._lock:
            if self._finished or self._reason is not None:
                return False
            self._reason = reason
            listeners = list(self._listeners)
            connection, decided = self._connection, self._decided
            if connection is not None:
                self._start_stopper(connection)
        for listener in listeners:
            listener()
        if connection is None and not decided:
            self.answer_early(error=self.ending(Outcome.NOT_STARTED))
        return True

    def answer_early(self, *, value: object = None, error: DatabaseMcpError | None = None) -> bool:
        """Answer the caller now while the worker goes on; False when the call is over or was answered already."""
        with self._lock:
            if self._finished or self.answered_early:
                return False
            self.answered_early = True
            self.early_error, self.early_value = error, value
            callback = self._on_early
        if callback is not None:
            callback()
        return True

    def check(self) -> None:
        """Raise StatementTimeout or StatementCancelled when the end was asked for."""
        if self._reason is not None:
            raise self.ending()

    def ending(self, outcome: Outcome | None = None) -> StatementError:
        """The error that tells of the early end."""
        if self._reason is EndReason.TIMEOUT:
            error: StatementError = StatementTimeout(f"The statement was stopped at its limit of {self.seconds:g} s.")
        elif self._reason is EndReason.SHUTDOWN:
            error = StatementCancelled("The statement was cancelled: the server is shutting down.")
        else:
            error = StatementCancelled("The statement was cancelled on request.")
        if outcome is not None:
            error.with_details(outcome=outcome.value)
        return error

    @contextmanager
    def driving(self, connection: Connection, *, decides: bool = False) -> Iterator[None]:
        """The worker holds ``connection``: a cancel goes to it until the block is left, and no longer. ``decides``: with the
        block the call's own statement has come to its end, good or bad."""
        with self._lock:
            if self._reason is not None:
                raise self.ending(Outcome.NOT_STARTED)
            self._connection = connection
            self._decided = False
            self._let_go.clear()
        try:
            yield
        finally:
            self._release(decides)

    def begin_again(self) -> None:
        """The statement never ran after all (its connection had died idle) and will be sent anew."""
        with self._lock:
            self._decided = False

    def finish(self) -> None:
        """The worker is done: no deadline any more. Harmless twice."""
        with self._lock:
            self._finished = True
            alarm = self._deadline_alarm
            self._deadline_alarm = None
        if alarm is not None:
            alarm.off()

    def _release(self, decides: bool) -> None:
        with self._lock:
            self._connection = None
            self._decided = decides
            stopper = self._stopper
        self._let_go.set()
        if stopper is not None:
            stopper.join()
        if self._cancelling is not None:
            # The connection may be lent again only when the cancel call itself has returned.
            self._cancelling.join()

    def _start_stopper(self, connection: Connection) -> None:
        self._stopper = threading.Thread(target=self._context.run, args=(self._stop, connection), name="stopper", daemon=True)
        self._stopper.start()

    def _stop(self, connection: Connection) -> None:
        give_up = self._alarms.now() + GIVE_UP_AFTER_SECONDS
        while not self._let_go.is_set():
            if self._cancelling is None or not self._cancelling.is_alive():
                work = partial(copy_context().run, self._cancel, connection)
                self._cancelling = threading.Thread(target=work, name="cancel", daemon=True)
                self._cancelling.start()
            if self._let_go.wait(CANCEL_EVERY_SECONDS):
                return
            if self._alarms.now() >= give_up:
                self._last_resort(connection)
                return

    @staticmethod
    def _cancel(connection: Connection) -> None:
        try:
            connection.cancel()
        except DatabaseMcpError as error:
            log.warning("a cancel could not be sent: %s", error.code.value)

    def _last_resort(self, connection: Connection) -> None:
        stopped = False
        try:
            stopped = connection.shutdown()
        except DatabaseMcpError as error:
            log.warning("a statement could not be stopped at the database: %s", error.code.value)
        if self._let_go.wait(LAST_GRACE_SECONDS):
            return
        self.stopped_at_database = "yes" if stopped else "unknown"
        self.abandoned = True
        log.error("a worker does not return from its driver call; its connection is abandoned")
        told = self.ending(Outcome.UNKNOWN)
        told.with_details(stoppedAtDatabase=self.stopped_at_database)
        for listener in list(self._listeners):
            listener()
        self.answer_early(error=told)
