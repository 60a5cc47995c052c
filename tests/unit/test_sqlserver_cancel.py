"""Stopping what runs on SQL Server, on a driver that is a script: cancel races, closing under a call, KILL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mssqlclient_mcp.connection_settings import ConnectionSettings, Secret
from mssqlclient_mcp.dialects.base import Access
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.dialects.sqlserver.odbc_connection import SqlServerConnection
from mssqlclient_mcp.errors import ConnectionFailed, DatabaseMcpError, StatementCancelled
from tests.fakes.dbapi import Count, Fails, FakeConnection, FakeDriver, Rows, Wait, odbc_error

SETTINGS = ConnectionSettings("sqlserver", host="db", user="u", password=Secret("hush-hush"), database="shop")


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    """A driver, which at the end must not have been misused."""
    fake = FakeDriver()
    yield fake
    assert fake.crashes == []


@pytest.fixture
def dialect(driver: FakeDriver) -> SqlServerDialect:
    """The dialect on that driver."""
    return SqlServerDialect(module=driver)


@pytest.fixture
def connection(dialect: SqlServerDialect) -> Iterator[SqlServerConnection]:
    """A connection."""
    made = dialect.connect(SETTINGS, database=None, application_name="test")
    yield made
    made.close()


def raw(driver: FakeDriver) -> FakeConnection:
    """The driver's side of the first connection."""
    return driver.connections[0]


@contextmanager
def in_worker(work: Callable[[], object]) -> Iterator[list[object]]:
    """Run ``work`` in a thread and join it at the end; the list gets its result or its error."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except DatabaseMcpError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield outcome
    thread.join(10)
    assert not thread.is_alive()


# -- cancel -------------------------------------------------------------------------------------------------------------


def test_a_cancel_from_another_thread_ends_the_statement(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """As CANCELLED, with the connection as good as before."""
    wait = Wait()
    driver.on("SLOW", Count(0), wait=wait)
    with in_worker(lambda: connection.execute("SLOW")) as outcome:
        assert wait.started.wait(5)
        connection.cancel()
    assert isinstance(outcome[0], StatementCancelled)
    assert connection.alive()


def test_a_cancel_that_came_too_early_is_lost_and_the_next_one_works(
    driver: FakeDriver, connection: SqlServerConnection
) -> None:
    """A driver drops it without a word; callers repeat it."""
    wait = Wait(lost_cancels=2)
    driver.on("SLOW", Count(0), wait=wait)
    with in_worker(lambda: connection.execute("SLOW")) as outcome:
        assert wait.started.wait(5)
        for _ in range(3):
            assert outcome == []
            connection.cancel()
    assert isinstance(outcome[0], StatementCancelled)


@pytest.mark.parametrize("state", [None, "HY000", "HY010"])
def test_a_cancel_with_nothing_running_is_harmless(
    driver: FakeDriver, connection: SqlServerConnection, state: str | None
) -> None:
    """Whatever the driver says to it."""
    driver.idle_cancel = state
    connection.cancel()
    cursor = connection.execute("UPDATE t SET a = 1")
    connection.cancel()
    cursor.close()
    connection.cancel()
    assert connection.usable
    connection.close()
    connection.cancel()


def test_a_cancel_on_a_lost_link_says_so(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """The caller may go on to its last resort."""
    driver.idle_cancel = "08S01"
    cursor = connection.execute("UPDATE t SET a = 1")
    with pytest.raises(ConnectionFailed):
        connection.cancel()
    cursor.close()


@pytest.mark.parametrize("state", ["HY010", "24000", "HY000", None])
def test_rows_after_a_cancel_are_an_end_as_cancelled(
    driver: FakeDriver, connection: SqlServerConnection, state: str | None
) -> None:
    """Drivers differ: an error of some state, or just no more rows, which must not pass for the end of the result."""
    driver.after_cancel = state
    driver.on("FROM t", Rows([("a", int)], [(1,)] * 10))
    cursor = connection.execute("SELECT a FROM t")
    assert len(cursor.fetch(3)) == 3
    connection.cancel()
    with pytest.raises(StatementCancelled):
        cursor.fetch(3)
    cursor.close()
    connection.rollback()
    assert connection.alive()


def test_no_cancel_reaches_a_commit_or_a_rollback(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Half a commit would leave the outcome open."""
    wait = Wait()
    driver.on("COMMIT", Count(-1), wait=wait)
    connection.begin(Access.READ_WRITE, net_seconds=30, lock_seconds=1)
    connection.execute("UPDATE t SET a = 1").close()
    with in_worker(connection.commit) as outcome:
        assert wait.started.wait(5)
        connection.cancel()
        assert outcome == []
        wait.release()
    assert outcome == [None]


def test_a_cursor_is_not_freed_while_a_cancel_is_on_its_way(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """The statement ends by itself while the cancel still runs: closing waits for it (the driver would crash)."""
    wait = Wait(cancel_seconds=0.3, lost_cancels=1)
    driver.on("SLOW", Count(0), wait=wait)
    with in_worker(lambda: connection.execute("SLOW").close()) as outcome:
        assert wait.started.wait(5)
        with in_worker(connection.cancel):
            time.sleep(0.05)
            wait.release()
    assert outcome == [None]
    assert connection.alive()


def test_cancels_from_all_sides_during_many_statements_do_no_harm(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """A race for a second: every statement ends well or as cancelled, and no handle is freed in use."""
    driver.on("FROM t", Rows([("a", int)], [(1,)] * 5))
    stop = threading.Event()

    def storm() -> None:
        while not stop.is_set():
            connection.cancel()
            time.sleep(0.0005)

    with in_worker(storm), in_worker(storm):
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            try:
                cursor = connection.execute("SELECT a FROM t")
                try:
                    while cursor.fetch(2):
                        pass
                finally:
                    cursor.close()
            except StatementCancelled:
                pass
        stop.set()
    assert connection.alive()


# -- closing and the last resort ----------------------------------------------------------------------------------------


def test_closing_twice_is_harmless_and_ends_everything(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """No method raises anything but our errors afterwards."""
    cursor = connection.execute("SELECT 1")
    connection.close()
    connection.close()
    cursor.close()
    assert raw(driver).closed
    assert not connection.usable
    with pytest.raises(ConnectionFailed):
        connection.execute("SELECT 1")


def test_closing_under_a_running_call_leaves_the_handle_until_the_call_returns(
    driver: FakeDriver, dialect: SqlServerDialect
) -> None:
    """Freeing it would crash the process; it is counted as abandoned meanwhile."""
    connection = dialect.connect(SETTINGS)
    wait = Wait(deaf=True, obeys_kill=False)
    driver.on("DEAF", Count(0), wait=wait)
    with in_worker(lambda: connection.execute("DEAF")) as outcome:
        assert wait.started.wait(5)
        connection.close()
        assert not connection.usable
        assert not raw(driver).closed
        assert dialect.abandoned == 1
        wait.release()
    assert isinstance(outcome[0], ConnectionFailed)
    assert raw(driver).closed
    assert dialect.abandoned == 0


def test_the_last_resort_kills_the_session_from_a_second_connection(
    driver: FakeDriver, connection: SqlServerConnection
) -> None:
    """With the same settings and short limits; the running call sees its link break, and nothing stays open."""
    wait = Wait(deaf=True)
    driver.on("DEAF", Count(0), wait=wait)
    with in_worker(lambda: connection.execute("DEAF")) as outcome:
        assert wait.started.wait(5)
        assert connection.shutdown()
    assert isinstance(outcome[0], ConnectionFailed)
    assert driver.sent("KILL") == [f"KILL {connection.session_id}"]
    second = driver.connections[1]
    assert second.login_timeout == 5
    assert second.timeout == 5
    assert second.closed
    assert driver.connection_strings[1].replace("test", "") == driver.connection_strings[0].replace("APP=test;", "")


@pytest.mark.parametrize(
    "prepare",
    [
        lambda driver: driver.on(
            "KILL", Fails(odbc_error("42000", "User does not have permission to use the KILL statement.", 6102))
        ),
        lambda driver: driver.connect_errors.append(odbc_error("08001", "unreachable")),
        lambda driver: setattr(raw(driver), "login_time", "2026-02-02T00:00:00"),
        lambda driver: driver.on("login_time", Rows([("", str)], [])),
    ],
    ids=["refused", "unreachable", "the number is another's session by now", "sessions cannot be seen"],
)
def test_the_last_resort_says_when_it_did_not_work(
    driver: FakeDriver, connection: SqlServerConnection, prepare: Callable[[FakeDriver], None]
) -> None:
    """False, and nobody else's session is ever killed."""
    prepare(driver)
    assert not connection.shutdown()
    assert not raw(driver).dead


def test_a_killed_idle_connection_is_found_dead(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """KILL by a DBA: the next use fails as a lost connection, not as a fault of the statement."""
    driver.kill(connection.session_id)
    with pytest.raises(ConnectionFailed):
        connection.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=1)
    connection.close()
    assert raw(driver).closed
