"""Columns rendered at once: the same answer as value by value, whatever is in them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from mssqlclient_mcp.execution import row_bytes, rows_bytes
from mssqlclient_mcp.formatters.columns import rendered
from mssqlclient_mcp.formatters.rows import table
from mssqlclient_mcp.formatters.values import cell_text, json_value
from mssqlclient_mcp.models import Column, TruncatedBy

KINDS = (
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(),
    some.decimals(),
    some.text(),
    some.sampled_from(["", "NULL", "a,b", 'a"b', "a\nb", "\r", "plain", "…"]),
    some.binary(),
    some.uuids(),
    some.dates(),
    some.datetimes(timezones=some.none() | some.just(timezone(timedelta(hours=5, minutes=30)))),
    some.times(),
    some.lists(some.integers() | some.none()),
)
VALUES = some.one_of(*KINDS)
COLUMNS = some.one_of(*(some.lists(kind | some.none(), min_size=1, max_size=6) for kind in (VALUES, *KINDS)))


@given(COLUMNS)
def test_a_column_is_rendered_as_its_values_are(values: list[object]) -> None:
    """Speed changes no cell and no JSON value, in columns of one kind, with NULLs, and mixed."""
    cells, content = rendered(tuple(values))
    assert list(cells) == [cell_text(value) for value in values]
    assert repr(list(content)) == repr([json_value(value) for value in values])


@given(some.lists(some.tuples(VALUES, VALUES, VALUES), max_size=8))
def test_rows_count_the_same_bytes_together_as_one_by_one(rows: list[tuple[object, ...]]) -> None:
    """The limit of a result does not depend on how its rows came."""
    assert rows_bytes(rows) == sum(map(row_bytes, rows))


@given(some.lists(some.tuples(VALUES, some.text(max_size=40)), min_size=1, max_size=600), some.integers(20, 4000))
def test_rows_fill_the_budget_and_not_more(rows: list[tuple[object, ...]], budget: int) -> None:
    """All rows that fit stand in the text, at least one, and one more would not fit."""
    shown = table([Column("a", "x"), Column("b", "text")], rows, budget=budget)
    whole = [",".join(map(cell_text, row)) for row in rows]
    kept = len(shown.lines)
    assert len(shown.rows) == kept >= 1
    if shown.truncated_by is None:
        assert shown.lines == whole
    elif kept > 1 or shown.lines == whole[:1]:
        assert shown.lines == whole[:kept]
        assert len("\n".join(["a,b", *whole[: kept + 1]])) > budget
    assert kept == 1 or len(shown.text) <= budget


def test_every_kind_that_is_rendered_at_once_is_told_apart_from_its_kin() -> None:
    """bool is no int, datetime no date: the kind is the exact type."""
    moment = datetime(2026, 1, 2, 3, 4, 5)
    values = (True, 1, moment, date(2026, 1, 2), time(3, 4), Decimal("1.50"), UUID(int=7), 2**63)
    for value in values:
        cells, content = rendered((value, None, value))
        assert (list(cells), list(content)) == (
            [cell_text(value), "NULL", cell_text(value)],
            [json_value(value), None, json_value(value)],
        )
    assert rendered((2**63, 1))[1] == [str(2**63), 1]


def test_no_row_is_lost_where_there_are_no_columns() -> None:
    """A result without columns still has its rows."""
    assert len(table([], [(), ()], budget=100).rows) == 2


def test_a_cut_is_told() -> None:
    """The second row does not fit."""
    assert table([Column("a", "text")], [("x" * 20,), ("y" * 20,)], budget=30).truncated_by is TruncatedBy.BYTES
