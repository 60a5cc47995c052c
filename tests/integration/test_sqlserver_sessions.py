"""Background sessions on a live T-SQL endpoint: stopped at the database, cut, lost, handed over, many at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from mssqlclient_mcp.config import Config
from mssqlclient_mcp.connection_settings import ConnectionSettings
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import SessionNotFound, TooManySessions
from mssqlclient_mcp.models import QuerySession, SessionStatus
from tests.databases import SqlServerForTests, TestDatabase, stdio_parameters
from tests.procedure_calls import Calls, calls
from tests.sessions_at_work import ME, Caller, ended, until
from tests.wires import wire

pytestmark = [
    pytest.mark.sqlserver,
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]
OPEN = {
    "ENABLE_START_QUERY": "true",
    "ENABLE_START_STORED_PROCEDURE": "true",
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_EXECUTE_STORED_PROCEDURE": "true",
}
ROWS = "SELECT TOP {count} a.object_id AS n, REPLICATE('x', 500) AS t FROM sys.all_columns a CROSS JOIN sys.all_columns b"
SETUP = (
    "CREATE TABLE dbo.marks (n int)",
    "CREATE PROCEDURE dbo.several AS BEGIN SET NOCOUNT ON; SELECT 1 AS a UNION ALL SELECT 2; PRINT 'between'; "
    "SELECT TOP 150 object_id AS b, 'x' AS t FROM sys.all_columns; SELECT 3 AS c WHERE 1 = 0; RETURN 7 END",
    "CREATE PROCEDURE dbo.breaks AS BEGIN SET NOCOUNT ON; SELECT TOP 100 object_id AS a FROM sys.all_columns; "
    "PRINT 'so far'; RAISERROR('in the middle', 16, 1); SELECT 1 AS b END",
    "CREATE PROCEDURE dbo.slowly @n int = 1 OUTPUT AS BEGIN SET NOCOUNT ON; INSERT INTO dbo.marks VALUES (1); "
    "DECLARE @i bigint; SELECT 1 AS early; {slow}; SET @n = @n + 1; RETURN 5 END",
)


@pytest.fixture(scope="module")
def place(sqlserver: SqlServerForTests) -> TestDatabase:
    """The database to test in."""
    return sqlserver.database()


@pytest.fixture(scope="module")
def sql(place: TestDatabase) -> Iterator[Calls]:
    """A look at the server from elsewhere, and what the tests call."""
    source = "(SELECT TOP 2000 1 AS n FROM sys.all_columns)"
    slow = f"SELECT @i = COUNT_BIG(*) FROM {source} a CROSS JOIN {source} b CROSS JOIN (SELECT TOP 5 1 AS n FROM {source} s) c"
    with calls(place.config()) as made:
        made.run(*(text.replace("{slow}", slow) for text in SETUP))
        yield made


@contextmanager
def serving(config: Config) -> Iterator[DatabaseService]:
    """A service, closed at the end."""
    with DatabaseService(config) as made:
        yield made


@pytest.fixture
def service(place: TestDatabase, sql: Calls) -> Iterator[DatabaseService]:
    """A service with the default limits."""
    with serving(place.config(**OPEN)) as made:
        yield made


def on_server(sql: Calls, name: str) -> int:
    """Sessions of the server whose program name holds ``name``."""
    [(count,)] = sql.rows("SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE program_name LIKE ?", f"%{name}%")
    assert isinstance(count, int)
    return count


def numbers_on_server(sql: Calls, name: str) -> list[int]:
    """The server's numbers of those sessions."""
    found = sql.rows("SELECT session_id FROM sys.dm_exec_sessions WHERE program_name LIKE ?", f"%{name}%")
    return [int(str(number)) for (number,) in found]


def rows_so_far(service: DatabaseService, told: QuerySession) -> int:
    """Rows that a session has."""
    return service.sessions.get_session(ME, told.session_id).store.rows


# -- stopping --------------------------------------------------------------------------------------------------------------


def test_a_cancelled_statement_is_gone_from_the_server(service: DatabaseService, sql: Calls, place: TestDatabase) -> None:
    """Seen there while it ran, gone a second later; where a cancel waits for the statement's end, KILL ends it."""
    told = service.start_query(ME, None, place.slow_query)
    until(lambda: on_server(sql, told.session_id))
    time.sleep(0.3)
    began = time.monotonic()
    service.sessions.cancel_session(ME, told.session_id)
    over = ended(service, told, 10)
    assert (over.status, over.error and over.error.code) == (SessionStatus.CANCELLED, "CANCELLED")
    until(lambda: not on_server(sql, told.session_id), 3)
    assert time.monotonic() - began < (1.5 if place.genuine else 9)
    assert service.sessions.abandoned_workers == 0


def test_a_session_ends_at_its_limit(service: DatabaseService, sql: Calls, place: TestDatabase) -> None:
    """Failed with TIMEOUT, the statement gone."""
    told = service.start_query(ME, None, place.slow_query, seconds=1)
    over = ended(service, told, 10)
    assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "TIMEOUT")
    until(lambda: not on_server(sql, told.session_id), 3)


def test_a_cancel_in_the_middle_of_rows_keeps_those_that_came(service: DatabaseService, sql: Calls) -> None:
    """They are readable afterwards, and nothing reads on."""
    told = service.start_query(ME, None, ROWS.format(count=2_000_000))
    until(lambda: rows_so_far(service, told) > 2000)
    service.sessions.cancel_session(ME, told.session_id)
    over = ended(service, told, 10)
    assert over.status is SessionStatus.CANCELLED
    store = service.sessions.get_session(ME, told.session_id).store
    assert len(store.page(0, over.row_count - 10, 100)) == 10
    until(lambda: not on_server(sql, told.session_id), 3)


# -- results ---------------------------------------------------------------------------------------------------------------


def test_several_result_sets_are_paged_one_by_one(service: DatabaseService) -> None:
    """Each with its own columns; an empty one is there; the return value and what was said, too."""
    over = ended(service, service.start_stored_procedure(ME, None, "dbo.several"))
    assert over.error is None
    assert [(one.columns[0].name, one.rows) for one in over.result_sets] == [("a", 2), ("b", 150), ("c", 0)]
    store = service.sessions.get_session(ME, over.session_id).store
    assert store.page(0, 0, 10) == [(1,), (2,)]
    assert len(store.page(1, 140, 100)) == 10
    assert store.page(2, 0, 10) == []
    assert (over.return_value, [one.text for one in over.messages]) == (7, ["between"])


def test_an_error_in_the_middle_keeps_what_had_come(service: DatabaseService) -> None:
    """Failed, with the rows before it and the words of the server."""
    over = ended(service, service.start_stored_procedure(ME, None, "dbo.breaks"))
    assert over.error is not None
    assert (over.status, over.error.message) == (SessionStatus.FAILED, "in the middle")
    assert over.error.details["outcome"] == "unknown"
    assert over.row_count == 100
    store = service.sessions.get_session(ME, over.session_id).store
    assert len(store.page(0, 95, 10)) == 5


def test_a_row_that_fails_keeps_those_before_it(service: DatabaseService) -> None:
    """Every row that the server sent is there."""
    source = "(SELECT TOP 1000 ROW_NUMBER() OVER (ORDER BY object_id, column_id) AS n FROM sys.all_columns)"
    told = service.start_query(ME, None, f"SELECT 10 / (900 - n) AS x FROM {source} s WHERE n < 2000")
    over = ended(service, told)
    assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "DATABASE_ERROR")
    assert over.row_count <= 899
    assert len(service.sessions.get_session(ME, over.session_id).store.page(0, 0, 2000)) == over.row_count


def test_a_session_is_kept_for_its_time_and_then_said_to_have_expired(service: DatabaseService) -> None:
    """The sweeper needs no traffic, and gives the memory back."""
    service.sessions.limits = replace(service.sessions.limits, kept_seconds=0.5)
    told = ended(service, service.start_query(ME, None, ROWS.format(count=1000)))
    assert service.sessions.memory.used_bytes > 0
    until(lambda: service.sessions.memory.used_bytes == 0, 3)
    with pytest.raises(SessionNotFound, match="expired"):
        service.sessions.get_session(ME, told.session_id)


def test_results_stay_inside_the_total(place: TestDatabase, sql: Calls) -> None:
    """Six that would fill their share at once: the oldest finished goes first, the rest is readable."""
    settings = {"SESSION_MAX_RESULT_MB": "4", "SESSIONS_MAX_MEMORY_MB": "12"}
    with serving(place.config(**OPEN, **settings)) as service:
        started = [service.start_query(ME, None, ROWS.format(count=50_000)) for _ in range(6)]
        most = 0
        while service.sessions.running_count:
            most = max(most, service.sessions.memory.used_bytes)
            time.sleep(0.005)
        told = [ended(service, one) for one in started]
        assert most <= 12 << 20
        assert {one.status for one in told} == {SessionStatus.COMPLETED}
        assert all(one.truncated for one in told)
        kept = [one for one in told if not one.result_expired]
        for one in kept:
            store = service.sessions.get_session(ME, one.session_id).store
            assert len(store.page(0, one.row_count - 5, 10)) == 5


# -- faults ----------------------------------------------------------------------------------------------------------------


def test_a_session_killed_at_the_server_fails_and_keeps_its_rows(service: DatabaseService, sql: Calls) -> None:
    """KILL by an administrator, in the middle of the rows."""
    told = service.start_query(ME, None, ROWS.format(count=2_000_000))
    until(lambda: rows_so_far(service, told) > 1000)
    [number] = numbers_on_server(sql, told.session_id)
    sql.run(f"KILL {number}")
    over = ended(service, told, 15)
    assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "CONNECTION_FAILED")
    assert over.row_count > 1000
    assert len(service.sessions.get_session(ME, told.session_id).store.page(0, 0, 10)) == 10
    assert ended(service, service.start_query(ME, None, "SELECT 1")).status is SessionStatus.COMPLETED


def through(config: Config, port: int) -> Config:
    """The same server behind a wire."""
    return replace(config, connection=replace(config.connection, host="127.0.0.1", port=port))


def address(settings: ConnectionSettings) -> tuple[str, int]:
    """Where the server listens."""
    return settings.host, settings.port or 1433


def test_a_wire_cut_in_the_middle_of_rows_is_a_failure_with_its_rows(place: TestDatabase, sql: Calls) -> None:
    """And the next session passes over a new connection."""
    config = place.config(**OPEN)
    with wire(*address(config.connection)) as line, serving(through(config, line.port)) as service:
        told = service.start_query(ME, None, ROWS.format(count=2_000_000))
        until(lambda: rows_so_far(service, told) > 1000)
        line.cut()
        over = ended(service, told, 15)
        assert (over.status, over.error and over.error.code) == (SessionStatus.FAILED, "CONNECTION_FAILED")
        assert over.row_count > 1000
        assert ended(service, service.start_query(ME, None, "SELECT 1")).status is SessionStatus.COMPLETED


@pytest.mark.slow
def test_a_cancel_over_a_wire_that_fell_silent_ends_the_session_all_the_same(place: TestDatabase, sql: Calls) -> None:
    """Nobody answers, KILL does not get through either: within seconds it says that it is not known whether it stopped, and
    the next session has a worker and finds its way when the wire is back."""
    config = place.config(**OPEN, MAX_CONCURRENT_SESSIONS="1")
    with wire(*address(config.connection)) as line, serving(through(config, line.port)) as service:
        told = service.start_query(ME, None, ROWS.format(count=2_000_000))
        until(lambda: rows_so_far(service, told) > 1000)
        line.silence()
        time.sleep(0.5)
        service.sessions.cancel_session(ME, told.session_id)
        over = ended(service, told, 25)
        assert over.status is SessionStatus.CANCELLED
        assert over.row_count > 1000
        if service.sessions.abandoned_workers:
            assert over.error is not None
            assert over.error.details["stoppedAtDatabase"] == "unknown"
        again = service.start_query(ME, None, "SELECT 1")
        assert again.status is SessionStatus.RUNNING
        line.cut()
        ended(service, again, 30)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("session")], 20)


# -- handoff ---------------------------------------------------------------------------------------------------------------


def test_a_long_call_becomes_a_session_with_everything_it_brings(place: TestDatabase, sql: Calls) -> None:
    """It runs once; what had come before the handoff, outputs and the return value are there."""
    before = len(sql.rows("SELECT n FROM dbo.marks"))
    with serving(place.config(**OPEN, QUERY_HANDOFF_SECONDS="1")) as service:
        caller = Caller(service, "dbo.slowly", procedure=True, limit=60)
        caller.early.wait(4)
        if not caller.early.is_set():
            pytest.skip("this endpoint counts faster than the test expects")
        assert service.pool.active_connections == 0
        over = ended(service, caller.session.snapshot(), 60)
        caller.thread.join()
        assert over.error is None
        assert (over.return_value, [one.value for one in over.outputs], over.row_count) == (5, [2], 1)
    assert len(sql.rows("SELECT n FROM dbo.marks")) == before + 1


def test_a_handed_over_query_is_cancelled_like_any_session(place: TestDatabase, sql: Calls) -> None:
    """Its connection left the pool and is closed; the server has nothing of it left."""
    with serving(place.config(**OPEN, QUERY_HANDOFF_SECONDS="1")) as service:
        caller = Caller(service, place.slow_query, max_rows=10_000, limit=60)
        assert caller.early.wait(5)
        service.sessions.cancel_session(ME, caller.session.id)
        assert ended(service, caller.session.snapshot(), 10).status is SessionStatus.CANCELLED
        caller.thread.join(10)
        assert service.pool.active_connections == 0


# -- many ------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sixty_sessions_at_once_each_have_their_own_rows(place: TestDatabase, sql: Calls) -> None:
    """None is mixed up, the one beyond the limit is refused, and at the end nothing is left on the server."""
    with serving(place.config(**OPEN, MAX_CONCURRENT_SESSIONS="60")) as service:
        started: list[QuerySession] = []
        for number in range(60):
            text = f"SELECT TOP 300 {number} AS mine, REPLICATE('x', 50) AS t FROM sys.all_columns"
            started.append(service.start_query(ME, None, text, seconds=300))
        with suppress(TooManySessions):  # some may be through already
            started.append(service.start_query(ME, None, "SELECT TOP 300 60 AS mine, 'x' AS t FROM sys.all_columns"))
        for number, told in enumerate(started):
            over = ended(service, told, 120)
            assert (over.status, over.row_count) == (SessionStatus.COMPLETED, 300), over.error
            assert {row[0] for row in service.sessions.get_session(ME, told.session_id).store.read(0)} == {number}
        assert service.sessions.running_count == 0
        until(lambda: not on_server(sql, "mssqlclient_mcp local"), 20)


# -- the process -------------------------------------------------------------------------------------------------------------


async def test_a_server_whose_client_leaves_takes_its_statements_with_it(place: TestDatabase, sql: Calls) -> None:
    """Three sessions under way when stdin ends: the process is gone in seconds, and so are its connections."""
    from mcp import Client

    parameters = stdio_parameters({**place.environment, **OPEN})
    async with Client(parameters) as client:
        ids = []
        for _ in range(3):
            started = await client.call_tool("start_query", {"query": place.slow_query})
            ids.append(started.structured_content["sessionId"])
        until(lambda: all(on_server(sql, one) for one in ids), 15)
        began = time.monotonic()
    assert time.monotonic() - began < 8
    until(lambda: not any(on_server(sql, one) for one in ids), 10 if place.genuine else 60)
