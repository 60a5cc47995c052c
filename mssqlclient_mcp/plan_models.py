"""What an estimated plan tells, as frozen dataclasses that travel between rooms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class PlanFormat(str, Enum):
    """How the database writes a plan."""

    JSON = "json"  # PostgreSQL, EXPLAIN (FORMAT JSON)
    XML = "xml"  # SQL Server, showplan


@dataclass(frozen=True)
class PlanOperator:
    """One step. ``rows`` is the estimate of what it brings, ``cost`` of itself and all below it, in the database's own unit."""

    depth: int
    name: str
    object: str | None = None
    detail: str = ""
    rows: float | None = None
    cost: float | None = None


@dataclass(frozen=True)
class MissingIndex:
    """An index the optimizer wished for; ``impact`` is its estimate of the cost saved, in percent."""

    table: str
    equality: tuple[str, ...] = ()
    inequality: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    impact: float | None = None


@dataclass(frozen=True)
class Plan:
    """An estimated plan: a summary, and the database's own document. ``scans`` are the tables and indexes read whole."""

    format: PlanFormat
    document: str
    operators: tuple[PlanOperator, ...]
    cost: float | None = None
    rows: float | None = None
    scans: tuple[str, ...] = ()
    missing_indexes: tuple[MissingIndex, ...] = ()
    warnings: tuple[str, ...] = ()
