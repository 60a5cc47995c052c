"""Background sessions as a client meets them: start, watch, page, cancel, hand over; in both protocol eras."""

from __future__ import annotations

import asyncio
import csv
import io
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mssqlclient_mcp.server import build_server
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

THREE_ROWS = "SELECT 1 AS n, 'a,b' AS name UNION ALL SELECT 2, NULL UNION ALL SELECT 3, 'c' ORDER BY 1"
GATES = {"ENABLE_START_QUERY": "true", "ENABLE_START_STORED_PROCEDURE": "true", "ENABLE_EXECUTE_QUERY": "true"}


@pytest.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest, database: TestDatabase) -> AsyncIterator[Client]:
    """A client of a server that offers sessions, two at a time."""
    server = build_server(database.config(**GATES, MAX_CONCURRENT_SESSIONS="2", QUERY_HANDOFF_SECONDS="0"))
    async with connected(server, mode=request.param) as client:
        yield client


@pytest.fixture
async def handing_over(database: TestDatabase) -> AsyncIterator[Client]:
    """A client of a server that makes a session of every query that takes longer than a second."""
    server = build_server(database.config(**GATES, QUERY_HANDOFF_SECONDS="1"))
    async with connected(server) as client:
        yield client


async def started(client: Client, query: str, **arguments: Any) -> str:
    """The id of a new session."""
    result = await client.call_tool("start_query", {"query": query, **arguments})
    assert not result.is_error, result.content[0].text
    return str(result.structured_content["sessionId"])


async def status(client: Client, session: str, wait: int = 20) -> dict[str, Any]:
    """The status of a session, waited for."""
    result = await client.call_tool("get_session_status", {"sessionId": session, "waitSeconds": wait})
    assert not result.is_error, result.content[0].text
    return dict(result.structured_content)


async def test_a_session_runs_in_the_background_and_its_rows_are_paged(client: Client, database: TestDatabase) -> None:
    """Start answers at once with an id; the status tells the end; the result comes in pages."""
    session = await started(client, THREE_ROWS)
    assert str(uuid.UUID(session)) == session
    told = await status(client, session)
    assert (told["status"], told["type"], told["rowCount"]) == ("completed", "query", 3)
    assert told["databaseName"] == database.name
    assert told["startTime"].endswith("+00:00")
    assert told["expiresAt"] > told["endTime"]
    assert [column["name"] for column in told["resultSets"][0]["columns"]] == ["n", "name"]
    first = await client.call_tool("get_session_result", {"sessionId": session, "maxRows": 2})
    assert (first.structured_content["rows"], first.structured_content["nextOffset"]) == ([[1, "a,b"], [2, None]], 2)
    last = await client.call_tool("get_session_result", {"sessionId": session, "offset": 2, "maxRows": 2})
    assert last.structured_content["rows"] == [[3, "c"]]
    assert "nextOffset" not in last.structured_content


async def test_a_running_session_is_cancelled_at_the_database(client: Client, database: TestDatabase) -> None:
    """Cancel answers with a true status, twice, and never calls a cancelled session failed."""
    session = await started(client, database.slow_query)
    running = await status(client, session, wait=0)
    assert running["status"] == "running"
    assert "get_session_status" in running["nextStep"] or "cancel_session" in running["nextStep"]
    first = await client.call_tool("cancel_session", {"sessionId": session})
    assert not first.is_error
    assert (await status(client, session))["status"] == "cancelled"
    again = await client.call_tool("stop_session", {"sessionId": session})
    assert again.structured_content["status"] == "cancelled"


async def test_the_start_beyond_the_limit_names_the_running_sessions(client: Client, database: TestDatabase) -> None:
    """TOO_MANY_SESSIONS may be retried, and says which sessions are in the way."""
    running = {await started(client, database.slow_query), await started(client, database.slow_query)}
    third = await client.call_tool("start_query", {"query": "SELECT 1"})
    assert third.structured_content["code"] == "TOO_MANY_SESSIONS"
    assert third.structured_content["retryable"] is True
    assert set(third.structured_content["details"]["sessionIds"]) == running
    listed = await client.call_tool("list_sessions", {"status": "running"})
    assert {one["sessionId"] for one in listed.structured_content["sessions"]} == running
    for session in running:
        await client.call_tool("cancel_session", {"sessionId": session})


async def test_an_unknown_session_is_not_found(client: Client) -> None:
    """Every tool says the same of an id that never was."""
    for tool in ("get_session_status", "get_session_result", "cancel_session"):
        result = await client.call_tool(tool, {"sessionId": str(uuid.uuid4())})
        assert result.structured_content["code"] == "SESSION_NOT_FOUND"


@pytest.mark.parametrize("seconds", [0, 3601])
async def test_a_time_limit_out_of_bounds_is_an_invalid_parameter(client: Client, seconds: int) -> None:
    """From one second to SESSION_MAX_TIMEOUT_SECONDS."""
    result = await client.call_tool("start_query", {"query": "SELECT 1", "timeoutSeconds": seconds})
    assert result.structured_content["code"] == "INVALID_PARAMETER"


async def test_a_write_is_refused_before_a_session_is_made(client: Client) -> None:
    """The gate's verdict needs no database."""
    result = await client.call_tool("start_query", {"query": "DELETE FROM t"})
    assert result.structured_content["code"] == "READ_ONLY_VIOLATION"
    assert (await client.call_tool("list_sessions", {})).structured_content["sessions"] == []


async def test_a_failing_statement_is_a_failed_session_with_its_error(client: Client) -> None:
    """The database's words are kept for whoever asks."""
    told = await status(client, await started(client, "SELECT * FROM no_such_table_here"))
    assert told["status"] == "failed"
    assert "no_such_table_here" in told["error"]["message"]


async def test_a_session_ends_at_its_time_limit(client: Client, database: TestDatabase) -> None:
    """A timeout is a failure that says TIMEOUT."""
    told = await status(client, await started(client, database.slow_query, timeoutSeconds=1))
    assert (told["status"], told["error"]["code"]) == ("failed", "TIMEOUT")


async def test_the_result_is_a_csv_resource_as_well(client: Client, database: TestDatabase) -> None:
    """RFC 4180: header, CRLF, quotes where needed; a NULL is an empty field."""
    session = await started(client, THREE_ROWS)
    await status(client, session)
    templates = await client.list_resource_templates()
    assert any("results.csv" in template.uri_template for template in templates.resource_templates)
    read = await client.read_resource(f"db://sessions/{session}/results.csv")
    assert read.contents[0].mime_type == "text/csv"
    assert read.contents[0].text == 'n,name\r\n1,"a,b"\r\n2,\r\n3,c\r\n'
    assert len(list(csv.reader(io.StringIO(read.contents[0].text)))) == 4


async def test_a_long_query_becomes_a_session_and_runs_once(handing_over: Client, database: TestDatabase) -> None:
    """The caller gets an id instead of waiting on; the statement goes on and can be cancelled like any session."""
    result = await handing_over.call_tool("execute_query", {"query": database.slow_query})
    assert not result.is_error, result.content[0].text
    session = result.structured_content["sessionId"]
    assert result.structured_content["status"] == "running"
    assert "get_session_result" in result.content[0].text
    listed = await handing_over.call_tool("list_sessions", {"status": "running"})
    assert [one["sessionId"] for one in listed.structured_content["sessions"]] == [session]
    await handing_over.call_tool("cancel_session", {"sessionId": session})
    assert (await status(handing_over, session))["status"] == "cancelled"


async def test_a_timeout_names_only_what_would_help(database: TestDatabase) -> None:
    """start_query is named where its gate is open, and not where it is closed."""
    for gate in ("true", "false"):
        server = build_server(database.config(ENABLE_EXECUTE_QUERY="true", ENABLE_START_QUERY=gate, QUERY_HANDOFF_SECONDS="0"))
        async with connected(server) as client:
            slow = await client.call_tool("execute_query", {"query": database.slow_query, "timeoutSeconds": 1})
            assert slow.structured_content["code"] == "TIMEOUT"
            assert ("start_query" in slow.content[0].text) is (gate == "true")
            assert "timeoutSeconds" in slow.content[0].text


async def test_a_subscriber_hears_that_a_session_ended(database: TestDatabase) -> None:
    """resources/updated for those who asked, with a handshake or without."""
    for mode in ("legacy", "auto"):
        heard: list[str] = []
        arrived = asyncio.Event()

        async def listen(message: Any, heard: list[str] = heard, arrived: asyncio.Event = arrived) -> None:
            if isinstance(message, types.ResourceUpdatedNotification):
                heard.append(str(message.params.uri))
                arrived.set()

        async with connected(build_server(database.config(**GATES)), mode=mode, message_handler=listen) as client:
            session = await started(client, database.slow_query)
            uri = f"db://sessions/{session}/results.csv"
            if mode == "legacy":
                await client.subscribe_resource(uri)
                await client.call_tool("cancel_session", {"sessionId": session})
                await asyncio.wait_for(arrived.wait(), 10)
                assert heard == [uri]
                continue
            async with client.listen(resource_subscriptions=[uri]) as events:
                await client.call_tool("cancel_session", {"sessionId": session})
                async for event in events:
                    assert event.uri == uri
                    break


async def test_status_answers_quickly_while_everything_is_busy(database: TestDatabase) -> None:
    """Ten sessions running and the pool's connections all taken: the status waits for neither."""
    settings = {**GATES, "QUERY_HANDOFF_SECONDS": "0", "POOL_MAX_SIZE": "2", "POOL_MAX_WAITING": "1"}
    async with connected(build_server(database.config(**settings))) as client:
        sessions = [await started(client, database.slow_query) for _ in range(10)]
        slow = {"query": database.slow_query, "timeoutSeconds": 4}
        busy = [asyncio.create_task(client.call_tool("execute_query", slow)) for _ in range(3)]
        await asyncio.sleep(0.3)
        refused = await client.call_tool("execute_query", {"query": "SELECT 1"})
        assert refused.structured_content["code"] == "POOL_EXHAUSTED"
        taken = []
        for number in range(100):
            began = time.perf_counter()
            assert (await status(client, sessions[number % 10], wait=0))["status"] == "running"
            taken.append(time.perf_counter() - began)
        p95 = sorted(taken)[94]
        print(f"status with ten sessions running and the pool full: p95 {p95 * 1000:.1f} ms")
        assert p95 < 0.1
        for session in sessions:
            await client.call_tool("cancel_session", {"sessionId": session})
        await asyncio.gather(*busy)


async def test_rows_that_make_too_large_a_file_are_read_page_by_page(client: Client, database: TestDatabase) -> None:
    """An answer of tens of megabytes would hold up everybody else: refused with the way to go, and the pages are there."""
    text = "'" + "x" * 1000 + "'"
    ten = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(10))
    query = f"SELECT {text} AS t FROM ({ten}) a, ({ten}) b, ({ten}) c, ({ten}) d"
    session = await started(client, query)
    assert (await status(client, session))["status"] == "completed"
    with pytest.raises(MCPError) as refused:
        await client.read_resource(f"db://sessions/{session}/results.csv")
    assert refused.value.error.data["code"] == "INVALID_PARAMETER"
    assert "get_session_result" in refused.value.error.message
    page = await client.call_tool("get_session_result", {"sessionId": session, "offset": 9990})
    assert page.structured_content["rowCount"] == 10
