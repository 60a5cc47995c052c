"""A structured request over a table that the catalogue knows -> one parameterised SELECT.

Names stand in the SQL only as the catalogue spells them, quoted; values only as parameters, checked and typed by their column.
All that differs between databases is asked of ``dialects/<db>/selects.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import page_cursor
from .dialects.selects import Ability, ReadableColumn, ReadableTable, Select, Selects, selects_for
from .errors import InvalidParameter
from .filter_sql import FilterSql, Order
from .models import Aggregate, Ordering, QueryRequest, Row, Statement, StatementKind
from .structured_requests import suggestion
from .table_columns import NEEDS, TableColumns, told
from .values.unfit import Unfit

MOST_PROBLEMS = 30
MOST_EXPECTED = 100
LONGEST_ALIAS = 63  # bytes: PostgreSQL cuts longer ones

NO_ORDER = "The table has no key to order by: the order of rows is not guaranteed, and pages may overlap. Give orderBy."
WEAK_ORDER = "The table has no key: rows that are equal by orderBy may change places between pages."
FOREIGN_CURSOR = "is not of this request; pass the nextCursor of an answer with the very arguments that led to it"

_ALIAS = re.compile(r"[^\W\d][\w ]*")
_FUNCTION_NEEDS = {
    "count_distinct": Ability.COMPARED,
    "sum": Ability.TOTALLED,
    "avg": Ability.TOTALLED,
    "min": Ability.EXTREMES,
    "max": Ability.EXTREMES,
}


@dataclass(frozen=True)
class BuiltQuery:
    """A statement that brings one row more than the page has. The first ``shown`` columns are the answer's; ``key_places`` are
    those whose values make the cursor behind a row, none without a cursor. ``types`` are the columns' declared types, None
    where the database says them."""

    statement: Statement
    shown: int
    types: tuple[str | None, ...]
    key: tuple[ReadableColumn, ...] = ()
    key_places: tuple[int, ...] = ()
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    source: str = ""  # the table, as it stands in the SQL


@dataclass(frozen=True)
class _Item:
    """Something that is selected: its SQL, its name in the answer, and the column when it is one."""

    sql: str
    name: str
    column: ReadableColumn | None = None


@dataclass(frozen=True)
class _Paging:
    """In what order rows come, which columns make a cursor, and what is to be told about it."""

    order: tuple[Order, ...]
    key: tuple[ReadableColumn, ...] = ()
    notes: tuple[str, ...] = ()


class QueryBuilder:
    """Builds one query; ``problems`` holds what is wrong with the request already, and gets the rest."""

    def __init__(self, table: ReadableTable, dialect: str, problems: list[str] | None = None) -> None:
        self._table = table
        self._selects: Selects = selects_for(dialect)
        self._columns = TableColumns(table, [] if problems is None else problems)
        self._filters = FilterSql(self._columns, self._selects, dialect)

    def build(self, request: QueryRequest, *, place: str = "") -> BuiltQuery:
        """The query; ``place`` (the database) is part of what a cursor belongs to.

        Raises InvalidParameter with every problem of the request, by its path.
        """
        items = self._items(request)
        where = self._filters.all_of(request.filters)
        paging = self._paging(request, self._order(request, items))
        fingerprint = page_cursor.digest(
            place,
            str(self._table.name),
            [item.sql for item in items],
            where,
            self._filters.values,
            list(map(str, paging.order)),
        )
        after = self._after(request, paging, fingerprint)
        self._refuse_problems()
        whole_where = f"{where} AND {after}" if where and after else where or after
        return self._built(request, items, whole_where, paging, fingerprint)

    def cursor_behind(self, built: BuiltQuery, row: Row) -> str | None:
        """The cursor behind a row of the built query; None where there is none, or where a value could not be read again."""
        cursor = page_cursor.encoded(built.fingerprint, [row[place] for place in built.key_places]) if built.key else None
        read = None if cursor is None else page_cursor.decoded(cursor)
        if read is None or not all(
            self._filters.is_key_value(one, value) for one, value in zip(built.key, read[1], strict=True)
        ):
            return None
        return cursor

    def _built(
        self, request: QueryRequest, items: Sequence[_Item], where: str, paging: _Paging, fingerprint: str
    ) -> BuiltQuery:
        names = {item.name for item in items}
        whole = [*items, *(self._item(column) for column in paging.key if column.name not in names)]
        one_row = bool(request.aggregates) and not request.group_by
        name = self._table.name
        select = Select(
            tuple(item.sql for item in whole),
            f"{self._selects.quote(name.schema)}.{self._selects.quote(name.name)}",
            where,
            tuple(self._filters.sql(column) for column in self._groups(request)),
            tuple(map(str, paging.order)),
            None if one_row else request.limit + 1,
            request.offset,
        )
        places = {item.name: place for place, item in enumerate(whole)}
        return BuiltQuery(
            Statement(self._selects.text(select), tuple(self._filters.values), StatementKind.READ),
            len(items),
            tuple(None if item.column is None else item.column.sql_type for item in whole),
            paging.key,
            tuple(places[column.name] for column in paging.key),
            fingerprint,
            paging.notes,
            select.source,
        )

    # -- what is selected ----------------------------------------------------------------------------------------------

    def _items(self, request: QueryRequest) -> list[_Item]:
        columns = self._columns.columns(request.columns, "columns")
        if not request.group_by and not request.aggregates:
            if not request.columns:
                columns = [column for column in self._table.columns if column.listed]
            if not columns and not request.columns:
                self._columns.note("tableName", f"{self._table.name} has no column that this login may read")
            return [self._item(column) for column in columns]
        groups = self._columns.columns(request.group_by, "groupBy", Ability.COMPARED)
        for place, name in enumerate(request.columns):
            column = self._columns.find(name)
            if column is not None and column not in groups:
                self._columns.note(
                    f"columns[{place}]",
                    f"{column.name} is neither in groupBy nor aggregated: a group has many values of it. "
                    "Put it into groupBy, or leave it out",
                )
        items = [self._item(column) for column in columns or groups]
        taken = {column.name.lower() for column in groups}
        for place, one in enumerate(request.aggregates):
            items += self._aggregate(one, f"aggregates[{place}]", taken)
        return items

    def _item(self, column: ReadableColumn) -> _Item:
        return _Item(self._selects.item(self._filters.sql(column), column), column.name, column)

    def _groups(self, request: QueryRequest) -> list[ReadableColumn]:
        found = (self._columns.find(name) for name in request.group_by)
        return [column for column in found if column is not None]

    def _aggregate(self, one: Aggregate, path: str, taken: set[str]) -> list[_Item]:
        """The aggregate, or nothing when there is a problem with it."""
        column = None if one.column is None else self._columns.column(one.column, f"{path}.column")
        needs = _FUNCTION_NEEDS.get(one.function)
        if column is not None and needs is not None and needs not in column.abilities:
            self._columns.note(path, f"{one.function} needs {NEEDS[needs]}; {told(column)}")
        if not one.function or (column is None and (one.column is not None or one.function != "count")):
            return []
        alias = self._alias(one, column, f"{path}.as", taken)
        sql = self._selects.aggregate(one.function, "" if column is None else self._filters.sql(column), column)
        return [_Item(f"{sql} AS {self._selects.quote(alias)}", alias)]

    def _alias(self, one: Aggregate, column: ReadableColumn | None, path: str, taken: set[str]) -> str:
        named = "" if column is None else "_" + re.sub(r"\W+", "_", column.name)
        made = (one.function + named).encode()[:LONGEST_ALIAS].decode(errors="ignore")
        alias = made if one.alias is None else one.alias
        if not _ALIAS.fullmatch(alias) or len(alias.encode(errors="replace")) > LONGEST_ALIAS:
            self._columns.note(
                path, f"a name begins with a letter, has letters, digits, _ and blanks, and at most {LONGEST_ALIAS} bytes"
            )
        elif alias.lower() in taken:
            self._columns.note(path, f"{alias!r} names another column of the answer already; give this one its own name")
        taken.add(alias.lower())
        return alias

    # -- order and pages -----------------------------------------------------------------------------------------------

    def _order(self, request: QueryRequest, items: Sequence[_Item]) -> list[Order]:
        found: list[Order] = []
        for place, one in enumerate(request.order_by):
            path = f"orderBy[{place}].column"
            if request.group_by or request.aggregates:
                part = self._order_of_groups(one, path, request, items)
            else:
                part = self._order_by(one, path)
            if part is not None and any(part.sql == other.sql for other in found):
                self._columns.note(path, f"{one.column!r} stands there twice")
            elif part is not None:
                found.append(part)
        return found

    def _order_by(self, one: Ordering, path: str) -> Order | None:
        column = self._columns.column(one.column, path, Ability.ORDERED)
        return None if column is None else Order(self._filters.sql(column), one.descending, column)

    def _order_of_groups(self, one: Ordering, path: str, request: QueryRequest, items: Sequence[_Item]) -> Order | None:
        """By an aggregate's name, or by a column that is grouped by."""
        for item in items:
            if item.column is None and item.name.lower() == one.column.lower():
                return Order(self._selects.quote(item.name), one.descending, None)
        groups = self._groups(request)
        column = self._columns.find(one.column)
        if column is not None and column in groups:
            return self._order_by(one, path)
        names = list(dict.fromkeys([*(item.name for item in items), *(group.name for group in groups)]))
        near = suggestion(one.column, names) or f"; there are {', '.join(names) or 'none'}"
        self._columns.note(path, f"{one.column!r} is neither grouped by nor the name of an aggregate{near}")
        return None

    def _paging(self, request: QueryRequest, order: list[Order]) -> _Paging:
        if request.group_by:  # the columns grouped by tell all groups apart
            groups = [column for column in self._groups(request) if Ability.ORDERED in column.abilities]
            return _Paging((*order, *self._further(order, groups)))
        if request.aggregates:
            if request.offset:
                self._columns.note("offset", "aggregates without groupBy are one row")
            return _Paging(tuple(order))
        return self._paging_of_rows(order)

    def _paging_of_rows(self, order: list[Order]) -> _Paging:
        """The order with a key at its end, where the table has one. A cursor cannot stand on NULL."""
        names = {part.column.name for part in order if part.column is not None}
        if not any(names.issuperset(key) for key in self._table.keys):
            keys = [[column for name in key if (column := self._columns.find(name))] for key in self._table.keys]
            usable = [key for key in keys if key and all(Ability.ORDERED in column.abilities for column in key)]
            if not usable:
                note = WEAK_ORDER if order else NO_ORDER
                return _Paging(tuple(order), notes=(note,))
            order = [*order, *self._further(order, usable[0])]
        columns = tuple(part.column for part in order if part.column is not None)
        return _Paging(tuple(order), () if any(column.nullable for column in columns) else columns)

    def _further(self, order: Sequence[Order], columns: Sequence[ReadableColumn]) -> list[Order]:
        """Columns that are not in the order yet, in the direction of its end, so that an index serving the order can go on."""
        descending = order[-1].descending if order else False
        there = {part.column.name for part in order if part.column is not None}
        return [Order(self._filters.sql(column), descending, column) for column in columns if column.name not in there]

    def _after(self, request: QueryRequest, paging: _Paging, fingerprint: str) -> str:
        """The condition that only rows behind the cursor fulfil; empty without a cursor."""
        if request.cursor is None or self._columns.problems:
            return ""
        read = page_cursor.decoded(request.cursor)
        if paging.key and read is not None and read[0] == fingerprint and len(read[1]) == len(paging.key):
            try:
                return self._filters.behind(paging.order, read[1])
            except Unfit:
                pass
        self._columns.note("cursor", FOREIGN_CURSOR)
        return ""

    # -- problems ------------------------------------------------------------------------------------------------------

    def _refuse_problems(self) -> None:
        most = self._selects.MOST_PARAMETERS
        if len(self._filters.values) > most:
            self._columns.note("filters", f"{len(self._filters.values)} values in all, and a statement takes {most}")
        problems = sorted(self._columns.problems, key=_by_place)
        if not problems:
            return
        shown = problems[:MOST_PROBLEMS]
        if len(problems) > MOST_PROBLEMS:
            shown.append(f"and {len(problems) - MOST_PROBLEMS} more")
        many = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        details: dict[str, object] = {"problems": shown}
        if self._columns.nearest:
            details["nearest"] = self._columns.nearest
        if self._columns.unknown:
            details["expected"] = [f"{one.name} {one.sql_type}" for one in self._table.columns[:MOST_EXPECTED]]
        raise InvalidParameter(f"Nothing was read from {self._table.name}: {many} with the request.", details=details)


def _by_place(problem: str) -> list[tuple[int, int, str]]:
    """Problems in the order of their places: ``filters[2]`` before ``filters[10]``."""
    parts = re.split(r"(\d+)", problem.partition(":")[0])
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
