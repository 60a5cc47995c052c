"""One thread that calls back at given times: deadlines, repeated cancels, sweeps."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Alarm:
    """A callback to come; ``off()`` before its time keeps it from being called."""

    __slots__ = ("_clock", "call", "when")

    def __init__(self, clock: AlarmClock, when: float, call: Callable[[], None]) -> None:
        self._clock = clock
        self.when = when
        self.call = call

    def off(self) -> None:
        """Take the alarm back; harmless twice and after it rang."""
        self._clock._forget(self)


class AlarmClock:
    """Rings alarms at monotonic times (seconds) on a daemon thread of its own, started with the first alarm.

    A callback must be quick and must not block: it holds up all the others. Setting an alarm that is not the next to ring
    wakes nobody, so that a short statement with a long deadline costs two dictionary operations.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._alarms: dict[int, Alarm] = {}
        self._changed = threading.Condition()
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None
        self._closed = False

    def set(self, when: float, call: Callable[[], None]) -> Alarm:
        """Call ``call`` once at ``when`` (on this clock's ``now``), or soon after."""
        alarm = Alarm(self, when, call)
        with self._changed:
            self._alarms[id(alarm)] = alarm
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._ring, name="alarms", daemon=True)
                self._thread.start()
            if when < self._wakes_at:
                self._changed.notify()
        return alarm

    def after(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Call ``call`` once in ``seconds``."""
        return self.set(self.now() + seconds, call)

    def close(self) -> None:
        """Ring no more; harmless twice."""
        with self._changed:
            self._closed = True
            self._alarms.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1)

    def _forget(self, alarm: Alarm) -> None:
        with self._changed:
            self._alarms.pop(id(alarm), None)

    def _ring(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                due = self._take_due()
                if not due:
                    self._wait_for_next()
                    continue
            for alarm in due:
                self._call(alarm)

    def _take_due(self) -> list[Alarm]:
        now = self.now()
        due = [alarm for alarm in self._alarms.values() if alarm.when <= now]
        for alarm in due:
            del self._alarms[id(alarm)]
        return sorted(due, key=lambda alarm: alarm.when)

    def _wait_for_next(self) -> None:
        self._wakes_at = min((alarm.when for alarm in self._alarms.values()), default=float("inf"))
        seconds = None if self._wakes_at == float("inf") else max(0.0, self._wakes_at - self.now())
        self._changed.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        self._wakes_at = float("-inf")  # awake: whoever sets an alarm now need not wake us

    @staticmethod
    def _call(alarm: Alarm) -> None:
        try:
            alarm.call()
        except Exception:
            log.exception("an alarm's callback failed")
