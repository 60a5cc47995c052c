"""How a type takes values: one rule for each system type, in ``dialects/<db>/conversions.py``, read by ``type_mapper``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol, cast

from ..models import ParameterType


class Kind(str, Enum):
    """What kind of value a type takes."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BINARY = "binary"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    XML = "xml"
    ADDRESS = "address"
    BITS = "bits"
    ENUM = "enum"
    ARRAY = "array"
    COMPOSITE = "composite"
    RANGE = "range"
    TABLE = "table"
    VARIANT = "variant"  # takes values of several types: {"type": ..., "value": ...} says which
    VERBATIM = "verbatim"  # text that only the server can read
    UNSUPPORTED = "unsupported"  # no value can be sent from outside


@dataclass(frozen=True)
class Rule:
    """How values of one system type are checked. ``low`` and ``high`` bound numbers; ``first`` and ``last`` bound dates
    (year, month, day); ``digits`` is how many digits of a fraction the type keeps."""

    kind: Kind
    low: Decimal | None = None
    high: Decimal | None = None
    digits: int | None = None
    first: tuple[int, int, int] = (1, 1, 1)
    last: tuple[int, int, int] = (9999, 12, 31)
    offset: bool = False  # a time that carries its zone's offset
    whole_minutes: bool = False
    words: frozenset[str] = frozenset()  # values that are words: infinity, nan
    length_in_bytes: bool = False  # of text: counted in the database's code page
    hint: str = ""  # how to write a value


@dataclass(frozen=True)
class TypedValue:
    """A value of a parameter that takes several types, with the type it was given."""

    type: ParameterType
    value: object


@dataclass(frozen=True)
class TableRows:
    """Rows for a table type: names of the columns that are filled, and the rows in their order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


MISSING = object()
"""Stands in TableRows for a column that a row does not give: the table type's own default is used."""


class Conversions(Protocol):
    """What ``dialects/<db>/conversions.py`` offers."""

    RULES: Mapping[str, Rule]
    """By the name of the system type."""

    SYNONYMS: Mapping[str, str]
    """Other names of system types, as people write them, in lower case."""

    DEFAULT_LENGTHS: Mapping[str, int]
    """Lengths of types that are written without one."""

    def bound(self, value: object, kind: ParameterType) -> object:
        """A checked value as the driver takes it beside the call's text."""

    def inferred(self, value: object) -> ParameterType | None:
        """The type that a value of a type-less parameter gets; None: it must be said."""


def conversions_for(dialect: str) -> Conversions:
    """The rules of ``sqlserver`` or ``postgresql``; needs no driver."""
    return cast("Conversions", importlib.import_module(f".{dialect}.conversions", package=__package__))
