"""SQL Server's types as a table, and the type text of a result's column.

Source: "Data types (Transact-SQL)" and the ODBC headers; sizes are bytes of the largest value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from uuid import UUID

MAX_LENGTH_MARKER = -1  # sys.columns.max_length of a (max) type
_LONGEST_WIDE = 4000  # of nchar and nvarchar; longer is char or varchar
_LONGEST_NARROW = 8000


class Family(str, Enum):
    """What kind of value a type holds."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    FLOAT = "float"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DATETIME_OFFSET = "datetimeoffset"
    TEXT = "text"
    BINARY = "binary"
    UUID = "uuid"
    XML = "xml"
    JSON = "json"
    VECTOR = "vector"
    VARIANT = "variant"
    CLR = "clr"
    TABLE = "table"
    CURSOR = "cursor"


class Shape(str, Enum):
    """What stands in the parentheses behind a type's name."""

    PLAIN = "plain"  # int
    LENGTH = "length"  # varchar(50), varbinary(max)
    PRECISION_SCALE = "precision_scale"  # decimal(18,2)
    PRECISION = "precision"  # float(53)
    SCALE = "scale"  # time(7)


@dataclass(frozen=True)
class SqlType:
    """A system type. ``odbc_code`` is the SQL type ODBC reports; ``bytes_per_character`` turns sys.columns.max_length into
    the declared length; ``low`` and ``high`` bound integers and money."""

    name: str
    family: Family
    max_bytes: int | None
    odbc_code: int | None
    shape: Shape = Shape.PLAIN
    bytes_per_character: int = 1
    low: Decimal | None = None
    high: Decimal | None = None
    deprecated: bool = False
    default_scale: int | None = None


def _number(name: str, family: Family, size: int, code: int, low: str, high: str) -> SqlType:
    return SqlType(name, family, size, code, low=Decimal(low), high=Decimal(high))


_HUGE = 2**31 - 1

TYPES: dict[str, SqlType] = {
    kind.name: kind
    for kind in (
        SqlType("bit", Family.BOOLEAN, 1, -7),
        _number("tinyint", Family.INTEGER, 1, -6, "0", "255"),
        _number("smallint", Family.INTEGER, 2, 5, "-32768", "32767"),
        _number("int", Family.INTEGER, 4, 4, "-2147483648", "2147483647"),
        _number("bigint", Family.INTEGER, 8, -5, "-9223372036854775808", "9223372036854775807"),
        SqlType("decimal", Family.DECIMAL, 17, 3, Shape.PRECISION_SCALE),
        SqlType("numeric", Family.DECIMAL, 17, 2, Shape.PRECISION_SCALE),
        _number("money", Family.MONEY, 8, 3, "-922337203685477.5808", "922337203685477.5807"),
        _number("smallmoney", Family.MONEY, 4, 3, "-214748.3648", "214748.3647"),
        SqlType("float", Family.FLOAT, 8, 6, Shape.PRECISION),
        SqlType("real", Family.FLOAT, 4, 7),
        SqlType("date", Family.DATE, 3, 91),
        SqlType("time", Family.TIME, 5, -154, Shape.SCALE, default_scale=7),
        SqlType("datetime", Family.DATETIME, 8, 93),
        SqlType("datetime2", Family.DATETIME, 8, 93, Shape.SCALE, default_scale=7),
        SqlType("smalldatetime", Family.DATETIME, 4, 93),
        SqlType("datetimeoffset", Family.DATETIME_OFFSET, 10, -155, Shape.SCALE, default_scale=7),
        SqlType("char", Family.TEXT, 8000, 1, Shape.LENGTH),
        SqlType("varchar", Family.TEXT, 8000, 12, Shape.LENGTH),
        SqlType("text", Family.TEXT, _HUGE, -1, deprecated=True),
        SqlType("nchar", Family.TEXT, 8000, -8, Shape.LENGTH, bytes_per_character=2),
        SqlType("nvarchar", Family.TEXT, 8000, -9, Shape.LENGTH, bytes_per_character=2),
        SqlType("ntext", Family.TEXT, _HUGE - 1, -10, deprecated=True),
        SqlType("sysname", Family.TEXT, 256, -9, bytes_per_character=2),
        SqlType("binary", Family.BINARY, 8000, -2, Shape.LENGTH),
        SqlType("varbinary", Family.BINARY, 8000, -3, Shape.LENGTH),
        SqlType("image", Family.BINARY, _HUGE, -4, deprecated=True),
        SqlType("timestamp", Family.BINARY, 8, -2),
        SqlType("rowversion", Family.BINARY, 8, -2),
        SqlType("uniqueidentifier", Family.UUID, 16, -11),
        SqlType("xml", Family.XML, _HUGE, -152),
        SqlType("sql_variant", Family.VARIANT, 8016, -150),
        SqlType("hierarchyid", Family.CLR, 892, -151),
        SqlType("geometry", Family.CLR, _HUGE, -151),
        SqlType("geography", Family.CLR, _HUGE, -151),
        SqlType("json", Family.JSON, _HUGE, 12),
        SqlType("vector", Family.VECTOR, 8000, 12, Shape.LENGTH),
        SqlType("table", Family.TABLE, None, None),
        SqlType("cursor", Family.CURSOR, None, None),
    )
}
"""Every system type by its name."""


def type_text(name: str, *, max_length: int = 0, precision: int = 0, scale: int = 0) -> str:
    """A catalogue row's type as one would declare it; ``max_length`` is bytes, -1 = max, as in sys.columns."""
    kind = TYPES.get(name.lower())
    shape = kind.shape if kind else Shape.PLAIN
    if kind is None or shape is Shape.PLAIN:
        return name
    if shape is Shape.LENGTH:
        length = "max" if max_length == MAX_LENGTH_MARKER else str(_length(kind, max_length))
        return f"{name}({length})"
    if shape is Shape.PRECISION_SCALE:
        return f"{name}({precision},{scale})"
    if shape is Shape.PRECISION:
        return name if precision in (0, 53) else f"{name}({precision})"
    return f"{name}({scale})"


def _length(kind: SqlType, max_length: int) -> int:
    if kind.family is Family.VECTOR:  # 8 bytes of header, 4 a dimension
        return max(0, max_length - 8) // 4
    return max_length // kind.bytes_per_character


_INTEGERS_BY_DIGITS = {3: "tinyint", 5: "smallint", 10: "int", 19: "bigint"}


def column_type(python_type: type, size: int, scale: int) -> str:
    """The type of a result's column from what pyodbc tells of it: the Python type, the size and the scale.

    ODBC knows more than pyodbc passes on. What cannot be told apart takes the name that holds all of them: nvarchar for any
    text that fits one, varbinary for any bytes, decimal for numeric and money, datetime for a datetime2(3).
    """
    if python_type is int:
        return _INTEGERS_BY_DIGITS.get(size, "bigint" if size > 10 else "int")
    if python_type is bool:
        return "bit"
    if python_type is Decimal:
        return f"decimal({size},{scale})"
    if python_type is float:
        return "real" if size in (7, 24) else "float"
    if python_type is UUID:
        return "uniqueidentifier"
    if python_type is str:
        return _text_type(size)
    return _binary_or_time(python_type, size, scale)


def _text_type(size: int) -> str:
    if size <= 0 or size > _LONGEST_NARROW:
        return "nvarchar(max)"
    return f"nvarchar({size})" if size <= _LONGEST_WIDE else f"varchar({size})"


def _binary_or_time(python_type: type, size: int, scale: int) -> str:
    if python_type is date:
        return "date"
    if python_type is time:
        return f"time({scale})"
    if python_type is datetime:
        return _datetime_type(size, scale)
    if scale > 0:  # no bytes have a scale: a type that pyodbc has no reader for
        return f"datetimeoffset({scale})"
    return "varbinary(max)" if size <= 0 or size > _LONGEST_NARROW else f"varbinary({size})"


def _datetime_type(size: int, scale: int) -> str:
    if scale == 3:
        return "datetime"
    if scale == 0 and size <= 16:
        return "smalldatetime"
    return f"datetime2({scale})"
