"""The PostgreSQL dialect's connections and cursors, over a real server."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from mssqlclient_mcp.connection_settings import ConnectionSettings, Secret
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.dialects.base import Access, dialect_for
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.errors import (
    ConfigInvalid,
    ConnectionFailed,
    DatabaseFault,
    DatabaseMcpError,
    InvalidParameter,
    ObjectNotFound,
    SyntaxInvalid,
)
from mssqlclient_mcp.models import Column, Message
from tests.live_postgres import all_rows, ask, connect

ADMIN = psycopg.Connection[tuple[object, ...]]
NETS = {"net_seconds": 60.0, "lock_seconds": 60.0}


# -- connecting ------------------------------------------------------------------------------------------------------------


def test_a_connection_knows_its_database_and_shows_its_name_to_the_dba(postgres_url: str, postgres_admin: ADMIN) -> None:
    """The server's own name for the database, and application_name as given."""
    with closing(connect(postgres_url, name="client-7 session-9")) as made:
        assert made.database == conninfo_to_dict(postgres_url)["dbname"]
        assert made.usable
        seen = postgres_admin.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'client-7 session-9'")
        assert seen.fetchone() == (1,)


def test_without_a_database_it_is_postgres_and_another_is_reached_by_connecting_to_it(postgres_url: str) -> None:
    """Server mode, and a pool for each database."""
    with closing(connect(postgres_url, database="template1")) as made:
        assert made.database == "template1"
    with closing(
        dialect_for("postgresql", odbc_driver=None).connect(
            replace(parse(postgres_url), database=None), database=None, application_name="t"
        )
    ) as made:
        assert made.database == "postgres"


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (parse("postgresql://u:secret-word@127.0.0.1:1/x"), ConnectionFailed),
        (parse("postgresql://u:secret-word@no-such-host.invalid/x"), ConnectionFailed),
        (parse("postgresql://u:secret-word@127.0.0.1:1/x?sslmode=sometimes"), ConfigInvalid),
        (parse("postgresql://u:secret-word@/x?host=/no/such/folder"), ConnectionFailed),
    ],
)
def test_a_connection_that_cannot_be_made_says_why_without_the_password(
    settings: ConnectionSettings, error: type[DatabaseMcpError]
) -> None:
    """Refused, unknown host, unusable option: each its own error."""
    with pytest.raises(error) as caught:
        dialect_for("postgresql", odbc_driver=None).connect(settings, database=None, application_name="t")
    assert "secret-word" not in caught.value.message + repr(caught.value.details)
    assert caught.value.message


def test_an_unknown_database_is_not_found_rather_than_unreachable(postgres_url: str) -> None:
    """No retry helps; the name does."""
    with pytest.raises(ObjectNotFound, match="no_such_database"):
        connect(postgres_url, database="no_such_database")


def test_too_many_connections_are_a_passing_trouble(postgres_url: str, postgres_admin: ADMIN) -> None:
    """53300 is retryable."""
    postgres_admin.execute("DROP DATABASE IF EXISTS narrow")
    postgres_admin.execute("CREATE DATABASE narrow CONNECTION LIMIT 0")
    postgres_admin.execute("DROP ROLE IF EXISTS narrow_user")
    postgres_admin.execute("CREATE ROLE narrow_user LOGIN PASSWORD 'x'")
    try:
        settings = replace(parse(postgres_url), user="narrow_user", password=Secret("x"), database="narrow")
        with pytest.raises(ConnectionFailed, match="too many connections") as caught:
            dialect_for("postgresql", odbc_driver=None).connect(settings, database=None, application_name="t")
        assert caught.value.retryable
    finally:
        postgres_admin.execute("DROP DATABASE narrow")
        postgres_admin.execute("DROP ROLE narrow_user")


def test_a_missing_driver_says_how_to_install_it() -> None:
    """Without psycopg the dialect can be made, and connecting names the extra to install."""
    code = """
import sys
sys.modules["psycopg"] = None
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.dialects.base import dialect_for
from mssqlclient_mcp.errors import DriverMissing
dialect = dialect_for("postgresql", odbc_driver=None)
try:
    dialect.connect(parse("postgresql://h/d"), database=None, application_name="t")
except DriverMissing as error:
    assert "mssqlclient-mcp[postgres]" in error.next_step, error.next_step
    print("told")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("told", "")


def test_the_driver_is_imported_with_the_first_connection_only() -> None:
    """A dialect costs nothing at start."""
    code = (
        "import sys; from mssqlclient_mcp.dialects.base import dialect_for; "
        "dialect_for('postgresql', odbc_driver=None); print('psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr


# -- one statement ---------------------------------------------------------------------------------------------------------


def test_an_empty_result_has_its_columns(postgres: PostgresConnection) -> None:
    """A model learns the shape of a table from no rows at all."""
    columns, rows = ask(postgres, "SELECT 1 AS a, 'x'::varchar(9) AS b WHERE false")
    assert columns == (Column("a", "integer"), Column("b", "varchar(9)"))
    assert rows == []


def test_columns_without_name_or_with_the_same_name_stay(postgres: PostgresConnection) -> None:
    """As the server names them, in order."""
    columns, rows = ask(postgres, 'SELECT 1, 2, 3 AS x, 4 AS x, 5 AS "ä ""q""", 6 AS "😀"')
    assert columns is not None
    assert [column.name for column in columns] == ["?column?", "?column?", "x", "x", 'ä "q"', "😀"]
    assert rows == [(1, 2, 3, 4, 5, 6)]


def test_a_result_without_columns_still_has_rows(postgres: PostgresConnection) -> None:
    """``SELECT`` alone is legal."""
    assert ask(postgres, "SELECT FROM generate_series(1, 3)") == ((), [(), (), ()])


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_rows_come_in_order_whatever_the_batch(postgres: PostgresConnection, batch: int) -> None:
    """Chunks of libpq and pieces of the caller need not fit."""
    postgres.begin(Access.READ_ONLY, **NETS)
    cursor = postgres.execute("SELECT g FROM generate_series(1, 1000) AS g", batch=batch)
    rows = []
    while piece := cursor.fetch(10):
        assert len(piece) <= 10
        rows += piece
    assert rows == [(number,) for number in range(1, 1001)]
    assert not cursor.fetch(10)
    assert not cursor.next_part()
    cursor.close()
    cursor.close()
    postgres.rollback()


@pytest.mark.parametrize(
    ("sql", "columns", "rows", "count"),
    [
        ("INSERT INTO counted VALUES (4), (5)", False, 0, 2),
        ("INSERT INTO counted VALUES (6), (7) RETURNING id", True, 2, 2),
        ("UPDATE counted SET id = id + 100 WHERE id < 3 RETURNING id, 'x'", True, 2, 2),
        ("DELETE FROM counted WHERE id = -1 RETURNING id", True, 0, 0),
        ("DELETE FROM counted", False, 0, 3),
        ("MERGE INTO counted USING (VALUES (1), (9)) AS s(id) ON counted.id = s.id WHEN MATCHED THEN DELETE "
         "WHEN NOT MATCHED THEN INSERT VALUES (s.id)", False, 0, 2),
        ("WITH gone AS (DELETE FROM counted RETURNING id) SELECT id FROM gone", True, 3, None),
        ("CREATE TABLE counted_too AS SELECT * FROM counted", False, 0, 3),
        ("SELECT id FROM counted", True, 3, None),
        ("CREATE TEMP TABLE nothing (id int)", False, 0, None),
        ("SET LOCAL work_mem = '8MB'", False, 0, None),
        ("SHOW work_mem", True, 1, None),
        ("EXPLAIN SELECT 1", True, 1, None),
        ("VALUES (1), (2)", True, 2, None),
        ("TABLE counted", True, 3, None),
    ],
)  # fmt: skip
def test_a_statement_runs_once_and_tells_rows_or_count(
    postgres: PostgresConnection, sql: str, columns: bool, rows: int, count: int | None
) -> None:
    """Columns only where rows can come, and the count of rows changed (not of rows read)."""
    postgres.begin(Access.READ_WRITE, **NETS)
    postgres.execute_script("CREATE TABLE counted (id int); INSERT INTO counted VALUES (1), (2), (3)")
    cursor = postgres.execute(sql)
    assert (cursor.columns is not None) is columns
    assert len(list(all_rows(cursor.fetch))) == rows
    assert cursor.rows_affected == count
    cursor.close()
    postgres.rollback()


def test_a_call_gives_its_inout_values_as_a_row(postgres: PostgresConnection) -> None:
    """CALL in autocommit, with a procedure that commits in between."""
    ask(postgres, "CREATE TABLE called (id int)", access=Access.READ_WRITE)
    ask(
        postgres,
        "CREATE PROCEDURE add_twice(a int, INOUT b int, OUT c text) LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO called VALUES (a); COMMIT; b := b + a; c := 'done'; RAISE NOTICE 'added %', a; END $$",
        access=Access.READ_WRITE,
    )
    postgres.begin(Access.AUTOCOMMIT, **NETS)
    cursor = postgres.execute("CALL add_twice($1, $2, NULL)", [5, 2])
    assert cursor.columns == (Column("b", "integer"), Column("c", "text"))
    assert cursor.fetch(5) == [(7, "done")]
    assert cursor.messages() == (Message("added 5", "NOTICE", "00000"),)
    cursor.close()
    assert not postgres.in_transaction()
    assert ask(postgres, "SELECT count(*) FROM called")[1] == [(1,)]
    ask(postgres, "DROP PROCEDURE add_twice", access=Access.READ_WRITE)
    ask(postgres, "DROP TABLE called", access=Access.READ_WRITE)


@pytest.mark.parametrize("parameters", [(), (1,)])
def test_only_one_statement_is_taken(postgres: PostgresConnection, parameters: tuple[object, ...]) -> None:
    """The way out of a READ ONLY transaction (``; COMMIT; DELETE``) is closed with and without parameters."""
    marker = "$1::int" if parameters else "1"
    postgres.begin(Access.READ_ONLY, **NETS)
    with pytest.raises(SyntaxInvalid, match="multiple commands"):
        postgres.execute(f"SELECT {marker}; COMMIT; CREATE TABLE escaped (id int)", parameters)
    postgres.rollback()
    assert ask(postgres, "SELECT to_regclass('escaped')")[1] == [(None,)]


def test_percent_signs_and_question_marks_are_plain_text(postgres: PostgresConnection) -> None:
    """No client-side formatting of any kind touches the text."""
    assert ask(postgres, "SELECT 7 % 4, '%s %(x)s ?', '{\"a\":1}'::jsonb ? 'a', $1::int", 1)[1] == [(3, "%s %(x)s ?", True, 1)]


@pytest.mark.parametrize("sql", ["", "   ", "-- nothing", ";", "SELECT 1 \0 , 2", "SELECT '\ud800'"])
def test_text_that_is_no_statement_is_refused(postgres: PostgresConnection, sql: str) -> None:
    """Empty, a comment, a NUL that would hide the rest from the server, half a surrogate pair."""
    postgres.begin(Access.READ_ONLY, **NETS)
    with pytest.raises(InvalidParameter):
        postgres.execute(sql)
    postgres.rollback()
    assert ask(postgres, "SELECT 1")[1] == [(1,)]


@pytest.mark.parametrize("sql", ["COPY (SELECT generate_series(1, 300000)) TO STDOUT", "COPY streamed FROM STDIN"])
def test_copy_to_or_from_the_client_is_refused_and_leaves_the_connection_well(postgres: PostgresConnection, sql: str) -> None:
    """There is no client stream behind a tool call."""
    ask(postgres, "CREATE TABLE IF NOT EXISTS streamed (id int)", access=Access.READ_WRITE)
    postgres.begin(Access.READ_WRITE, **NETS)
    with pytest.raises(DatabaseFault, match="COPY"):
        postgres.execute(sql)
    postgres.rollback()
    assert ask(postgres, "SELECT count(*) FROM streamed")[1] == [(0,)]


def test_an_error_after_rows_comes_after_those_rows(postgres: PostgresConnection) -> None:
    """What was sent before the error is not lost."""
    postgres.begin(Access.READ_ONLY, **NETS)
    cursor = postgres.execute("SELECT 1 / (100 - g) FROM generate_series(1, 300) AS g")
    assert cursor.columns is not None
    first = cursor.fetch(100)
    assert first
    with pytest.raises(DatabaseFault, match="division by zero"):
        list(all_rows(cursor.fetch))
    cursor.close()
    postgres.rollback()


def test_notices_are_kept_with_their_severity_and_bounded(postgres: PostgresConnection) -> None:
    """A procedure that talks without end fills no memory."""
    postgres.begin(Access.READ_WRITE, **NETS)
    cursor = postgres.execute("DO $$ BEGIN RAISE WARNING 'w' USING DETAIL = 'd', HINT = 'h', ERRCODE = '01000'; END $$")
    assert cursor.messages() == (Message("w\nDETAIL: d\nHINT: h", "WARNING", "01000"),)
    assert cursor.messages() == ()
    cursor = postgres.execute("DO $$ BEGIN FOR i IN 1..5000 LOOP RAISE NOTICE '%', i; END LOOP; END $$")
    heard = cursor.messages()
    assert len(heard) == 1001
    assert heard[-1].text.startswith("4000 further")
    postgres.rollback()


def test_a_ten_megabyte_cell_comes_whole(postgres: PostgresConnection) -> None:
    """Text and bytes, in and out."""
    big = "ü" * 5_000_000
    _, [(text, length, data)] = ask(postgres, "SELECT $1::text, length($1::text), decode(repeat('ff', 10000000), 'hex')", big)
    assert text == big
    assert length == 5_000_000
    assert data == b"\xff" * 10_000_000


def test_ten_rows_of_fifty_million_are_quick_and_small(postgres_url: str) -> None:
    """Bounded reads: under a second, under 50 MB, and the server is stopped."""
    code = """
import resource, sys, time
from tests.live_postgres import connect
from mssqlclient_mcp.dialects.base import Access
connection = connect(sys.argv[1])
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
start = time.monotonic()
connection.begin(Access.READ_ONLY, net_seconds=60, lock_seconds=60)
cursor = connection.execute("SELECT g, md5(g::text) FROM (SELECT generate_series(1, 50000000) AS g) AS s", batch=64)
rows = len(cursor.fetch(10))
cursor.close()
connection.rollback()
seconds = time.monotonic() - start
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
connection.close()
print(rows, seconds < 1, grown < 50_000_000, seconds, grown)
"""
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", code, postgres_url], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("10 True True"), done.stdout + done.stderr
