"""select_data and execute_filter: the request is read, the table looked up, the SELECT built and run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from . import read_only
from .data_models import DataPage
from .dialects.selects import selects_for
from .errors import ReadOnlyViolation
from .execution import ResultBuffer, ResultSink
from .models import Column, ResultSet, Statement
from .query_builder import BuiltQuery, QueryBuilder
from .structured_requests import StructuredRead, read_request

TableRow = Callable[[str | None, str, str], Mapping[str, object]]
"""(database, catalogue SQL over one name, the name as written) -> its one row; raises ObjectNotFound."""

Execute = Callable[[str | None, Statement, ResultSink], None]


class StructuredReads:
    """Reads without SQL. ``table_row`` asks the catalogue and ``execute`` runs a statement; both are injected."""

    def __init__(self, table_row: TableRow, execute: Execute, dialect: str, *, most_rows: int, most_bytes: int) -> None:
        self._table_row = table_row
        self._execute = execute
        self._dialect = dialect
        self._most_rows = most_rows
        self._most_bytes = most_bytes

    def read(self, database: str | None, asked: StructuredRead) -> DataPage:
        """A page of rows.

        Raises ObjectNotFound, InvalidParameter with every problem at once, ReadOnlyViolation, and the errors of ``execution``.
        """
        problems: list[str] = []
        request = read_request(replace(asked, limit=min(asked.limit, self._most_rows)), problems)
        selects = selects_for(self._dialect)
        table = selects.readable_table(self._table_row(database, selects.READABLE_TABLE, request.table))
        builder = QueryBuilder(table, self._dialect, problems)
        built = builder.build(request, place=database or "")
        self._pass_gate(built.source)
        began = time.monotonic()
        sink = ResultBuffer(max_rows=request.limit, max_bytes=self._most_bytes)
        self._execute(database, built.statement, sink)
        [part] = sink.result_sets()
        notes = built.notes
        if table.hidden and not request.columns:
            notes += (f"Not shown: {', '.join(table.hidden)}; this login may not read them.",)
        return DataPage(
            table.name,
            _shown(part, built),
            request.offset,
            time.monotonic() - began,
            lambda place: builder.cursor_behind(built, part.rows[place]),
            request.cursor is None,
            notes,
        )

    def _pass_gate(self, source: str) -> None:
        """The gate of query text holds for the table: some of the catalogue are refused by name, whoever writes the SQL."""
        verdict = read_only.judge(self._dialect, f"SELECT * FROM {source}")  # noqa: S608 - a name from the catalogue, quoted
        if not verdict.allowed:
            raise ReadOnlyViolation(verdict.reason, next_step=verdict.advice)


def _shown(part: ResultSet, built: BuiltQuery) -> ResultSet:
    """The result without the columns that only the cursor needs, with the types that the table declares."""
    columns = tuple(
        Column(column.name, declared or column.type)
        for column, declared in zip(part.columns[: built.shown], built.types, strict=False)
    )
    rows = part.rows if built.shown == len(part.columns) else [row[: built.shown] for row in part.rows]
    return ResultSet(columns, rows, truncated_by=part.truncated_by)
