"""What one statement brings back, part by part, on a driver that is a script."""

from __future__ import annotations

import itertools
import struct
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from mssqlclient_mcp.connection_settings import ConnectionSettings
from mssqlclient_mcp.dialects.sqlserver import cursor as cursor_module
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.dialects.sqlserver.odbc_connection import SqlServerConnection
from mssqlclient_mcp.dialects.sqlserver.sole_statement import is_sole_statement
from mssqlclient_mcp.errors import ConnectionFailed, ConstraintViolation, DatabaseFault, InvalidParameter
from mssqlclient_mcp.models import Column, Message
from tests.fakes.dbapi import Count, Fails, FakeDriver, Part, Rows, Said, odbc_error

TWO_COLUMNS = [("a", int), ("b", str)]


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    """A driver, which at the end must not have been misused and must have no cursor left open."""
    fake = FakeDriver()
    yield fake
    assert fake.crashes == []
    assert all(not connection.open_cursors for connection in fake.connections)


@pytest.fixture
def connection(driver: FakeDriver) -> Iterator[SqlServerConnection]:
    """A connection."""
    made = SqlServerDialect(module=driver).connect(ConnectionSettings("sqlserver", host="db"))
    yield made
    made.close()


def test_rows_come_as_tuples_a_batch_at_a_time(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """With their columns' names and types; empty at the end, as often as one asks."""
    driver.on("FROM t", Rows(TWO_COLUMNS, [(1, "x"), (2, "y"), (3, "z")]))
    cursor = connection.execute("SELECT * FROM t")
    assert cursor.columns == (Column("a", "int"), Column("b", "nvarchar(50)"))
    assert cursor.rows_affected is None
    assert cursor.fetch(2) == [(1, "x"), (2, "y")]
    assert cursor.fetch(2) == [(3, "z")]
    assert cursor.fetch(2) == []
    assert cursor.fetch(2) == []
    assert not cursor.next_part()
    assert not cursor.next_part()
    cursor.close()
    cursor.close()


def test_an_endless_result_is_read_no_further_than_asked(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Eleven rows of an endless result cost eleven; leaving stops the statement."""
    given = itertools.count()
    driver.on("FROM big", Rows([("a", int)], ((number,) for number in given)))
    cursor = connection.execute("SELECT * FROM big", batch=11)
    assert len(cursor.fetch(11)) == 11
    raw = driver.connections[0].open_cursors[0]
    cursor.close()
    assert raw.cancels == 1
    assert next(given) == 11


def test_a_finished_statement_is_not_cancelled_on_closing(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """An attention would cost a round trip."""
    driver.on("FROM t", Rows([("a", int)], [(1,)]))
    cursor = connection.execute("SELECT * FROM t")
    raw = driver.connections[0].open_cursors[0]
    assert cursor.fetch(5) == [(1,)]
    assert not cursor.next_part()
    cursor.close()
    assert raw.cancels == 0


def test_result_sets_and_counts_come_in_order_and_messages_beside_them(
    driver: FakeDriver, connection: SqlServerConnection
) -> None:
    """PRINT needs a nextset of its own and is no part; several before the first result are all told."""
    parts: list[Part] = [
        Said("one"), Said("two"), Rows([("a", int)], [(1,)]), Said("three"), Count(5), Rows([("b", int)], []), Count(0),
        Said("[Microsoft] is mine", 50000),
    ]  # fmt: skip
    driver.on("EXEC p", *parts)
    cursor = connection.execute("EXEC p")
    told: list[object] = [cursor.messages(), cursor.columns, cursor.fetch(9)]
    while cursor.next_part():
        told += [cursor.messages(), cursor.columns or cursor.rows_affected, cursor.fetch(9)]
    told.append(cursor.messages())
    cursor.close()
    assert told == [
        (Message("one"), Message("two")), (Column("a", "int"),), [(1,)],
        (Message("three"),), 5, [],
        (), (Column("b", "int"),), [],
        (), 0, [],
        (Message("is mine", code="50000"),),
    ]  # fmt: skip


def test_a_statement_without_any_result_is_over_at_once(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """DDL, or anything under SET NOCOUNT ON: no columns, no count, no next part; the messages are there."""
    driver.on("CREATE", Said("made"))
    cursor = connection.execute("CREATE TABLE t (a int)")
    assert (cursor.columns, cursor.rows_affected, cursor.fetch(5)) == (None, None, [])
    assert cursor.messages() == (Message("made"),)
    assert cursor.messages() == ()
    assert not cursor.next_part()
    cursor.close()


def test_a_result_without_rows_still_tells_its_columns(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Names may be empty or repeated."""
    driver.on("FROM none", Rows([("", int), ("a", int), ("a", str)], []))
    cursor = connection.execute("SELECT 1, a, a FROM none")
    assert [column.name for column in cursor.columns or ()] == ["", "a", "a"]
    assert cursor.fetch(5) == []
    cursor.close()


def test_rows_left_over_are_skipped_on_the_way_to_the_next_part(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """As long as they are few."""
    driver.on("EXEC p", Rows([("a", int)], [(1,)] * 1000), Count(7))
    cursor = connection.execute("EXEC p")
    assert len(cursor.fetch(3)) == 3
    assert cursor.next_part()
    assert cursor.rows_affected == 7
    cursor.close()


def test_an_endless_rest_is_not_waited_for(
    driver: FakeDriver, connection: SqlServerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement is stopped instead, and there is no next part."""
    monkeypatch.setattr(cursor_module, "DRAIN_SECONDS", 0.05)
    driver.on("EXEC p", Rows([("a", int)], itertools.repeat((1,))), Count(7))
    cursor = connection.execute("EXEC p")
    started = time.monotonic()
    assert not cursor.next_part()
    assert time.monotonic() - started < 2
    raw = driver.connections[0].open_cursors[0]
    cursor.close()
    assert raw.cancels == 1
    assert connection.alive()


def test_an_error_midway_comes_after_the_rows_before_it(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """A conversion that fails in the 4th row; the connection lives on."""
    error = odbc_error("22018", "Conversion failed when converting the varchar value 'x' to data type int.", 245)
    driver.on("FROM t", Rows([("a", int)], [(1,)] * 9, fail_after=3, error=error))
    for size in (3, 64):  # the failing row begins a batch, or is met inside one
        cursor = connection.execute("SELECT a FROM t")
        assert cursor.fetch(size) == [(1,)] * 3
        with pytest.raises(DatabaseFault, match="Conversion failed"):
            cursor.fetch(size)
        assert cursor.goes_on()
        assert cursor.fetch(size) == []
        assert not cursor.next_part()
        assert not cursor.goes_on()
        cursor.close()
    connection.rollback()
    assert connection.alive()


def test_an_error_in_a_later_statement_is_raised_where_it_happens(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Also when only messages stand before it, and in a script that nobody reads the results of."""
    failing = Fails(odbc_error("23000", "Violation of PRIMARY KEY constraint", 2627))
    driver.on("BATCH", Rows([("a", int)], [(1,)]), Said("now"), failing)
    cursor = connection.execute("BATCH")
    with pytest.raises(ConstraintViolation):
        cursor.next_part()
    cursor.close()
    with pytest.raises(ConstraintViolation):
        connection.execute_script("BATCH")
    driver.on("PRINTS", Said("now"), failing)
    with pytest.raises(ConstraintViolation) as caught:
        connection.execute("PRINTS")
    assert caught.value.details["messages"] == ["now"]


def test_a_link_lost_while_fetching_ends_the_connection(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """The cursor still closes without a word."""
    driver.on("FROM t", Rows([("a", int)], [(1,)] * 9, fail_after=3))
    cursor = connection.execute("SELECT a FROM t")
    cursor.fetch(3)
    with pytest.raises(ConnectionFailed):
        cursor.fetch(3)
    assert not connection.usable
    cursor.close()


def test_values_the_driver_cannot_bind_are_an_invalid_parameter(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Refused before they are sent, the connection being as good as before."""
    with pytest.raises(InvalidParameter):
        connection.execute("SELECT ?", [object()])
    assert driver.sent("SELECT ?") == []
    assert connection.alive()


def test_parameters_go_to_the_driver_beside_the_text(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Never into it; NULL is the exception, being no value."""
    connection.execute("UPDATE t SET a = ?, b = ?", ["'; DROP TABLE t --", None]).close()
    assert driver.statements[-1][1:] == ("UPDATE t SET a = ?, b = NULL", ("'; DROP TABLE t --",))


def test_converters_are_there_for_the_result_that_needs_them_and_gone_for_the_next(
    driver: FakeDriver, connection: SqlServerConnection
) -> None:
    """A converter hides a column's type in the description, so none is set while a result is being described."""
    driver.on("EXEC p", Rows([("a", bytearray, 34, 7)], []), Rows([("b", bytearray, 34, 7)], []), Rows([("c", int)], []))
    cursor = connection.execute("EXEC p")
    raw = driver.connections[0]
    offset = raw.converters[-155](struct.pack("=hHHHHHIhh", 2020, 1, 2, 3, 4, 5, 0, 1, 0))
    assert offset == datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert raw.converters[-151](b"\x58") == b"\x58"
    assert cursor.columns == (Column("a", "datetimeoffset(7)"),)
    assert cursor.next_part()
    assert cursor.columns == (Column("b", "datetimeoffset(7)"),)
    assert cursor.next_part()
    assert raw.converters == {}
    cursor.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE DATABASE [x] COLLATE Latin1_General_CI_AS;", "DROP DATABASE x",
        "ALTER DATABASE x SET RECOVERY SIMPLE WITH NO_WAIT",
        "BACKUP DATABASE x TO DISK = 'c:\\x.bak' WITH INIT", "/* a; b */ DROP DATABASE x -- ; select", "EXEC sp_x 'select'",
        "CREATE FULLTEXT CATALOG c WITH ACCENT_SENSITIVITY = OFF", "SELECT * FROM [select] WHERE a = 'delete; x'",
    ],
)  # fmt: skip
def test_a_sole_statement_is_known(sql: str) -> None:
    """Those that SQL Server refuses in a transaction above all."""
    assert is_sole_statement(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "", ";", "CREATE DATABASE x; DROP TABLE t", "CREATE DATABASE x DROP TABLE t", "INSERT t VALUES (1) CREATE DATABASE x",
        "UPDATE t SET a = 1 BACKUP LOG x TO DISK = 'x'", "DROP DATABASE x EXEC p", "p CREATE DATABASE x",
        "CREATE DATABASE 'open",
        "ALTER DATABASE x SET RECOVERY SIMPLE SET NOCOUNT ON", "IF 1 = 1 DROP DATABASE x", "BEGIN DROP DATABASE x END",
    ],
)  # fmt: skip
def test_a_text_that_may_hold_more_is_never_taken_for_one_statement(sql: str) -> None:
    """Running it again in pieces could do half of it."""
    assert not is_sole_statement(sql)


def test_a_loop_that_prints_fills_no_memory(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Messages without a result between them are read in one go: the first and the last are kept."""
    driver.on("LOOP", *(Said(str(number)) for number in range(3000)), Count(1))
    cursor = connection.execute("LOOP")
    said = [message.text for message in cursor.messages()]
    assert len(said) < 1100
    assert (said[0], said[-1]) == ("0", "2999")
    assert cursor.messages() == ()
    cursor.close()
