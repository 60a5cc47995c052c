r"""Structured reads on SQL Server: implements ``dialects.selects.Selects``.

Each value stands in a CAST to the type of its column, widened to the longest of its kind: drivers send text as nvarchar, and
a varchar column compared with that is converted row by row, past its index ("Data type precedence").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import cast

from ...models import ObjectName, ParameterType
from ..selects import EXTENDS, NOTHING, NUMBERS, SORTS, WORDS, Ability, ReadableColumn, ReadableTable, Select
from .call_batch import CONVERSIONS, MOST_MARKERS, READINGS, VARIANT_READING
from .catalog_selects import READABLE_TABLE
from .signature import quote as in_brackets
from .signature import scalar_type
from .types import TYPES, Family

__all__ = ["MOST_PARAMETERS", "PATTERN_LITERALS", "READABLE_TABLE", "quote"]

MOST_PARAMETERS = MOST_MARKERS
PATTERN_LITERALS: Mapping[str, str] = {"%": "[%]", "_": "[_]", "[": "[[]"}

_MATCHED_ONLY = frozenset({Ability.MATCHED})
_ABILITIES: Mapping[Family, frozenset[Ability]] = {
    Family.BOOLEAN: SORTS,
    Family.INTEGER: NUMBERS,
    Family.DECIMAL: NUMBERS,
    Family.MONEY: NUMBERS,
    Family.FLOAT: NUMBERS,
    Family.DATE: EXTENDS,
    Family.TIME: EXTENDS,
    Family.DATETIME: EXTENDS,
    Family.DATETIME_OFFSET: EXTENDS,
    Family.TEXT: WORDS,
    Family.BINARY: SORTS,
    Family.UUID: SORTS,
}
_BY_NAME: Mapping[str, frozenset[Ability]] = {
    "text": _MATCHED_ONLY,
    "ntext": _MATCHED_ONLY,
    "image": NOTHING,
    "hierarchyid": SORTS,
}
"""Types that can more or less than others of their family; "ntext, text, and image" cannot be compared."""

_MOST_DIGITS = 38
_NARROW = ParameterType("varchar", "varchar(8000)", length=8000)
_WIDE = ParameterType("nvarchar", "nvarchar(4000)", length=4000)
_BYTES = ParameterType("varbinary", "varbinary(8000)", length=8000)
_NARROW_MAX = ParameterType("varchar", "varchar(max)")
_WIDE_MAX = ParameterType("nvarchar", "nvarchar(max)")
_BYTES_MAX = ParameterType("varbinary", "varbinary(max)")
_WIDENED: Mapping[str, tuple[ParameterType, ParameterType]] = {
    "char": (_NARROW, _NARROW_MAX),
    "varchar": (_NARROW, _NARROW_MAX),
    "text": (_NARROW, _NARROW_MAX),
    "nchar": (_WIDE, _WIDE_MAX),
    "nvarchar": (_WIDE, _WIDE_MAX),
    "ntext": (_WIDE, _WIDE_MAX),
    "sysname": (_WIDE, _WIDE_MAX),
    "binary": (_BYTES, _BYTES_MAX),
    "varbinary": (_BYTES, _BYTES_MAX),
}
_ROW_VERSION = ParameterType("binary", "binary(8)", length=8)
_WHOLE = {"tinyint": "bigint", "smallint": "bigint", "int": "bigint", "bigint": "decimal(38, 0)"}
"""What a sum of whole numbers is made in: SUM(int) is an int, and overflows."""

_MEAN_TYPE = "decimal(25, 6)"
"""What whole numbers are averaged in: AVG(int) is an int. 19 digits, and 6 behind the point."""


def quote(identifier: str) -> str:
    """In brackets; a name with braces in double quotes, where no ODBC driver looks for its own escapes."""
    return '"' + identifier.replace('"', '""') + '"' if "{" in identifier or "}" in identifier else in_brackets(identifier)


def readable_table(row: Mapping[str, object]) -> ReadableTable:
    """The row of READABLE_TABLE."""
    columns = tuple(_column(one) for one in _records(row["columns"]))
    never_null = {column.name for column in columns if not column.nullable}
    keys = [tuple(str(one["name"]) for one in _records(key["columns"])) for key in _records(row["keys"])]
    return ReadableTable(
        ObjectName(str(row["schema_name"]), str(row["name"])),
        columns,
        tuple(key for key in keys if key and never_null.issuperset(key)),
    )


def _records(value: object) -> list[dict[str, object]]:
    read = json.loads(value) if isinstance(value, str) and value else value
    return cast("list[dict[str, object]]", read or [])


def _column(one: dict[str, object]) -> ReadableColumn:
    kind = scalar_type(one) if one.get("type_name") is not None else ParameterType("verbatim", "(not visible)")
    own = bool(one.get("is_user_defined")) and one.get("base_name") is not None
    return ReadableColumn(
        str(one["name"]),
        kind,
        f"{one['type_schema']}.{one['type_name']}" if own else kind.text,
        bool(one["nullable"]),
        NOTHING if one.get("encrypted") is not None else abilities_of(kind),
        listed=not one.get("hidden"),
        collation=None if one.get("collation") is None else str(one["collation"]),
    )


def abilities_of(kind: ParameterType) -> frozenset[Ability]:
    """What can be asked of values of a type."""
    known = TYPES.get(kind.name)
    if kind.name in _BY_NAME or known is None:
        return _BY_NAME.get(kind.name, NOTHING)
    return _ABILITIES.get(known.family, NOTHING)


def operand_type(column: ReadableColumn, value: object) -> ParameterType:
    """The column's type at its longest. Text beyond ASCII goes to a varchar column as nvarchar: a code page that lacks a letter
    would make it a question mark, which then is found."""
    kind = column.type
    if kind.name in ("timestamp", "rowversion"):
        return _ROW_VERSION
    if kind.name in ("decimal", "numeric"):
        return _wide_enough(kind, value)
    if kind.name not in _WIDENED:
        return kind
    bounded, unbounded = _WIDENED[kind.name]
    widened = bounded if kind.length is not None else unbounded
    if widened.name == "varchar" and isinstance(value, str) and not value.isascii():
        return _WIDE if widened is _NARROW else _WIDE_MAX
    return widened


def pattern_type(column: ReadableColumn, pattern: str) -> ParameterType:
    """The same for a LIKE pattern."""
    return operand_type(column, pattern)


def _wide_enough(kind: ParameterType, value: object) -> ParameterType:
    """A decimal that keeps every digit of ``value``, where there is one: a comparison may have more digits than the column."""
    try:
        digits = Decimal(str(value)).normalize().as_tuple()
    except InvalidOperation:
        return kind
    if not isinstance(digits.exponent, int) or isinstance(value, bool):
        return kind
    scale = max(kind.scale or 0, -digits.exponent)
    before = max((kind.precision or 0) - (kind.scale or 0), len(digits.digits) + digits.exponent)
    if before + scale > _MOST_DIGITS:
        return kind
    return replace(kind, text=f"decimal({before + scale},{scale})", precision=before + scale, scale=scale)


def marker(_: int, kind: ParameterType) -> str:
    """``CAST(? AS int)``; the types made by CLR read their text themselves."""
    return CONVERSIONS.get(kind.name, f"CAST(? AS {kind.text})")


def like(column_sql: str, column: ReadableColumn, marker: str, *, ignore_case: bool, negated: bool) -> str:
    """LIKE. A collation that minds case is got round by LOWER on both sides."""
    if ignore_case and "_CI_" not in (column.collation or ""):
        large = {"text": _NARROW_MAX, "ntext": _WIDE_MAX}.get(column.type.name)
        column_sql = f"LOWER(CAST({column_sql} AS {large.text}))" if large else f"LOWER({column_sql})"
        marker = f"LOWER({marker})"
    return f"{column_sql} {'NOT ' if negated else ''}LIKE {marker}"


def aggregate(function: str, column_sql: str, column: ReadableColumn | None) -> str:
    """Counts as bigint; sums and averages of whole numbers in a type that holds them."""
    if column is None:
        return "COUNT_BIG(*)"
    if function in ("count", "count_distinct"):
        return f"COUNT_BIG({'DISTINCT ' if function == 'count_distinct' else ''}{column_sql})"
    whole = _WHOLE.get(column.type.name)
    if whole is not None and function in ("sum", "avg"):
        column_sql = f"CAST({column_sql} AS {whole if function == 'sum' else _MEAN_TYPE})"
    return f"{function.upper()}({column_sql})"


def item(column_sql: str, column: ReadableColumn) -> str:
    """Types that ODBC has no reader for come as text, under the column's name."""
    reading = VARIANT_READING if column.type.name == "sql_variant" else READINGS.get(column.type.name)
    return column_sql if reading is None else f"{reading.format(column_sql)} AS {quote(column.name)}"


def text(select: Select) -> str:
    """The whole statement. OFFSET needs an ORDER BY; without either, TOP."""
    pages = bool(select.order_by) or select.offset > 0
    top = f"TOP ({int(select.limit)}) " if select.limit is not None and not pages else ""
    lines = [f"SELECT {top}{', '.join(select.items)}", f"FROM {select.source} AS t"]
    lines += [f"WHERE {select.where}"] if select.where else []
    lines += [f"GROUP BY {', '.join(select.group_by)}"] if select.group_by else []
    if pages:
        lines.append(f"ORDER BY {', '.join(select.order_by) or '(SELECT NULL)'}")
        if select.limit is not None:
            lines.append(f"OFFSET {int(select.offset)} ROWS FETCH NEXT {int(select.limit)} ROWS ONLY")
    return "\n".join(lines)
