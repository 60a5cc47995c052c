"""How the process ends: on EOF and on signals, in bounded time, with statements cancelled at the database.

A reader thread may be stuck on stdin and a worker in its driver, so a signal does not unwind the event loop: what must be done
is done on a thread of its own, and then the process leaves at once. A watchdog leaves even when that thread is stuck.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

log = logging.getLogger(__name__)

LONGEST_END_SECONDS = 4.8
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP") if hasattr(signal, name))


class ProcessEnd:
    """Runs ``steps`` once, in order, at the end of the process, whatever ends it; ``longest_seconds`` is all they may take."""

    def __init__(self, steps: Sequence[Callable[[], object]], *, longest_seconds: float = LONGEST_END_SECONDS) -> None:
        self._steps = steps
        self._longest_seconds = longest_seconds
        self._lock = threading.Lock()
        self._begun = False
        self._done = threading.Event()

    def on_signals(self) -> None:
        """End the process cleanly on SIGINT, SIGTERM and their kin (main thread only)."""
        for number in SIGNALS:
            signal.signal(number, self._signalled)

    def finish(self) -> None:
        """Do the steps now, or wait for who does them already (EOF and a signal may come together); a watchdog ends the
        process when they, or a worker stuck in its driver, take too long."""
        if not self._begin():
            self._done.wait(self._longest_seconds)
            return
        watchdog = threading.Timer(self._longest_seconds, self._leave)
        watchdog.daemon = True
        watchdog.start()
        for step in self._steps:
            self._do(step)
        self._done.set()

    def _signalled(self, number: int, _: FrameType | None) -> None:
        threading.Thread(target=self._finish_and_leave, args=(number,), name="process-end", daemon=True).start()

    def _finish_and_leave(self, number: int) -> None:
        log.info("ending on %s", signal.Signals(number).name)
        self.finish()
        self._leave()

    def _begin(self) -> bool:
        with self._lock:
            begun, self._begun = self._begun, True
        return not begun

    @staticmethod
    def _do(step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:  # the process's end: the other steps must still be done
            log.exception("a step of the end failed")

    @staticmethod
    def _leave() -> None:
        sys.stderr.flush()
        os._exit(0)
