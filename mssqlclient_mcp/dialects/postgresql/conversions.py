"""How PostgreSQL's types take values. All but bytes travel as text, which the server's own input functions read exactly.

Source: PostgreSQL's documentation, chapters "Data Types" and "Composite Types". Keys are ``pg_type.typname``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ...models import ParameterType
from ..conversions import Kind, Rule

LARGEST_FLOAT4 = Decimal("3.402823567797336e38")  # what rounds to the largest float4
LARGEST_FLOAT8 = Decimal("1.7976931348623157e308")
FIRST_DAY = (-4713, 11, 24)  # 4714 BC, the first day of the Julian day count
LAST_DAY = (5874897, 12, 31)
LAST_TIMESTAMP_DAY = (294276, 12, 31)
MICROSECONDS = 6
_NO_NUMBERS = frozenset({"nan", "infinity", "-infinity"})
_ENDS_OF_TIME = frozenset({"infinity", "-infinity"})
_END_OF_DAY = frozenset({"24:00", "24:00:00"})


def _integer(bits: int) -> Rule:
    return Rule(Kind.INTEGER, Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1), 0)


def _moment(kind: Kind, last: tuple[int, int, int], *, offset: bool = False) -> Rule:
    return Rule(kind, digits=MICROSECONDS, first=FIRST_DAY, last=last, offset=offset, words=_ENDS_OF_TIME)


_VERBATIM = Rule(Kind.VERBATIM)
_TEXT = Rule(Kind.TEXT)
_RANGE = Rule(Kind.RANGE, hint='text such as [1,10), or {"lower": 1, "upper": 10, "bounds": "[)"}')
_POLYMORPHIC = Rule(Kind.VARIANT, hint='{"type": "integer", "value": 5} says which type is meant')
_INTERNAL = Rule(Kind.UNSUPPORTED, hint="only the server itself makes such values")

RULES: Mapping[str, Rule] = {
    "bool": Rule(Kind.BOOLEAN),
    "int2": _integer(16),
    "int4": _integer(32),
    "int8": _integer(64),
    "oid": Rule(Kind.INTEGER, Decimal(0), Decimal(2**32 - 1), 0),
    "numeric": Rule(Kind.DECIMAL, words=_NO_NUMBERS),
    "money": Rule(Kind.DECIMAL, Decimal("-92233720368547758.08"), Decimal("92233720368547758.07"), 2),
    "float4": Rule(Kind.FLOAT, -LARGEST_FLOAT4, LARGEST_FLOAT4, words=_NO_NUMBERS),
    "float8": Rule(Kind.FLOAT, -LARGEST_FLOAT8, LARGEST_FLOAT8, words=_NO_NUMBERS),
    "text": _TEXT,
    "varchar": _TEXT,
    "bpchar": _TEXT,
    "char": _TEXT,
    "name": _TEXT,
    "citext": _TEXT,
    "bytea": Rule(Kind.BINARY, hint="base64, or 0x and hex digits"),
    "date": _moment(Kind.DATE, LAST_DAY),
    "time": Rule(Kind.TIME, digits=MICROSECONDS, words=_END_OF_DAY),
    "timetz": Rule(Kind.TIME, digits=MICROSECONDS, offset=True),
    "timestamp": _moment(Kind.TIMESTAMP, LAST_TIMESTAMP_DAY),
    "timestamptz": _moment(Kind.TIMESTAMP, LAST_TIMESTAMP_DAY, offset=True),
    "interval": Rule(Kind.INTERVAL, hint="ISO 8601 such as P1DT2H, or 1 day 02:00:00"),
    "uuid": Rule(Kind.UUID),
    "json": Rule(Kind.JSON),
    "jsonb": Rule(Kind.JSON),
    "xml": Rule(Kind.XML),
    "inet": Rule(Kind.ADDRESS),
    "cidr": Rule(Kind.ADDRESS, hint="a network such as 10.0.0.0/8"),
    "bit": Rule(Kind.BITS, hint="digits 0 and 1"),
    "varbit": Rule(Kind.BITS, hint="digits 0 and 1"),
    "int4range": _RANGE,
    "int8range": _RANGE,
    "numrange": _RANGE,
    "tsrange": _RANGE,
    "tstzrange": _RANGE,
    "daterange": _RANGE,
    "range": _RANGE,
    "enum": Rule(Kind.ENUM),
    "array": Rule(Kind.ARRAY, hint="a list"),
    "composite": Rule(Kind.COMPOSITE, hint="an object by field names, or a list in their order"),
    "anyelement": _POLYMORPHIC,
    "anyarray": _POLYMORPHIC,
    "anynonarray": _POLYMORPHIC,
    "anyenum": _POLYMORPHIC,
    "anyrange": _POLYMORPHIC,
    "anymultirange": _POLYMORPHIC,
    "anycompatible": _POLYMORPHIC,
    "anycompatiblearray": _POLYMORPHIC,
    "anycompatiblenonarray": _POLYMORPHIC,
    "any": Rule(Kind.UNSUPPORTED, hint="a parameter of any type and number cannot be named"),
    "internal": _INTERNAL,
    "cstring": _INTERNAL,
    "trigger": _INTERNAL,
    "event_trigger": _INTERNAL,
    "record": Rule(Kind.UNSUPPORTED, hint="a record without a type cannot be written down"),
    "verbatim": _VERBATIM,
}

SYNONYMS: Mapping[str, str] = {
    "boolean": "bool",
    "smallint": "int2",
    "int": "int4",
    "integer": "int4",
    "bigint": "int8",
    "decimal": "numeric",
    "real": "float4",
    "float": "float8",
    "double precision": "float8",
    "character varying": "varchar",
    "character": "bpchar",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "bit varying": "varbit",
}

DEFAULT_LENGTHS: Mapping[str, int] = {}


def bound(value: object, kind: ParameterType) -> object:
    """A checked value as text (bytes stay bytes); arrays and composites as the literals that PostgreSQL reads."""
    if value is None or isinstance(value, bytes):
        return value
    return literal(value, kind)


def literal(value: object, kind: ParameterType) -> str:
    """The text that the type's input function reads."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, list):
        return _array(value, kind.element or kind)
    if isinstance(value, tuple):
        return _composite(value, kind)
    return repr(value) if isinstance(value, float) else str(value)


def _array(items: Sequence[object], element: ParameterType) -> str:
    return "{" + ",".join(_item(item, element) for item in items) + "}"


def _item(item: object, element: ParameterType) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list):
        return _array(item, element)
    return _in_quotes(literal(item, element))


def _composite(values: Sequence[object], kind: ParameterType) -> str:
    pairs = zip(values, kind.fields, strict=True)
    return "(" + ",".join("" if value is None else _in_quotes(literal(value, field.type)) for value, field in pairs) + ")"


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_LARGEST_INT4 = 2**31 - 1
_LARGEST_INT8 = 2**63 - 1


def inferred(value: object) -> ParameterType | None:
    """What a polymorphic parameter takes when only the value was given."""
    if isinstance(value, bool):
        return ParameterType("bool", "boolean")
    if isinstance(value, int) and abs(value) <= _LARGEST_INT8:
        return ParameterType("int4", "integer") if abs(value) <= _LARGEST_INT4 else ParameterType("int8", "bigint")
    if isinstance(value, (int, float, Decimal)):
        return ParameterType("numeric", "numeric")
    if isinstance(value, str):
        return ParameterType("text", "text")
    if isinstance(value, list):
        return _inferred_array(value)
    return None


def _inferred_array(items: Sequence[object]) -> ParameterType | None:
    found = {kind for item in items if item is not None and (kind := inferred(item)) is not None}
    if len(found) != 1:
        return None
    [element] = found
    return ParameterType("array", f"{element.text}[]", element=element)
