"""What goes wrong between clients, server and database over HTTP, and what must not come of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import psycopg
import pytest
from mcp import Client

from mssqlclient_mcp.demo.embedded import EmbeddedServer
from tests.databases import ROOT
from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, client_of, serving_over_http, wait_until

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

GATES = {
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_START_QUERY": "true",
    "QUERY_HANDOFF_SECONDS": "0",
    "RATE_LIMIT_PER_MINUTE": "0",
}
MARK = "/* http fault */"
SLOW = f"SELECT {MARK} count(*) FROM generate_series(1, 100000000000) AS g(n) WHERE n % 7 = 1"


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """A server over streamable HTTP that anybody on this machine may use."""
    with serving_over_http({"DATABASE_URL": postgres_url, **GATES}) as server:
        yield server


@pytest.fixture(scope="module")
def sse_server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """The same over the older pair."""
    with serving_over_http({"DATABASE_URL": postgres_url, "TRANSPORT": "sse", **GATES}) as server:
        yield server


def active(url: str) -> int:
    """How many of the slow statements the database works on."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s AND pid <> pg_backend_pid()",
            [f"%{MARK}%"],
        ).fetchone()
    return int(row[0]) if row else 0


def connections(url: str) -> int:
    """How many connections of this server the database has."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'mssqlclient_mcp%' "
            "AND datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0


async def soon(condition: Any, seconds: float) -> bool:
    """``wait_until`` beside the event loop."""
    return bool(await anyio.to_thread.run_sync(wait_until, condition, seconds))


# -- a client that is gone ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT] if sys.platform != "win32" else [signal.SIGTERM])
@pytest.mark.parametrize(("fixture", "mode"), [("server", "auto"), ("server", "legacy"), ("sse_server", "legacy")])
def test_the_statement_of_a_client_that_is_gone_is_cancelled_within_a_second(
    request: pytest.FixtureRequest, postgres_url: str, fixture: str, mode: str, how: signal.Signals
) -> None:
    """The client's process ends in the middle of a call, killed or interrupted: its connection goes with it, and the database
    stops working for nobody."""
    url = request.getfixturevalue(fixture).url
    program = [sys.executable, "-m", "tests.http_client_program", url, mode, SLOW]
    client = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert wait_until(lambda: active(postgres_url) == 1, 20)
        client.send_signal(how)
        client.wait(10)
        assert wait_until(lambda: active(postgres_url) == 0, 1.0)
    finally:
        client.kill()
        client.communicate()


@pytest.mark.parametrize(("fixture", "mode"), [("server", "auto"), ("server", "legacy"), ("sse_server", "legacy")])
async def test_a_cancelled_call_is_gone_from_the_database_within_a_second(
    request: pytest.FixtureRequest, postgres_url: str, fixture: str, mode: str
) -> None:
    """A client that stays but gives up one call stops that one."""
    url = request.getfixturevalue(fixture).url
    async with client_of(url, mode=mode) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "execute_query", {"query": SLOW})
            assert await soon(lambda: active(postgres_url) == 1, 10)
            group.cancel_scope.cancel()
        assert await soon(lambda: active(postgres_url) == 0, 1.0)
        result = await client.call_tool("execute_query", {"query": "SELECT 1 AS one"})
    assert result.structured_content["rows"] == [[1]]


async def test_a_client_that_closes_its_stream_leaves_no_connection_behind(
    server: HttpServerProcess, postgres_url: str
) -> None:
    """Twenty clients in a row that go in the middle of a query: afterwards nothing is stuck, and the pool is what it was."""

    async def go_in_the_middle() -> None:
        async with httpx2.AsyncClient(headers=JSON) as raw:
            opened = await raw.post(server.url, json=INITIALIZE)
            session = {"mcp-session-id": opened.headers["mcp-session-id"]}
            call = {"name": "execute_query", "arguments": {"query": SLOW}}
            with suppress(httpx2.ReadTimeout):
                await raw.post(
                    server.url,
                    json={"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
                    headers=session,
                    timeout=0.3,
                )

    for _ in range(4):
        await asyncio.gather(*(go_in_the_middle() for _ in range(5)))
    assert await soon(lambda: active(postgres_url) == 0, 2.0)
    async with client_of(server.url) as client:
        assert not (await client.call_tool("execute_query", {"query": "SELECT 1"})).is_error
    assert connections(postgres_url) <= 20  # of two servers


# -- requests that are wrong or slow -------------------------------------------------------------------------------------


async def test_a_body_over_four_mebibytes_is_refused(server: HttpServerProcess) -> None:
    """413, by its declared length before it is read, and by its real one when it comes in chunks."""
    large = {**INITIALIZE, "padding": "x" * (4 * 1024 * 1024)}

    async def in_chunks() -> AsyncIterator[bytes]:
        text = json.dumps(large).encode()
        for start in range(0, len(text), 65536):
            yield text[start : start + 65536]

    async with httpx2.AsyncClient(headers=JSON) as raw:
        assert (await raw.post(server.url, json=large)).status_code == 413
        assert (await raw.post(server.url, content=in_chunks())).status_code == 413
        assert (await raw.post(server.url, json=INITIALIZE)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"' + b"x" * 1000 + b'"', 400),
        (b"[" * 60_000, 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', 400),
        (b"\xff\xfe\x00", 400),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_body_that_is_no_request_is_refused_and_nothing_else_happens(
    server: HttpServerProcess, body: bytes, status: int
) -> None:
    """The server says what is wrong and goes on."""
    async with httpx2.AsyncClient(headers=JSON) as raw:
        assert (await raw.post(server.url, content=body)).status_code == status
        assert (await raw.post(server.url, json=INITIALIZE)).status_code == 200
    assert "Traceback" not in server.log, server.log


@pytest.mark.slow
def test_a_client_that_never_finishes_its_request_does_not_keep_others_waiting(server: HttpServerProcess) -> None:
    """Fifty connections that send half a request, a header or a body, cost the others nothing."""
    address = urlsplit(server.url)
    half_header = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-"
    half_body = (
        f"POST /mcp HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()
    slow = [socket.create_connection((str(address.hostname), address.port or 0)) for _ in range(50)]
    try:
        for number, line in enumerate(slow):
            line.sendall(half_header if number % 2 else half_body)
        began = time.monotonic()
        assert httpx2.post(server.url, json=INITIALIZE, headers=JSON).status_code == 200
        assert time.monotonic() - began < 2
    finally:
        for line in slow:
            line.close()


# -- many clients --------------------------------------------------------------------------------------------------------


async def ask(client: Client, query: str, *, tries: int = 1) -> dict[str, Any]:
    """The answer to a query; waits and tries again when the server says after how many seconds."""
    for _ in range(tries):
        result = await client.call_tool("execute_query", {"query": query})
        told: dict[str, Any] = result.structured_content or {}
        if told.get("code") != "POOL_EXHAUSTED":
            break
        await asyncio.sleep(float(told["details"]["retryAfterSeconds"]))
    return told


@pytest.mark.parametrize("fixture", ["server", "sse_server"])
async def test_five_clients_at_once_get_their_own_answers(request: pytest.FixtureRequest, fixture: str) -> None:
    """No answer goes to another client, and none fails."""
    url = request.getfixturevalue(fixture).url

    async def one(number: int) -> list[Any]:
        async with client_of(url, mode="legacy" if number % 2 or fixture == "sse_server" else "auto") as client:
            return [(await ask(client, f"SELECT {number} * 100 + {call} AS n"))["rows"][0][0] for call in range(20)]

    told = await asyncio.gather(*(one(number) for number in range(5)))
    assert told == [[number * 100 + call for call in range(20)] for number in range(5)]


@pytest.mark.slow
async def test_a_hundred_clients_at_once_are_all_served(server: HttpServerProcess, postgres_url: str) -> None:
    """Ten connections for a hundred clients: those who wait as they are told get their answer, and nothing else fails."""

    async def one(number: int) -> Any:
        async with client_of(server.url, mode="auto" if number % 2 else "legacy") as client:
            told = await ask(client, f"SELECT {number} AS n, count(*) AS c FROM generate_series(1, 300000)", tries=40)
            return told["rows"][0][0] if "rows" in told else told

    assert await asyncio.gather(*(one(number) for number in range(100))) == list(range(100))
    assert connections(postgres_url) <= 20  # of two servers
    assert active(postgres_url) == 0


# -- the database goes and comes -----------------------------------------------------------------------------------------


@asynccontextmanager
async def load(url: str, told: list[dict[str, Any]], clients: int = 5) -> AsyncIterator[None]:
    """Clients that ask without pause, as long as the block lasts; ``told`` gets what they were answered."""
    over = asyncio.Event()

    async def one(number: int) -> None:
        async with client_of(url, mode="auto" if number % 2 else "legacy") as client:
            while not over.is_set():
                told.append(await ask(client, "SELECT count(*) AS c FROM generate_series(1, 100000)"))

    tasks = [asyncio.create_task(one(number)) for number in range(clients)]
    try:
        yield
    finally:
        over.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="stops a server by its socket folder")
async def test_the_database_stopped_and_started_under_load_leaves_nothing_stuck(tmp_path: Path) -> None:
    """While it is away calls fail at once with CONNECTION_FAILED and can be repeated; when it is back they work again, by
    themselves, on fresh connections, and no waiter is left behind."""
    folder = tmp_path / "pg"
    database = EmbeddedServer(folder, settings={"fsync": "off"})
    url = database.url()
    told: list[dict[str, Any]] = []
    with serving_over_http({"DATABASE_URL": url, "CONNECTION_TIMEOUT_SECONDS": "2", **GATES}) as server:
        async with load(server.url, told):
            assert await soon(lambda: len(told) > 20, 30)
            before = len(told)
            await anyio.to_thread.run_sync(database.stop)
            await asyncio.sleep(2)
            assert await soon(lambda: any("code" in one for one in told[before:]), 10)
            away = told[before:]
            database.close()
            database = await anyio.to_thread.run_sync(EmbeddedServer, folder)
            started = len(told)
            assert await soon(lambda: any("rows" in one for one in told[started:]), 10)
            await asyncio.sleep(1)  # calls that met the database before it was there end meanwhile
            again = len(told)
            assert await soon(lambda: len(told) > again + 20, 30)
            back = told[again:]
        assert database.url() == url
        codes = {one.get("code") for one in away if "code" in one}
        assert codes <= {"CONNECTION_FAILED", "CANCELLED", "DATABASE_ERROR"}, server.log
        assert all(one["retryable"] for one in away if one.get("code") == "CONNECTION_FAILED")
        assert back
        assert all("rows" in one for one in back)
        assert connections(url) <= 10
        assert wait_until(lambda: active(url) == 0, 2)
    assert wait_until(lambda: connections(url) == 0, 3)
    database.close()
    assert "Traceback" not in server.log, server.log


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_statements_end_with_the_server_that_runs_them(postgres_url: str) -> None:
    """A server that is killed cannot cancel anything; the database notices by itself that nobody is there."""
    with serving_over_http({"DATABASE_URL": postgres_url, **GATES}) as server:
        async with httpx2.AsyncClient(headers=JSON) as raw:
            opened = await raw.post(server.url, json=INITIALIZE)
            session = {"mcp-session-id": opened.headers["mcp-session-id"]}
            call = {"name": "execute_query", "arguments": {"query": SLOW}}
            with suppress(httpx2.ReadTimeout):
                await raw.post(
                    server.url,
                    json={"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
                    headers=session,
                    timeout=0.05,
                )
        os.kill(server.process.pid, signal.SIGKILL)
        assert await soon(lambda: active(postgres_url) == 0, 15)
