"""Dataclasses as structured content (camelCase), and the JSON schema that this content keeps to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from itertools import repeat
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

SELDOM = frozenset({
    "sparse", "rowguidcol", "masked", "hidden", "disabled", "not_trusted", "is_system", "descending", "ignore_dup_key",
    "memory_optimized",
})  # fmt: skip
"""Flags that are nearly always false: shown only when true, which keeps a wide table short."""

_AS_THEY_ARE = frozenset({str, int, float, bool, NoneType})
_SCALARS: dict[object, str] = {str: "string", int: "integer", bool: "boolean", float: "number"}


@cache
def camel(name: str) -> str:
    """``row_count`` -> ``rowCount``."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def content(value: Any, *, nulls: bool = False) -> Any:
    """A dataclass as a JSON object. What is None or empty is left out, unless ``nulls`` says that its absence must show."""
    kind: Any = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is tuple or kind is list:
        return [content(item, nulls=nulls) for item in value]
    keys = _keys(kind)
    if keys is None:
        return value
    shown: dict[str, object] = {}
    for name, item in vars(value).items():
        if item is None and not nulls:
            continue
        key, seldom = keys[name]
        if item or not (seldom or (item == () and not nulls)):
            shown[key] = item if type(item) in _AS_THEY_ARE else content(item, nulls=nulls)
    return shown


def objects(kind: type, columns: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    """``content`` of many instances of one dataclass, given as the values of each field, all equally many."""
    keys = _keys(kind)
    assert keys is not None
    shown = {
        keys[name][0]: _shown(column, plain=name in _plain(kind), seldom=keys[name][1]) for name, column in columns.items()
    }
    empty = {key: column.count(None) for key, column in shown.items()}
    filled = {key: column for key, column in shown.items() if empty[key] < len(column)}
    rows = zip(*filled.values(), strict=True) if filled else repeat((), max(map(len, columns.values()), default=0))
    if not any(empty[key] for key in filled):
        return list(map(dict, map(zip, repeat(filled), rows)))
    return [{key: value for key, value in zip(filled, row, strict=True) if value is not None} for row in rows]


def _shown(column: Sequence[object], *, plain: bool, seldom: bool) -> Sequence[object]:
    """The values as content, with None for what is left out."""
    if seldom:
        return [value or None for value in column]
    if plain:
        return column
    return [None if value == () else content(value) for value in column]


@cache
def _plain(kind: type) -> frozenset[str]:
    """The fields of a dataclass whose values are JSON as they are, by their types."""
    hints = get_type_hints(kind)
    return frozenset(name for name, hint in hints.items() if _AS_THEY_ARE.issuperset(get_args(hint) or (hint,)))


@cache
def _keys(kind: Any) -> dict[str, tuple[str, bool]] | None:
    """For each field of a dataclass its key, and whether it shows only when true; None for what is none."""
    return {field.name: (camel(field.name), field.name in SELDOM) for field in fields(kind)} if is_dataclass(kind) else None


def schema_of(kind: type, *, depth: int = 0, nulls: bool = False) -> dict[str, object]:
    """The JSON schema of ``content(instance of kind, nulls=nulls)``, compact: names and types. Objects below ``depth`` are
    just objects, for every client pays for a schema at each start."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    properties = {camel(field.name): _schema(hints[field.name], depth, nulls=nulls) for field in fields(kind)}
    required = [
        camel(field.name)
        for field in fields(kind)
        if field.default is MISSING
        and field.default_factory is MISSING
        and field.name not in SELDOM
        and NoneType not in get_args(hints[field.name])
        and get_origin(hints[field.name]) is not tuple
    ]
    return {"type": "object", "properties": properties, "required": required}


def _schema(hint: object, depth: int, *, nulls: bool) -> dict[str, object]:
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (part for part in get_args(hint) if part is not NoneType)
        found = _schema(inner, depth, nulls=nulls)
        return {**found, "type": [found["type"], "null"]} if nulls else found
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], depth, nulls=nulls)}
    assert isinstance(hint, type)
    return schema_of(hint, depth=depth - 1, nulls=nulls) if depth > 0 else {"type": "object"}
