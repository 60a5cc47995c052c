"""Transactions of the PostgreSQL dialect, and the way of a connection back to a known state, over a real server."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg
import pytest

from mssqlclient_mcp.dialects.base import Access, dialect_for
from mssqlclient_mcp.dialects.postgresql import wire
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import CHUNK_ROWS, PostgresConnection
from mssqlclient_mcp.errors import (
    ConnectionFailed,
    ConstraintViolation,
    DatabaseFault,
    DatabaseMcpError,
    InvalidParameter,
    ObjectNotFound,
    ReadOnlyViolation,
    StatementTimeout,
    SyntaxInvalid,
)
from tests.live_postgres import ask, connect, with_parameter

ADMIN = psycopg.Connection[tuple[object, ...]]
NETS = {"net_seconds": 60.0, "lock_seconds": 60.0}


# -- transactions and nets -------------------------------------------------------------------------------------------------


def test_a_read_only_transaction_refuses_writes(postgres: PostgresConnection) -> None:
    """Layer three of reads only."""
    postgres.begin(Access.READ_ONLY, **NETS)
    assert postgres.in_transaction()
    with pytest.raises(ReadOnlyViolation):
        postgres.execute("CREATE TABLE never (id int)")
    assert postgres.in_transaction()
    postgres.rollback()
    assert not postgres.in_transaction()
    postgres.rollback()


def test_commit_keeps_and_rollback_undoes(postgres: PostgresConnection, postgres_admin: ADMIN) -> None:
    """Seen from another connection."""
    ask(postgres, "CREATE TABLE kept (id int)", access=Access.READ_WRITE)
    postgres.begin(Access.READ_WRITE, **NETS)
    postgres.execute("INSERT INTO kept VALUES (1)")
    postgres.rollback()
    ask(postgres, "INSERT INTO kept VALUES (2)", access=Access.READ_WRITE)
    assert postgres_admin.execute("SELECT * FROM kept").fetchall() == [(2,)]


def test_a_commit_that_the_server_turns_into_a_rollback_is_an_error(postgres: PostgresConnection) -> None:
    """COMMIT of a failed transaction answers ROLLBACK without an error of its own."""
    postgres.begin(Access.READ_WRITE, **NETS)
    with pytest.raises(DatabaseMcpError):
        postgres.execute("SELECT 1/0")
    with pytest.raises(DatabaseFault, match="rolled it back") as caught:
        postgres.commit()
    assert caught.value.details["outcome"] == "rolled_back"


def test_a_constraint_that_is_checked_at_commit_fails_the_commit(postgres: PostgresConnection) -> None:
    """Deferred constraints."""
    ask(postgres, "CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)", access=Access.READ_WRITE)
    postgres.begin(Access.READ_WRITE, **NETS)
    postgres.execute("INSERT INTO late VALUES (1), (1)")
    with pytest.raises(ConstraintViolation):
        postgres.commit()
    assert not postgres.in_transaction()


def test_the_nets_are_set_for_the_transaction_only(postgres: PostgresConnection) -> None:
    """SET LOCAL in a transaction, SET in autocommit; back to the default after a reset."""
    sql = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
    for access in (Access.READ_ONLY, Access.READ_WRITE, Access.AUTOCOMMIT):
        postgres.begin(access, net_seconds=35, lock_seconds=1.5)
        cursor = postgres.execute(sql)
        assert cursor.fetch(1) == [("35s", "1500ms")]
        cursor.close()
        postgres.rollback()
    assert postgres.reset(trusted=False)
    cursor = postgres.execute(sql)
    assert cursor.fetch(1) == [("0", "0")]


def test_the_net_ends_a_statement_as_a_timeout(postgres: PostgresConnection) -> None:
    """When nobody else did."""
    postgres.begin(Access.READ_ONLY, net_seconds=0.2, lock_seconds=60)
    with pytest.raises(StatementTimeout) as caught:
        postgres.execute("SELECT pg_sleep(10)").fetch(1)
    assert caught.value.details["sqlstate"] == "57014"
    postgres.rollback()


def test_waiting_for_a_lock_ends_as_a_timeout(postgres: PostgresConnection, postgres_admin: ADMIN) -> None:
    """lock_timeout."""
    postgres_admin.execute("CREATE TABLE locked (id int)")
    with postgres_admin.transaction():
        postgres_admin.execute("LOCK TABLE locked")
        postgres.begin(Access.READ_ONLY, net_seconds=60, lock_seconds=0.2)
        with pytest.raises(StatementTimeout) as caught:
            postgres.execute("SELECT * FROM locked")
        assert caught.value.details["sqlstate"] == "55P03"
        postgres.rollback()


@pytest.mark.parametrize("sql", ["VACUUM", "CREATE DATABASE made_alone", "DROP DATABASE made_alone"])
def test_what_cannot_run_in_a_transaction_says_so_and_runs_alone(postgres: PostgresConnection, sql: str) -> None:
    """25001, and then in autocommit."""
    dialect = dialect_for("postgresql", odbc_driver=None)
    postgres.begin(Access.READ_WRITE, **NETS)
    with pytest.raises(DatabaseFault) as caught:
        postgres.execute(sql)
    assert dialect.needs_autocommit(caught.value)
    assert dialect.is_sole_statement(sql)
    postgres.rollback()
    postgres.begin(Access.AUTOCOMMIT, **NETS)
    postgres.execute(sql).close()


def test_a_script_runs_whole_or_tells_its_error(postgres: PostgresConnection) -> None:
    """Several statements in one text; rows are dropped as they come."""
    postgres.execute_script(
        "CREATE TABLE scripted (id int); INSERT INTO scripted VALUES (1); SELECT generate_series(1, 100000)"
    )
    assert ask(postgres, "SELECT * FROM scripted")[1] == [(1,)]
    with pytest.raises(ObjectNotFound) as caught:
        postgres.execute_script("SELECT 1;\nSELECT * FROM nowhere")
    assert caught.value.details["line"] == 2


# -- lent again ------------------------------------------------------------------------------------------------------------


def test_a_reset_leaves_nothing_of_the_last_user(postgres: PostgresConnection) -> None:
    """Settings, temporary tables, prepared statements, locks, roles, and an open transaction."""
    ask(
        postgres,
        "DO $$ BEGIN CREATE ROLE somebody; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        access=Access.READ_WRITE,
    )
    postgres.begin(Access.AUTOCOMMIT, **NETS)
    for sql in (
        "SET search_path = nowhere",
        "SET DateStyle = 'German'",
        "SET client_encoding = 'LATIN1'",
        "SET ROLE somebody",
        "PREPARE p AS SELECT 1",
        "LISTEN loud",
        "BEGIN",
        "SELECT pg_advisory_lock(1)",
        "CREATE TEMP TABLE scratch (id int)",
    ):
        postgres.execute(sql).close()
    assert postgres.in_transaction()
    assert postgres.reset(trusted=False)
    assert not postgres.in_transaction()
    _, rows = ask(
        postgres,
        "SELECT current_setting('search_path'), current_user = session_user, to_regclass('scratch'), 'ü', "
        "(SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()), "
        "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), '2024-01-31'::date",
    )
    assert rows == [('"$user", public', True, None, "ü", 0, 0, 0, "2024-01-31")]


def test_a_connection_can_be_reset_any_number_of_times(postgres: PostgresConnection) -> None:
    """Nothing of DISCARD ALL or of ours is prepared behind our back."""
    for number in range(20):
        assert ask(postgres, "SELECT $1::int", number)[1] == [(number,)]
        assert postgres.reset(trusted=True)


def test_times_are_iso_whatever_the_role_prefers(postgres_url: str) -> None:
    """A role or database may have a DateStyle of its own; the value loaders rely on ISO."""
    with closing(connect(with_parameter(postgres_url, "options=-c%20DateStyle=German"))) as german:
        for _ in range(2):
            for access in Access:
                assert ask(german, "SELECT '2024-01-31'::date, '2024-01-31 10:00'::timestamp", access=access)[1] == [
                    ("2024-01-31", "2024-01-31T10:00:00")
                ]
                assert german.reset(trusted=True)


def test_an_idle_connection_that_stands_is_alive_without_a_round_trip(postgres: PostgresConnection) -> None:
    """Cheap enough to look at each loan."""
    start = time.perf_counter()
    for _ in range(100):
        assert postgres.alive()
    assert (time.perf_counter() - start) / 100 < 0.002


def test_an_idle_connection_whose_server_process_ended_is_not_alive(
    postgres: PostgresConnection, postgres_admin: ADMIN
) -> None:
    """Restarted, terminated, or timed out by the server: found before use."""
    _, [(pid,)] = ask(postgres, "SELECT pg_backend_pid()")
    postgres_admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    assert not postgres.alive()
    assert not postgres.usable
    with pytest.raises(ConnectionFailed):
        postgres.begin(Access.READ_ONLY, **NETS)
    assert not postgres.reset(trusted=True)


def test_closing_twice_harms_nothing_and_a_closed_connection_says_so(postgres_url: str) -> None:
    """Every method after close."""
    made = connect(postgres_url)
    made.close()
    made.close()
    made.cancel()
    assert not made.shutdown()
    assert (made.usable, made.alive(), made.in_transaction(), made.reset(trusted=True)) == (False, False, False, False)
    made.rollback()
    for call in (made.commit, lambda: made.execute("SELECT 1"), lambda: made.execute_script("SELECT 1")):
        with pytest.raises(ConnectionFailed):
            call()


def test_the_functions_that_run_outside_the_databases_control_are_listed(
    postgres: PostgresConnection, postgres_admin: ADMIN
) -> None:
    """A volatile function in an untrusted language outside pg_catalog, and no other."""
    postgres_admin.execute(
        "CREATE FUNCTION reads_files(text) RETURNS text LANGUAGE internal VOLATILE AS 'pg_read_file_all';"
        "CREATE FUNCTION harmless() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'"
    )
    columns, rows = ask(postgres, dialect_for("postgresql", odbc_driver=None).outside_functions_sql)
    assert columns is not None
    assert [column.name for column in columns] == ["name"]
    assert ("reads_files",) in rows
    assert ("harmless",) not in rows
    postgres_admin.execute("DROP FUNCTION reads_files, harmless")


# -- what begins a read goes with its first statement ------------------------------------------------------------------------


def test_a_statement_that_fails_behind_its_opening_leaves_the_connection_good(postgres: PostgresConnection) -> None:
    """The server skips what stands behind an error; the line is read to its end, and the next statement has its own answer."""
    for sql, kind in (("SELEC 1", SyntaxInvalid), ("SELECT 1; SELECT 2", SyntaxInvalid), ("SELECT 1/0", DatabaseFault)):
        postgres.begin(Access.READ_ONLY, **NETS)
        with pytest.raises(kind):
            postgres.execute(sql).fetch(1)
        assert postgres.in_transaction()
        postgres.rollback()
        assert not postgres.in_transaction()
        assert ask(postgres, "SELECT 42")[1] == [(42,)]


def test_an_opening_that_fails_is_told_and_the_statement_is_not_run(
    postgres: PostgresConnection, postgres_admin: ADMIN
) -> None:
    """It stands for itself: the statement behind it never ran, and the connection is good."""
    postgres_admin.execute("CREATE TABLE IF NOT EXISTS opened (n int)")
    ask(postgres, "SELECT 1")  # the names of types are known from here on
    postgres.begin(Access.READ_ONLY, **NETS)
    postgres._opening = ("BEGIN", "SELECT set_config('no_such_setting', '1', true)")
    with pytest.raises(DatabaseMcpError, match="no_such_setting"):
        postgres.execute("INSERT INTO opened VALUES (1)")
    postgres.rollback()
    assert ask(postgres, "SELECT count(*) FROM opened")[1] == [(0,)]


def test_a_value_that_cannot_be_sent_opens_nothing(postgres: PostgresConnection) -> None:
    """Found before anything is sent; there is no transaction to undo."""
    ask(postgres, "SELECT 1")
    postgres.begin(Access.READ_ONLY, **NETS)
    with pytest.raises(InvalidParameter):
        postgres.execute("SELECT $1::text", ["\ud800"])
    assert not postgres.in_transaction()
    assert ask(postgres, "SELECT 42")[1] == [(42,)]


@pytest.mark.parametrize("rows", [0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 1000])
def test_a_result_left_at_any_place_leaves_the_connection_good(postgres: PostgresConnection, rows: int) -> None:
    """Before its first row, inside a chunk, between chunks, at its end."""
    for taken in {0, 1, rows // 2, rows}:
        postgres.begin(Access.READ_ONLY, **NETS)
        cursor = postgres.execute(f"SELECT n FROM generate_series(1, {rows}) AS n")
        if taken:
            assert len(cursor.fetch(taken)) == min(taken, rows, CHUNK_ROWS)
        cursor.close()
        postgres.rollback()
        assert postgres.usable
        assert ask(postgres, "SELECT 42")[1] == [(42,)]


def test_without_pipelines_the_opening_goes_first(postgres: PostgresConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq before 14 has none: one round trip more, and nothing else is different."""
    monkeypatch.setattr(wire, "_PIPELINE", False)
    postgres.begin(Access.READ_ONLY, **NETS)
    assert list(postgres.execute("SELECT current_setting('transaction_read_only')").fetch(1)) == [("on",)]
    postgres.rollback()
    assert not postgres.in_transaction()
