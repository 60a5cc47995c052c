"""SQL Server's catalogue SQL stands on the documents' lists of views and columns, not on memory."""

from __future__ import annotations

import re

import pytest

from mssqlclient_mcp.dialects.catalog import Catalog, catalog_for
from mssqlclient_mcp.dialects.selects import selects_for
from tests.catalog_facts import OLDEST, faults, output_names

STATEMENTS = sorted(name for name in Catalog.__annotations__ if isinstance(getattr(catalog_for("sqlserver"), name), str))
SHARED = sorted(name for name in STATEMENTS if isinstance(getattr(catalog_for("postgresql"), name), str))
MAY_FAIL = {name for name, hint in Catalog.__annotations__.items() if "None" in str(hint)}
INDEXES = "SELECT i.name AS name, i.is_unique AS u FROM sys.indexes AS i JOIN sys.objects AS o ON o.object_id = i.object_id"


def text(name: str) -> str:
    """A statement of the SQL Server dialect."""
    sql = getattr(catalog_for("sqlserver"), name)
    assert isinstance(sql, str)
    return sql


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_view_and_column_is_in_the_documents_since_2016(name: str) -> None:
    """A batch that names a missing object fails whole, so nothing newer stands in a statement sent to every version; what
    Azure SQL Database lacks stands only in statements that may fail."""
    assert faults(text(name), azure=name not in MAY_FAIL) == []


def test_what_structured_reads_ask_is_in_the_documents_too() -> None:
    """The statement about a table's columns and keys is sent to every version."""
    assert faults(selects_for("sqlserver").READABLE_TABLE, azure=True) == []


@pytest.mark.parametrize("name", SHARED)
def test_both_dialects_answer_with_the_same_columns(name: str) -> None:
    """One reader serves both databases because the aliases agree."""
    postgres = getattr(catalog_for("postgresql"), name)
    assert set(output_names(text(name))) == set(output_names(postgres, "postgres"))


@pytest.mark.parametrize("name", SHARED)
def test_both_dialects_take_the_same_number_of_values(name: str) -> None:
    """Values are positional and the same for both."""
    postgres = getattr(catalog_for("postgresql"), name)
    numbers = {int(number) for number in range(1, 20) if f"${number}:" in postgres}
    assert text(name).count("?") == (max(numbers) if numbers else 0)


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        (INDEXES.replace("i.is_unique", "i.is_uniqe"), "is_uniqe"),
        (INDEXES.replace("i.is_unique", "x.is_unique"), "there is no x"),
        (INDEXES.replace("i.is_unique", "is_unique"), "no alias"),
        (INDEXES.replace("i.is_unique", "i.optimize_for_sequential_key"), "came with 2019"),
        (INDEXES.replace("i.is_unique", "i.auto_created"), "only on"),
        (INDEXES.replace("sys.objects", "sys.objekts"), "not a known view"),
        (INDEXES.replace("AS u", "AS statistics"), "brackets"),
        (INDEXES.replace("sys.objects", "sys.edge_constraints"), "came with 2019"),
        (
            "SELECT (SELECT c.nam AS n FROM sys.columns AS c WHERE c.object_id = o.object_id FOR JSON PATH) AS c "
            "FROM sys.tables AS o",
            "nam",
        ),
        (
            "SELECT (SELECT c.name AS n FROM sys.columns AS c WHERE c.object_id = z.object_id) AS c FROM sys.tables AS o",
            "there is no z",
        ),
        ("WITH a AS (SELECT o.name AS n FROM sys.tables AS o) SELECT b.m AS m FROM a AS b", "no such column"),
        (
            "SELECT p.last_updatd AS x FROM sys.stats AS s "
            "OUTER APPLY sys.dm_db_stats_properties(s.object_id, s.stats_id) AS p",
            "last_updatd",
        ),
    ],
)
def test_a_planted_fault_is_found(planted: str, word: str) -> None:
    """The check can fail: a wrong column, a wrong alias, an unguarded newer column, wherever they stand."""
    assert any(word in fault for fault in faults(planted)), faults(planted)


def test_the_sound_statement_behind_the_plants_passes() -> None:
    """Each plant fails for its own fault alone."""
    assert faults(INDEXES) == []


def test_a_guarded_statement_may_name_what_its_version_has() -> None:
    """A statement sent from a version on is measured by that version."""
    guarded = INDEXES.replace("i.is_unique", "i.optimize_for_sequential_key")
    assert faults(guarded, since=2019) == []
    assert faults(guarded, since=OLDEST) != []


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_column_of_our_statements_escapes_the_parser(name: str) -> None:
    """With every column misspelt, every single one is reported."""
    columns = {match for match in re.findall(r"\b[a-z]+\.[a-z_]+\b(?!\()", text(name)) if not match.startswith("sys.")}
    misspelt = re.sub(r"\b(?!sys\.)([a-z]+\.[a-z_]+)\b(?!\()", r"\1_x", text(name))
    told = "\n".join(faults(misspelt))
    assert [column for column in columns if f"{column.split('.')[1]}_x" not in told] == []
