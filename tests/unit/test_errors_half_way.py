"""An error in the middle of a call: what had arrived is kept, what comes behind it is read, and the error is never lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mssqlclient_mcp.alarms import AlarmClock
from mssqlclient_mcp.connection_settings import ConnectionSettings
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.dialects.sqlserver.odbc_connection import SqlServerConnection
from mssqlclient_mcp.errors import ConnectionFailed, ConstraintViolation, DatabaseFault, StatementCancelled
from mssqlclient_mcp.execution import Nets, ResultBuffer, run_statement
from mssqlclient_mcp.models import Message, Statement, StatementKind
from mssqlclient_mcp.running import EndReason, Running
from tests.fakes.dbapi import Count, Fails, FakeDriver, Rows, Said, odbc_error

DIVISION = odbc_error("22012", "Divide by zero error encountered.", 8134, function="SQLFetch")
DUPLICATE = odbc_error("23000", "Violation of PRIMARY KEY constraint", 2627, function="SQLMoreResults")
NETS = Nets(60, 30)


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    """A driver that must not have been misused, with no cursor left open."""
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


@pytest.fixture
def running() -> Iterator[Running]:
    """A call under way."""
    alarms = AlarmClock()
    yield Running(alarms)
    alarms.close()


@pytest.fixture
def sink() -> ResultBuffer:
    """Where rows go."""
    return ResultBuffer(max_rows=100, max_bytes=10_000)


def _failing(after: int) -> Rows:
    return Rows([("a", int)], [(1,)] * 9, fail_after=after, error=DIVISION)


def test_a_call_is_read_on_behind_an_error_of_a_row(
    driver: FakeDriver, connection: SqlServerConnection, running: Running, sink: ResultBuffer
) -> None:
    """The first error is raised, the further ones are messages, everything else is there; nothing was sent twice."""
    driver.on("EXEC p", _failing(3), Said("on"), Count(2), _failing(0), Rows([("b", int)], [(7,)]))
    with pytest.raises(DatabaseFault, match="Divide by zero") as caught:
        run_statement(connection, Statement("EXEC p", (), StatementKind.CALL), running, sink, NETS)
    sets = sink.result_sets()
    assert [(len(part.rows), part.rows_affected) for part in sets] == [(3, None), (0, 2), (0, None), (1, None)]
    assert sink.messages() == (Message("on"), Message("Error 8134: Divide by zero error encountered.", code="8134"))
    assert caught.value.details["outcome"] == "unknown"
    assert len(driver.sent("EXEC p")) == 1


def test_an_error_of_the_next_result_is_the_end(
    driver: FakeDriver, connection: SqlServerConnection, running: Running, sink: ResultBuffer
) -> None:
    """The driver gives the statement up there; what was said before it is kept, and the first error stays the first."""
    driver.on("EXEC p", Rows([("a", int)], [(1,)]), Said("so far"), Fails(DUPLICATE))
    with pytest.raises(ConstraintViolation):
        run_statement(connection, Statement("EXEC p", (), StatementKind.CALL), running, sink, NETS)
    assert sink.messages() == (Message("so far"),)
    driver.on("EXEC q", _failing(1), Fails(DUPLICATE))
    with pytest.raises(DatabaseFault, match="Divide by zero"):
        run_statement(connection, Statement("EXEC q", (), StatementKind.CALL), running, sink, NETS)
    assert sink.messages()[-1].text.startswith("Error 2627: ")


@pytest.mark.parametrize("kind", [StatementKind.READ, StatementKind.WRITE])
def test_query_text_is_not_read_on(
    driver: FakeDriver, connection: SqlServerConnection, running: Running, sink: ResultBuffer, kind: StatementKind
) -> None:
    """Its transaction is rolled back: what came behind the error is as if it had never been."""
    driver.on("SELECT a", _failing(3), Rows([("b", int)], [(7,)]))
    with pytest.raises(DatabaseFault):
        run_statement(connection, Statement("SELECT a", (), kind), running, sink, NETS)
    assert [len(part.rows) for part in sink.result_sets()] == [3]


def test_an_endless_series_of_errors_ends_with_the_call(
    driver: FakeDriver, connection: SqlServerConnection, running: Running, sink: ResultBuffer
) -> None:
    """Whoever cancels behind the first error is told so, and the error is among the messages."""

    class Ends(ResultBuffer):
        def end(self, rows_affected: int | None) -> None:
            super().end(rows_affected)
            if len(self.result_sets()) == 3:
                running.end(EndReason.CLIENT)

    ending = Ends(max_rows=100, max_bytes=10_000)
    driver.on("EXEC p", *[_failing(0)] * 1000)
    with pytest.raises(StatementCancelled):
        run_statement(connection, Statement("EXEC p", (), StatementKind.CALL), running, ending, NETS)
    assert len(ending.result_sets()) <= 5
    assert ending.messages()[0].text.startswith("Error 8134")


def test_a_link_lost_behind_an_error_tells_both(
    driver: FakeDriver, connection: SqlServerConnection, running: Running, sink: ResultBuffer
) -> None:
    """The lost link is the error, for it decides whether to call again; the first one is a message."""
    lost = Rows([("a", int)], [(1,)] * 9, fail_after=2)
    driver.on("EXEC p", _failing(1), lost)
    with pytest.raises(ConnectionFailed) as caught:
        run_statement(connection, Statement("EXEC p", (), StatementKind.CALL), running, sink, NETS)
    assert caught.value.details["outcome"] == "unknown"
    assert not caught.value.retryable
    assert [len(part.rows) for part in sink.result_sets()] == [1, 2]
    assert sink.messages()[0].text.startswith("Error 8134")


def test_a_transaction_that_a_failing_call_left_open_is_rolled_back_and_said(
    driver: FakeDriver, connection: SqlServerConnection, running: Running, sink: ResultBuffer
) -> None:
    """As after one that succeeds."""
    driver.on("EXEC p", _failing(1))
    driver.connections[0].trancount = 1
    with pytest.raises(DatabaseFault):
        run_statement(connection, Statement("EXEC p", (), StatementKind.CALL), running, sink, NETS)
    assert [message.text for message in sink.messages()] == ["A transaction was left open; it was rolled back."]
    assert driver.connections[0].trancount == 0
