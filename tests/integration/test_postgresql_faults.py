"""What happens to a PostgreSQL connection when somebody stops it, and when the server or the line goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from mssqlclient_mcp.dialects.base import Access
from mssqlclient_mcp.dialects.postgresql.cursor import PostgresCursor
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.errors import ConnectionFailed, DatabaseMcpError, StatementCancelled
from tests.live_postgres import ask, connect, relayed

ADMIN = psycopg.Connection[tuple[object, ...]]
NETS = {"net_seconds": 60.0, "lock_seconds": 60.0}
ENDLESS = "SELECT g, md5(g::text) FROM (SELECT generate_series(1, 50000000) AS g) AS s"


class Worker(threading.Thread):
    """Runs something on a thread of its own and keeps how it ended."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self.error: DatabaseMcpError | None = None
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        start = time.monotonic()
        try:
            self._work()
        except DatabaseMcpError as error:
            self.error = error
        self.seconds = time.monotonic() - start


def activity(admin: ADMIN, name: str, state: str = "active") -> int:
    """How many statements of connections of that name the server works on."""
    row = admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND state = %s", (name, state)
    ).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait until it holds; how long that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - start


def drain(cursor: PostgresCursor) -> None:
    """Read to the end and keep nothing."""
    while cursor.fetch(1000):
        pass


def run(connection: PostgresConnection, sql: str, access: Access = Access.READ_ONLY) -> None:
    """Begin, send, and read a first row."""
    connection.begin(access, **NETS)
    connection.execute(sql).fetch(1)


# -- cancel ----------------------------------------------------------------------------------------------------------------


def test_a_cancel_from_another_thread_ends_the_statement_within_a_second(postgres_url: str, postgres_admin: ADMIN) -> None:
    """Here and at the server; the connection is good for the next statement."""
    with closing(connect(postgres_url, name="to-cancel")) as made:
        worker = Worker(lambda: run(made, "SELECT pg_sleep(30)"))
        wait_for(lambda: activity(postgres_admin, "to-cancel") == 1)
        made.cancel()
        assert wait_for(lambda: activity(postgres_admin, "to-cancel") == 0) < 1
        worker.join(5)
        assert isinstance(worker.error, StatementCancelled)
        assert made.in_transaction()
        made.rollback()
        assert ask(made, "SELECT 1")[1] == [(1,)]


def test_a_cancel_reaches_a_statement_between_two_fetches(postgres_url: str, postgres_admin: ADMIN) -> None:
    """The server waits for us to read; the next fetches bring what is on its way, then the cancellation."""
    with closing(connect(postgres_url, name="mid-fetch")) as made:
        made.begin(Access.READ_ONLY, **NETS)
        cursor = made.execute(ENDLESS)
        assert cursor.fetch(10)
        made.cancel()
        with pytest.raises(StatementCancelled):
            drain(cursor)
        cursor.close()
        made.rollback()
        assert activity(postgres_admin, "mid-fetch") == 0


def test_an_idle_connection_can_be_cancelled_any_number_of_times(postgres: PostgresConnection) -> None:
    """No later statement is hit."""
    for access in (Access.READ_ONLY, Access.AUTOCOMMIT):
        for _ in range(5):
            postgres.cancel()
        assert ask(postgres, "SELECT 1", access=access)[1] == [(1,)]


def test_cancels_from_many_threads_at_once_harm_nothing(postgres: PostgresConnection) -> None:
    """A stopper repeats itself while others ask too."""
    worker = Worker(lambda: run(postgres, "SELECT pg_sleep(30)"))
    time.sleep(0.2)
    cancellers = [Worker(postgres.cancel) for _ in range(8)]
    for thread in (*cancellers, worker):
        thread.join(10)
    assert isinstance(worker.error, StatementCancelled)
    assert [canceller.error for canceller in cancellers] == [None] * 8
    postgres.rollback()
    assert ask(postgres, "SELECT 1")[1] == [(1,)]


def test_closing_a_cursor_early_stops_the_statement_at_the_server(postgres_url: str, postgres_admin: ADMIN) -> None:
    """Within a second, and the connection is good for the next statement in every kind of transaction."""
    with closing(connect(postgres_url, name="left-early")) as made:
        for access in Access:
            made.begin(access, **NETS)
            cursor = made.execute(ENDLESS)
            assert len(cursor.fetch(3)) == 3
            start = time.monotonic()
            cursor.close()
            assert time.monotonic() - start < 1
            assert activity(postgres_admin, "left-early") == 0
            made.rollback()
            assert ask(made, "SELECT 1")[1] == [(1,)]


def test_leaving_a_result_that_is_nearly_read_needs_no_cancel(postgres: PostgresConnection) -> None:
    """What has arrived already is dropped: the transaction is not spoilt."""
    postgres.begin(Access.READ_WRITE, **NETS)
    cursor = postgres.execute("SELECT g FROM generate_series(1, 300) AS g")
    cursor.fetch(1)
    cursor.close()
    assert postgres.execute("SELECT 1").fetch(1) == [(1,)]
    postgres.commit()


def test_the_next_statement_gives_up_a_cursor_that_was_left_open(postgres: PostgresConnection) -> None:
    """One statement at a time on a connection."""
    postgres.begin(Access.AUTOCOMMIT, **NETS)
    first = postgres.execute(ENDLESS)
    second = postgres.execute("SELECT 1")
    assert second.fetch(1) == [(1,)]
    assert not first.fetch(1)
    first.close()


# -- the server goes away --------------------------------------------------------------------------------------------------


def test_a_server_process_that_ends_in_the_middle_of_a_result_is_a_lost_connection(
    postgres_url: str, postgres_admin: ADMIN
) -> None:
    """57P01 while rows come: retryable, and the connection knows it is gone."""
    with closing(connect(postgres_url, name="to-kill")) as made:
        made.begin(Access.READ_ONLY, **NETS)
        cursor = made.execute(ENDLESS)
        assert cursor.fetch(10)
        postgres_admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to-kill'")
        with pytest.raises(ConnectionFailed) as caught:
            drain(cursor)
        assert caught.value.retryable
        assert not made.usable
        cursor.close()
        with pytest.raises(ConnectionFailed):
            made.commit()


def test_a_server_process_that_ends_while_a_statement_waits_is_a_lost_connection(
    postgres_url: str, postgres_admin: ADMIN
) -> None:
    """The administrator's words reach the caller."""
    with closing(connect(postgres_url, name="to-kill-too")) as made:
        worker = Worker(lambda: run(made, "SELECT pg_sleep(30)"))
        wait_for(lambda: activity(postgres_admin, "to-kill-too") == 1)
        postgres_admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to-kill-too'")
        worker.join(5)
        assert isinstance(worker.error, ConnectionFailed)
        assert "terminating connection due to administrator command" in worker.error.message
        assert not made.usable


def test_a_line_that_is_cut_in_the_middle_of_a_result_is_a_lost_connection(postgres_url: str) -> None:
    """No word from the server at all."""
    with relayed(postgres_url) as (relay, made):
        made.begin(Access.READ_ONLY, **NETS)
        cursor = made.execute(ENDLESS)
        assert cursor.fetch(10)
        relay.cut()
        with pytest.raises(ConnectionFailed):
            drain(cursor)
        cursor.close()
        assert not made.usable
        made.rollback()


def test_a_commit_on_a_line_that_is_cut_is_never_taken_for_done(postgres_url: str) -> None:
    """Before and while it is sent."""
    with relayed(postgres_url) as (relay, made):
        made.begin(Access.READ_WRITE, **NETS)
        relay.cut()
        for _ in range(2):
            with pytest.raises(ConnectionFailed):
                made.commit()


def test_an_idle_line_that_was_cut_is_not_alive(postgres_url: str) -> None:
    """Found by a look at the socket."""
    with relayed(postgres_url) as (relay, made):
        assert made.alive()
        relay.cut()
        wait_for(lambda: not made.alive())
        assert not made.usable


# -- the last resort -------------------------------------------------------------------------------------------------------


def test_on_a_frozen_line_a_cancel_gives_up_and_a_shutdown_frees_the_worker(postgres_url: str) -> None:
    """Nothing passes and nothing closes: cancel returns within its limit, and cutting the socket ends the wait at once."""
    with relayed(postgres_url) as (relay, made):
        worker = Worker(lambda: run(made, "SELECT pg_sleep(60)"))
        time.sleep(0.3)
        relay.freeze()
        start = time.monotonic()
        canceller = Worker(made.cancel)
        time.sleep(0.3)
        assert worker.is_alive()
        assert made.shutdown() is False
        worker.join(2)
        assert isinstance(worker.error, ConnectionFailed)
        assert not made.usable
        assert time.monotonic() - start < 2
        canceller.join(10)
        assert not canceller.is_alive()
        assert canceller.error is None or isinstance(canceller.error, ConnectionFailed)


def test_a_shutdown_frees_nothing_and_can_be_repeated(postgres: PostgresConnection) -> None:
    """The handle stays until close."""
    assert postgres.shutdown() is False
    assert postgres.shutdown() is False
    assert not postgres.alive()
    with pytest.raises(ConnectionFailed):
        postgres.execute("SELECT 1")
    postgres.close()
    assert postgres.shutdown() is False


def test_a_close_while_another_thread_is_inside_the_driver_ends_its_wait(postgres_url: str, postgres_admin: ADMIN) -> None:
    """No handle in use is freed: the line is cut, and the other thread closes it on its way out."""
    made = connect(postgres_url, name="closed-under")
    worker = Worker(lambda: run(made, "SELECT pg_sleep(60)"))
    wait_for(lambda: activity(postgres_admin, "closed-under") == 1)
    made.close()
    worker.join(5)
    assert isinstance(worker.error, ConnectionFailed)
    assert not made.usable
    made.close()
    postgres_admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'closed-under'")
