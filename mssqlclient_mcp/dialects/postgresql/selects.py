"""Structured reads on PostgreSQL: implements ``dialects.selects.Selects``.

Values travel as text with a cast to their column's type, without its length: ``t."born" >= $1::date``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from ...models import ObjectName, ParameterType
from ..conversions import Kind
from ..selects import EXTENDS, NOTHING, NUMBERS, SORTS, WORDS, Ability, ReadableColumn, ReadableTable, Select
from .catalog_selects import READABLE_TABLE
from .conversions import RULES
from .procedures import quote
from .signature import TypesByOid

__all__ = ["MOST_PARAMETERS", "PATTERN_LITERALS", "READABLE_TABLE", "quote"]

MOST_PARAMETERS = 60_000  # the protocol counts them in 16 bits
PATTERN_LITERALS: Mapping[str, str] = {"%": "\\%", "_": "\\_", "\\": "\\\\"}

_ABILITIES: Mapping[Kind, frozenset[Ability]] = {
    Kind.BOOLEAN: SORTS,
    Kind.INTEGER: NUMBERS,
    Kind.DECIMAL: NUMBERS,
    Kind.FLOAT: NUMBERS,
    Kind.TEXT: WORDS,
    Kind.BINARY: SORTS,
    Kind.DATE: EXTENDS,
    Kind.TIME: EXTENDS,
    Kind.TIMESTAMP: EXTENDS,
    Kind.INTERVAL: NUMBERS,
    Kind.UUID: SORTS,
    Kind.JSON: SORTS,
    Kind.ADDRESS: SORTS,
    Kind.BITS: SORTS,
    Kind.ENUM: EXTENDS,
    Kind.RANGE: SORTS,
}
_BY_NAME: Mapping[str, frozenset[Ability]] = {"json": NOTHING, "oid": EXTENDS}
"""Types that can less than others of their kind."""

_TEXT = ParameterType("text", "text")


def readable_table(row: Mapping[str, object]) -> ReadableTable:
    """The row of READABLE_TABLE."""
    types = TypesByOid(_records(row["types"]))
    columns = [(_column(one, types), bool(one["readable"])) for one in _records(row["columns"])]
    return ReadableTable(
        ObjectName(str(row["schema_name"]), str(row["name"])),
        tuple(column for column, readable in columns if readable),
        tuple(tuple(key) for key in json.loads(str(row["keys"] or "[]"))),
        tuple(column.name for column, readable in columns if not readable),
    )


def _records(value: object) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", json.loads(str(value or "[]")))


def _column(one: Mapping[str, object], types: TypesByOid) -> ReadableColumn:
    oid = int(str(one["type"]))
    kind = types.below(oid)
    abilities = SORTS if kind.name == "verbatim" and types.row(oid).get("sortable") else abilities_of(kind)
    return ReadableColumn(str(one["name"]), kind, str(one["sql_type"]), bool(one["nullable"]), abilities)


def abilities_of(kind: ParameterType) -> frozenset[Ability]:
    """What can be asked of values of a type. An array or a composite can what all of its parts can."""
    if kind.element is not None and kind.name == "array":
        return abilities_of(kind.element) & EXTENDS
    if kind.fields:
        return SORTS.intersection(*(abilities_of(field.type) for field in kind.fields))
    if kind.name in _BY_NAME:
        return _BY_NAME[kind.name]
    rule = RULES.get(kind.name)
    return NOTHING if rule is None else _ABILITIES.get(rule.kind, NOTHING)


def operand_type(column: ReadableColumn, _: object) -> ParameterType:
    """The column's own type; its length is no part of the cast, and so cuts nothing."""
    return column.type


def pattern_type(column: ReadableColumn, _: str) -> ParameterType:
    """text; of a citext column citext, which ignores case."""
    return column.type if column.type.name == "citext" else _TEXT


def marker(position: int, kind: ParameterType) -> str:
    """``$1::integer``. money reads text by the server's locale, and numeric does not."""
    return f"${position}{'::numeric' if kind.name == 'money' else ''}::{kind.text}"


def like(column_sql: str, _: ReadableColumn, marker: str, *, ignore_case: bool, negated: bool) -> str:
    """LIKE, or ILIKE; its escape sign is a backslash, when nothing else is said."""
    return f"{column_sql} {'NOT ' if negated else ''}{'ILIKE' if ignore_case else 'LIKE'} {marker}"


def aggregate(function: str, column_sql: str, column: ReadableColumn | None) -> str:
    """PostgreSQL's own aggregates widen their results; those of money are numbers like its values."""
    if column is None:
        return "count(*)"
    if function == "count_distinct":
        return f"count(DISTINCT {column_sql})"
    cast_to = "::numeric" if column.type.name == "money" else ""
    return f"{function}({column_sql}{cast_to})"


def item(column_sql: str, column: ReadableColumn) -> str:
    """Every type travels as it is but money, whose text is the server's locale's and would not be taken back."""
    return f"{column_sql}::numeric AS {quote(column.name)}" if column.type.name == "money" else column_sql


def text(select: Select) -> str:
    """The whole statement."""
    lines = [f"SELECT {', '.join(select.items)}", f"FROM {select.source} AS t"]
    lines += [f"WHERE {select.where}"] if select.where else []
    lines += [f"GROUP BY {', '.join(select.group_by)}"] if select.group_by else []
    lines += [f"ORDER BY {', '.join(select.order_by)}"] if select.order_by else []
    if select.limit is not None:
        lines.append(f"LIMIT {int(select.limit)}" + (f" OFFSET {int(select.offset)}" if select.offset else ""))
    return "\n".join(lines)
