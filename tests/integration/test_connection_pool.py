"""The pool, the deadline and the outcome of statements, on a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from mssqlclient_mcp.alarms import AlarmClock
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import (
    ConstraintViolation,
    DatabaseMcpError,
    PoolExhausted,
    StatementCancelled,
    StatementTimeout,
)
from mssqlclient_mcp.running import EndReason, Running
from tests.databases import server_environment

SLOW = "SELECT count(*) FROM generate_series(1, 100000000000) AS g(n) WHERE n % 7 = 1"


def service_for(url: str, **settings: str) -> DatabaseService:
    """A service over the test database."""
    return DatabaseService(load_config({"DATABASE_URL": url, "ENABLE_EXECUTE_QUERY": "true", **settings}))


@pytest.fixture
def service(postgres_url: str) -> Iterator[DatabaseService]:
    """A service with the default limits."""
    with service_for(postgres_url) as service:
        yield service


@pytest.fixture
def writer(postgres_url: str) -> Iterator[DatabaseService]:
    """A service with writes on, and an empty table to write into."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS notes")
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, body text)")
    with service_for(postgres_url, ENABLE_WRITE_QUERIES="true") as service:
        yield service


def rows(service: DatabaseService, sql: str, seconds: float = 30) -> list[tuple[object, ...]]:
    """The rows of one query in a call of its own."""
    with service.call(seconds):
        return list(service.execute_query(service.settings.database, sql).result_sets[0].rows)


def ended_in(running: Running, after: float) -> None:
    """Ask for the end of a call from another thread, a little later."""
    threading.Timer(after, running.end, [EndReason.CLIENT]).start()


def test_a_connection_is_lent_again_in_a_clean_state(service: DatabaseService) -> None:
    """One caller's session state is not the next one's."""
    first = rows(service, "SELECT pg_backend_pid()")
    second = rows(service, "SELECT pg_backend_pid()")
    assert first == second
    assert (service.pool.active_connections, service.pool.idle_connections) == (0, 1)


def test_the_next_call_works_after_the_server_cut_the_idle_connection(service: DatabaseService, postgres_url: str) -> None:
    """A pooled connection that died while idle is replaced before use."""
    [(pid,)] = rows(service, "SELECT pg_backend_pid()")
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    time.sleep(0.1)
    [(again,)] = rows(service, "SELECT pg_backend_pid()")
    assert again != pid


def test_one_caller_too_many_is_turned_away_at_once(postgres_url: str) -> None:
    """The queue is bounded, and the error says when to come back."""
    with service_for(postgres_url, POOL_MAX_SIZE="1", POOL_MAX_WAITING="1") as service:
        places = [service.reserve(), service.reserve()]
        with pytest.raises(PoolExhausted) as refused:
            service.reserve()
        for place in places:
            place.release()
        assert refused.value.retryable
        assert isinstance(refused.value.details["retryAfterSeconds"], int)
        service.reserve().release()


def test_waiting_callers_are_served_in_turn(postgres_url: str) -> None:
    """More callers than connections: all get their answer, and never more connections than allowed are open."""
    with service_for(postgres_url, POOL_MAX_SIZE="2", POOL_MAX_WAITING="20") as service, ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda n: rows(service, f"SELECT {n} FROM generate_series(1, 20000) g LIMIT 1"), range(12)))
        assert answers == [[(n,)] for n in range(12)]
        assert service.pool.active_connections == 0
        assert service.pool.idle_connections <= 2


def test_a_caller_that_is_cancelled_while_waiting_leaves_the_queue(postgres_url: str) -> None:
    """Waiting ends with the call, and nothing was started."""
    with service_for(postgres_url, POOL_MAX_SIZE="1", POOL_MAX_WAITING="5") as service:
        holding, release = threading.Event(), threading.Event()

        def hold() -> None:
            with service.call(30) as running, service.pool.connection(service.settings.database, running):
                holding.set()
                release.wait(20)

        with ThreadPoolExecutor(1) as threads:
            held = threads.submit(hold)
            assert holding.wait(10)
            with service.call(30) as running:
                ended_in(running, 0.2)
                with pytest.raises(StatementCancelled) as ended:
                    service.execute_query(service.settings.database, "SELECT 1")
            release.set()
            held.result(timeout=20)
        assert ended.value.details.get("outcome") in (None, "not_started")
        assert service.pool.queue == 0


@pytest.mark.parametrize(
    ("end", "expected"),
    [(lambda running: None, StatementTimeout), (lambda running: ended_in(running, 0.3), StatementCancelled)],
    ids=["timeout", "cancel"],
)
def test_a_slow_statement_ends_early_and_its_connection_is_lent_again(
    service: DatabaseService, end: Callable[[Running], None], expected: type[DatabaseMcpError]
) -> None:
    """The error says who ended it; the database stopped; the pool lost nothing."""
    [(pid,)] = rows(service, "SELECT pg_backend_pid()")
    with service.call(1) as running:
        end(running)
        with pytest.raises(expected):
            service.execute_query(service.settings.database, SLOW)
    assert rows(service, "SELECT pg_backend_pid()") == [(pid,)]


def test_a_write_that_fails_at_commit_was_rolled_back(writer: DatabaseService) -> None:
    """A deferred constraint speaks at COMMIT: the outcome is known all the same."""
    with writer.call(10), pytest.raises(ConstraintViolation) as refused:
        writer.execute_query(writer.settings.database, "INSERT INTO notes VALUES (1, 'a'), (1, 'b')", may_write=True)
    assert refused.value.details["outcome"] == "rolled_back"
    assert rows(writer, "SELECT count(*) FROM notes") == [(0,)]


def test_a_write_that_succeeds_is_committed_and_counted(writer: DatabaseService) -> None:
    """Rows affected come back; the next call sees the rows."""
    with writer.call(10):
        result = writer.execute_query(writer.settings.database, "INSERT INTO notes VALUES (1, 'a'), (2, 'b')", may_write=True)
    assert result.result_sets[0].rows_affected == 2
    assert rows(writer, "SELECT count(*) FROM notes") == [(2,)]


def test_a_write_that_is_cancelled_is_rolled_back(writer: DatabaseService) -> None:
    """No half of it stays."""
    sql = "INSERT INTO notes SELECT n, 'x' FROM generate_series(1, 1000000000) g(n)"
    with writer.call(1), pytest.raises(StatementTimeout) as ended:
        writer.execute_query(writer.settings.database, sql, may_write=True)
    assert ended.value.details["outcome"] == "rolled_back"
    assert rows(writer, "SELECT count(*) FROM notes") == [(0,)]


def test_returning_more_rows_than_wanted_still_commits_all(writer: DatabaseService) -> None:
    """Leaving the surplus unread would stop the statement: it is read and dropped."""
    with writer.call(10):
        sql = "INSERT INTO notes SELECT n, 'x' FROM generate_series(1, 5000) g(n) RETURNING id"
        result = writer.execute_query(writer.settings.database, sql, max_rows=3, may_write=True)
    assert len(result.result_sets[0].rows) == 3
    assert rows(writer, "SELECT count(*) FROM notes") == [(5000,)]


def test_a_statement_that_cannot_run_in_a_transaction_runs_alone(writer: DatabaseService) -> None:
    """VACUUM is refused inside a transaction, so it is sent again by itself."""
    with writer.call(10):
        writer.execute_query(writer.settings.database, "VACUUM notes", may_write=True)


def test_what_a_writing_call_set_does_not_reach_the_next(writer: DatabaseService) -> None:
    """DISCARD ALL before the connection is lent again."""
    with writer.call(10):
        writer.execute_query(writer.settings.database, "SET search_path = pg_catalog", may_write=True)
    assert rows(writer, "SHOW search_path") != [("pg_catalog",)]


FIFTY_MILLION = """
import os, psutil, sys, time
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
with DatabaseService(load_config({"DATABASE_URL": sys.argv[1], "ENABLE_EXECUTE_QUERY": "true"})) as service:
    with service.call(30):
        service.execute_query(service.settings.database, "SELECT 1")
    me = psutil.Process()
    before, began = me.memory_info().rss, time.monotonic()
    with service.call(30):
        result = service.execute_query(service.settings.database, "SELECT generate_series(1, 50000000) AS n", max_rows=10)
    seconds, grown = time.monotonic() - began, me.memory_info().rss - before
    assert len(result.result_sets[0].rows) == 10
    print(seconds, grown)
"""


def test_ten_of_fifty_million_rows_are_quick_and_small(postgres_url: str) -> None:
    """The result is never loaded whole: within 1 s and 50 MB."""
    done = subprocess.run(
        [sys.executable, "-c", FIFTY_MILLION, postgres_url],
        env=server_environment({}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seconds, grown = map(float, done.stdout.split())
    assert seconds < 1.0
    assert grown < 50 * 2**20


def test_an_alarm_rings_once_and_can_be_taken_back() -> None:
    """Deadlines of statements that end in time never ring."""
    clock = AlarmClock()
    rang: list[str] = []
    done = threading.Event()
    late = clock.after(0.05, lambda: rang.append("late"))
    clock.after(0.02, lambda: rang.append("soon"))
    clock.after(0.15, done.set)
    late.off()
    assert done.wait(5)
    clock.close()
    assert rang == ["soon"]
