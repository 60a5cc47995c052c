"""What each dialect's ``selects.py`` must offer: what can be asked of a table's columns, and the pieces of a SELECT."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, cast

from ..models import ObjectName, ParameterType


class Ability(str, Enum):
    """What can be asked of a column of some type."""

    COMPARED = "compared"  # =, in, groupBy, count_distinct
    ORDERED = "ordered"  # <, between, orderBy
    MATCHED = "matched"  # like and its kin
    EXTREMES = "extremes"  # min, max
    TOTALLED = "totalled"  # sum, avg


NOTHING: frozenset[Ability] = frozenset()
EQUALS = frozenset({Ability.COMPARED})
SORTS = EQUALS | {Ability.ORDERED}
EXTENDS = SORTS | {Ability.EXTREMES}
NUMBERS = EXTENDS | {Ability.TOTALLED}
WORDS = EXTENDS | {Ability.MATCHED}


@dataclass(frozen=True)
class ReadableColumn:
    """A column that can be asked about. ``type`` is what its values are checked and bound by, ``sql_type`` how people write it.
    ``listed``: shown when no columns are asked for."""

    name: str
    type: ParameterType
    sql_type: str
    nullable: bool
    abilities: frozenset[Ability]
    listed: bool = True
    collation: str | None = None


@dataclass(frozen=True)
class ReadableTable:
    """A table or view as the catalogue spells it. ``keys`` are sets of columns that tell each row apart, none of which is ever
    NULL; the primary key comes first."""

    name: ObjectName
    columns: tuple[ReadableColumn, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    hidden: tuple[str, ...] = ()  # columns that the login may not read


@dataclass(frozen=True)
class Select:
    """A SELECT in pieces, each SQL text. The table's alias is ``t``; no ``limit``: all rows."""

    items: tuple[str, ...]
    source: str
    where: str = ""
    group_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0


class Selects(Protocol):
    """The dialect's side of a structured read."""

    READABLE_TABLE: str
    """Catalogue SQL over one name (schema or None, name) -> the one row that ``readable_table`` reads."""

    MOST_PARAMETERS: int
    """How many values a statement takes."""

    PATTERN_LITERALS: Mapping[str, str]
    """The signs that mean something in a LIKE pattern, and how each is written to stand for itself."""

    def readable_table(self, row: Mapping[str, object]) -> ReadableTable:
        """The table that the row tells of."""

    def quote(self, identifier: str) -> str:
        """An identifier as the dialect quotes it."""

    def operand_type(self, column: ReadableColumn, value: object) -> ParameterType:
        """The type by which ``value`` is checked and bound where it is compared with the column: one that neither rounds nor
        cuts the value, nor keeps the database from using an index of the column."""

    def pattern_type(self, column: ReadableColumn, pattern: str) -> ParameterType:
        """The type of a LIKE pattern for the column."""

    def marker(self, position: int, kind: ParameterType) -> str:
        """The marker of the ``position``th value, turned into its type."""

    def like(self, column_sql: str, column: ReadableColumn, marker: str, *, ignore_case: bool, negated: bool) -> str:
        """A pattern match."""

    def aggregate(self, function: str, column_sql: str, column: ReadableColumn | None) -> str:
        """``count`` (of rows without a column), ``count_distinct``, ``sum``, ``avg``, ``min`` or ``max``: neither overflowing
        nor rounding where the plain function would."""

    def item(self, column_sql: str, column: ReadableColumn) -> str:
        """A column in the list of what is selected: as it is, or as text where its type would not travel."""

    def text(self, select: Select) -> str:
        """The whole statement."""


def selects_for(dialect: str) -> Selects:
    """The SELECTs of ``sqlserver`` or ``postgresql``; needs no driver."""
    return cast("Selects", importlib.import_module(f".{dialect}.selects", package=__package__))
