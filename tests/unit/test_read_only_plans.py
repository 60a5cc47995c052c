"""Which statements may be explained: reads, and with writes on a single change of data."""

from __future__ import annotations

import pytest

from mssqlclient_mcp.read_only import judge_plan
from tests.read_only_lists import cases

CHANGES = {
    "sqlserver": [
        "INSERT INTO dbo.t (id) VALUES (1)",
        "INSERT dbo.t SELECT id FROM dbo.u UNION ALL SELECT 2",
        "INSERT INTO dbo.t DEFAULT VALUES;",
        "UPDATE t SET a = 1 OUTPUT inserted.id FROM dbo.t AS t JOIN dbo.u AS u ON u.id = t.id",
        "UPDATE dbo.t SET a = (SELECT MAX(b) FROM dbo.u) WHERE id IN (SELECT id FROM dbo.v)",
        "DELETE FROM dbo.t WHERE id = 1",
        "DELETE TOP (5) dbo.t",
        "WITH c AS (SELECT id FROM dbo.t) DELETE FROM c",
        "MERGE dbo.t AS t USING dbo.u AS u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = u.a"
        " WHEN NOT MATCHED THEN INSERT (id) VALUES (u.id) WHEN NOT MATCHED BY SOURCE THEN DELETE;",
    ],
    "postgresql": [
        "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x' RETURNING id",
        "INSERT INTO t SELECT * FROM u",
        "UPDATE t SET id = 1 WHERE id = 2",
        "DELETE FROM t USING u WHERE t.id = u.id;",
        "WITH c AS (SELECT 1 AS id) DELETE FROM t USING c WHERE c.id = t.id",
        "WITH c AS (DELETE FROM t RETURNING *) SELECT * FROM c",
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
    ],
}
NEVER = {
    "sqlserver": [
        "INSERT dbo.t EXEC dbo.p",
        "UPDATE dbo.t SET a = 1 DELETE dbo.t",
        "UPDATE dbo.t SET a = 1; SELECT 1",
        "UPDATE dbo.t SET a = 1 SELECT 1",
        "DELETE dbo.t DROP TABLE dbo.t",
        "DELETE FROM OPENQUERY(srv, 'SELECT 1')",
        "UPDATE STATISTICS dbo.t",
        "EXEC dbo.p",
        "CREATE TABLE x (a int)",
        "DELETE dbo.t SET SHOWPLAN_XML OFF",
        "INSERT dbo.t SELECT 1 DELETE dbo.t",
        "SELECT 1; DELETE dbo.t",
        "SELECT * INTO x FROM dbo.t",
    ],
    "postgresql": [
        "DELETE FROM t; DELETE FROM u",
        "CREATE TABLE x AS SELECT 1",
        "EXPLAIN DELETE FROM t",
        "SHOW work_mem",
        "EXECUTE p",
        "DECLARE c CURSOR FOR SELECT 1",
        "ANALYZE DELETE FROM t",
        "(ANALYZE) DELETE FROM t",
        "SELECT * INTO x FROM t",
        "EXPLAIN SELECT 1",
        "TRUNCATE t",
    ],
}
ALL = [(dialect, sql) for dialect, statements in CHANGES.items() for sql in statements]
REFUSED = [(dialect, sql) for dialect, statements in NEVER.items() for sql in statements]


@pytest.mark.parametrize(("dialect", "sql"), ALL)
def test_a_change_may_be_explained_only_with_writes_on(dialect: str, sql: str) -> None:
    """The gate for writes decides about their plans too."""
    assert not judge_plan(dialect, sql).allowed
    assert judge_plan(dialect, sql, writes=True).allowed


@pytest.mark.parametrize(("dialect", "sql"), REFUSED)
def test_what_is_no_single_query_or_change_is_never_explained(dialect: str, sql: str) -> None:
    """With writes on or off: no second statement, no definition, no command."""
    assert not judge_plan(dialect, sql).allowed
    assert not judge_plan(dialect, sql, writes=True).allowed


def test_every_listed_query_may_be_explained() -> None:
    """Reads pass as they do at the gate, but for SHOW and EXPLAIN, which have no plan."""
    for case in cases("allow"):
        has_plan = not case.sql.lstrip().upper().startswith(("SHOW", "EXPLAIN"))
        assert judge_plan(case.dialect, case.sql).allowed == has_plan, case.sql
