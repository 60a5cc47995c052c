"""The gate for query text as one service keeps it: what a text is for whoever sends it, and the refusal in words.

Two must agree before a text may write: the owner, by ENABLE_WRITE_QUERIES, and what the caller was granted (``may_write``).
Whoever does not say so may read only.
"""

from __future__ import annotations

from collections.abc import Callable

from . import read_only
from .errors import InvalidParameter, ReadOnlyViolation
from .gate_memory import OutsideFunctions, Verdicts
from .models import StatementKind
from .read_only import Verdict
from .scopes import WRITE

ONLY_READS = f"Your token grants reads only: send one SELECT at a time. Changing data needs a token that grants {WRITE}."


class QueryGate:
    """The gate of one dialect; ``writes``: the owner lets queries write."""

    def __init__(self, dialect_name: str, *, writes: bool) -> None:
        self.outside = OutsideFunctions()
        self._dialect_name = dialect_name
        self._writes = writes
        self._verdicts = Verdicts(dialect_name)

    def kind_yet(self, database: str | None, sql: str, *, may_write: bool = False) -> StatementKind:
        """``kind`` by what was learnt of the database so far."""
        _not_empty(sql)
        return self._kind(sql, self.outside.known_yet(database), may_write=may_write)

    def kind(
        self, database: str | None, sql: str, learn: Callable[[], frozenset[str]], *, may_write: bool = False
    ) -> StatementKind:
        """READ when the gate is certain that the text only reads, else WRITE when both agree to that. ``learn`` asks the
        database which functions run outside its control, where that is not known yet.

        Raises InvalidParameter for an empty text, ReadOnlyViolation with the reason and what to do instead.
        """
        _not_empty(sql)
        return self._kind(sql, self.outside.known(database, learn), may_write=may_write)

    def pass_plan(
        self, database: str | None, sql: str, learn: Callable[[], frozenset[str]], *, may_write: bool = False
    ) -> StatementKind:
        """The same for a text of which only the plan is wanted: a read, or one change of data. Raises as ``kind`` does."""
        _not_empty(sql)
        known = self.outside.known(database, learn)

        def verdict(writes: bool) -> Verdict:
            return read_only.judge_plan(self._dialect_name, sql, writes=writes, outside_functions=known)

        told = verdict(writes=False)
        if told.allowed:
            return StatementKind.READ
        changes = self._writes and verdict(writes=True).allowed
        if changes and may_write:
            return StatementKind.WRITE
        raise violation(told, lacks_scope=changes)

    def _kind(self, sql: str, outside_functions: frozenset[str], *, may_write: bool) -> StatementKind:
        verdict = self._verdicts.of(sql, outside_functions)
        if verdict.allowed:
            return StatementKind.READ
        if self._writes and may_write:
            return StatementKind.WRITE
        raise violation(verdict, lacks_scope=self._writes)


def violation(verdict: Verdict, *, lacks_scope: bool = False) -> ReadOnlyViolation:
    """The refusal; ``lacks_scope``: the owner would let it pass, the caller's token does not."""
    details: dict[str, object] = {} if verdict.position is None else {"position": verdict.position}
    if not lacks_scope:
        return ReadOnlyViolation(verdict.reason, details=details, next_step=verdict.advice)
    advice = "" if verdict.advice == read_only.WRITES_ARE_OFF else f"{verdict.advice} "
    return ReadOnlyViolation(verdict.reason, details={**details, "scope": WRITE}, next_step=advice + ONLY_READS)


def _not_empty(sql: str) -> None:
    if not sql.strip():
        raise InvalidParameter("The query is empty.", details={"expected": "one SQL statement"})
