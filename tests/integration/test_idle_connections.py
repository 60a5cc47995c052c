"""Connections that died while they lay idle, all at the same time, as when a database was restarted."""

from __future__ import annotations

import threading

import psycopg
import pytest

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.models import QueryResult
from tests.databases import postgres_database

TOGETHER = 6


def test_a_read_gets_past_every_connection_that_died_idle(
    postgres_url: str, postgres_admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six dead connections that still looked alive when they were lent: the read is sent again until it meets a new one, and
    its caller hears nothing of it."""
    config = postgres_database(postgres_url).config(ENABLE_EXECUTE_QUERY="true")
    with DatabaseService(config) as service:
        barrier = threading.Barrier(TOGETHER)

        def open_one() -> None:
            with service.call() as running, service.pool.connection(None, running) as lease:
                barrier.wait(10)
                lease.trusted = True

        threads = [threading.Thread(target=open_one) for _ in range(TOGETHER)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert service.pool.idle_connections == TOGETHER
        monkeypatch.setattr(PostgresConnection, "alive", lambda _: True)  # what dies between the look and the use
        with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'mssqlclient_mcp' AND datname = %s",
                [config.connection.database],
            )
        with service.call():
            result: QueryResult = service.execute_query(None, "SELECT 1 AS one")
        assert service.pool.idle_connections == 1
    assert list(result.result_sets[0].rows) == [(1,)]
