"""What a catalogue tells about databases, tables and procedures, as frozen dataclasses that travel between rooms.

Their siblings that other rooms share (``TableIndex``, ``ForeignKey``, ``TableStatistics``) live in ``models``. None means
"does not apply" or "cannot be seen"; the latter is said in ``notes``. Dates are ISO 8601 text in the server's own time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Generic, TypeVar, overload

from .models import ForeignKey, ObjectName, TableIndex

T = TypeVar("T")


def made(kind: type[T], values: dict[str, object]) -> T:
    """An instance of a frozen dataclass, which takes ``values`` over as the values of all its fields, in their order.

    The ``__init__`` of a frozen class sets each field by a call of its own; for the columns of many tables that takes longer
    than all other work on them.
    """
    instance = object.__new__(kind)
    object.__setattr__(instance, "__dict__", values)
    return instance


def defaults(kind: type) -> dict[str, object]:
    """The fields of a dataclass, in order, with their defaults (None where a field has none)."""
    return {field.name: None if field.default is MISSING else field.default for field in fields(kind)}


class Columns(Sequence[T]):
    """Instances of a dataclass that are kept as the values of its fields, each made when it is looked at."""

    def __init__(self, kind: type[T], values: Mapping[str, Sequence[object]]) -> None:
        self.kind = kind
        self.values = values

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, slice):
            return Columns(self.kind, {name: column[place] for name, column in self.values.items()})
        return made(self.kind, {name: column[place] for name, column in self.values.items()})


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of ``total`` items, from ``offset`` on."""

    items: Sequence[T]
    total: int
    offset: int = 0
    notes: tuple[str, ...] = ()

    @property
    def next_offset(self) -> int | None:
        """Where the next page starts; None at the end."""
        end = self.offset + len(self.items)
        return end if self.items and end < self.total else None


@dataclass(frozen=True)
class DatabaseInfo:
    """A database of the server."""

    name: str
    state: str | None
    accessible: bool | None
    is_system: bool
    read_only: bool | None = None
    owner: str | None = None
    collation: str | None = None
    encoding: str | None = None
    compatibility_level: int | None = None
    created: str | None = None
    size_kb: int | None = None
    description: str | None = None


@dataclass(frozen=True)
class TableInfo:
    """A line of list_tables. ``kind``: table, view, temporal, history, external, partitioned, materialized_view.
    ``rows`` is the catalogue's count (approximate on PostgreSQL), never COUNT(*)."""

    schema: str
    name: str
    kind: str
    rows: int | None = None
    size_kb: int | None = None
    description: str | None = None


@dataclass(frozen=True)
class ColumnInfo:
    """A column. ``type`` is written as in DDL (``nvarchar(20)``, ``numeric(10,2)``); ``primary_key``: its place in the key."""

    name: str
    type: str
    nullable: bool
    position: int
    default: str | None = None
    default_name: str | None = None  # of SQL Server's constraint, where somebody named it
    identity: str | None = None  # IDENTITY, ALWAYS or BY DEFAULT
    identity_seed: str | None = None
    identity_increment: str | None = None
    computed: str | None = None
    persisted: bool | None = None
    collation: str | None = None
    primary_key: int | None = None
    description: str | None = None
    rowguidcol: bool = False
    sparse: bool = False
    masked: bool = False
    mask: str | None = None
    generated_always: str | None = None
    hidden: bool = False
    encrypted: str | None = None


@dataclass(frozen=True)
class KeyConstraint:
    """A primary key, a unique constraint or (PostgreSQL) an exclusion constraint."""

    name: str
    kind: str
    columns: tuple[str, ...]
    definition: str | None = None


@dataclass(frozen=True)
class CheckConstraint:
    """A check constraint; ``not_trusted``: rows from before it were not checked (PostgreSQL: NOT VALID)."""

    name: str
    definition: str | None
    columns: tuple[str, ...] = ()
    disabled: bool = False
    not_trusted: bool = False


@dataclass(frozen=True)
class TriggerInfo:
    """A trigger of a table or view."""

    name: str
    timing: str
    events: str
    disabled: bool = False
    definition: str | None = None


@dataclass(frozen=True)
class TableSchema:
    """A table or view in full."""

    schema: str
    name: str
    kind: str
    columns: tuple[ColumnInfo, ...]
    description: str | None = None
    created: str | None = None
    modified: str | None = None
    keys: tuple[KeyConstraint, ...] = ()
    checks: tuple[CheckConstraint, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[TriggerInfo, ...] = ()
    definition: str | None = None
    history_table: str | None = None
    partitioning: str | None = None
    partition_of: str | None = None
    row_security: bool | None = None
    memory_optimized: bool = False
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class ProcedureInfo:
    """A procedure (PostgreSQL: or function). ``arguments`` as the server writes them; None where a tool of its own tells."""

    schema: str
    name: str
    kind: str
    arguments: str | None = None
    returns: str | None = None
    language: str | None = None
    description: str | None = None
    created: str | None = None
    modified: str | None = None


@dataclass(frozen=True)
class ProcedureDefinition:
    """A procedure with its text; ``definition`` is None with the reason in ``note``."""

    info: ProcedureInfo
    definition: str | None
    note: str | None = None


@dataclass(frozen=True)
class TableIndexes:
    """A table with its indexes."""

    schema: str
    name: str
    kind: str
    indexes: tuple[TableIndex, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableForeignKeys:
    """A table with the foreign keys from it and to it."""

    schema: str
    name: str
    kind: str
    foreign_keys: tuple[ForeignKey, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectNames:
    """The tables (and views) and procedures of a database by name, to choose from."""

    tables: tuple[ObjectName, ...] = ()
    procedures: tuple[ObjectName, ...] = ()


@dataclass(frozen=True)
class SearchHit:
    """Where a pattern was found: in the name, a column, the definition or the description of an object."""

    schema: str
    name: str
    kind: str
    found_in: str
    column: str | None = None
    line_number: int | None = None
    line: str | None = None
