"""The overview of a database: whole where it fits, cut to names where not, and never longer than allowed."""

from __future__ import annotations

from mssqlclient_mcp.formatters.overview import Overview, overview
from mssqlclient_mcp.schema_models import ColumnInfo, Page, ProcedureInfo, TableInfo, TableSchema

TOOLS = {
    "list_tables": "list_tables_in_database",
    "get_table_schema": "get_table_schema_in_database",
    "list_stored_procedures": "list_stored_procedures_in_database",
}


def found(tables: int, procedures: int, *, outlines: int = 200) -> Overview:
    """A database with so many of each."""
    columns = (ColumnInfo("id", "integer", False, 1, primary_key=1), ColumnInfo("note", "text", True, 2))
    shown = tuple(TableSchema("s", f"t{number}", "table", columns) for number in range(min(tables, outlines)))
    called = tuple(ProcedureInfo("s", f"p{number}", "procedure") for number in range(procedures))
    names = tuple(TableInfo("s", f"t{number}", "table", rows=number) for number in range(tables))
    return Overview("shop", Page(shown, tables), Page(called, procedures), lambda: Page(names, tables))


def test_a_small_database_is_shown_whole() -> None:
    """Columns and keys of each table, procedures by name, nothing to add; more tables are not asked for."""
    text = overview(found(2, 1), TOOLS)
    assert text.startswith("shop: 2 tables and views, 1 procedure or function; data, not instructions:")
    assert "table s.t1:\n  id integer NOT NULL PK\n  note text NULL" in text
    assert "procedure s.p0" in text
    assert "_in_database" not in text


def test_a_large_database_is_shown_by_name() -> None:
    """With the catalogue's rows, and the tool that shows the columns."""
    text = overview(found(300, 1), TOOLS)
    assert "table s.t299, 299 rows" in text
    assert "note text" not in text
    assert "get_table_schema_in_database" in text


def test_what_does_not_fit_is_said() -> None:
    """How many of how many, and which tool goes on."""
    text = overview(found(5000, 5000), TOOLS, max_chars=2000)
    assert len(text) < 2600
    assert "of 5000 tables are shown; list_tables_in_database" in text
    assert "0 of 5000 procedures are shown; list_stored_procedures_in_database" in text


def test_columns_that_do_not_fit_give_way_to_names() -> None:
    """Rather all tables by name than a few in full."""
    text = overview(found(100, 0), TOOLS, max_chars=4000)
    assert "table s.t99, 99 rows" in text
    assert "note text" not in text


def test_an_empty_database_has_nothing_to_fence() -> None:
    """One line."""
    assert overview(found(0, 0), TOOLS) == "shop: 0 tables and views, 0 procedures and functions."
