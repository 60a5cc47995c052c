"""Values made of values on their way to the database: arrays, composites, ranges, rows of a table type, JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal

from ..dialects.conversions import MISSING, Rule
from ..models import ParameterField, ParameterType
from .texts import verbatim
from .unfit import Unfit, shown

Convert = Callable[[object, ParameterType], object]
"""A value of any type, checked: what ``type_mapper`` does for one value."""


def array(value: object, kind: ParameterType, convert: Convert) -> object:
    """A list, its items checked; a text is taken for the array literal that PostgreSQL writes itself."""
    if isinstance(value, str):
        if value.strip().startswith(("{", "[")) and value.strip().endswith("}"):
            return value.strip()
        raise Unfit(f"{shown(value)} is not a list")
    if not isinstance(value, (list, tuple)):
        raise Unfit(f"{shown(value)} is not a list")
    assert kind.element is not None
    _check_rectangle(value)
    return _items(list(value), kind.element, convert)


def _items(items: list[object], element: ParameterType, convert: Convert) -> list[object]:
    found: list[object] = []
    for index, item in enumerate(items, start=1):
        if isinstance(item, list) and element.name not in ("json", "jsonb", "composite"):
            found.append(_items(item, element, convert))
        else:
            found.append(_part(f"item {index}", item, element, convert))
    return found


def _check_rectangle(items: list[object] | tuple[object, ...]) -> None:
    lengths = {len(item) if isinstance(item, list) else -1 for item in items}
    if len(lengths) > 1 and -1 not in lengths:
        raise Unfit("the lists inside the list differ in length")


def composite(value: object, kind: ParameterType, convert: Convert) -> object:
    """An object by field names, or a list in their order, as a tuple; a text is taken for PostgreSQL's own literal."""
    if isinstance(value, str) and value.strip().startswith("("):
        return value.strip()
    return _row(value, kind.fields, convert)


def rows(value: object, kind: ParameterType, convert: Convert) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Rows for a table type: the columns that at least one row fills, and each row in their order. A column that a row
    leaves out is ``MISSING`` in it."""
    if not isinstance(value, (list, tuple)):
        raise Unfit(f"{shown(value)} is not a list of rows")
    if not kind.fields:
        raise Unfit(f"the columns of {kind.text} may not be seen, so no rows can be written")
    writable = tuple(field for field in kind.fields if field.writable)
    named = [_named_row(f"row {number}", row, writable) for number, row in enumerate(value, start=1)]
    used = tuple(field for field in writable if any(field.name in row for row in named)) or writable
    missing = [field.name for field in writable if field.required and any(field.name not in row for row in named)]
    if missing:
        raise Unfit(f"every row needs {', '.join(missing)}")
    filled = [
        tuple(
            _part(f"row {number}, {field.name}", row[field.name], field.type, convert) if field.name in row else MISSING
            for field in used
        )
        for number, row in enumerate(named, start=1)
    ]
    return tuple(field.name for field in used), filled


def _named_row(where: str, row: object, fields: tuple[ParameterField, ...]) -> dict[str, object]:
    if isinstance(row, Mapping):
        return _by_name(row, fields, where)
    if isinstance(row, (list, tuple)):
        if len(row) != len(fields):
            names = ", ".join(field.name for field in fields)
            raise Unfit(f"{where} has {len(row)} values for {len(fields)} columns ({names})")
        return {field.name: item for field, item in zip(fields, row, strict=True)}
    raise Unfit(f"{where}: {shown(row)} is neither an object nor a list")


def _row(value: object, fields: tuple[ParameterField, ...], convert: Convert) -> tuple[object, ...]:
    given = _named_row("the value", value, fields)
    return tuple(
        _part(field.name, given[field.name], field.type, convert) if given.get(field.name) is not None else None
        for field in fields
    )


def _by_name(given: Mapping[object, object], fields: tuple[ParameterField, ...], where: str) -> dict[str, object]:
    names = [field.name for field in fields]
    found: dict[str, object] = {}
    for key, item in given.items():
        name = _named(str(key), names)
        if name is None:
            raise Unfit(f"{where} has an unknown field {str(key)!r}; there are {', '.join(names)}")
        if name in found:
            raise Unfit(f"{where} has the field {name!r} twice")
        found[name] = item
    return found


def _named(written: str, names: list[str]) -> str | None:
    """The field of that very name, else the only one that differs by case alone."""
    if written in names:
        return written
    alike = [name for name in names if name.lower() == written.lower()]
    return alike[0] if len(alike) == 1 else None


def _part(where: str, value: object, kind: ParameterType, convert: Convert) -> object:
    try:
        return convert(value, kind)
    except Unfit as error:
        raise Unfit(f"{where}: {error}") from error


def interval_of_values(value: object, kind: ParameterType, rule: Rule, convert: Convert) -> str:
    """A range: PostgreSQL's own text, or an object with lower, upper and bounds."""
    if not isinstance(value, Mapping):
        string = verbatim(value, kind, rule).strip()
        if string.lower() == "empty" or (string[:1] in ("[", "(") and string[-1:] in ("]", ")") and "," in string):
            return string
        raise Unfit(f"{shown(value)} is not a range; write {rule.hint}")
    unknown = sorted(set(map(str, value)) - {"lower", "upper", "bounds", "empty"})
    bounds = value.get("bounds", "[)")
    if unknown or bounds not in ("[)", "[]", "(]", "()"):
        raise Unfit(f"{shown(value)} is not a range; write {rule.hint}")
    if value.get("empty"):
        return "empty"
    ends = [_end(name, value.get(name), kind, convert) for name in ("lower", "upper")]
    return f"{bounds[0]}{','.join(ends)}{bounds[1]}"


def _end(name: str, value: object, kind: ParameterType, convert: Convert) -> str:
    if value is None:
        return ""
    checked = _part(name, value, kind.element, convert) if kind.element is not None else value
    return '"' + str(checked).replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_text(value: object) -> str:
    """A JSON document as text. A text must be a document itself; anything else is written as one, decimals digit by digit."""
    if isinstance(value, str):
        try:
            json.loads(value, parse_float=str, parse_int=str, parse_constant=_no_constant)
        except ValueError as error:
            raise Unfit(f"{shown(value)} is not a JSON document ({error}); a plain text stands in quotes inside it") from error
        return value
    return _written(value)


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        members = (f"{json.dumps(str(key), ensure_ascii=False)}:{_written(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value, ensure_ascii=False)
    raise Unfit(f"{shown(value)} has no place in JSON")
