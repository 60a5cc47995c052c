"""How SQL Server's types take values.

Source: "Data types (Transact-SQL)". Decimals, money and times travel as text, which the server converts exactly; floats as
the eight bytes they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ...models import ParameterType
from ..conversions import Kind, Rule
from .types import TYPES

LARGEST_REAL = Decimal("3.402823567797336e38")  # what rounds to the largest real
LARGEST_FLOAT = Decimal("1.7976931348623157e308")
SEVEN = 7


def _number(name: str, kind: Kind, digits: int = 0) -> Rule:
    return Rule(kind, TYPES[name].low, TYPES[name].high, digits)


_TEXT_BYTES = Rule(Kind.TEXT, length_in_bytes=True)
_TEXT = Rule(Kind.TEXT)
_BINARY = Rule(Kind.BINARY, hint="base64, or 0x and hex digits")
_DECIMAL = Rule(Kind.DECIMAL)

RULES: Mapping[str, Rule] = {
    "bit": Rule(Kind.BOOLEAN),
    "tinyint": _number("tinyint", Kind.INTEGER),
    "smallint": _number("smallint", Kind.INTEGER),
    "int": _number("int", Kind.INTEGER),
    "bigint": _number("bigint", Kind.INTEGER),
    "decimal": _DECIMAL,
    "numeric": _DECIMAL,
    "money": _number("money", Kind.DECIMAL, 4),
    "smallmoney": _number("smallmoney", Kind.DECIMAL, 4),
    "float": Rule(Kind.FLOAT, -LARGEST_FLOAT, LARGEST_FLOAT),
    "real": Rule(Kind.FLOAT, -LARGEST_REAL, LARGEST_REAL),
    "date": Rule(Kind.DATE),
    "time": Rule(Kind.TIME, digits=SEVEN),
    "datetime": Rule(Kind.TIMESTAMP, digits=3, first=(1753, 1, 1)),
    "datetime2": Rule(Kind.TIMESTAMP, digits=SEVEN),
    "smalldatetime": Rule(Kind.TIMESTAMP, digits=0, first=(1900, 1, 1), last=(2079, 6, 6), whole_minutes=True),
    "datetimeoffset": Rule(Kind.TIMESTAMP, digits=SEVEN, offset=True),
    "char": _TEXT_BYTES,
    "varchar": _TEXT_BYTES,
    "text": _TEXT_BYTES,
    "nchar": _TEXT,
    "nvarchar": _TEXT,
    "ntext": _TEXT,
    "sysname": _TEXT,
    "binary": _BINARY,
    "varbinary": _BINARY,
    "image": _BINARY,
    "timestamp": _BINARY,
    "rowversion": _BINARY,
    "uniqueidentifier": Rule(Kind.UUID),
    "xml": Rule(Kind.XML),
    "sql_variant": Rule(Kind.VARIANT, hint='a number, text or true/false, or {"type": "datetime2(7)", "value": "..."}'),
    "hierarchyid": Rule(Kind.VERBATIM, hint="a path such as /1/3/"),
    "geometry": Rule(Kind.VERBATIM, hint="well-known text such as POINT (1 2)"),
    "geography": Rule(Kind.VERBATIM, hint="well-known text such as POINT (-122 47)"),
    "json": Rule(Kind.JSON),
    "vector": Rule(Kind.JSON, hint="an array of numbers"),
    "table": Rule(Kind.TABLE, hint="a list of rows, each an object by column names or an array in column order"),
    "cursor": Rule(Kind.UNSUPPORTED, hint="a cursor exists only inside T-SQL"),
}

SYNONYMS: Mapping[str, str] = {
    "integer": "int",
    "dec": "decimal",
    "double precision": "float",
    "rowversion": "timestamp",
    "character": "char",
    "character varying": "varchar",
    "char varying": "varchar",
    "binary varying": "varbinary",
    "national char": "nchar",
    "national character": "nchar",
    "national char varying": "nvarchar",
    "national character varying": "nvarchar",
    "national text": "ntext",
}

DEFAULT_LENGTHS: Mapping[str, int] = {"char": 1, "varchar": 1, "nchar": 1, "nvarchar": 1, "binary": 1, "varbinary": 1}


_OLD_TIMES = ("datetime", "smalldatetime")


def bound(value: object, kind: ParameterType) -> object:
    """Checked values are bound as they are: numbers, text, bytes; the batch converts them by type. The two old time types
    read ``2024-12-31`` by the login's language, and ``20241231`` always alike."""
    if kind.name in _OLD_TIMES and isinstance(value, str):
        return value[:10].replace("-", "") + " " + value[11:]
    return value


_LARGEST_INT = 2**31 - 1
_LONGEST_VARIANT_TEXT = 4000


def inferred(value: object) -> ParameterType | None:
    """What a sql_variant holds when only the value was given."""
    if isinstance(value, bool):
        return ParameterType("bit", "bit")
    if isinstance(value, int):
        name = "int" if -_LARGEST_INT - 1 <= value <= _LARGEST_INT else "bigint"
        return ParameterType(name, name)
    if isinstance(value, float):
        return ParameterType("float", "float")
    if isinstance(value, Decimal):
        return _decimal_type(value)
    if isinstance(value, str):
        return ParameterType("nvarchar", "nvarchar(4000)", length=_LONGEST_VARIANT_TEXT)
    return None


def _decimal_type(value: Decimal) -> ParameterType | None:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        return None
    scale = max(0, -exponent)
    precision = max(len(value.as_tuple().digits) + max(0, exponent), scale, 1)
    return ParameterType("decimal", f"decimal({precision},{scale})", precision=precision, scale=scale)
