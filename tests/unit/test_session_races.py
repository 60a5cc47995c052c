"""Two things at the same moment, in the order that a test chooses: the end of a statement and its cancel, the handoff and what
ends it, reading and forgetting. The driver is a script at the seam of pyodbc."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from mssqlclient_mcp import running as running_module
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.errors import ResultExpired, StatementCancelled, StatementTimeout, TooManySessions
from mssqlclient_mcp.execution import ResultBuffer
from mssqlclient_mcp.models import QueryResult, QuerySession, SessionStatus
from mssqlclient_mcp.running import EndReason
from tests.fakes.dbapi import Count, FakeConnection, FakeDriver, Rows, Wait, odbc_error
from tests.sessions_at_work import ME, Caller, ended, until

SETTINGS = {
    "MSSQL_CONNECTIONSTRING": "Server=db;Database=shop;User Id=u;Password=hush-hush",
    "ENABLE_START_QUERY": "true",
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_WRITE_QUERIES": "true",
    "QUERY_HANDOFF_SECONDS": "1",
}
ROWS = Rows([("n", int)], [(n,) for n in range(10)])


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    """A driver, which at the end must not have been misused."""
    fake = FakeDriver()
    yield fake
    assert fake.crashes == []


@pytest.fixture
def service(driver: FakeDriver) -> Iterator[DatabaseService]:
    """A service on that driver."""
    with DatabaseService(load_config(SETTINGS), dialect=SqlServerDialect(module=driver)) as made:
        yield made


class Held:
    """Holds a call of the driver until the test lets it go on."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.free = threading.Event()

    def before(self, function: Callable[..., object]) -> Callable[..., object]:
        """``function``, which waits first."""

        def wait_first(*args: object, **kwargs: object) -> object:
            self.entered.set()
            assert self.free.wait(10)
            return function(*args, **kwargs)

        return wait_first


def hold_closing(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> Held:
    """From now on closing a connection takes until the test says so."""
    held = Held()
    monkeypatch.setattr(FakeConnection, "close", held.before(FakeConnection.close))
    return held


# -- the end and the cancel ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [EndReason.CLIENT, EndReason.TIMEOUT])
def test_a_cancel_after_the_commit_does_not_deny_it(
    service: DatabaseService, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, reason: EndReason
) -> None:
    """The worker is closing its connection: what it did stands, so the session is completed, never "not started"."""
    driver.on("INSERT", Count(3))
    held = hold_closing(driver, monkeypatch)
    told = service.start_query(ME, None, "INSERT INTO t VALUES (1)", may_write=True)
    assert held.entered.wait(5)
    service.sessions.get_session(ME, told.session_id).running.end(reason)
    held.free.set()
    over = ended(service, told)
    assert (over.status, over.error) == (SessionStatus.COMPLETED, None)
    assert over.result_sets[0].rows_affected == 3


def test_a_cancel_after_a_failure_does_not_hide_it(
    service: DatabaseService, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database said about the statement is told, not that it never ran."""
    wait = Wait()
    driver.on("INSERT", Count(3), wait=wait)
    held = hold_closing(driver, monkeypatch)
    told = service.start_query(ME, None, "INSERT INTO t VALUES (1)", may_write=True)
    assert wait.started.wait(5)
    wait.fail(odbc_error("23000", "Violation of PRIMARY KEY", 2627))
    assert held.entered.wait(5)
    service.sessions.cancel_session(ME, told.session_id)
    held.free.set()
    over = ended(service, told)
    assert over.error is not None
    assert (over.status, over.error.code) == (SessionStatus.FAILED, "CONSTRAINT_VIOLATION")
    assert over.error.details["outcome"] == "rolled_back"


def test_a_call_whose_time_is_up_after_the_commit_answers_with_its_result(
    service: DatabaseService, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is on its way back into the pool, and the statement done."""
    driver.on("INSERT", Count(3))
    held = hold_closing(driver, monkeypatch)
    caller = Caller(service, "INSERT INTO t VALUES (1)")
    assert held.entered.wait(5)
    caller.running.end(EndReason.TIMEOUT)
    held.free.set()
    caller.thread.join(5)
    assert not caller.running.answered_early
    [outcome] = caller.outcome
    assert isinstance(outcome, QueryResult)
    assert outcome.result_sets[0].rows_affected == 3


def test_many_cancels_at_once_are_one(service: DatabaseService, driver: FakeDriver) -> None:
    """One stopper, one status, whoever came first."""
    wait = Wait()
    driver.on("SLOW", ROWS, wait=wait)
    told = service.start_query(ME, None, "SELECT n FROM SLOW")
    assert wait.started.wait(5)
    gate = threading.Barrier(8)

    def cancel() -> None:
        gate.wait(5)
        service.sessions.cancel_session(ME, told.session_id)

    threads = [threading.Thread(target=cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended(service, told).status is SessionStatus.CANCELLED
    until(lambda: not [one for one in threading.enumerate() if one.name == "stopper"])


def test_a_cancel_that_does_not_return_keeps_nobody_waiting(
    service: DatabaseService, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a wire that fell silent a driver may wait in its cancel for ever: the session ends, its worker given up."""
    monkeypatch.setattr(running_module, "GIVE_UP_AFTER_SECONDS", 0.5)
    monkeypatch.setattr(running_module, "LAST_GRACE_SECONDS", 0.1)
    wait = Wait(deaf=True, obeys_kill=False, cancel_seconds=4)
    driver.on("SLOW", ROWS, wait=wait)
    told = service.start_query(ME, None, "SELECT n FROM SLOW")
    try:
        assert wait.started.wait(5)
        service.sessions.cancel_session(ME, told.session_id)
        over = ended(service, told, 2)
        assert over.error is not None
        assert over.status is SessionStatus.CANCELLED
        assert "stoppedAtDatabase" in over.error.details
        assert service.sessions.abandoned_workers == 1
    finally:
        wait.release()
    until(lambda: not [one for one in threading.enumerate() if one.name in ("stopper", "cancel")])


# -- the handoff ---------------------------------------------------------------------------------------------------------


def test_a_handed_over_read_whose_connection_is_lost_is_not_sent_again(service: DatabaseService, driver: FakeDriver) -> None:
    """A pooled connection may die idle, and then a read is sent again; not one that became a session long ago."""
    with service.call():
        service.execute_query(None, "SELECT 1")
    assert service.pool.idle_connections == 1
    wait = Wait()
    driver.on("SLOW", ROWS, wait=wait)
    caller = Caller(service, "SELECT n FROM SLOW")
    assert caller.early.wait(5)
    wait.fail(odbc_error("08S01", "Communication link failure"))
    over = ended(service, caller.session.snapshot())
    caller.thread.join(5)
    assert over.error is not None
    assert (over.status, over.error.code) == (SessionStatus.FAILED, "CONNECTION_FAILED")
    assert len(driver.sent("SLOW")) == 1


def test_a_deadline_in_the_instant_of_the_handoff_is_the_callers_own(
    service: DatabaseService, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is up while the rows change hands: the caller is told so, by its own limit, and no session stays behind."""
    held = Held()
    monkeypatch.setattr(ResultBuffer, "hand_over", held.before(ResultBuffer.hand_over))
    driver.on("SLOW", ROWS, wait=Wait())
    caller = Caller(service, "SELECT n FROM SLOW", limit=1.3)
    assert held.entered.wait(5)
    until(lambda: caller.running.reason is EndReason.TIMEOUT)
    held.free.set()
    caller.thread.join(5)
    [outcome] = caller.outcome
    assert isinstance(outcome, StatementTimeout)
    assert "limit of 1.3 s" in outcome.message
    assert not caller.running.answered_early
    assert service.sessions.list_sessions(ME) == []


def test_a_handoff_that_finds_no_connection_leaves_no_trace(
    service: DatabaseService, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for the pool, is tried and taken back each second, then stuck in its driver: no session was ever there."""
    monkeypatch.setattr(running_module, "GIVE_UP_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(running_module, "LAST_GRACE_SECONDS", 0.1)
    monkeypatch.setattr("mssqlclient_mcp.handoff.TRY_AGAIN_SECONDS", 0.05)
    with service.call():
        service.execute_query(None, "SELECT 1")
    monkeypatch.setattr(service.pool, "_idle_seconds", -1.0)
    service.pool.prune()
    caplog.set_level("INFO")
    ended_ids: list[str] = []
    service.sessions.when_any_over(ended_ids.append)
    connecting = driver.connect_wait = Wait()
    stuck = Wait(deaf=True, obeys_kill=False)
    driver.on("SLOW", ROWS, wait=stuck)
    caller = Caller(service, "SELECT n FROM SLOW")
    assert connecting.started.wait(5)
    time.sleep(1.5)  # some tries
    monkeypatch.setattr("mssqlclient_mcp.handoff.TRY_AGAIN_SECONDS", 60)
    time.sleep(0.2)
    driver.connect_wait = None
    connecting.release()
    assert stuck.started.wait(5)
    caller.running.end(EndReason.REQUEST)
    until(lambda: caller.running.abandoned)
    stuck.release()
    caller.thread.join(5)
    assert service.sessions.list_sessions(ME) == []
    assert (service.sessions.finished_count, service.sessions.abandoned_workers, ended_ids) == (0, 0, [])
    assert [line for line in caplog.messages if line.startswith("session")] == []


def test_with_the_sessions_closed_a_call_goes_on_waiting(service: DatabaseService, driver: FakeDriver) -> None:
    """The server is going down, and the call's own end is near: no thread breaks over the handoff."""
    wait = Wait()
    driver.on("SLOW", ROWS, wait=wait)
    caller = Caller(service, "SELECT n FROM SLOW")
    assert wait.started.wait(5)
    service.sessions.close()
    time.sleep(1.3)
    wait.release()
    caller.thread.join(5)
    [outcome] = caller.outcome
    assert isinstance(outcome, QueryResult)
    assert not caller.running.answered_early


# -- reading and forgetting ------------------------------------------------------------------------------------------------


def test_rows_given_up_while_they_are_asked_for_are_told_to_be_gone(service: DatabaseService, driver: FakeDriver) -> None:
    """Between a look at the session and its rows others may have made room: no empty page is shown for the rows."""
    driver.on("FROM t", ROWS)
    told = ended(service, service.start_query(ME, None, "SELECT n FROM t"))
    store = service.sessions.get_session(ME, told.session_id).store
    rows = store.read(0)
    assert next(rows) == (0,)
    store.forget()
    assert [row[0] for row in rows] == list(range(1, 10))
    with pytest.raises(ResultExpired):
        store.read(0)


def test_a_start_beside_the_end_of_the_service_is_cancelled_or_refused(driver: FakeDriver) -> None:
    """Whichever is first: no session stays behind as running, and none is called failed."""
    driver.on("FROM t", ROWS)
    for number in range(20):
        service = DatabaseService(load_config(SETTINGS), dialect=SqlServerDialect(module=driver))
        closer = threading.Timer(number * 0.0003, service.close)
        closer.start()
        told: list[QuerySession] = []
        with suppress(StatementCancelled):
            while True:
                with suppress(TooManySessions):
                    told.append(service.start_query(ME, None, "SELECT n FROM t"))
        closer.join()
        until(lambda service=service: service.sessions.running_count == 0)  # type: ignore[misc]
        seen = {ended(service, one).status for one in told}
        assert seen <= {SessionStatus.CANCELLED, SessionStatus.COMPLETED}


def test_a_session_that_comes_too_late_for_a_worker_is_cancelled(service: DatabaseService) -> None:
    """The service closes between its making and its start: cancelled, though nobody has reached it with a cancel yet."""
    sessions = service.sessions
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "keep", lambda _: patch.setattr(sessions, "_closed", True))
        told = service.start_query(ME, None, "SELECT 1")
    over = ended(service, told)
    assert over.error is not None
    assert (over.status, over.error.details) == (SessionStatus.CANCELLED, {"outcome": "not_started"})
