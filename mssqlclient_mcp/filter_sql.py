"""Conditions and trees of them as SQL: values only as parameters, checked and typed by their column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .dialects.selects import Ability, ReadableColumn, Selects
from .models import Condition, Junction, ParameterType
from .structured_requests import OF_LISTS, OF_PATTERNS, UNREADABLE, WITHOUT_VALUE
from .table_columns import NEEDS, TableColumns, told
from .type_mapper import bound_value
from .values.unfit import Unfit

_COMPARED = ("=", "!=", *OF_LISTS)


@dataclass(frozen=True)
class Order:
    """A part of an ORDER BY; ``column`` is None for an aggregate."""

    sql: str
    descending: bool
    column: ReadableColumn | None

    def __str__(self) -> str:
        return f"{self.sql} DESC" if self.descending else self.sql


class FilterSql:
    """Writes conditions and gathers their ``values`` in the order of their markers; problems are noted by path."""

    def __init__(self, columns: TableColumns, selects: Selects, dialect: str) -> None:
        self._columns = columns
        self._selects = selects
        self._dialect = dialect
        self.values: list[object] = []

    def sql(self, column: ReadableColumn) -> str:
        """A column of the table, whose alias is ``t``."""
        return f"t.{self._selects.quote(column.name)}"

    def all_of(self, filters: Sequence[Condition | Junction]) -> str:
        """The filters, all of which must hold; empty when there are none."""
        return " AND ".join(self._filter(one) for one in filters)

    def behind(self, order: Sequence[Order], values: Sequence[object]) -> str:
        """Rows that come behind one with these values: ``a >= 1 AND (a > 1 OR (a = 1 AND b > 2))``. The part before the AND
        lets an index start there. Raises Unfit."""
        if len(order) == 1:
            return self._beyond(order, values)
        return f"{self._key(order[0], values[0], '<=' if order[0].descending else '>=')} AND {self._beyond(order, values)}"

    def is_key_value(self, column: ReadableColumn, value: object) -> bool:
        """Whether ``behind`` takes a value for the column."""
        try:
            return bound_value(value, self._selects.operand_type(column, ""), self._dialect) is not None
        except Unfit:
            return False

    def _beyond(self, order: Sequence[Order], values: Sequence[object]) -> str:
        beyond = self._key(order[0], values[0], "<" if order[0].descending else ">")
        if len(order) == 1:
            return beyond
        return f"({beyond} OR ({self._key(order[0], values[0], '=')} AND {self._beyond(order[1:], values[1:])}))"

    def _key(self, part: Order, value: object, sign: str) -> str:
        assert part.column is not None
        kind = self._selects.operand_type(part.column, "")  # the value came from the column: nothing to widen for
        return f"{part.sql} {sign} {self._marker(value, kind)}"

    def _filter(self, one: Condition | Junction) -> str:
        if isinstance(one, Condition):
            return self._condition(one)
        if one.word == "not":
            return f"NOT ({self._filter(one.parts[0])})"
        return "(" + f" {one.word.upper()} ".join(self._filter(part) for part in one.parts) + ")"

    def _condition(self, one: Condition) -> str:
        """A condition; where something is wrong with it, a text that is never used."""
        column = self._columns.column(one.column, f"{one.path}.column") if one.column else None
        if column is None or not one.op:
            return ""
        if one.op in WITHOUT_VALUE:
            return f"{self.sql(column)} IS {'NOT ' if one.op == 'is_not_null' else ''}NULL"
        needs = Ability.MATCHED if one.op in OF_PATTERNS else Ability.COMPARED if one.op in _COMPARED else Ability.ORDERED
        if needs not in column.abilities:
            self._columns.note(f"{one.path}.op", f"{one.op} needs {NEEDS[needs]}; {told(column)}")
            return ""
        if one.value is UNREADABLE:
            return ""
        return self._match(one, column) if one.op in OF_PATTERNS else self._comparison(one, column)

    def _comparison(self, one: Condition, column: ReadableColumn) -> str:
        sql, path = self.sql(column), f"{one.path}.value"
        if one.op != "between" and one.op not in OF_LISTS:
            return f"{sql} {'<>' if one.op == '!=' else one.op} {self._operand(column, one.value, path)}"
        assert isinstance(one.value, list)
        markers = [self._operand(column, value, f"{path}[{place}]") for place, value in enumerate(one.value)]
        if one.op == "between":
            return f"{sql} BETWEEN {markers[0]} AND {markers[1]}"
        return f"{sql} {'NOT ' if one.op == 'not_in' else ''}IN ({', '.join(markers)})"

    def _operand(self, column: ReadableColumn, value: object, path: str) -> str:
        try:
            return self._marker(value, self._selects.operand_type(column, value))
        except Unfit as error:
            hint = "; in takes a list" if isinstance(value, list) and column.type.name != "array" else ""
            self._columns.note(path, f"{error}{hint} ({told(column)})")
            return ""

    def _match(self, one: Condition, column: ReadableColumn) -> str:
        path = f"{one.path}.value"
        if not isinstance(one.value, str):
            self._columns.note(path, f"{one.op} takes a text")
            return ""
        pattern = like_pattern(one.op, one.value, self._selects.PATTERN_LITERALS)
        if pattern is None:
            self._columns.note(path, "a pattern must not end in a single backslash; write two for the sign itself")
            return ""
        try:
            marker = self._marker(pattern, self._selects.pattern_type(column, pattern))
        except Unfit as error:
            self._columns.note(path, f"{error} ({told(column)})")
            return ""
        negated, ignore_case = one.op == "not_like", one.op == "ilike"
        return self._selects.like(self.sql(column), column, marker, ignore_case=ignore_case, negated=negated)

    def _marker(self, value: object, kind: ParameterType) -> str:
        """The marker of a value. Raises Unfit."""
        self.values.append(bound_value(value, kind, self._dialect))
        return self._selects.marker(len(self.values), kind)


def like_pattern(op: str, text: str, literals: Mapping[str, str]) -> str | None:
    """A pattern in which only ``%`` and ``_`` mean something, and a backslash takes that away, on every database; ``literals``
    is how the database's own signs are written to stand for themselves, as all do in starts_with and contains.
    None: the pattern ends in a backslash that takes nothing away."""
    if op in ("starts_with", "contains"):
        literal = "".join(literals.get(sign, sign) for sign in text)
        return f"{'%' if op == 'contains' else ''}{literal}%"
    pattern, signs = "", iter(text)
    for sign in signs:
        if sign == "\\":
            following = next(signs, None)
            if following is None:
                return None
            pattern += literals.get(following, following)
        else:
            pattern += sign if sign in "%_" else literals.get(sign, sign)
    return pattern
