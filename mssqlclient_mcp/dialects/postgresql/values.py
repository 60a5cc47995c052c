"""Values on their way in and out: which Python value a column gives, and how a parameter is bound.

Out: bool, int, float, Decimal, str, bytes, UUID, and lists of them for arrays. Times are ISO 8601 strings as the server wrote
them, so that nothing is lost that Python's datetime cannot hold (infinity, BC, the year 12000, 24:00:00, zone offsets with
seconds). Everything else (json, ranges, intervals, composites, inet, enums) is the server's text.

In: what JSON can hold, and Python's own types. A string is sent without a type, so that PostgreSQL infers it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, cast

from psycopg import postgres
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types.string import TextLoader

from ...errors import InvalidParameter

if TYPE_CHECKING:
    from psycopg.abc import Buffer

TEXT_TYPES = (
    "json", "jsonb", "interval", "date", "time", "record", "inet", "cidr", "oidvector", "int2vector",
    "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
    "int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange",
)  # fmt: skip
"""Types that psycopg would turn into objects of its own, or into Python's that hold less than PostgreSQL's."""

MAX_PARAMETERS = 65535  # the protocol counts them in 16 bits


class LenientTextLoader(Loader):
    """Text that may hold bytes of no encoding (a SQL_ASCII database): what is not UTF-8 shows as ``\\xe9``."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "backslashreplace")


Texts = Sequence["str | None"]


def iso_timestamps(texts: Texts) -> Texts:
    """``2024-01-01 10:00:00`` as ``2024-01-01T10:00:00``; ``infinity`` stays. All at once where none is NULL or BC."""
    together = None if None in texts else "\n".join(cast("Sequence[str]", texts))
    if together is None or "B" in together:
        return [None if text is None else text.replace(" ", "T", 1) for text in texts]
    return together.replace(" ", "T").split("\n")


def iso_timestamps_with_zone(texts: Texts) -> Texts:
    """``2024-01-01 10:00:00+02`` as ``2024-01-01T10:00:00+02:00``, also before a `` BC``."""
    return [None if text is None else iso_timestamp_with_zone(text) for text in texts]


def iso_timestamp_with_zone(text: str) -> str:
    """One of them."""
    moment, space, era = text.replace(" ", "T", 1).partition(" ")
    return _full_offset(moment) + space + era


TIMES = {"timestamp": iso_timestamps, "timestamptz": iso_timestamps_with_zone}
TIMES_BY_OID = {postgres.types[name].oid: iso for name, iso in TIMES.items()}
"""Columns of these types are loaded as text and made ISO 8601 a chunk at a time (see ``cursor``): a loader of Python's own,
called for each value, would take longer than all other columns together. The loaders below serve arrays."""


class TimestampLoader(Loader):
    """``timestamp`` in an array."""

    def load(self, data: Buffer) -> str:
        return str(data, "utf-8", "replace").replace(" ", "T", 1)


class TimestampTzLoader(Loader):
    """``timestamptz`` in an array."""

    def load(self, data: Buffer) -> str:
        return iso_timestamp_with_zone(str(data, "utf-8", "replace"))


class TimeTzLoader(Loader):
    """``10:00:00+02`` as ``10:00:00+02:00``."""

    def load(self, data: Buffer) -> str:
        return _full_offset(str(data, "utf-8", "replace"))


def _full_offset(text: str) -> str:
    return f"{text}:00" if text[-3:-2] in ("+", "-") else text


def _make_adapters() -> AdaptersMap:
    adapters = AdaptersMap(postgres.adapters)
    for name in TEXT_TYPES:
        adapters.register_loader(name, TextLoader)
    adapters.register_loader("timestamp", TimestampLoader)
    adapters.register_loader("timestamptz", TimestampTzLoader)
    adapters.register_loader("timetz", TimeTzLoader)
    return adapters


ADAPTERS = _make_adapters()


@cache
def lenient_adapters() -> AdaptersMap:
    """The same adapters for text that may not be UTF-8 (slower)."""
    adapters = AdaptersMap(ADAPTERS)
    for name in (*TEXT_TYPES, "text", "varchar", "bpchar", "name", '"char"'):
        adapters.register_loader(name, LenientTextLoader)
    adapters.register_loader(0, LenientTextLoader)
    return adapters


def bindable(parameters: Sequence[object]) -> list[object]:
    """The values as psycopg binds them best. Raises InvalidParameter for one too many."""
    if len(parameters) > MAX_PARAMETERS:
        raise InvalidParameter(f"PostgreSQL takes at most {MAX_PARAMETERS} parameters, not {len(parameters)}.")
    return [_bindable(value) for value in parameters]


def _bindable(value: object) -> object:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, (list, tuple)):
        return _array(list(value))
    return value


def _array(items: list[object]) -> object:
    """A list as an array; one that holds objects can only be meant as a JSON document."""
    leaves = list(_leaves(items))
    if any(isinstance(leaf, dict) for leaf in leaves):
        return json.dumps(items, ensure_ascii=False, default=str)
    kinds = {type(leaf) for leaf in leaves if leaf is not None}
    if len(kinds) > 1 and kinds <= {int, float, Decimal}:
        return _as_decimals(items)
    return items


def _leaves(items: list[object]) -> list[object]:
    found: list[object] = []
    for item in items:
        if isinstance(item, list):
            found.extend(_leaves(item))
        else:
            found.append(item)
    return found


def _as_decimals(items: list[object]) -> list[object]:
    """Numbers of several kinds as one kind that holds each of them exactly as it was written."""
    return [_as_decimals(item) if isinstance(item, list) else None if item is None else Decimal(str(item)) for item in items]
