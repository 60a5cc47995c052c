"""Turns: of many workers that unpack rows, one does at a time, so that whoever answers a client need not queue behind them all.

Python runs one thread at a time and hands over every five milliseconds to any thread that waits. With ten busy workers a call
that needs four such steps would wait for some forty of them; with one it waits for four at most. The workers lose nothing: they
could not run beside each other anyway, and whoever waits for its database gives its turn away.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

TURN_SECONDS = 0.01


class Turns:
    """Whose turn it is. A worker that stays away longer than its turn, for its database is slow, is passed over: nobody waits
    for more than the turns of those before it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._whose: object | None = None
        self._until = 0.0

    def take(self, who: object) -> None:
        """Wait for the turn of ``who``, or go on with the one that it has; to be called before each piece of work."""
        if self._whose is who and self._now() < self._until:
            return
        with self._changed:
            self._waiting.append(who)
            if self._whose is who or self._whose is None:
                self._next()
            while self._whose is not who:
                left = self._until - self._now()
                if left > 0:
                    self._changed.wait(left)
                else:
                    self._next()

    def leave(self, who: object) -> None:
        """``who`` is done; harmless twice."""
        with self._changed:
            if self._whose is who:
                self._next()

    def _next(self) -> None:
        self._whose = self._waiting.popleft() if self._waiting else None
        self._until = self._now() + TURN_SECONDS
        self._changed.notify_all()
