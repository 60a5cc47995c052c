"""Every error code, provoked by what really causes it and met by a client: no error is raised by a test.

``CAUSES`` names a cause for each code; a code without one fails the first test.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import DatabaseMcpError, ErrorCode
from mssqlclient_mcp.formatters.errors import NEXT_STEP
from mssqlclient_mcp.server import build_server
from tests.databases import spawn_server, stdio_parameters
from tests.http_servers import client_of, serving_over_http, wait_until
from tests.ports import closed_port

GATES = {"ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true", "QUERY_HANDOFF_SECONDS": "0"}
WRITES = {**GATES, "ENABLE_WRITE_QUERIES": "true"}
SLOW = "SELECT count(*) AS n FROM generate_series(1, 100000000000) AS g(n) WHERE n % 7 = 1"
RETRYABLE = {
    "CONNECTION_FAILED",
    "TIMEOUT",
    "DEADLOCK",
    "POOL_EXHAUSTED",
    "RATE_LIMITED",
    "TOO_MANY_SESSIONS",
    "SESSION_RUNNING",
}
WITH_SECONDS = {"POOL_EXHAUSTED", "RATE_LIMITED"}

Told = dict[str, Any]


class World:
    """A real PostgreSQL with a table, a second role, and a folder to spoil installations in."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    @property
    def settings(self) -> dict[str, str]:
        """A server on this database with the gates of query text open, for reading."""
        return {"DATABASE_URL": self.url, **GATES}

    def as_role(self, role: str) -> str:
        """The URL with another login."""
        scheme, authority, path, query, fragment = urlsplit(self.url)
        return urlunsplit((scheme, f"{role}:secret@{authority.rpartition('@')[2]}", path, query, fragment))

    def broken_package(self, name: str, body: str) -> str:
        """A folder for PYTHONPATH in which a package is what ``body`` says."""
        package = self.folder / name
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(body, encoding="utf-8")
        return str(self.folder)


@pytest.fixture(scope="module")
def world(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world of this module."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE things (id int PRIMARY KEY, n int NOT NULL)")
        connection.execute("INSERT INTO things VALUES (1, 1), (2, 2)")
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'secret'")
    yield World(postgres_url, tmp_path_factory.mktemp("packages"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE guest")


def told_by(result: Any) -> Told:
    """The error of a tool's answer."""
    assert result.is_error, result.structured_content
    told: Told = result.structured_content
    return told


@contextmanager
def service_of(settings: dict[str, str]) -> Iterator[tuple[DatabaseService, Any]]:
    """A service and a server on it."""
    config = load_config(settings)
    with DatabaseService(config) as service:
        yield service, build_server(config, service)


async def error_of(settings: dict[str, str], tool: str, **arguments: Any) -> Told:
    """One call of one client."""
    with service_of(settings) as (_, server):
        async with Client(server) as client:
            return told_by(await client.call_tool(tool, arguments))


async def config_invalid(world: World) -> Told:
    """Two databases are configured: the process ends, and says why to the client that started it."""
    process = spawn_server({"DATABASE_URL": world.url, "MSSQL_CONNECTIONSTRING": "Server=x"}, "--format", "json")
    _, errors = await asyncio.to_thread(process.communicate, None, 20)
    assert process.returncode == 2
    told: Told = json.loads(errors)
    return told


async def connection_failed(world: World) -> Told:
    """Nothing listens where the database should be."""
    return await error_of({**GATES, "DATABASE_URL": f"postgresql://u:p@127.0.0.1:{closed_port()}/d"}, "list_tables")


async def authentication_failed(world: World) -> Told:
    """A login that the database does not know."""
    return await error_of({**GATES, "DATABASE_URL": world.as_role("nobody_here")}, "list_tables")


async def permission_denied(world: World) -> Told:
    """A role that may not read a table."""
    settings = {**GATES, "DATABASE_URL": world.as_role("guest")}
    return await error_of(settings, "execute_query", query="SELECT * FROM things")


async def driver_missing(world: World) -> Told:
    """A process in which psycopg is not installed."""
    path = world.broken_package("psycopg", 'raise ImportError("No module named psycopg", name="psycopg")')
    async with Client(stdio_parameters({**world.settings, "PYTHONPATH": path})) as client:
        return told_by(await client.call_tool("list_tables"))


async def timeout(world: World) -> Told:
    """A statement that takes longer than the caller allows."""
    return await error_of(world.settings, "execute_query", query=SLOW, timeoutSeconds=1)


async def cancelled(world: World) -> Told:
    """The server goes down while a statement runs."""
    with service_of(world.settings) as (service, server):
        async with Client(server) as client:
            call = asyncio.create_task(client.call_tool("execute_query", {"query": SLOW}))
            await asyncio.to_thread(wait_until, lambda: service.pool.active_connections == 1, 5)
            await asyncio.to_thread(service.close)
            return told_by(await call)


async def syntax_error(world: World) -> Told:
    """Text that the database cannot read, where the gate lets writes through."""
    return await error_of({**world.settings, **WRITES}, "execute_query", query="SELEC 1")


async def object_not_found(world: World) -> Told:
    """A table that is not there."""
    return await error_of(world.settings, "get_table_schema", tableName="thing")


async def invalid_parameter(world: World) -> Told:
    """An argument that the tool does not have."""
    return await error_of(world.settings, "list_tables", pattern="x")


async def constraint_violation(world: World) -> Told:
    """A second row with the key of the first."""
    return await error_of({**world.settings, **WRITES}, "execute_query", query="INSERT INTO things VALUES (1, 1)")


async def deadlock(world: World) -> Told:
    """Two clients that lock the same two rows in opposite order."""

    def locking(first: int, second: int) -> str:
        update = "UPDATE things SET n = n + 1 WHERE id ="
        return f"DO $$ BEGIN {update} {first}; PERFORM pg_sleep(0.7); {update} {second}; END $$"

    with service_of({**world.settings, **WRITES}) as (_, server):
        async with Client(server) as one, Client(server) as other:
            results = await asyncio.gather(
                one.call_tool("execute_query", {"query": locking(1, 2)}),
                other.call_tool("execute_query", {"query": locking(2, 1)}),
            )
    [failed] = [result for result in results if result.is_error]
    return told_by(failed)


async def read_only_violation(world: World) -> Told:
    """A change, while writes are off."""
    return await error_of(world.settings, "execute_query", query="DELETE FROM things")


async def gate_closed(world: World) -> Told:
    """A tool that the owner did not open."""
    return await error_of({"DATABASE_URL": world.url}, "execute_query", query="SELECT 1")


async def pool_exhausted(world: World) -> Told:
    """One connection, no queue, and a second call."""
    with service_of({**world.settings, "POOL_MAX_SIZE": "1", "POOL_MAX_WAITING": "0"}) as (service, server):
        async with Client(server) as client:
            first = asyncio.create_task(client.call_tool("execute_query", {"query": SLOW}))
            await asyncio.to_thread(wait_until, lambda: service.pool.active_connections == 1, 5)
            told = told_by(await client.call_tool("list_tables"))
            first.cancel()
            await asyncio.wait([first])
            return told


async def rate_limited(world: World) -> Told:
    """A second call within a minute, where one is allowed, over HTTP."""
    with serving_over_http({**world.settings, "RATE_LIMIT_PER_MINUTE": "1"}) as server:
        async with client_of(server.url) as client:
            await client.call_tool("list_tables")
            return told_by(await client.call_tool("list_tables"))


async def too_many_sessions(world: World) -> Told:
    """A second session, where one may run."""
    with service_of({**world.settings, "MAX_CONCURRENT_SESSIONS": "1"}) as (_, server):
        async with Client(server) as client:
            await client.call_tool("start_query", {"query": SLOW})
            return told_by(await client.call_tool("start_query", {"query": "SELECT 1"}))


async def session_not_found(world: World) -> Told:
    """An id that nobody was given."""
    return await error_of(world.settings, "get_session_status", sessionId="00000000-0000-0000-0000-000000000000")


async def session_running(world: World) -> Told:
    """The whole result as a file, while the session still runs."""
    with service_of(world.settings) as (_, server):
        async with Client(server) as client:
            started = await client.call_tool("start_query", {"query": SLOW})
            session_id = (started.structured_content or {})["sessionId"]
            with pytest.raises(MCPError) as raised:
                await client.read_resource(f"db://sessions/{session_id}/results.csv")
    told: Told = raised.value.error.data
    return told


async def result_expired(world: World) -> Told:
    """Results that together do not fit into the memory allowed: the oldest finished one goes."""
    query = "SELECT repeat('x', 1000) || n AS s FROM generate_series(1, 700) AS g(n)"
    with service_of({**world.settings, "SESSIONS_MAX_MEMORY_MB": "1"}) as (_, server):
        async with Client(server) as client:
            ids = []
            for _ in range(2):
                started = await client.call_tool("start_query", {"query": query})
                ids.append((started.structured_content or {})["sessionId"])
                await client.call_tool("get_session_status", {"sessionId": ids[-1], "waitSeconds": 10})
            return told_by(await client.call_tool("get_session_result", {"sessionId": ids[0]}))


async def database_error(world: World) -> Told:
    """What the database refuses for a reason of its own."""
    return await error_of(world.settings, "execute_query", query="SELECT 1 / 0 AS n")


async def internal(world: World) -> Told:
    """An installation that is damaged: the driver is there, and fails in a way that no driver should."""
    path = world.broken_package("psycopg", 'raise RuntimeError("a library of this package is damaged: token=hush-hush-hush")')
    async with Client(stdio_parameters({**world.settings, "PYTHONPATH": path})) as client:
        return told_by(await client.call_tool("list_tables"))


CAUSES: dict[ErrorCode, Callable[[World], Awaitable[Told]]] = {
    ErrorCode.CONFIG_INVALID: config_invalid,
    ErrorCode.CONNECTION_FAILED: connection_failed,
    ErrorCode.AUTHENTICATION_FAILED: authentication_failed,
    ErrorCode.PERMISSION_DENIED: permission_denied,
    ErrorCode.DRIVER_MISSING: driver_missing,
    ErrorCode.TIMEOUT: timeout,
    ErrorCode.CANCELLED: cancelled,
    ErrorCode.SYNTAX_ERROR: syntax_error,
    ErrorCode.OBJECT_NOT_FOUND: object_not_found,
    ErrorCode.INVALID_PARAMETER: invalid_parameter,
    ErrorCode.CONSTRAINT_VIOLATION: constraint_violation,
    ErrorCode.DEADLOCK: deadlock,
    ErrorCode.READ_ONLY_VIOLATION: read_only_violation,
    ErrorCode.GATE_CLOSED: gate_closed,
    ErrorCode.POOL_EXHAUSTED: pool_exhausted,
    ErrorCode.RATE_LIMITED: rate_limited,
    ErrorCode.TOO_MANY_SESSIONS: too_many_sessions,
    ErrorCode.SESSION_NOT_FOUND: session_not_found,
    ErrorCode.SESSION_RUNNING: session_running,
    ErrorCode.RESULT_EXPIRED: result_expired,
    ErrorCode.DATABASE_ERROR: database_error,
    ErrorCode.INTERNAL: internal,
}


def test_every_code_has_a_cause_and_a_class_and_a_next_step() -> None:
    """A new code is not done before a client can meet it."""

    def classes(kind: type[DatabaseMcpError]) -> Iterator[type[DatabaseMcpError]]:
        yield kind
        for below in kind.__subclasses__():
            yield from classes(below)

    assert set(CAUSES) == set(ErrorCode)
    assert set(NEXT_STEP) == set(ErrorCode)
    assert {kind.code for kind in classes(DatabaseMcpError)} == set(ErrorCode)


@pytest.mark.parametrize("code", CAUSES, ids=[code.value for code in CAUSES])
async def test_a_client_meets_it_by_its_real_cause(world: World, code: ErrorCode) -> None:
    """The code, whether to retry and when, and an id to look for in the log."""
    told = await CAUSES[code](world)
    assert told["code"] == code.value
    assert told["message"]
    assert told["retryable"] is (code.value in RETRYABLE)
    assert "secret" not in json.dumps(told).lower()
    assert "hush" not in json.dumps(told)
    if code.value in WITH_SECONDS:
        assert 1 <= told["details"]["retryAfterSeconds"] <= 60
    if code is not ErrorCode.CONFIG_INVALID:
        assert re.fullmatch("[0-9a-f]{12}", told["details"]["requestId"])
