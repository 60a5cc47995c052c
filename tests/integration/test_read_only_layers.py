"""What stops a statement that the gate refuses, if the gate were not there: each is sent straight to a real PostgreSQL.

The login is a plain role that owns its table, so that its rights stop no write to it. Layer 3 is a READ ONLY transaction by the
extended protocol, layer 4 the limits, layer 1 what the role may not do. What stops nothing of that is the gate's alone,
and has to stand in SECURITY.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from mssqlclient_mcp.dialects.base import Access
from mssqlclient_mcp.errors import DatabaseMcpError
from mssqlclient_mcp.read_only import judge
from tests.live_postgres import all_rows, connect
from tests.read_only_lists import Case, cases
from tests.state_of_postgres import state, unchanged

ONLY_THE_GATE = "only the gate"
READ_ONLY, PERMISSION, TIMEOUT = "25006", "42501", "57014"
SETUP = """
CREATE ROLE layers_reader LOGIN PASSWORD 'layers';
GRANT ALL ON SCHEMA public TO layers_reader;
SET ROLE layers_reader;
CREATE TABLE t (id int PRIMARY KEY, name text);
INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 50) n;
CREATE SEQUENCE s;
CREATE VIEW u AS SELECT * FROM t;
CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (1000); END';
RESET ROLE;
"""
SECURITY = (Path(__file__).parents[2] / "SECURITY.md").read_text("utf-8")


@pytest.fixture(scope="module")
def plain_url(postgres_url: str) -> Iterator[str]:
    """The module's database as the plain role."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS layers_reader")
        connection.execute(SETUP)
    scheme, authority, path, query, fragment = urlsplit(postgres_url)
    yield urlunsplit((scheme, "layers_reader:layers@" + authority.rpartition("@")[2], path, query, fragment))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY layers_reader CASCADE")
        connection.execute("DROP ROLE layers_reader")


def test_each_refused_statement_meets_another_layer_or_is_documented(postgres_url: str, plain_url: str) -> None:
    """The table of which layer stops what; nothing changes the database, and what only the gate stops is documented."""
    table: list[tuple[Case, str, str]] = []
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        before = state(admin)
        for case in cases("refuse", "postgresql"):
            if len(case.sql) < 10_000 and not re.search("[\x00\ud800-\udfff]", case.sql):
                stopped, told = _layer(plain_url, case.sql)
                if case.family == "prepared transactions":
                    _end_prepared(admin)
                assert unchanged(admin, before), (case.sql, stopped)
                table.append((case, stopped, told))
    _print(table)
    assert all(not judge("postgresql", case.sql).allowed for case, _, _ in table)
    undocumented = {case.family for case, stopped, _ in table if stopped == ONLY_THE_GATE} - _documented()
    assert undocumented == set()


def test_a_role_that_reads_backslashes_otherwise_cannot_hide_a_call(postgres_url: str, plain_url: str) -> None:
    """With standard_conforming_strings off, this string would end early and call a function; a read always has it on."""
    sql = r"SELECT '\' || ' || nextval($$s$$)::text --' AS text"
    assert judge("postgresql", sql).allowed
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        before = state(admin)
        admin.execute("ALTER ROLE layers_reader SET standard_conforming_strings = off")
        connection = connect(plain_url, name="layers")
        connection.begin(Access.READ_ONLY, net_seconds=5, lock_seconds=1)
        cursor = connection.execute(sql)
        rows = list(all_rows(cursor.fetch))
        connection.close()
        admin.execute("ALTER ROLE layers_reader RESET standard_conforming_strings")
        assert rows == [("\\ || nextval($$s$$)::text --",)]
        assert unchanged(admin, before)


def _layer(url: str, sql: str) -> tuple[str, str]:
    """Which layer stops the statement, and what the server said."""
    connection = connect(url, name="layers")
    try:
        connection.begin(Access.READ_ONLY, net_seconds=0.3, lock_seconds=0.2)
        cursor = connection.execute(sql)
        list(all_rows(cursor.fetch))
        cursor.close()
        connection.rollback()
    except DatabaseMcpError as error:
        return _named(str(error.details.get("sqlstate", "")), error.message), error.message.splitlines()[0]
    finally:
        connection.close()
    return ONLY_THE_GATE, "ran"


def _end_prepared(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    """The one thing that a READ ONLY transaction can leave behind, where a server allows any."""
    for (name,) in admin.execute("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()").fetchall():
        admin.execute(f"ROLLBACK PREPARED '{name}'")


def _named(sqlstate: str, message: str) -> str:
    if sqlstate == READ_ONLY or "cannot insert multiple commands" in message:
        return "3 transaction"
    if sqlstate == PERMISSION:
        return "1 login"
    if sqlstate in (TIMEOUT, "55P03"):
        return "4 limits"
    if sqlstate in ("42883", "42P01", "42704", "26000", "34000"):
        return "absent here"
    return f"server ({sqlstate or 'client'})"


def _print(table: list[tuple[Case, str, str]]) -> None:
    print()
    for case, stopped, told in table:
        print(f"{stopped:16} {case.family[:26]:26} {' '.join(case.sql.split())[:70]:70} {told[:60]}")
    for stopped, count in Counter(stopped for _, stopped, _ in table).most_common():
        print(f"{count:5} {stopped}")


def _documented() -> set[str]:
    """The families that SECURITY.md names in its table of what the gate alone stops (first column, in backticks)."""
    section = SECURITY.partition("## What only the gate stops")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {name for line in rows for name in line.split("|")[1].split("`")[1::2]}
