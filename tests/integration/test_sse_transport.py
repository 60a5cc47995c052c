"""The two HTTP transports as a running server: both protocol eras, whose is what, clients that go, and how the process ends."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator

import httpx2
import psycopg
import pytest
from mcp import Client

from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, client_of, serving_over_http

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

GATES = {
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_START_QUERY": "true",
    "QUERY_HANDOFF_SECONDS": "0",
    "RATE_LIMIT_PER_MINUTE": "0",
}
MARK = "/* http test */"
SLOW = f"SELECT {MARK} count(*) FROM generate_series(1, 100000000000) AS g(n) WHERE n % 7 = 1"


def active(url: str) -> int:
    """How many of the slow statements the database works on."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s AND pid <> pg_backend_pid()",
            [f"%{MARK}%"],
        ).fetchone()
    return int(row[0]) if row else 0


async def becomes(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time; the event loop goes on meanwhile."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if await asyncio.to_thread(condition):
            return True
        await asyncio.sleep(0.02)
    return await asyncio.to_thread(condition)


@pytest.fixture(scope="module")
def http_server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """Streamable HTTP over the module's database."""
    with serving_over_http({"DATABASE_URL": postgres_url, **GATES}) as server:
        yield server


@pytest.fixture(scope="module")
def sse_server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """The older pair of paths over the module's database."""
    with serving_over_http({"DATABASE_URL": postgres_url, **GATES, "TRANSPORT": "sse"}) as server:
        yield server


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_lists_and_calls_over_streamable_http(http_server: HttpServerProcess, mode: str) -> None:
    """Both protocol eras answer at the same path."""
    async with Client(http_server.url, mode=mode) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("execute_query", {"query": "SELECT 40 + $1::int AS n", "parameters": [2]})
    assert {"execute_query", "list_tables", "select_data"} <= names
    assert result.structured_content["rows"] == [[42]]


async def test_a_client_lists_and_calls_over_the_older_pair(sse_server: HttpServerProcess) -> None:
    """GET /sse and POST /messages/."""
    async with client_of(sse_server.url, mode="legacy") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("execute_query", {"query": "SELECT 1 AS n"})
    assert "execute_query" in names
    assert result.structured_content["rows"] == [[1]]


async def test_five_clients_work_side_by_side(http_server: HttpServerProcess) -> None:
    """Each gets its own answers while the others wait for theirs."""

    async def work(number: int) -> None:
        async with Client(http_server.url, mode="legacy" if number % 2 else "auto") as client:
            for step in range(5):
                query = f"SELECT {number * 100 + step} AS n, count(*) FROM generate_series(1, 100000)"
                result = await client.call_tool("execute_query", {"query": query})
                assert result.structured_content["rows"][0][0] == number * 100 + step

    await asyncio.gather(*(work(number) for number in range(5)))


async def test_a_session_belongs_to_the_mcp_session_that_began_it(http_server: HttpServerProcess) -> None:
    """Another anonymous client neither sees it nor may ask for it; nor does it share the command timeout."""
    async with Client(http_server.url, mode="legacy") as one, Client(http_server.url, mode="legacy") as other:
        started = await one.call_tool("start_query", {"query": "SELECT 1 AS n"})
        session = started.structured_content["sessionId"]
        await one.call_tool("set_command_timeout", {"timeoutSeconds": 77})
        mine = await one.call_tool("get_session_status", {"sessionId": session, "waitSeconds": 5})
        foreign = await other.call_tool("get_session_status", {"sessionId": session})
        listed = await other.call_tool("list_sessions", {})
        timeout = await other.call_tool("get_command_timeout", {})
    assert mine.structured_content["status"] == "completed"
    assert foreign.structured_content["code"] == "SESSION_NOT_FOUND"
    assert session not in str(listed.structured_content)
    assert timeout.structured_content["timeoutSeconds"] == 30


async def test_the_statements_of_an_anonymous_client_end_with_its_mcp_session(
    http_server: HttpServerProcess, postgres_url: str
) -> None:
    """Nobody could ever ask for them again."""
    async with Client(http_server.url, mode="legacy") as client:
        await client.call_tool("start_query", {"query": SLOW})
        assert await becomes(lambda: active(postgres_url) == 1, 10)
    assert await becomes(lambda: active(postgres_url) == 0, 2.0)  # the client sent DELETE when it left


async def test_the_statements_of_an_anonymous_client_end_with_its_stream(
    sse_server: HttpServerProcess, postgres_url: str
) -> None:
    """In the older pair the stream is the session."""
    async with client_of(sse_server.url, mode="legacy") as client:
        await client.call_tool("start_query", {"query": SLOW})
        assert await becomes(lambda: active(postgres_url) == 1, 10)
    assert await becomes(lambda: active(postgres_url) == 0, 2.0)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_call_is_gone_from_the_database(http_server: HttpServerProcess, postgres_url: str, mode: str) -> None:
    """By notification in the one era, by closing the stream in the other."""
    async with Client(http_server.url, mode=mode) as client:
        call = asyncio.create_task(client.call_tool("execute_query", {"query": SLOW}))
        assert await becomes(lambda: active(postgres_url) == 1, 10)
        call.cancel()
        assert await becomes(lambda: active(postgres_url) == 0, 2.0)


async def test_a_client_that_drops_its_connection_leaves_nothing_running(
    http_server: HttpServerProcess, postgres_url: str
) -> None:
    """No DELETE and no notification: the connection of the call is simply gone."""
    async with httpx2.AsyncClient(headers=JSON) as client:
        opened = await client.post(http_server.url, json=INITIALIZE)
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        await client.post(http_server.url, json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=session)
        call = {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "execute_query", "arguments": {"query": SLOW}},
        }
        waiting = asyncio.create_task(client.post(http_server.url, json=call, headers=session, timeout=60))
        assert await becomes(lambda: active(postgres_url) == 1, 10)
        waiting.cancel()
        assert await becomes(lambda: active(postgres_url) == 0, 2.0)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
async def test_a_call_that_runs_when_the_process_is_asked_to_end_is_answered(postgres_url: str) -> None:
    """Ten seconds are left to it; a new request is told to come back later."""
    settings = {"DATABASE_URL": postgres_url, **GATES, "ENABLE_WRITE_QUERIES": "true"}  # the gate refuses pg_sleep
    with serving_over_http(settings) as server:
        async with Client(server.url, mode="auto") as client:
            await client.call_tool("execute_query", {"query": "SELECT 1"})
            call = asyncio.create_task(client.call_tool("execute_query", {"query": "SELECT 7 AS n, pg_sleep(2) AS s"}))
            await asyncio.sleep(0.5)
            server.signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            async with httpx2.AsyncClient(headers=JSON) as late:
                refused = await late.post(server.url, json=INITIALIZE)
            answer = await call
        assert await asyncio.to_thread(server.ended_within, 5)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "15")
    assert answer.structured_content["rows"][0][0] == 7
    assert server.process.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
async def test_a_call_that_does_not_end_is_cancelled_when_its_time_is_over(postgres_url: str) -> None:
    """After ten seconds the statement is stopped at the database, the caller told, and the process gone within five more."""
    with serving_over_http({"DATABASE_URL": postgres_url, **GATES}) as server:
        async with Client(server.url, mode="auto") as client:
            await client.call_tool("execute_query", {"query": "SELECT 1"})
            call = asyncio.create_task(client.call_tool("execute_query", {"query": SLOW}))
            assert await becomes(lambda: active(postgres_url) == 1, 10)
            server.signal(signal.SIGTERM)
            began = time.monotonic()
            answer = await call
            seconds = time.monotonic() - began
        assert await asyncio.to_thread(server.ended_within, 6)
    assert 9.0 < seconds < 13.0
    assert answer.structured_content["code"] == "CANCELLED"
    assert active(postgres_url) == 0
