"""Estimated plans on real servers: the statement is not run."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from mssqlclient_mcp.dialects.postgresql.explain import explain, read_plan
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.errors import DatabaseFault, DatabaseMcpError, SyntaxInvalid
from mssqlclient_mcp.formatters.plans import plan_report
from mssqlclient_mcp.plan_models import Plan
from tests.live_postgres import connect
from tests.state_of_postgres import state

SETUP = """
CREATE TABLE goods (id int PRIMARY KEY, kind int, name text);
INSERT INTO goods SELECT n, n % 10, 'good ' || n FROM generate_series(1, 5000) n;
ANALYZE goods;
CREATE TABLE noted (at timestamptz);
CREATE FUNCTION notes() RETURNS int VOLATILE LANGUAGE plpgsql AS 'BEGIN INSERT INTO noted VALUES (now()); RETURN 1; END';
CREATE FUNCTION lies() RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN notes(); END';
"""


@pytest.fixture(scope="module")
def admin(postgres_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """An administrator who looks at what changed."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SETUP)
        yield connection


@pytest.fixture
def postgres(postgres_url: str, admin: object) -> Iterator[PostgresConnection]:
    """A connection of the dialect."""
    connection = connect(postgres_url)
    yield connection
    connection.close()


def planned(connection: PostgresConnection, sql: str) -> Plan:
    """The plan of a statement."""
    return explain(connection, sql, net_seconds=30, lock_seconds=5)


def test_a_plan_has_cost_operators_and_what_is_read_whole(postgres: PostgresConnection) -> None:
    """The summary of a join with an aggregate, and the document itself."""
    plan = planned(postgres, "SELECT kind, count(*) FROM goods WHERE name LIKE '%7' GROUP BY kind; -- end")
    assert plan.cost is not None
    assert plan.cost > 0
    assert [o.object for o in plan.operators if o.name == "Seq Scan"] == ["goods"]
    assert plan.scans == ("goods",)
    assert any("Filter: (name ~~ '%7'::text)" in operator.detail for operator in plan.operators)
    text, structured = plan_report(plan, max_chars=60_000)
    print("\n" + text)
    assert "read whole: goods" in text
    assert str(structured["plan"]).startswith("[")


def test_an_index_is_named_and_is_no_scan(postgres: PostgresConnection) -> None:
    """A lookup by key."""
    plan = planned(postgres, "SELECT name FROM goods WHERE id = 7")
    assert plan.operators[0].object == "goods (goods_pkey)"
    assert plan.scans == ()


def test_markers_are_planned_without_values(postgres: PostgresConnection) -> None:
    """``$1`` needs no value for an estimated plan."""
    plan = planned(postgres, "SELECT name FROM goods WHERE id = $1 AND kind = $2::int")
    assert "$1" in plan.operators[0].detail


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM goods",
        "UPDATE goods SET kind = 0",
        "INSERT INTO goods SELECT 9999, 1, 'x'",
        "WITH c AS (DELETE FROM goods RETURNING 1) SELECT * FROM c",
        "SELECT * FROM goods",
    ],
)
def test_nothing_is_run(postgres: PostgresConnection, admin: psycopg.Connection[tuple[object, ...]], sql: str) -> None:
    """Changes have plans too, and the table stays as it was."""
    before = state(admin)
    assert planned(postgres, sql).operators
    assert state(admin) == before
    assert not postgres.in_transaction()


def test_a_function_that_planning_runs_cannot_write(
    postgres: PostgresConnection, admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """A function that is wrongly called IMMUTABLE writes while PostgreSQL plans; the READ ONLY transaction stops it."""
    before = state(admin)
    with pytest.raises(DatabaseMcpError) as told:
        planned(postgres, "SELECT * FROM goods WHERE kind = lies()")
    assert told.value.details["sqlstate"] == "25006"
    assert state(admin) == before
    assert planned(postgres, "SELECT 1").operators


def test_an_error_leaves_the_connection_fit(postgres: PostgresConnection) -> None:
    """The database's own words, the transaction rolled back."""
    with pytest.raises(SyntaxInvalid):
        planned(postgres, "SELECT FROM WHERE")
    assert not postgres.in_transaction()
    assert planned(postgres, "SELECT 1").operators


@pytest.mark.parametrize("document", ["", "[]", "{}", "[1]", "x", '[{"Plan": 3}]'])
def test_what_is_no_plan_is_said_to_be_none(document: str) -> None:
    """No crash on an answer that EXPLAIN never gives."""
    with pytest.raises(DatabaseFault):
        read_plan(document)
