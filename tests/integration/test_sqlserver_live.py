"""The SQL Server dialect on a live server (TEST_MSSQL_CONNECTIONSTRING), through whichever driver the string or
MSSQL_ODBC_DRIVER names. What only SQL Server itself promises is asserted when the server says that it is one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from datetime import time as time_of_day
from decimal import Decimal
from uuid import UUID

import pytest

from mssqlclient_mcp.connection_settings import ConnectionSettings, Secret
from mssqlclient_mcp.dialects.base import Access
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.dialects.sqlserver.cursor import SqlServerCursor
from mssqlclient_mcp.dialects.sqlserver.odbc_connection import SqlServerConnection
from mssqlclient_mcp.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ConstraintViolation,
    DatabaseFault,
    DatabaseMcpError,
    InvalidParameter,
    ObjectNotFound,
    StatementCancelled,
    StatementTimeout,
    SyntaxInvalid,
)
from mssqlclient_mcp.models import Row
from tests.databases import SqlServerForTests, TestDatabase

pytestmark = pytest.mark.sqlserver

INDIA = timezone(timedelta(hours=5, minutes=30))
WEST = timezone(-timedelta(hours=3, minutes=30))
ENDLESS = "SELECT a.object_id, b.name FROM sys.all_columns a CROSS JOIN sys.all_columns b CROSS JOIN sys.all_columns c"


@pytest.fixture(scope="module")
def place(sqlserver: SqlServerForTests) -> TestDatabase:
    """The database to test in."""
    return sqlserver.database()


@pytest.fixture(scope="module")
def settings(place: TestDatabase) -> ConnectionSettings:
    """How to reach it."""
    return place.config().connection


@pytest.fixture(scope="module")
def dialect() -> SqlServerDialect:
    """The dialect with the driver of the environment."""
    return SqlServerDialect(os.environ.get("MSSQL_ODBC_DRIVER"))


@pytest.fixture
def connection(dialect: SqlServerDialect, settings: ConnectionSettings) -> Iterator[SqlServerConnection]:
    """A connection in autocommit."""
    made = dialect.connect(settings, database=None, application_name="live tests")
    made.begin(Access.AUTOCOMMIT, net_seconds=60, lock_seconds=5)
    yield made
    made.close()


def rows(connection: SqlServerConnection, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
    """All rows of the first result."""
    cursor = connection.execute(sql, parameters)
    try:
        found: list[Row] = []
        while batch := cursor.fetch(100):
            found += batch
        return found
    finally:
        cursor.close()


@pytest.mark.parametrize(
    ("expression", "type_text", "value"),
    [
        ("CAST(255 AS tinyint)", "tinyint", 255),
        ("CAST(-32768 AS smallint)", "smallint", -32768),
        ("CAST(9223372036854775807 AS bigint)", "bigint", 2**63 - 1),
        ("CAST(1 AS bit)", "bit", True),
        ("CAST('1234567890123456789012345678.0123456789' AS decimal(38,10))", "decimal(38,10)",
         Decimal("1234567890123456789012345678.0123456789")),
        ("CAST('922337203685477.5807' AS money)", "decimal(19,4)", Decimal("922337203685477.5807")),
        ("CAST(1.5 AS float)", "float", 1.5),
        ("CAST(1.5 AS real)", "real", 1.5),
        ("CAST('2020-01-02' AS date)", "date", date(2020, 1, 2)),
        ("CAST('2020-01-02T10:11:12.123' AS datetime)", "datetime", datetime(2020, 1, 2, 10, 11, 12, 123000)),
        ("CAST('2020-01-02T10:11:00' AS smalldatetime)", "smalldatetime", datetime(2020, 1, 2, 10, 11)),
        ("CAST('2020-01-02T10:11:12.123456' AS datetime2(6))", "datetime2(6)", datetime(2020, 1, 2, 10, 11, 12, 123456)),
        ("CAST('2020-01-02T10:11:12' AS datetime2(0))", "datetime2(0)", datetime(2020, 1, 2, 10, 11, 12)),
        ("CAST('10:11:12.123456' AS time(6))", "time(6)", time_of_day(10, 11, 12, 123456)),
        ("CAST('2020-01-02 10:11:12.123456 +05:30' AS datetimeoffset(6))", "datetimeoffset(6)",
         datetime(2020, 1, 2, 10, 11, 12, 123456, tzinfo=INDIA)),
        ("CAST('2020-01-02 10:11:12.5 -03:30' AS datetimeoffset(1))", "datetimeoffset(1)",
         datetime(2020, 1, 2, 10, 11, 12, 500000, tzinfo=WEST)),
        ("CAST(N'日本 😀 é' AS nvarchar(50))", "nvarchar(50)", "日本 😀 é"),
        ("CAST('é' AS varchar(50))", "nvarchar(50)", "é"),
        ("CAST('x' AS char(3))", "nvarchar(3)", "x  "),
        ("CAST(N'' AS nvarchar(max))", "nvarchar(max)", ""),
        ("CAST(0x0001FF AS varbinary(10))", "varbinary(10)", b"\x00\x01\xff"),
        ("CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier)", "uniqueidentifier",
         UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")),
        ("CAST('<a>1</a>' AS xml)", "nvarchar(max)", "<a>1</a>"),
        ("CAST(NULL AS int)", "int", None),
        ("CAST(NULL AS datetimeoffset(6))", "datetimeoffset(6)", None),
        ("CAST(NULL AS uniqueidentifier)", "uniqueidentifier", None),
    ],
    ids=lambda value: value if isinstance(value, str) and "CAST" in value else "",
)  # fmt: skip
def test_every_type_comes_back_whole(connection: SqlServerConnection, expression: str, type_text: str, value: object) -> None:
    """Its value without a lost digit, offset or character, and its column's type."""
    cursor = connection.execute(f"SELECT {expression} AS v")
    assert cursor.columns is not None
    assert (cursor.columns[0].name, cursor.columns[0].type) == ("v", type_text)
    [[found]] = cursor.fetch(2)
    cursor.close()
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, datetime):
        assert isinstance(found, datetime)
        assert found.utcoffset() == value.utcoffset()


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("CAST('2020-01-02T10:11:12.1234567' AS datetime2(7))", "2020-01-02T10:11:12.1234567"),
        ("CAST('10:11:12.1234567' AS time(7))", "10:11:12.1234567"),
        ("CAST('2020-01-02 10:11:12.1234567 -03:30' AS datetimeoffset(7))", "2020-01-02T10:11:12.1234567-03:30"),
    ],
)
def test_a_seventh_digit_comes_as_text(
    place: TestDatabase, connection: SqlServerConnection, expression: str, text: str
) -> None:
    """Python's types end at the sixth."""
    if not place.genuine:
        pytest.skip("this endpoint keeps six digits only")
    assert rows(connection, f"SELECT {expression}") == [(text,)]


def test_values_bound_as_parameters_come_back_as_they_went(connection: SqlServerConnection) -> None:
    """Integers beyond bigint as decimals, aware datetimes with their offset, NULL for a varbinary column."""
    connection.execute_script(
        "CREATE TABLE #p (id int, b varbinary(20), n nvarchar(max), d decimal(38,0), o datetimeoffset(6), u uniqueidentifier)"
    )
    aware = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=INDIA)
    sent: list[tuple[object, ...]] = [
        (1, b"\x00\xff", "it's 日本 😀", 2**100, aware, UUID(int=7)),
        (2, None, None, None, None, None),
        (3, b"", "", -(2**63) - 1, aware, UUID(int=0)),
        (4, b"x", "y" * 9000, 0, aware, UUID(int=1)),
    ]
    insert = "INSERT #p VALUES (?, ?, ?, ?, CAST(? AS datetimeoffset(6)), CAST(? AS uniqueidentifier))"
    for row in sent:
        connection.execute(insert, row).close()
    found = rows(connection, "SELECT * FROM #p WHERE id >= ? ORDER BY id", [1])
    assert found == [tuple(Decimal(v) if isinstance(v, int) and at == 3 else v for at, v in enumerate(row)) for row in sent]


def test_question_marks_and_braces_in_the_text_stay_what_they_are(connection: SqlServerConnection) -> None:
    """In strings, names and comments; no driver rewrites ODBC escapes."""
    found = rows(connection, "SELECT '? {fn NOW()}' AS [a?], ? AS \"b?\", ? AS c /* ? {x} */ -- ?", [None, "{d '2020-01-01'}"])
    assert found == [("? {fn NOW()}", None, "{d '2020-01-01'}")]
    with pytest.raises(DatabaseMcpError):
        connection.execute("SELECT {fn NOW()}")


def test_result_sets_counts_and_messages_come_in_order(connection: SqlServerConnection) -> None:
    """One batch with all of them."""
    cursor = connection.execute(
        "PRINT 'one'; PRINT N'zwei €'; CREATE TABLE #m (a int); INSERT #m VALUES (1), (2); SELECT a FROM #m ORDER BY a; "
        "PRINT 'three'; DELETE #m WHERE a = 2; RAISERROR('low', 10, 1); SELECT 9 AS b WHERE 1 = 0; SELECT 3 AS c"
    )
    told: list[object] = []
    said = [message.text for message in cursor.messages()]
    while True:
        if cursor.columns is not None:
            told.append(([column.name for column in cursor.columns], cursor.fetch(10)))
        elif cursor.rows_affected:
            told.append(cursor.rows_affected)
        if not cursor.next_part():
            break
        said += [message.text for message in cursor.messages()]
    said += [message.text for message in cursor.messages()]
    cursor.close()
    assert told == [2, (["a"], [(1,), (2,)]), 1, (["b"], []), (["c"], [(3,)])]
    assert said == ["one", "zwei €", "three", "low"]


def test_columns_may_be_unnamed_or_named_twice(connection: SqlServerConnection) -> None:
    """As the server lets them."""
    cursor = connection.execute("SELECT 1 AS a, 2 AS a, 3")
    assert [column.name for column in cursor.columns or ()][:2] == ["a", "a"]
    assert cursor.fetch(1) == [(1, 2, 3)]
    cursor.close()


def test_a_cell_of_ten_million_characters_comes_whole(connection: SqlServerConnection) -> None:
    """And the connection is as good as before."""
    [[cell]] = rows(connection, "SELECT REPLICATE(CAST(N'é' AS nvarchar(max)), 10000000)")
    assert isinstance(cell, str)
    assert cell == "é" * 10_000_000
    assert rows(connection, "SELECT 1") == [(1,)]


def test_a_huge_result_is_read_no_further_than_asked(place: TestDatabase, connection: SqlServerConnection) -> None:
    """Eleven rows cost little memory, and leaving stops the statement at once (SQL Server; others may finish it first)."""
    sql = ENDLESS if place.genuine else ENDLESS.replace("SELECT", "SELECT TOP 300000", 1)
    resource = pytest.importorskip("resource", reason="no way to ask for the memory used")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    connection.begin(Access.READ_ONLY, net_seconds=60, lock_seconds=5)
    cursor = connection.execute(sql, batch=11)
    assert len(cursor.fetch(11)) == 11
    cursor.close()
    connection.rollback()
    assert time.monotonic() - started < (1 if place.genuine else 10)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    assert connection.reset(trusted=True)
    assert rows(connection, "SELECT 1") == [(1,)]


def test_a_read_leaves_nothing_behind(connection: SqlServerConnection) -> None:
    """Its transaction is rolled back, even around a write that no gate stopped."""
    connection.execute_script("CREATE TABLE #r (a int)")
    connection.begin(Access.READ_ONLY, net_seconds=60, lock_seconds=5)
    connection.execute("INSERT #r VALUES (1)").close()
    assert connection.in_transaction()
    connection.rollback()
    assert not connection.in_transaction()
    assert rows(connection, "SELECT a FROM #r") == []


def test_a_write_lasts_when_it_is_committed(connection: SqlServerConnection) -> None:
    """And commit is harmless afterwards."""
    connection.execute_script("CREATE TABLE #w (a int)")
    connection.begin(Access.READ_WRITE, net_seconds=60, lock_seconds=5)
    connection.execute("INSERT #w VALUES (1)").close()
    connection.commit()
    connection.commit()
    connection.rollback()
    assert rows(connection, "SELECT a FROM #w") == [(1,)]


def test_an_error_in_a_later_statement_of_a_batch_is_raised(connection: SqlServerConnection) -> None:
    """However much came before it."""
    connection.execute_script("CREATE TABLE #k (a int NOT NULL PRIMARY KEY)")
    with pytest.raises(ConstraintViolation) as caught:
        connection.execute_script("PRINT 'x'; INSERT #k VALUES (1); SELECT 1; INSERT #k VALUES (1); SELECT 2")
    assert caught.value.details["nativeError"] == 2627
    assert caught.value.details["sqlstate"] == "23000"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT * FROM no_such_table_here", ObjectNotFound),
        ("SELECT no_such_column FROM sys.objects", ObjectNotFound),
        ("EXEC no_such_procedure_here", ObjectNotFound),
        ("SELECT * FROM", SyntaxInvalid),
        ("SELECT 1/0", DatabaseFault),
        ("SELECT CAST('x' AS int)", DatabaseFault),
        ("RAISERROR('too %s', 16, 1, 'bad')", DatabaseFault),
    ],
)
def test_an_error_of_the_server_is_told_in_its_words(
    place: TestDatabase, connection: SqlServerConnection, sql: str, kind: type[DatabaseMcpError]
) -> None:
    """With number and SQLSTATE; the connection goes on."""
    with pytest.raises(kind if place.genuine else DatabaseMcpError) as caught:
        rows(connection, sql)
    assert caught.value.message
    assert "[" not in caught.value.message[:1]
    assert caught.value.details["nativeError"]
    assert connection.usable
    assert rows(connection, "SELECT 1") == [(1,)]


def test_the_number_of_parameters_must_fit(connection: SqlServerConnection) -> None:
    """The driver counts them before anything is sent."""
    for sql, values in (("SELECT ?, ?", [1]), ("SELECT 1", [1]), ("SELECT ?, ?", [None])):
        with pytest.raises(InvalidParameter):
            connection.execute(sql, values)


def test_a_lock_is_waited_for_no_longer_than_allowed(dialect: SqlServerDialect, settings: ConnectionSettings) -> None:
    """SET LOCK_TIMEOUT, told as a timeout."""
    name = f"lock_test_{os.getpid()}"
    holder, waiter = dialect.connect(settings), dialect.connect(settings)
    try:
        holder.execute_script(f"CREATE TABLE {name} (a int); INSERT {name} VALUES (1)")
        holder.begin(Access.READ_WRITE, net_seconds=60, lock_seconds=5)
        holder.execute(f"UPDATE {name} SET a = 2").close()
        waiter.begin(Access.READ_WRITE, net_seconds=8, lock_seconds=0.5)
        started = time.monotonic()
        with pytest.raises((StatementTimeout, DatabaseFault)):
            waiter.execute(f"UPDATE {name} SET a = 3")
        assert time.monotonic() - started < 9
    finally:
        holder.rollback()
        holder.execute_script(f"DROP TABLE {name}")
        holder.close()
        waiter.close()


def _stopped(connection: SqlServerConnection, sql: str, stop: Callable[[], object]) -> DatabaseMcpError:
    """The error of ``sql`` when ``stop`` is called every 250 ms from half a second on."""
    over = threading.Event()

    def keep_on() -> None:
        over.wait(0.5)
        while not over.wait(0.25):
            stop()

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        with pytest.raises(DatabaseMcpError) as caught:
            rows(connection, sql)
    finally:
        over.set()
        thread.join()
    return caught.value


def test_a_cancel_from_another_thread_ends_the_statement(place: TestDatabase, connection: SqlServerConnection) -> None:
    """As cancelled; SQL Server stops within a second; the connection is as good as before."""
    started = time.monotonic()
    error = _stopped(connection, place.slow_query, connection.cancel)
    assert isinstance(error, StatementCancelled)
    if place.genuine:
        assert time.monotonic() - started < 2
    connection.rollback()
    assert connection.alive()
    assert rows(connection, "SELECT 1") == [(1,)]


def test_a_cancel_between_two_fetches_ends_the_rows(place: TestDatabase, connection: SqlServerConnection) -> None:
    """Never as if the result were complete."""
    cursor = connection.execute(ENDLESS.replace("SELECT", "SELECT TOP 300000", 1))
    assert len(cursor.fetch(5)) == 5
    connection.cancel()
    with pytest.raises(StatementCancelled):
        _read_on(cursor)
    cursor.close()
    connection.rollback()
    assert connection.alive()


def _read_on(cursor: SqlServerCursor) -> None:
    while cursor.fetch(10000):
        pass


def test_an_idle_cancel_is_harmless(connection: SqlServerConnection) -> None:
    """Before, between and after statements, and after closing."""
    connection.cancel()
    cursor = connection.execute("SELECT 1")
    cursor.fetch(2)
    connection.cancel()
    cursor.close()
    connection.cancel()
    assert rows(connection, "SELECT 1") == [(1,)]
    connection.close()
    connection.cancel()


def test_the_net_ends_a_statement_that_our_clock_forgot(place: TestDatabase, connection: SqlServerConnection) -> None:
    """As a timeout; a driver that leaves the connection dead is found out."""
    connection.begin(Access.AUTOCOMMIT, net_seconds=1, lock_seconds=1)
    with pytest.raises(StatementTimeout):
        rows(connection, place.slow_query)
    if connection.alive():
        assert rows(connection, "SELECT 1") == [(1,)]
    else:
        assert not connection.reset(trusted=True)


def test_the_last_resort_kills_the_session(
    place: TestDatabase, dialect: SqlServerDialect, settings: ConnectionSettings, connection: SqlServerConnection
) -> None:
    """From a second connection; the statement ends as a lost connection, and a new one works."""
    accepted: list[bool] = []
    error = _stopped(
        connection, place.slow_query, lambda: accepted.append(connection.shutdown()) if not any(accepted) else None
    )
    assert accepted[0]
    assert isinstance(error, ConnectionFailed)
    assert not connection.usable
    fresh = dialect.connect(settings)
    assert rows(fresh, "SELECT 1") == [(1,)]
    fresh.close()


def test_a_connection_killed_while_idle_is_found_dead(
    dialect: SqlServerDialect, settings: ConnectionSettings, connection: SqlServerConnection
) -> None:
    """By the next use at the latest."""
    other = dialect.connect(settings)
    other.execute_script(f"KILL {connection.session_id}")
    other.close()
    time.sleep(0.3)
    with pytest.raises(ConnectionFailed):
        rows(connection, "SELECT 1")
    assert not connection.alive()


def test_a_wrong_password_is_an_authentication_failure(dialect: SqlServerDialect, settings: ConnectionSettings) -> None:
    """And the password is in no part of the error."""
    if settings.user is None:
        pytest.skip("the login has no password of its own")
    wrong = replace(settings, password=Secret("not-the-password"))
    with pytest.raises(AuthenticationFailed) as caught:
        dialect.connect(wrong)
    assert "not-the-password" not in caught.value.message + repr(caught.value.details)


def test_a_database_that_is_not_there_is_not_found(dialect: SqlServerDialect, settings: ConnectionSettings) -> None:
    """4060 of SQL Server, 911 of others."""
    with pytest.raises(ObjectNotFound):
        dialect.connect(settings, database="no_such_database_here")


def test_a_closed_port_is_a_failed_connection_within_the_limit(dialect: SqlServerDialect, settings: ConnectionSettings) -> None:
    """Retryable, with the place in its words."""
    started = time.monotonic()
    with pytest.raises(ConnectionFailed) as caught:
        dialect.connect(replace(settings, port=1, connect_timeout=2))
    assert time.monotonic() - started < 10
    assert caught.value.retryable
    assert ",1" in caught.value.message


def test_a_statement_that_no_transaction_may_hold_is_known(
    place: TestDatabase, dialect: SqlServerDialect, connection: SqlServerConnection
) -> None:
    """226 of SQL Server: it did nothing, and may run again alone."""
    if not place.genuine:
        pytest.skip("this endpoint lets it into a transaction")
    connection.begin(Access.READ_WRITE, net_seconds=60, lock_seconds=5)
    with pytest.raises(DatabaseFault) as caught:
        connection.execute("CREATE DATABASE no_such_database_here")
    connection.rollback()
    assert dialect.needs_autocommit(caught.value)


def test_what_reaches_outside_the_database_can_be_asked(dialect: SqlServerDialect, connection: SqlServerConnection) -> None:
    """The statement for the gate has its one column."""
    cursor = connection.execute(dialect.outside_functions_sql)
    assert [column.name for column in cursor.columns or ()] == ["name"]
    cursor.close()
