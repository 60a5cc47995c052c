"""What the gate for query text has learnt of each database."""

from __future__ import annotations

import threading
from collections.abc import Callable


class OutsideFunctions:
    """Per database, the names of functions that run outside the database's control, learnt once and kept a while."""

    def __init__(self) -> None:
        self._known: dict[str | None, frozenset[str]] = {}
        self._lock = threading.Lock()

    def known_yet(self, database: str | None) -> frozenset[str]:
        """What was learnt so far; nothing when nobody asked the database yet."""
        with self._lock:
            return self._known.get(database, frozenset())

    def known(self, database: str | None, learn: Callable[[], frozenset[str]]) -> frozenset[str]:
        with self._lock:
            names = self._known.get(database)
        if names is None:
            names = learn()
            with self._lock:
                self._known[database] = names
        return names
