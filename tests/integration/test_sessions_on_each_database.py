"""Background sessions on every database at hand: side by side, cancelled at random, cut, shut down."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import DatabaseMcpError, TooManySessions
from mssqlclient_mcp.models import QuerySession, SessionStatus
from tests.databases import TestDatabase
from tests.procedure_calls import Calls, calls
from tests.sessions_at_work import ME, ended, until

OPEN = {"ENABLE_START_QUERY": "true", "ENABLE_START_STORED_PROCEDURE": "true"}
SHORT = {
    "postgresql": "SELECT n, repeat('x', 50) AS t FROM generate_series(1, 500) n",
    "sqlserver": "SELECT TOP 500 a.object_id AS n, REPLICATE('x', 50) AS t FROM sys.all_columns a",
}
MEDIUM = {  # some tenths of a second
    "postgresql": "SELECT count(*) AS n FROM generate_series(1, 1500) a, generate_series(1, 1500) b",
    "sqlserver": "SELECT COUNT_BIG(*) AS n FROM (SELECT TOP 1500 1 AS n FROM sys.all_columns) a "
    "CROSS JOIN (SELECT TOP 1500 1 AS n FROM sys.all_columns) b",
}
MANY_ROWS = {
    "postgresql": "SELECT a AS n, repeat('x', 100) AS t FROM generate_series(1, 100000) a",
    "sqlserver": "SELECT TOP 100000 a.object_id AS n, REPLICATE('x', 100) AS t FROM sys.all_columns a "
    "CROSS JOIN sys.all_columns b",
}
OURS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'mssqlclient_mcp local %'",
    "sqlserver": "SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE program_name LIKE 'mssqlclient_mcp local %'",
}


@pytest.fixture
def service(database: TestDatabase) -> Iterator[DatabaseService]:
    """A service with five sessions at a time."""
    with DatabaseService(database.config(**OPEN, MAX_CONCURRENT_SESSIONS="5", SESSION_MAX_RESULT_MB="2")) as made:
        yield made


@pytest.fixture(scope="module")
def watching(database: TestDatabase) -> Iterator[Calls]:
    """A look at the server from elsewhere."""
    with calls(database.config()) as made:
        yield made


def started(service: DatabaseService, sql: str) -> QuerySession:
    """A session, as soon as one is free."""
    while True:
        try:
            return service.start_query(ME, None, sql, seconds=60)
        except TooManySessions:
            time.sleep(0.01)


def nothing_left(watching: Calls, database: TestDatabase) -> None:
    """No connection of a session is open any more, soon."""
    try:
        watching.rows(OURS[database.dialect])
    except DatabaseMcpError:
        return  # this login may not look at other sessions
    until(lambda: watching.rows(OURS[database.dialect]) == [(0,)], 20)


def test_sessions_run_side_by_side_on_connections_of_their_own(service: DatabaseService, database: TestDatabase) -> None:
    """The limit holds, every result is its own, and the pool is not touched."""
    running = [service.start_query(ME, None, f"{MEDIUM[database.dialect]} WHERE {n} = {n}") for n in range(5)]
    with pytest.raises(TooManySessions):
        service.start_query(ME, None, "SELECT 1")
    assert service.pool.active_connections == 0
    for told in running:
        over = ended(service, told)
        assert (over.status, over.error) == (SessionStatus.COMPLETED, None)
        [[count]] = service.sessions.get_session(ME, told.session_id).store.page(0, 0, 9)
        assert count == 1500 * 1500


def test_sessions_cancelled_at_random_tell_the_truth_and_leave_nothing_behind(
    service: DatabaseService, database: TestDatabase, watching: Calls
) -> None:
    """Completed has all its rows, cancelled an error of that name, nothing fails or hangs, and no connection is left."""
    dice = random.Random(1)
    seen: Counter[SessionStatus] = Counter()
    waiting: list[tuple[QuerySession, int]] = []
    for _ in range(40):
        sql = dice.choice((SHORT, SHORT, MEDIUM))[database.dialect]
        told = started(service, sql)
        waiting.append((told, 500 if sql == SHORT[database.dialect] else 1))
        if dice.random() < 0.5:
            time.sleep(dice.random() * 0.2)
            service.sessions.cancel_session(ME, told.session_id)
    for told, rows in waiting:
        over = ended(service, told)
        seen[over.status] += 1
        if over.status is SessionStatus.COMPLETED:
            assert (over.row_count, over.error) == (rows, None)
        else:
            assert (over.status, over.error and over.error.code) == (SessionStatus.CANCELLED, "CANCELLED")
    assert seen[SessionStatus.COMPLETED]
    assert seen[SessionStatus.CANCELLED]
    assert service.sessions.running_count == 0
    nothing_left(watching, database)


def test_a_result_is_cut_at_its_limit_and_stays_readable(service: DatabaseService, database: TestDatabase) -> None:
    """Completed and truncated, its bytes within the limit, its last page as readable as its first."""
    told = started(service, MANY_ROWS[database.dialect])
    over = ended(service, told)
    assert (over.status, over.truncated) == (SessionStatus.COMPLETED, True)
    assert over.result_bytes <= 2 << 20
    store = service.sessions.get_session(ME, told.session_id).store
    assert [row[1] for row in store.page(0, over.row_count - 2, 9)] == ["x" * 100] * 2


def test_closing_the_service_ends_every_session(database: TestDatabase, watching: Calls) -> None:
    """Cancelled, all of them, and in seconds even where a cancel has to wait for the statement."""
    with DatabaseService(database.config(**OPEN)) as service:
        running = [service.start_query(ME, None, MEDIUM[database.dialect]) for _ in range(3)]
        began = time.monotonic()
        service.close()
        states = {ended(service, told, 15).status for told in running}
        assert time.monotonic() - began < 15
    assert states <= {SessionStatus.CANCELLED, SessionStatus.COMPLETED}
    until(lambda: not any(thread.name.startswith("session") for thread in threading.enumerate()), 20)
    nothing_left(watching, database)
