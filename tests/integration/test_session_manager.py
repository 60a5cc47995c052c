"""Background sessions on a real PostgreSQL: time, cancel, faults, memory, handoff; and on a driver that never lets go."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from mssqlclient_mcp import running as running_module
from mssqlclient_mcp.alarms import AlarmClock
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.dialects.base import Access, Connection, dialect_for
from mssqlclient_mcp.errors import (
    InvalidParameter,
    ReadOnlyViolation,
    SessionNotFound,
    StatementCancelled,
    TooManySessions,
)
from mssqlclient_mcp.models import Column, SessionStatus
from mssqlclient_mcp.running import EndReason, Running
from tests.sessions_at_work import ME, Caller, ended, until

OPEN = {"ENABLE_START_QUERY": "true", "ENABLE_START_STORED_PROCEDURE": "true", "ENABLE_EXECUTE_QUERY": "true"}
ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"
STREAM = "SELECT generate_series(1, 100000000) AS n, repeat('x', 100) AS t"


@contextmanager
def service_on(url: str, dialect: Any = None, **settings: str) -> Iterator[DatabaseService]:
    """A service with sessions, closed at the end."""
    with DatabaseService(load_config({"DATABASE_URL": url, **OPEN, **settings}), dialect=dialect) as service:
        yield service


@pytest.fixture(autouse=True, scope="module")
def nap(postgres_url: str) -> None:
    """A function that takes its time, in a language that the gate trusts: sleeping itself is refused in reads."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION nap(seconds double precision) RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(seconds); RETURN ''; END $$"
        )


@pytest.fixture
def service(postgres_url: str) -> Iterator[DatabaseService]:
    """A service with the default limits."""
    with service_on(postgres_url) as made:
        yield made


def active(admin: psycopg.Connection[Any], name: str) -> int:
    """Statements that run right now on connections whose application name holds ``name``."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name LIKE %s"
    row = admin.execute(sql, [f"%{name}%"]).fetchone()
    assert row is not None
    return int(row[0])


class SlowToConnect:
    """The PostgreSQL dialect behind a network on which connecting takes a while."""

    def __init__(self, seconds: float) -> None:
        self._dialect = dialect_for("postgresql", odbc_driver=None)
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dialect, name)

    def connect(self, *args: Any, **kwargs: Any) -> Connection:
        """Sleeps first."""
        time.sleep(self._seconds)
        return self._dialect.connect(*args, **kwargs)


class StuckConnection:
    """A connection whose statement never returns, whatever is tried; until the test is over."""

    database, usable = "d", True
    columns: tuple[Column, ...] | None = None
    rows_affected: int | None = None

    def __init__(self, free: threading.Event) -> None:
        self._free = free
        self.cancels = 0
        self.closed_while_busy = False
        self.busy = threading.Event()

    def begin(self, access: Access, *, net_seconds: float, lock_seconds: float) -> None:
        """Nothing."""

    def execute(self, sql: str, parameters: Sequence[object] = (), *, batch: int = 1000) -> StuckConnection:
        """Hangs."""
        self.busy.set()
        self._free.wait()
        self.busy.clear()
        return self

    def cancel(self) -> None:
        """In vain."""
        self.cancels += 1

    def shutdown(self) -> bool:
        """In vain."""
        return False

    def close(self) -> None:
        """Must not be called under a running call."""
        self.closed_while_busy |= self.busy.is_set()

    def rollback(self) -> None:
        """Nothing."""

    commit = rollback

    def fetch(self, size: int) -> Sequence[tuple[object, ...]]:
        """Nothing."""
        return ()

    def next_part(self) -> bool:
        """No."""
        return False

    def goes_on(self) -> bool:
        """No."""
        return False

    def messages(self) -> tuple[()]:
        """None."""
        return ()


class StuckDialect(SlowToConnect):
    """Connections that get stuck."""

    def __init__(self) -> None:
        super().__init__(0)
        self.free = threading.Event()
        self.made: list[StuckConnection] = []
        self.outside_functions_sql = ""

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """A stuck one."""
        self.made.append(StuckConnection(self.free))
        return self.made[-1]


# -- starting ----------------------------------------------------------------------------------------------------------


def test_a_start_answers_at_once_however_long_connecting_takes(postgres_url: str) -> None:
    """The very first may take 300 ms (imports), later ones 100 ms; a cancel before the connection exists is a cancel."""
    with service_on(postgres_url, SlowToConnect(3.0)) as service:
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            told = service.start_query(ME, None, "SELECT 1")
            taken.append(time.perf_counter() - began)
            assert told.status is SessionStatus.RUNNING
            service.sessions.cancel_session(ME, told.session_id)
            over = ended(service, told, 0.5)
            assert (over.status, over.error and over.error.code) == (SessionStatus.CANCELLED, "CANCELLED")
    print(f"start_query while connecting takes 3 s: first {taken[0] * 1000:.1f} ms, others {max(taken[1:]) * 1000:.1f} ms")
    assert taken[0] < 0.3
    assert max(taken[1:]) < 0.1


def test_ten_sessions_of_two_seconds_run_side_by_side(service: DatabaseService) -> None:
    """Ten workers, ten connections of their own: the pool is not touched."""
    began = time.perf_counter()
    started = [service.start_query(ME, None, "SELECT nap(2)", seconds=20) for _ in range(10)]
    with pytest.raises(TooManySessions) as refused:
        service.start_query(ME, None, "SELECT 1")
    assert set(refused.value.details["sessionIds"]) == {one.session_id for one in started}  # type: ignore[call-overload]
    assert refused.value.retryable
    assert service.pool.active_connections == 0
    assert {ended(service, one).status for one in started} == {SessionStatus.COMPLETED}
    seconds = time.perf_counter() - began
    print(f"ten sessions of 2 s: {seconds:.2f} s")
    assert seconds < 3


def test_what_can_be_judged_without_the_database_is_refused_at_once(service: DatabaseService) -> None:
    """No session comes of a write, an empty text or a limit out of bounds."""
    with pytest.raises(ReadOnlyViolation):
        service.start_query(ME, None, "DELETE FROM t")
    with pytest.raises(InvalidParameter):
        service.start_query(ME, None, "  ")
    for seconds in (0, 0.5, 3601):
        with pytest.raises(InvalidParameter):
            service.start_query(ME, None, "SELECT 1", seconds=seconds)
    assert service.sessions.list_sessions(ME) == []


def test_a_session_belongs_to_its_client(service: DatabaseService) -> None:
    """Another client neither sees nor stops it."""
    told = service.start_query(ME, None, "SELECT 1")
    assert service.sessions.list_sessions("other") == []
    with pytest.raises(SessionNotFound):
        service.sessions.cancel_session("other", told.session_id)
    assert ended(service, told).status is SessionStatus.COMPLETED


def test_a_write_as_a_session_is_committed_and_counts(postgres_url: str) -> None:
    """A statement without rows completes with the count."""
    with service_on(postgres_url, ENABLE_WRITE_QUERIES="true") as service:
        ended(service, service.start_query(ME, None, "CREATE TABLE written (n int)", may_write=True))
        insert = "INSERT INTO written SELECT generate_series(1, 7)"
        over = ended(service, service.start_query(ME, None, insert, may_write=True))
        assert (over.status, over.result_sets[0].rows_affected) == (SessionStatus.COMPLETED, 7)
        count = ended(service, service.start_query(ME, None, "SELECT count(*) FROM written"))
        assert service.sessions.get_session(ME, count.session_id).store.page(0, 0, 1) == [(7,)]


def test_a_procedure_runs_as_a_session(postgres_url: str, postgres_admin: psycopg.Connection[Any]) -> None:
    """Outputs and messages are told in the status."""
    postgres_admin.execute(
        "CREATE OR REPLACE PROCEDURE twice(INOUT n int) LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE 'doubling'; n := n * 2; END $$"
    )
    with service_on(postgres_url) as service:
        over = ended(service, service.start_stored_procedure(ME, None, "twice", {"n": 21}))
        assert (over.status, over.outputs[0].value) == (SessionStatus.COMPLETED, 42)
        assert [message.text for message in over.messages] == ["doubling"]
        wrong = ended(service, service.start_stored_procedure(ME, None, "twice", {"m": 21}))
        assert wrong.error is not None
        assert wrong.error.code == "INVALID_PARAMETER"


# -- ending ------------------------------------------------------------------------------------------------------------


def test_a_cancel_stops_the_statement_at_the_database_within_a_second(
    service: DatabaseService, postgres_admin: psycopg.Connection[Any]
) -> None:
    """Seen from outside; the application name tells the DBA which session it is."""
    told = service.start_query(ME, None, ENDLESS)
    until(lambda: active(postgres_admin, told.session_id))
    began = time.perf_counter()
    service.sessions.cancel_session(ME, told.session_id)
    until(lambda: not active(postgres_admin, told.session_id), 1.0)
    print(f"stopped at the database after {(time.perf_counter() - began) * 1000:.0f} ms")
    over = ended(service, told)
    assert over.status is SessionStatus.CANCELLED
    for _ in range(2):
        service.sessions.cancel_session(ME, told.session_id)
    assert service.sessions.get_session(ME, told.session_id).snapshot().status is SessionStatus.CANCELLED


def test_a_cancel_in_the_instant_of_completion_gives_a_true_status(service: DatabaseService) -> None:
    """Cancels are sent at ever other moments around the end: completed has all rows, cancelled has an error, nothing hangs."""
    seen = set()
    for number in range(40):
        told = service.start_query(ME, None, "SELECT n FROM generate_series(1, 200) n")
        time.sleep(number * 0.001)
        service.sessions.cancel_session(ME, told.session_id)
        over = ended(service, told, 5)
        seen.add(over.status)
        if over.status is SessionStatus.COMPLETED:
            assert (over.row_count, over.error) == (200, None)
        else:
            assert over.status is SessionStatus.CANCELLED
            assert over.error is not None
    assert SessionStatus.FAILED not in seen


def test_a_session_ends_at_its_limit(service: DatabaseService, postgres_admin: psycopg.Connection[Any]) -> None:
    """Our clock, the driver's cancel: failed with TIMEOUT, and nothing runs on."""
    told = service.start_query(ME, None, ENDLESS, seconds=1)
    over = ended(service, told, 3)
    assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "TIMEOUT")
    until(lambda: not active(postgres_admin, told.session_id), 1.0)


def test_a_connection_killed_mid_fetch_leaves_the_rows_so_far(
    postgres_url: str, postgres_admin: psycopg.Connection[Any]
) -> None:
    """Failed with the error, what had come stays readable, and later sessions work."""
    with service_on(postgres_url, SESSION_MAX_RESULT_MB="200", SESSIONS_MAX_MEMORY_MB="200") as service:
        told = service.start_query(ME, None, STREAM)
        session = service.sessions.get_session(ME, told.session_id)
        until(lambda: session.snapshot().row_count > 1000)
        postgres_admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s", [f"%{told.session_id}%"]
        )
        over = ended(service, told)
        assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "CONNECTION_FAILED")
        assert session.store.page(0, 1000, 1) == [(1001, "x" * 100)]
        assert ended(service, service.start_query(ME, None, "SELECT 1")).status is SessionStatus.COMPLETED


def test_closing_the_service_cancels_what_runs(postgres_url: str, postgres_admin: psycopg.Connection[Any]) -> None:
    """At the database too, and quickly."""
    with service_on(postgres_url) as service:
        started = [service.start_query(ME, None, ENDLESS) for _ in range(5)]
        until(lambda: all(active(postgres_admin, one.session_id) for one in started))
        began = time.perf_counter()
        service.close()
        assert time.perf_counter() - began < 3
        assert {ended(service, one).status for one in started} == {SessionStatus.CANCELLED}
        until(lambda: not any(active(postgres_admin, one.session_id) for one in started), 1.0)
        with pytest.raises(StatementCancelled):
            service.start_query(ME, None, "SELECT 1")


# -- a driver that does not let go -------------------------------------------------------------------------------------


def test_a_worker_that_never_returns_is_abandoned_and_replaced(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session ends all the same, says that it is unknown whether the database stopped, and its slot is free again."""
    monkeypatch.setattr(running_module, "GIVE_UP_AFTER_SECONDS", 0.6)
    monkeypatch.setattr(running_module, "LAST_GRACE_SECONDS", 0.1)
    dialect = StuckDialect()
    with service_on(postgres_url, dialect, MAX_CONCURRENT_SESSIONS="1") as service:
        for number in range(3):
            told = service.start_query(ME, None, "SELECT 1")
            until(lambda number=number: len(dialect.made) > number and dialect.made[number].busy.is_set())  # type: ignore[misc]
            service.sessions.cancel_session(ME, told.session_id)
            over = ended(service, told, 3)
            assert over.status is SessionStatus.CANCELLED
            assert over.error is not None
            assert over.error.details["stoppedAtDatabase"] == "unknown"
        assert service.sessions.abandoned_workers == 3
        assert all(one.cancels > 1 and not one.closed_while_busy for one in dialect.made)
        dialect.free.set()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("session")])


def test_closing_with_a_stuck_worker_takes_less_than_five_seconds(postgres_url: str) -> None:
    """The process need not wait for a driver that does not return."""
    dialect = StuckDialect()
    with service_on(postgres_url, dialect) as service:
        service.start_query(ME, None, "SELECT 1")
        until(lambda: dialect.made and dialect.made[0].busy.is_set())
        began = time.perf_counter()
        service.close()
        assert time.perf_counter() - began < 5
        assert not dialect.made[0].closed_while_busy
        dialect.free.set()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("session")])


# -- keeping -----------------------------------------------------------------------------------------------------------


def test_the_sweeper_needs_no_traffic(service: DatabaseService) -> None:
    """A session goes when its time is over, though nobody asks."""
    service.sessions.limits = replace(service.sessions.limits, kept_seconds=0.3)
    told = ended(service, service.start_query(ME, None, "SELECT 1"))
    assert service.sessions.memory.used_bytes > 0
    until(lambda: service.sessions.memory.used_bytes == 0, 3)
    with pytest.raises(SessionNotFound, match="expired"):
        service.sessions.get_session(ME, told.session_id)


def test_an_ended_session_is_kept_for_fifteen_minutes_and_remembered_as_expired(postgres_url: str) -> None:
    """The clock is injected; expired is told from unknown, and only to the owner."""
    shift = [0.0]
    alarms = AlarmClock(now=lambda: time.monotonic() + shift[0])
    with DatabaseService(load_config({"DATABASE_URL": postgres_url, **OPEN}), alarms=alarms) as service:
        told = ended(service, service.start_query(ME, None, "SELECT 1"))
        assert told.expires_at is not None
        assert told.end_time is not None
        assert (told.expires_at - told.end_time).total_seconds() == 15 * 60
        shift[0] = 14 * 60
        service.sessions.cleanup_completed_sessions()
        assert service.sessions.get_session(ME, told.session_id)
        shift[0] = 15 * 60 + 1
        service.sessions.cleanup_completed_sessions()
        assert service.sessions.list_sessions(ME) == []
        with pytest.raises(SessionNotFound, match="expired"):
            service.sessions.get_session(ME, told.session_id)
        with pytest.raises(SessionNotFound, match="There is no session"):
            service.sessions.get_session("other", told.session_id)
        assert service.sessions.memory.used_bytes == 0


def test_a_result_is_cut_at_its_limit_and_the_statement_stopped(
    postgres_url: str, postgres_admin: psycopg.Connection[Any]
) -> None:
    """Completed, truncated, within the limit; the database reads on for nobody."""
    with service_on(postgres_url, SESSION_MAX_RESULT_MB="2") as service:
        told = service.start_query(ME, None, STREAM)
        over = ended(service, told)
        assert (over.status, over.truncated) == (SessionStatus.COMPLETED, True)
        assert over.result_bytes <= 2 << 20
        until(lambda: not active(postgres_admin, told.session_id), 1.0)


def test_ten_large_results_stay_inside_the_total(postgres_url: str) -> None:
    """Oldest finished results go first; what is left is readable, what went says so."""
    with service_on(postgres_url, SESSION_MAX_RESULT_MB="8", SESSIONS_MAX_MEMORY_MB="24") as service:
        started = [service.start_query(ME, None, STREAM) for _ in range(10)]
        most = 0
        while service.sessions.running_count:
            most = max(most, service.sessions.memory.used_bytes)
            time.sleep(0.002)
        told = [ended(service, one) for one in started]
        assert most <= 24 << 20
        assert all(one.status is SessionStatus.COMPLETED and one.truncated for one in told)
        kept = [one for one in told if not one.result_expired]
        assert kept
        assert sum(one.result_bytes for one in kept) <= 24 << 20
        print(f"ten results of 8 MB in 24 MB: {len(kept)} kept, at most {most / (1 << 20):.1f} MB")


# -- handoff -----------------------------------------------------------------------------------------------------------


def slow_rows(count: int, pause: float) -> str:
    """Rows that come slowly: after each 96 (a chunk) there is a pause."""
    return f"SELECT n, CASE WHEN n % 96 = 0 THEN nap({pause}) ELSE repeat('y', 300) END AS s FROM generate_series(1, {count}) n"


def test_a_long_query_becomes_a_session_with_every_row_once(postgres_url: str) -> None:
    """What had come before the handoff and what comes after stand together, in order; its connection left the pool."""
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1", MAX_RESPONSE_CHARS="500000") as service:
        caller = Caller(service, slow_rows(640, 0.35), max_rows=10_000)
        assert caller.early.wait(3)
        session = caller.session
        assert 0 < session.store.rows < 640
        assert service.pool.active_connections == 0
        assert session.running.seconds == 600
        over = ended(service, session.snapshot())
        assert over.status is SessionStatus.COMPLETED
        assert [row[0] for row in session.store.page(0, 0, 1000)] == list(range(1, 641))
        caller.thread.join()


def test_a_handed_over_write_runs_once_and_is_committed(postgres_url: str, postgres_admin: psycopg.Connection[Any]) -> None:
    """Nothing is sent twice."""
    postgres_admin.execute("CREATE TABLE once (n int)")
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1", ENABLE_WRITE_QUERIES="true") as service:
        caller = Caller(service, "INSERT INTO once SELECT 1 FROM nap(2)")
        assert caller.early.wait(3)
        over = ended(service, caller.session.snapshot())
        assert (over.status, over.result_sets[0].rows_affected) == (SessionStatus.COMPLETED, 1)
        caller.thread.join()
    assert postgres_admin.execute("SELECT count(*) FROM once").fetchone() == (1,)


def test_a_call_that_fails_after_the_handoff_tells_its_error_alone(
    postgres_url: str, postgres_admin: psycopg.Connection[Any]
) -> None:
    """With what was said before it among the messages, and nothing that JSON cannot hold in the details."""
    postgres_admin.execute(
        "CREATE PROCEDURE fails_late() LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE 'early'; PERFORM pg_sleep(1.5); RAISE EXCEPTION 'too late'; END $$"
    )
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1") as service:
        caller = Caller(service, "fails_late", procedure=True)
        assert caller.early.wait(3)
        over = ended(service, caller.session.snapshot())
        caller.thread.join()
        assert over.error is not None
        assert (over.status, over.error.code) == (SessionStatus.FAILED, "DATABASE_ERROR")
        assert "too late" in over.error.message
        assert "arrived" not in over.error.details
        assert "early" in str([*over.messages, over.error.details])


def test_a_long_call_of_a_procedure_becomes_a_session_with_its_outputs(
    postgres_url: str, postgres_admin: psycopg.Connection[Any]
) -> None:
    """It runs once, and what it gives back is told in the session's status."""
    postgres_admin.execute("CREATE TABLE calls (n int)")
    postgres_admin.execute(
        "CREATE PROCEDURE slowly(INOUT n int DEFAULT 20) LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO calls VALUES (1); PERFORM pg_sleep(2); n := n + 1; END $$"
    )
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1") as service:
        caller = Caller(service, "slowly", procedure=True)
        assert caller.early.wait(3)
        over = ended(service, caller.session.snapshot())
        assert (over.status, over.outputs[0].value) == (SessionStatus.COMPLETED, 21)
        caller.thread.join()
    assert postgres_admin.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def test_a_handed_over_statement_may_wait_for_a_lock_as_long_as_a_session(
    postgres_url: str, postgres_admin: psycopg.Connection[Any]
) -> None:
    """The lock timeout that was set at its beginning is that of the session it became."""
    postgres_admin.execute("CREATE TABLE locked (n int)")
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1") as service, psycopg.connect(postgres_url) as blocker:
        blocker.execute("LOCK TABLE locked")
        caller = Caller(service, "SELECT n FROM locked", limit=2)
        assert caller.early.wait(3)
        time.sleep(1.5)
        assert not caller.session.over
        blocker.rollback()
        assert ended(service, caller.session.snapshot()).status is SessionStatus.COMPLETED
        caller.thread.join()


def test_a_handed_over_query_is_cancelled_like_any_session(postgres_url: str, postgres_admin: psycopg.Connection[Any]) -> None:
    """And its own timeoutSeconds still hold."""
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1") as service:
        caller = Caller(service, ENDLESS, seconds=600)
        assert caller.early.wait(3)
        service.sessions.cancel_session(ME, caller.session.id)
        assert ended(service, caller.session.snapshot(), 2).status is SessionStatus.CANCELLED
        limited = Caller(service, ENDLESS, seconds=2)
        assert limited.early.wait(3)
        over = ended(service, limited.session.snapshot(), 3)
        assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "TIMEOUT")
        for one in (caller, limited):
            one.thread.join()


@pytest.mark.parametrize("settings", [{"ENABLE_START_QUERY": "false"}, {"QUERY_HANDOFF_SECONDS": "0"}])
def test_without_an_offer_everything_is_as_before(postgres_url: str, settings: dict[str, str]) -> None:
    """A closed START gate or a handoff of 0: the call waits for its result."""
    with service_on(postgres_url, **{"QUERY_HANDOFF_SECONDS": "1", **settings}) as service:
        caller = Caller(service, "SELECT 1 AS n FROM nap(2)")
        caller.thread.join(5)
        assert not caller.running.answered_early
        assert caller.outcome[0].result_sets[0].rows == [(1,)]  # type: ignore[attr-defined]


def test_with_no_session_free_the_call_goes_on_waiting(postgres_url: str) -> None:
    """Its result comes to the caller; when a session becomes free meanwhile, it is taken."""
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1", MAX_CONCURRENT_SESSIONS="1") as service:
        first = service.start_query(ME, None, ENDLESS)
        waiting = Caller(service, "SELECT 1 AS n FROM nap(2.5)")
        waiting.thread.join(5)
        assert not waiting.running.answered_early
        late = Caller(service, "SELECT 1 AS n FROM nap(5)")
        time.sleep(1.2)
        service.sessions.cancel_session(ME, first.session_id)
        assert late.early.wait(3)
        assert ended(service, late.session.snapshot()).status is SessionStatus.COMPLETED
        late.thread.join()


def test_the_instant_of_the_handoff_loses_nothing(postgres_url: str) -> None:
    """Statements that end around the moment of the step: either the caller has all rows, or the session has them."""
    kinds = set()
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1", MAX_CONCURRENT_SESSIONS="30") as service:
        callers = [Caller(service, f"SELECT n FROM generate_series(1, 3) n, nap({0.97 + 0.004 * i})") for i in range(8)]
        for caller in callers:
            caller.thread.join(10)
            if caller.running.answered_early:
                over = ended(service, caller.session.snapshot())
                assert (over.status, over.row_count) == (SessionStatus.COMPLETED, 3)
            else:
                assert len(caller.outcome[0].result_sets[0].rows) == 3  # type: ignore[attr-defined]
            kinds.add(caller.running.answered_early)
        assert service.sessions.running_count == 0
        assert service.pool.active_connections == 0
    print(f"around the instant: {kinds}")


def test_a_cancelled_call_is_never_handed_over(postgres_url: str) -> None:
    """The caller that gave up leaves no session behind."""
    with service_on(postgres_url, QUERY_HANDOFF_SECONDS="1") as service:
        caller = Caller(service, ENDLESS)
        time.sleep(0.5)
        caller.running.end(EndReason.REQUEST)
        caller.thread.join(3)
        time.sleep(0.7)
        assert service.sessions.list_sessions(ME) == []
        assert isinstance(caller.running, Running)
