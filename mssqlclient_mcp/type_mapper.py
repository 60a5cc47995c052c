"""Value to SQL type: a small engine over the dialects' tables (``dialects/<db>/conversions.py``).

A value comes as JSON gave it, or as a cursor did; it leaves as the driver takes it. What would not arrive as it was written
(rounded, cut, out of range, not on the calendar) is refused with a reason, before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .dialects.conversions import Conversions, Kind, Rule, TableRows, TypedValue, conversions_for
from .errors import InvalidParameter
from .models import ParameterType, StoredProcedureParameter
from .values import numbers, structures, texts, times
from .values.unfit import Unfit, shown

DIALECTS = ("sqlserver", "postgresql")

type_mapping: Mapping[str, Mapping[str, Rule]] = {name: conversions_for(name).RULES for name in DIALECTS}
"""By dialect and system type: how values of the type are checked."""

_SIMPLE: Mapping[Kind, Callable[[object, ParameterType, Rule], object]] = {
    Kind.BOOLEAN: numbers.boolean,
    Kind.INTEGER: numbers.integer,
    Kind.DECIMAL: numbers.decimal,
    Kind.FLOAT: numbers.floating,
    Kind.TEXT: texts.text,
    Kind.BINARY: texts.binary,
    Kind.DATE: times.day,
    Kind.TIME: times.time_of_day,
    Kind.TIMESTAMP: times.timestamp,
    Kind.INTERVAL: texts.interval,
    Kind.UUID: texts.uuid,
    Kind.XML: texts.xml,
    Kind.ADDRESS: texts.address,
    Kind.BITS: texts.bits,
    Kind.ENUM: texts.label,
    Kind.VERBATIM: texts.verbatim,
}

_NO_NAMES = frozenset({"array", "composite", "enum", "range"})
"""Rows of the tables that stand for types of any name."""

_TYPE = re.compile(
    r"(?P<name>[a-z_][a-z0-9_]*(?: [a-z]+)*?) *(?:\( *(?P<first>\d+|max) *(?:, *(?P<second>\d+) *)?\))?"
    r"(?P<rest>(?: [a-z]+)*)(?P<array>(?:\[\])*)",
    re.ASCII,
)


def parse_type(text: str, dialect: str) -> ParameterType:
    """A built-in type as people write it (``decimal(18,2)``, ``nvarchar(max)``, ``integer[]``). Raises InvalidParameter."""
    table = conversions_for(dialect)
    match = _TYPE.fullmatch(" ".join(text.lower().split()))
    if match is None:
        raise InvalidParameter(f"{text!r} is not a type.")
    written = (match["name"] + match["rest"]).strip()
    name = table.SYNONYMS.get(written, written)
    if name not in table.RULES or name in _NO_NAMES:
        raise InvalidParameter(f"{text!r} is not a type that is known here.")
    kind = _sized(name, written, match, table)
    for _ in range(len(match["array"]) // 2):
        kind = ParameterType("array", f"{kind.text}[]", element=kind)
    return kind


def _sized(name: str, written: str, match: re.Match[str], table: Conversions) -> ParameterType:
    rule = table.RULES[name]
    first, second = match["first"], match["second"]
    number = int(first) if first and first != "max" else None
    suffix = f"({first}{',' + second if second else ''})" if first else ""
    kind = ParameterType(name, written + suffix)
    if rule.kind in (Kind.TEXT, Kind.BINARY):
        default = table.DEFAULT_LENGTHS.get(name) if first is None else None
        return replace(kind, length=number if first else default)
    if rule.kind is Kind.DECIMAL and rule.digits is None:
        unsized = number is None and "decimal" not in table.SYNONYMS
        precision = 18 if unsized else number
        return replace(kind, precision=precision, scale=int(second or 0) if precision is not None else None)
    if rule.digits is not None and rule.kind in (Kind.TIME, Kind.TIMESTAMP):
        return replace(kind, scale=number)
    return kind


def convert_python_to_sql(value: object, sql_type: ParameterType | str, dialect: str) -> object:
    """``value`` as the driver takes it for ``sql_type``; None stays None.

    Raises InvalidParameter with the reason.
    """
    kind = parse_type(sql_type, dialect) if isinstance(sql_type, str) else sql_type
    try:
        return bound_value(value, kind, dialect)
    except Unfit as error:
        raise InvalidParameter(f"The value does not fit {kind.text}: {error}.") from error


def validate_parameter(value: object, parameter: StoredProcedureParameter, dialect: str) -> str | None:
    """Why ``value`` does not fit the parameter, as a line for a list of problems; None when it fits."""
    if value is None and not parameter.nullable:
        return f"{parameter.name} ({parameter.sql_type}): takes no null"
    try:
        bound_value(value, parameter.type, dialect)
    except Unfit as error:
        return f"{parameter.name} ({parameter.sql_type}): {error}"
    return None


def convert_parameters_for_execution(
    parameters: Sequence[StoredProcedureParameter], values: Mapping[str, object], dialect: str
) -> dict[str, object]:
    """The values, by the parameters' own names, as the driver takes them.

    ``values`` is keyed by the parameters' own names. Raises InvalidParameter with all problems at once.
    """
    known = {parameter.name: parameter for parameter in parameters}
    problems = [f"{name}: there is no such parameter" for name in values if name not in known]
    converted: dict[str, object] = {}
    for name in (name for name in values if name in known):
        problem = validate_parameter(values[name], known[name], dialect)
        if problem is not None:
            problems.append(problem)
        else:
            converted[name] = bound_value(values[name], known[name].type, dialect)
    if problems:
        raise InvalidParameter("Some values do not fit their parameters.", details={"problems": problems})
    return converted


def bound_value(value: object, kind: ParameterType, dialect: str) -> object:
    """A value as the driver takes it. A type that takes several gives a TypedValue, a table type TableRows.

    Raises Unfit.
    """
    if value is None:
        return None
    table = conversions_for(dialect)
    try:
        checked = check(value, kind, dialect)
    except RecursionError as error:
        raise Unfit("the value is nested too deeply") from error
    if isinstance(checked, TypedValue):
        return replace(checked, value=table.bound(checked.value, checked.type))
    if isinstance(checked, TableRows):
        return _bound_rows(checked, kind, table)
    return table.bound(checked, kind)


def _bound_rows(rows: TableRows, kind: ParameterType, table: Conversions) -> TableRows:
    types = {field.name: field.type for field in kind.fields}
    columns = [types[name] for name in rows.columns]
    return replace(
        rows, rows=tuple(tuple(table.bound(cell, of) for cell, of in zip(row, columns, strict=True)) for row in rows.rows)
    )


def check(value: object, kind: ParameterType, dialect: str) -> object:
    """A value in the one form that its kind has: int, str, float, bytes, list, tuple. Raises Unfit."""
    if value is None:
        return None
    rule = rule_of(kind, dialect)
    simple = _SIMPLE.get(rule.kind)
    if simple is not None:
        return simple(value, kind, rule)
    return _check_structure(value, kind, rule, dialect)


def _check_structure(value: object, kind: ParameterType, rule: Rule, dialect: str) -> object:
    def convert(item: object, of: ParameterType) -> object:
        return check(item, of, dialect)

    if rule.kind is Kind.JSON:
        return structures.json_text(value)
    if rule.kind is Kind.ARRAY:
        return structures.array(value, kind, convert)
    if rule.kind is Kind.COMPOSITE:
        return structures.composite(value, kind, convert)
    if rule.kind is Kind.RANGE:
        return structures.interval_of_values(value, kind, rule, convert)
    if rule.kind is Kind.TABLE:
        columns, filled = structures.rows(value, kind, convert)
        return TableRows(columns, tuple(filled))
    if rule.kind is Kind.VARIANT:
        return _variant(value, rule, dialect)
    raise Unfit(f"no value can be sent for {kind.text}: {rule.hint}")


def rule_of(kind: ParameterType, dialect: str) -> Rule:
    """How values of a type are checked; what is not in the table is text that the server reads."""
    rules = type_mapping[dialect]
    return rules.get(kind.name) or Rule(Kind.VERBATIM)


def _variant(value: object, rule: Rule, dialect: str) -> TypedValue:
    if isinstance(value, Mapping) and set(value) == {"type", "value"}:
        try:
            kind = parse_type(str(value["type"]), dialect)
        except InvalidParameter as error:
            raise Unfit(error.message.rstrip(".")) from error
        if rule_of(kind, dialect).kind in (Kind.VARIANT, Kind.TABLE, Kind.UNSUPPORTED):
            raise Unfit(f"{kind.text} cannot be the type of a value here")
        return TypedValue(kind, check(value["value"], kind, dialect))
    inferred = conversions_for(dialect).inferred(value)
    if inferred is None:
        raise Unfit(f"the type of {shown(value)} is not clear; write {rule.hint}")
    return TypedValue(inferred, check(value, inferred, dialect))
