"""What travels between rooms: frozen dataclasses and enums. Imports no sibling.

Field names are Python's (snake_case); tools show them in camelCase (``formatters`` translates).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
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


_PLAIN = re.compile(r"[\w$#@]+")


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
    """An object's place in its database, as the catalogue spells it. Its text can be sent back as a name: parts with other than
    letters, digits and ``_ $ # @`` are quoted."""

    schema: str
    name: str

    def __str__(self) -> str:
        parts = (self.schema, self.name)
        return ".".join(part if _PLAIN.fullmatch(part) else '"' + part.replace('"', '""') + '"' for part in parts)


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key, seen from one of its tables: ``direction`` is outgoing, incoming or self. Column pairs stand in order.
    ``not_trusted``: rows from before it were not checked (PostgreSQL: NOT VALID)."""

    name: str
    direction: str
    schema: str
    table: str
    columns: tuple[str, ...]
    referenced_schema: str
    referenced_table: str
    referenced_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    disabled: bool = False
    not_trusted: bool = False
    definition: str | None = None


@dataclass(frozen=True)
class IndexColumn:
    """A key column (or expression) of an index."""

    name: str
    descending: bool = False


@dataclass(frozen=True)
class IndexUsage:
    """How often an index served since the server's counters began; None: not counted by this database."""

    seeks: int | None
    scans: int | None
    lookups: int | None
    updates: int | None
    last_used: str | None = None


@dataclass(frozen=True)
class TableIndex:
    """An index, or SQL Server's heap (without a name). ``usage`` and ``size_kb`` are None where they cannot be seen.
    ``storage``: the filegroup, partition scheme with its column, or tablespace, unless it is the database's default."""

    name: str | None
    kind: str
    unique: bool
    primary_key: bool
    unique_constraint: bool
    columns: tuple[IndexColumn, ...]
    included: tuple[str, ...] = ()
    filter: str | None = None
    fill_factor: int | None = None
    disabled: bool = False
    compression: str | None = None
    size_kb: int | None = None
    usage: IndexUsage | None = None
    definition: str | None = None
    storage: str | None = None
    ignore_dup_key: bool = False


@dataclass(frozen=True)
class PartitionStatistics:
    """A partition: its number or name, rows by the catalogue, and its boundary as the server writes it."""

    partition: str
    rows: int | None
    boundary: str | None = None
    compression: str | None = None
    size_kb: int | None = None


@dataclass(frozen=True)
class ColumnStatistics:
    """A statistics object (PostgreSQL: the table's own): when it was last updated and what changed since."""

    name: str
    last_updated: str | None
    modifications: int | None
    rows: int | None = None
    rows_sampled: int | None = None


@dataclass(frozen=True)
class TableStatistics:
    """Size and freshness of a table. ``rows`` is the catalogue's count: approximate where ``rows_approximate``."""

    schema: str
    name: str
    kind: str
    rows: int | None
    rows_approximate: bool
    data_kb: int | None
    index_kb: int | None
    reserved_kb: int | None
    unused_kb: int | None
    lob_kb: int | None
    created: str | None = None
    modified: str | None = None
    partitions: tuple[PartitionStatistics, ...] = ()
    statistics: tuple[ColumnStatistics, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeatureSupport:
    """A capability: ``supported`` is None when it cannot be told; ``enabled`` is None when it is no switch (or not visible)."""

    name: str
    supported: bool | None
    reason: str = ""
    enabled: bool | None = None


@dataclass(frozen=True)
class LoginRights:
    """What the current login may do; None: could not be seen."""

    login: str | None
    user: str | None
    administrator: bool | None
    database_owner: bool | None
    can_write: bool | None
    server_roles: tuple[str, ...] = ()
    database_roles: tuple[str, ...] = ()
    server_permissions: tuple[str, ...] = ()
    database_permissions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerIdentity:
    """Which server this is."""

    product: str
    version: str | None
    version_text: str | None
    major: int | None
    minor: int | None
    build: int | None
    level: str | None = None
    edition: str | None = None
    engine_edition: str | None = None
    host_os: str | None = None
    database: str | None = None
    compatibility_level: int | None = None
    collation: str | None = None
    server_collation: str | None = None
    system_databases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerCapability:
    """What a server is and can do, as seen by one login in one database."""

    identity: ServerIdentity
    deployment: str
    login: LoginRights
    features: tuple[FeatureSupport, ...]
    notes: tuple[str, ...] = ()

    def supports(self, feature: str) -> bool | None:
        """Whether the named feature is there; None when it is unknown or not in the table."""
        return next((item.supported for item in self.features if item.name == feature), None)


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


class Direction(str, Enum):
    """Which way a parameter's value goes. T-SQL's OUTPUT is INOUT: it brings a value in, too."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"
    RETURN = "return"


@dataclass(frozen=True)
class ParameterType:
    """What a value must be. ``name`` is the system type that decides how values are checked, ``text`` the type as it is written
    in SQL; ``length`` counts characters or bytes (None: no limit). ``labels`` belong to an enum, ``element`` to an array,
    ``fields`` to a composite or a table type."""

    name: str
    text: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    labels: tuple[str, ...] = ()
    element: ParameterType | None = None
    fields: tuple[ParameterField, ...] = ()


@dataclass(frozen=True)
class ParameterField:
    """A column of a table type, or a field of a composite. Identity, computed and rowversion columns are not ``writable``."""

    name: str
    type: ParameterType
    required: bool = False
    writable: bool = True


@dataclass(frozen=True)
class StoredProcedureParameter:
    """A parameter of a procedure. ``required`` is None where only the server knows (a definition that may not be seen);
    ``default`` is written as in the definition."""

    name: str
    ordinal: int
    type: ParameterType
    sql_type: str
    direction: Direction = Direction.IN
    required: bool | None = None
    default: str | None = None
    nullable: bool = True

    @property
    def is_output(self) -> bool:
        """True when the procedure gives a value back in it."""
        return self.direction in (Direction.OUT, Direction.INOUT)

    def __str__(self) -> str:
        suffix = {Direction.OUT: " OUT", Direction.INOUT: " INOUT"}.get(self.direction, "")
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.name} {self.sql_type}{default}{suffix}"


@dataclass(frozen=True)
class OutputValue:
    """What an output parameter held at the end."""

    name: str
    sql_type: str
    value: object


class SessionStatus(str, Enum):
    """Where a background session stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SessionType(str, Enum):
    """What a background session runs."""

    QUERY = "query"
    STORED_PROCEDURE = "stored_procedure"


@dataclass(frozen=True)
class ErrorResponse:
    """An error as it is told and kept: see ``errors``."""

    code: str
    message: str
    retryable: bool
    details: dict[str, object]


@dataclass(frozen=True)
class SessionResultSet:
    """A result set of a session: its columns and how many rows are kept; with no columns, only a count."""

    columns: tuple[Column, ...]
    rows: int
    rows_affected: int | None = None
    truncated: bool = False


@dataclass(frozen=True)
class QuerySession:
    """A background session as it stands at one moment; durations are seconds, times are UTC."""

    session_id: str
    type: SessionType
    query: str
    database_name: str | None
    status: SessionStatus
    start_time: datetime
    duration_seconds: float
    timeout_seconds: float
    row_count: int
    result_sets: tuple[SessionResultSet, ...]
    result_bytes: int
    truncated: bool = False
    end_time: datetime | None = None
    expires_at: datetime | None = None
    error: ErrorResponse | None = None
    ending: bool = False
    result_expired: bool = False
    outputs: tuple[OutputValue, ...] = ()
    return_value: object = None
    messages: tuple[Message, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A column compared with a value. ``path`` is its place in the request, for messages."""

    column: str
    op: str
    value: object = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class Junction:
    """``and`` or ``or`` over several parts, or ``not`` over its only one."""

    word: str
    parts: tuple[Condition | Junction, ...]


@dataclass(frozen=True)
class Ordering:
    """A column, or the name of an aggregate, that rows are ordered by."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Aggregate:
    """A function over the rows of a group; without a column, count counts rows. Without an ``alias`` it gets one."""

    function: str
    column: str | None = None
    alias: str | None = None


@dataclass(frozen=True)
class QueryRequest:
    """A read that was asked for as data. All of ``filters`` must hold; no ``columns``: all, or those grouped by."""

    table: str
    columns: tuple[str, ...] = ()
    filters: tuple[Condition | Junction, ...] = ()
    limit: int = 100
    offset: int = 0
    group_by: tuple[str, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    order_by: tuple[Ordering, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True)
class ClientSession:
    """What the rate limit counts for a client: calls in its window, which began at ``window_start`` (seconds since 1970)."""

    client_id: str
    request_count: int
    window_start: float
