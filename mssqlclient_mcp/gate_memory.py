"""What the gate for query text has learnt of each database, and the verdicts it gave."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache

from . import read_only
from .read_only import Verdict

MOST_VERDICTS = 256
LONGEST_TEXT = 4000
"""How many verdicts are kept, and the characters of a text beyond which its verdict is not."""


class Verdicts:
    """The gate of one dialect. A verdict follows from the text and the outside functions alone, so a text that comes again
    (with other values, or page by page) is judged once."""

    def __init__(self, dialect_name: str) -> None:
        self._dialect_name = dialect_name
        self._remembered = lru_cache(MOST_VERDICTS)(self._judge)

    def of(self, sql: str, outside_functions: frozenset[str]) -> Verdict:
        """What ``read_only.judge`` says of a text."""
        judge = self._remembered if len(sql) <= LONGEST_TEXT else self._judge
        return judge(sql, outside_functions)

    def _judge(self, sql: str, outside_functions: frozenset[str]) -> Verdict:
        return read_only.judge(self._dialect_name, sql, outside_functions=outside_functions)


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
