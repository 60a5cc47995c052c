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
            self._give_up(who)
            while not self._may_begin(who):
                left = self._until - self._now()
                self._changed.wait(left if left > 0 else TURN_SECONDS)
            self._waiting.popleft()
            self._whose, self._until = who, self._now() + TURN_SECONDS
            self._changed.notify_all()

    def leave(self, who: object) -> None:
        """``who`` is done; harmless twice."""
        with self._changed:
            self._give_up(who)

    def _may_begin(self, who: object) -> bool:
        """The first in the queue begins when nobody has the turn, or whoever has it stays away."""
        return self._waiting[0] is who and (self._whose is None or self._now() >= self._until)

    def _give_up(self, who: object) -> None:
        if self._whose is who:
            self._whose = None
            self._changed.notify_all()
