"""Rows and models that are kept as the driver gave them, and made when they are looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.metadata_rows import procedures
from mssqlclient_mcp.records import Records, columns_of
from mssqlclient_mcp.schema_models import Columns, TableInfo

NAMES = ("total", "name", "note")
ROWS = st.lists(st.tuples(st.integers(), st.text(max_size=3), st.none() | st.text(max_size=3)), max_size=6)


@given(ROWS, st.integers(-7, 7), st.integers(-7, 7))
def test_records_are_the_rows_as_dicts(rows: list[tuple[object, ...]], first: int, last: int) -> None:
    """One by one, sliced, and from the end."""
    dicts = [dict(zip(NAMES, row, strict=True)) for row in rows]
    records = Records(NAMES, rows)
    assert list(records) == dicts
    assert list(records[first:last]) == dicts[first:last]
    assert [records[place] for place in range(-len(rows), len(rows))] == dicts + dicts
    assert len(records) == len(rows)


@given(ROWS)
def test_columns_are_the_same_from_records_and_from_dicts(rows: list[tuple[object, ...]]) -> None:
    """Whatever read them; records know their columns even without rows."""
    records = Records(NAMES, rows)
    kept = {name: list(values) for name, values in columns_of(records).items()}
    assert kept == {name: [record[name] for record in records] for name in NAMES}
    if rows:
        assert {name: list(values) for name, values in columns_of(list(records)).items()} == kept


def test_models_kept_as_columns_are_made_when_looked_at() -> None:
    """Each alone, all in turn, and a part of them."""
    fields = {"schema": "ab", "name": "xy", "kind": ("table", "view"), "rows": (1, None), "size_kb": (2, 3)}
    models = Columns(TableInfo, {**fields, "description": (None, None)})
    expected = [TableInfo("a", "x", "table", 1, 2), TableInfo("b", "y", "view", None, 3)]
    assert list(models) == expected
    assert [models[0], models[-1], *models[1:]] == [expected[0], expected[1], expected[1]]
    assert len(models) == 2


def test_a_page_without_procedures_is_empty_however_its_row_came() -> None:
    """The total stands in a row of its own then."""
    names = ("total", "schema", "name", "kind", "arguments", "returns", "language", "description", "created", "modified")
    alone = Records(names, [(500, *[None] * 9)])
    assert list(procedures(alone)) == list(procedures(list(alone))) == list(procedures(Records(names, []))) == []
