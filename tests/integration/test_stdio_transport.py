"""The server as a process: over stdio in both protocol eras, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psycopg
import pytest
from mcp import Client, StdioServerParameters

from tests.databases import spawn_server, stdio_parameters

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

GATES = {"ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true", "QUERY_HANDOFF_SECONDS": "0"}
MARK = "/* stdio test */"
SLOW = f"SELECT {MARK} count(*) FROM generate_series(1, 100000000000) AS g(n) WHERE n % 7 = 1"
END_SECONDS = 5.0


def active(url: str) -> int:
    """How many of the slow statements the database works on."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s AND pid <> pg_backend_pid()",
            [f"%{MARK}%"],
        ).fetchone()
    return int(row[0]) if row else 0


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def parameters(url: str, **settings: str) -> StdioServerParameters:
    """A server process over the test database."""
    return stdio_parameters({"DATABASE_URL": url, **GATES, **settings})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_lists_and_calls_over_stdio(postgres_url: str, mode: str) -> None:
    """Both protocol eras answer over a real pipe."""
    async with Client(parameters(postgres_url), mode=mode) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("execute_query", {"query": "SELECT 40 + $1::int AS n", "parameters": [2]})
    assert {"execute_query", "list_tables", "get_table_schema", "start_query"} <= names
    assert result.structured_content["rows"] == [[42]]


async def test_a_call_beside_a_slow_query_answers_at_once(postgres_url: str) -> None:
    """The event loop never waits for the database."""
    import anyio

    async with Client(parameters(postgres_url)) as client:
        await client.call_tool("execute_query", {"query": "SELECT 1"})
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "execute_query", {"query": SLOW, "timeoutSeconds": 3})
            await anyio.sleep(0.5)
            began = time.monotonic()
            result = await client.call_tool("list_tables", {})
            seconds = time.monotonic() - began
    assert not result.is_error
    assert seconds < 1.0


async def test_a_cancelled_call_is_gone_from_the_database_within_a_second(postgres_url: str) -> None:
    """A client that gives up stops the work, not only the waiting."""
    import anyio

    async with Client(parameters(postgres_url)) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "execute_query", {"query": SLOW})
            assert await anyio.to_thread.run_sync(wait_until, lambda: active(postgres_url) == 1, 10)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(wait_until, lambda: active(postgres_url) == 0, 1.0)


async def test_a_timed_out_call_is_gone_from_the_database_within_a_second(postgres_url: str) -> None:
    """The deadline is ours, and reaches the database."""
    async with Client(parameters(postgres_url)) as client:
        result = await client.call_tool("execute_query", {"query": SLOW, "timeoutSeconds": 1})
        assert result.structured_content["code"] == "TIMEOUT"
        assert wait_until(lambda: active(postgres_url) == 0, 1.0)


class RawServer:
    """A server process spoken to line by line, so that a test decides how it ends."""

    def __init__(self, url: str) -> None:
        self.process: subprocess.Popen[str] = spawn_server({"DATABASE_URL": url, **GATES})
        self.send(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
            request=1,
        )
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["id"] == 1
        self.send("notifications/initialized", {})

    def send(self, method: str, params: dict[str, object], request: int | None = None) -> None:
        """One JSON-RPC message."""
        assert self.process.stdin is not None
        message: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": params}
        if request is not None:
            message["id"] = request
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def call(self, tool: str, arguments: dict[str, object], request: int) -> None:
        """A tools/call whose answer nobody waits for."""
        self.send("tools/call", {"name": tool, "arguments": arguments}, request)

    def ended_within(self, seconds: float) -> bool:
        """Whether the process is gone in time; it is killed otherwise."""
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return False
        return True


def end_by_eof(server: RawServer) -> None:
    """The client closes the pipe."""
    assert server.process.stdin is not None
    server.process.stdin.close()
    server.process.stdin = None


def end_by_sigterm(server: RawServer) -> None:
    """The system asks for the end."""
    server.process.send_signal(signal.SIGTERM)


def end_by_sigint(server: RawServer) -> None:
    """A person presses Ctrl-C."""
    server.process.send_signal(signal.SIGINT)


ENDS = [end_by_eof, end_by_sigterm, end_by_sigint]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("tool", ["execute_query", "start_query"])
def test_the_end_of_the_process_stops_its_statements(postgres_url: str, end: Callable[[RawServer], None], tool: str) -> None:
    """EOF, SIGTERM and SIGINT: gone within 5 s, and the database no longer works on what was asked."""
    server = RawServer(postgres_url)
    server.call(tool, {"query": SLOW}, 2)
    assert wait_until(lambda: active(postgres_url) == 1, 10)
    end(server)
    assert server.ended_within(END_SECONDS)
    assert server.process.returncode == 0
    assert wait_until(lambda: active(postgres_url) == 0, 1.0)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("end", ENDS)
def test_an_idle_process_ends_at_once(postgres_url: str, end: Callable[[RawServer], None]) -> None:
    """A reader stuck on stdin does not hold the process."""
    server = RawServer(postgres_url)
    end(server)
    assert server.ended_within(2.0)


def test_the_server_starts_while_the_database_is_away() -> None:
    """It answers initialize; only the call that needs the database fails, retryably."""
    server = RawServer("postgresql://nobody@127.0.0.1:1/nowhere")
    server.call("list_tables", {}, 2)
    assert server.process.stdout is not None
    answer = json.loads(server.process.stdout.readline())["result"]
    end_by_eof(server)
    assert server.ended_within(END_SECONDS)
    assert answer["isError"] is True
    assert answer["structuredContent"]["code"] == "CONNECTION_FAILED"
    assert answer["structuredContent"]["retryable"] is True


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "MSSQL_CONNECTIONSTRING"),
        ({"MSSQL_CONNECTIONSTRING": "Server=x;Databse=y;Password=s3cret"}, "Databse"),
        ({"DATABASE_URL": "postgresql://h/d", "ENABLE_EXECUTE_QUERY": "treu"}, "ENABLE_EXECUTE_QUERY"),
        ({"DATABASE_URL": "postgresql://h/d", "TRANSPORT": "pigeon"}, "TRANSPORT"),
    ],
)
def test_a_configuration_that_cannot_be_read_ends_with_code_two(settings: dict[str, str], expected: str) -> None:
    """The offending part is named on stderr, the password never; stdout stays clean."""
    process = spawn_server(settings)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert "CONFIG_INVALID" in err
    assert expected in err
    assert "s3cret" not in err


def test_version_is_printed() -> None:
    """The version stands in one place."""
    from mssqlclient_mcp import __version__

    process = spawn_server({}, "--version")
    out, _ = process.communicate(timeout=30)
    assert out.strip() == f"mssqlclient-mcp {__version__}"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the database notices it on its own where it can; seen on Linux"
)
@pytest.mark.parametrize("tool", ["execute_query", "start_query"])
def test_a_killed_process_leaves_nothing_running(postgres_url: str, tool: str) -> None:
    """Nobody can cancel after SIGKILL: the database itself looks whether its client is there."""
    server = RawServer(postgres_url)
    server.call(tool, {"query": SLOW}, 2)
    assert wait_until(lambda: active(postgres_url) == 1, 10)
    server.process.kill()
    server.process.communicate()
    assert wait_until(lambda: active(postgres_url) == 0, 6.0)
