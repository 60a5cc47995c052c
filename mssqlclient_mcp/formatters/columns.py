"""A whole column at once: what ``values`` says of one value, at the speed of the interpreter's own loops.

Nearly always the values of a column are of one kind, NULLs aside, and need neither quotes nor a change for JSON. So the kind is
looked up once a column; only a column that is mixed, or holds what must be quoted, goes value by value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from .values import MUST_QUOTE, SAFE_INTEGER, cell_text, json_value

Column = Sequence[object]
Both = tuple[Sequence[str], Column]
"""The values as cells of comma-separated text, and as JSON."""


def rendered(values: Column) -> Both:
    """A column's values as ``cell_text`` and ``json_value`` would give them one by one."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        return _render(kinds.pop(), values)
    kinds.discard(type(None))
    if len(kinds) > 1:
        return one_by_one(values)
    present = [value for value in values if value is not None]
    cells, content = _render(kinds.pop(), present)
    next_cell, next_content = iter(cells).__next__, iter(content).__next__
    return (
        ["NULL" if value is None else next_cell() for value in values],
        values if content is present else [None if value is None else next_content() for value in values],
    )


def one_by_one(values: Column) -> Both:
    """The same, for any values."""
    return list(map(cell_text, values)), list(map(json_value, values))


def _render(kind: type, values: Column) -> Both:
    return _AT_ONCE.get(kind, one_by_one)(values)


def _nulls(values: Column) -> Both:
    return ["NULL"] * len(values), values


def _strings(values: Sequence[str]) -> Both:
    together = "".join(values)
    plain = all(values) and "NULL" not in values and not any(mark in together for mark in MUST_QUOTE)
    return values if plain else list(map(cell_text, values)), values


def _integers(values: Sequence[int]) -> Both:
    cells = list(map(str, values))
    safe = max(values) <= SAFE_INTEGER and min(values) >= -SAFE_INTEGER
    return cells, values if safe else list(map(json_value, values))


def _booleans(values: Column) -> Both:
    return ["true" if value else "false" for value in values], values


def _floats(values: Sequence[float]) -> Both:
    return (list(map(repr, values)), values) if all(map(math.isfinite, values)) else one_by_one(values)


def _texts(render: Callable[..., str]) -> Callable[..., Both]:
    """For kinds whose text never needs quotes, and is their JSON as well."""

    def render_all(values: Column) -> Both:
        cells = list(map(render, values))
        return cells, cells

    return render_all


_AT_ONCE: dict[type, Callable[..., Both]] = {
    type(None): _nulls,
    str: _strings,
    int: _integers,
    bool: _booleans,
    float: _floats,
    Decimal: _texts(str),
    UUID: _texts(str),
    datetime: _texts(datetime.isoformat),
    date: _texts(date.isoformat),
    time: _texts(time.isoformat),
}
