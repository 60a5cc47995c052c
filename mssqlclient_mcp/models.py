"""What travels between rooms: frozen dataclasses and enums. Imports no sibling.

Field names are Python's (snake_case); tools show them in camelCase (``formatters`` translates).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

Row = tuple[object, ...]


class DatabaseMode(str, Enum):
    """Whether the connection string names a database (DATABASE) or not (SERVER)."""

    DATABASE = "database"
    SERVER = "server"


class StatementKind(str, Enum):
    """How a statement is run: which transaction it gets and whether its connection may be lent again."""

    CATALOG = "catalog"  # our own catalogue SQL: read-only transaction, may be sent again on a new connection
    READ = "read"  # query text that passed the gate: read-only transaction, always rolled back, may be sent again
    WRITE = "write"  # query text with writes on: one transaction, committed on success
    CALL = "call"  # procedures: autocommit; a transaction left open is rolled back, and said


@dataclass(frozen=True)
class Statement:
    """SQL text with the database's own positional markers, and the values for them, in order."""

    sql: str
    parameters: Sequence[object] = ()
    kind: StatementKind = StatementKind.CATALOG


@dataclass(frozen=True)
class Column:
    """A column of a result: its name as the database gave it (may be empty or repeated) and its SQL type."""

    name: str
    type: str


@dataclass(frozen=True)
class Message:
    """What the database said beside rows: PRINT, RAISERROR <= 10, NOTICE."""

    text: str
    severity: str = ""
    code: str = ""


class TruncatedBy(str, Enum):
    """Why a result ends before its end."""

    ROWS = "rows"
    BYTES = "bytes"


@dataclass(frozen=True)
class ResultSet:
    """Rows of one result set, or, with no columns, the count of one statement."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    rows_affected: int | None = None
    truncated_by: TruncatedBy | None = None


@dataclass(frozen=True)
class QueryResult:
    """All that one statement brought back; durations are seconds."""

    result_sets: tuple[ResultSet, ...]
    duration_seconds: float
    rows_affected: int | None = None
    messages: tuple[Message, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectName:
    """An object's place in its database, as the catalogue spells it."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class EnhancedJSONEncoder(json.JSONEncoder):
    """JSON for what databases hold: datetime and friends as ISO 8601, Decimal and UUID as text, Enum by value,
    bytes as base64, dataclasses as objects."""

    def default(self, o: object) -> object:
        if isinstance(o, (datetime, date, time)):
            return o.isoformat()
        if isinstance(o, timedelta):
            return str(o)
        if isinstance(o, (Decimal, UUID)):
            return str(o)
        if isinstance(o, Enum):
            return o.value
        if isinstance(o, (bytes, bytearray, memoryview)):
            return base64.b64encode(bytes(o)).decode("ascii")
        if is_dataclass(o) and not isinstance(o, type):
            return asdict(o)
        return super().default(o)
