"""What the log of a server process tells of calls: ids that lead from an error to its lines; no value, no secret, no SQL."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from tests.http_servers import JSON, HttpServerProcess, client_of, serving_over_http, wait_until

MARK = "m4rker"
VALUE, TEXT, TOKEN = f"{MARK}-value-in-a-row", f"{MARK}_column_of_sql", f"{MARK}-token-of-a-client"
SETTINGS = {
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_START_QUERY": "true",
    "ENABLE_EXECUTE_STORED_PROCEDURE": "true",
    "ENABLE_WRITE_QUERIES": "true",
    "RATE_LIMIT_PER_MINUTE": "0",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "debug",
    "HTTP_BEARER_TOKEN": f"ann={TOKEN}",
}


def lines(server: HttpServerProcess) -> list[dict[str, Any]]:
    """The log's objects; every line is one."""
    return [json.loads(line) for line in server.log.splitlines()]


async def statements(url: str) -> list[dict[str, Any]]:
    """Statements of all kinds, good and bad, with marked values; the structured content of the answers."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("execute_query", {"query": f"SELECT '{VALUE}' AS {TEXT}"}),
        ("execute_query", {"query": "SELECT $1::text AS a", "parameters": [VALUE]}),
        ("execute_query", {"query": f"CREATE TABLE {TEXT} (secret text UNIQUE)"}),
        ("execute_query", {"query": f"INSERT INTO {TEXT} VALUES ('{VALUE}')"}),
        ("execute_query", {"query": f"INSERT INTO {TEXT} VALUES ('{VALUE}')"}),  # the database's message holds the value
        ("execute_query", {"query": f"SELECT CAST('{VALUE}' AS int)"}),  # and here
        ("execute_query", {"query": f"SELEC '{VALUE}'"}),
        ("execute_query", {"query": f"DO $$ BEGIN RAISE WARNING '{VALUE}'; RAISE EXCEPTION '{VALUE}'; END $$"}),
        ("execute_query", {"query": f"SELECT pg_sleep(5), '{VALUE}' AS s", "timeoutSeconds": 1}),
        ("select_data", {"tableName": TEXT, "filters": [{"column": "secret", "op": "=", "value": VALUE}]}),
        ("select_data", {"tableName": TEXT, "filters": [{"column": VALUE, "op": "=", "value": VALUE}]}),
        ("execute_stored_procedure", {"procedureName": VALUE, "parameters": {VALUE: VALUE}}),
        ("get_table_schema", {"tableName": VALUE}),
        ("start_query", {"query": f"SELECT CAST('{VALUE}' || n AS int) FROM generate_series(1, 9) AS g(n)"}),
        ("list_tables", {VALUE: VALUE}),
    ]
    told = []
    async with client_of(url, token=TOKEN) as client:
        for tool, arguments in calls:
            told.append((await client.call_tool(tool, arguments)).structured_content or {})
            if "sessionId" in told[-1]:
                mine = {"sessionId": told[-1]["sessionId"], "waitSeconds": 5}
                told.append((await client.call_tool("get_session_status", mine)).structured_content or {})
        with pytest.raises(MCPError):
            await client.read_resource(f"db://table/{VALUE}/{VALUE}")
    return told


async def test_no_value_no_sql_and_no_secret_stands_in_the_log(postgres_url: str) -> None:
    """At the level of debug, over HTTP, with every way in which a value can come into a message."""
    with serving_over_http({"DATABASE_URL": postgres_url, **SETTINGS}) as server:
        told = await statements(server.url)
    assert sum("code" in one for one in told) >= 8
    assert MARK not in server.log
    assert all(isinstance(one, dict) for one in lines(server))


async def test_an_error_leads_to_its_lines_in_the_log(postgres_url: str) -> None:
    """``details.requestId`` stands in the line of the call, also where a worker thread or a background session wrote it."""
    with serving_over_http({"DATABASE_URL": postgres_url, **SETTINGS}) as server:
        async with client_of(server.url, token=TOKEN) as client:
            failed = (await client.call_tool("execute_query", {"query": "SELECT 1 / 0"})).structured_content or {}
            rows = await client.call_tool("execute_query", {"query": "SELECT n FROM generate_series(1, 12) AS g(n)"})
            assert not rows.is_error
            started = (await client.call_tool("start_query", {"query": "SELECT 1 / 0 AS n"})).structured_content or {}
            mine = {"sessionId": started["sessionId"], "waitSeconds": 5}
            session = (await client.call_tool("get_session_status", mine)).structured_content or {}
        wait_until(lambda: "get_session_status" in server.log, 3)
    log = lines(server)
    [line] = [one for one in log if one.get("request") == failed["details"]["requestId"] and "tool" in one]
    assert (line["tool"], line["code"], line["client"]) == ("execute_query", "DATABASE_ERROR", "ann")
    [good] = [one for one in log if one.get("tool") == "execute_query" and one.get("code") == "ok"]
    assert good["rows"] == 12
    assert 0 < good["seconds"] < 5
    [begun] = [one for one in log if one.get("tool") == "start_query"]
    ends = [one for one in log if one.get("session") == started["sessionId"] and "code" in one]
    assert [one["request"] for one in ends] == [begun["request"]]
    assert session["error"]["details"]["requestId"] == begun["request"]
    numbers = [one["request"] for one in log if "tool" in one]
    assert len(numbers) == len(set(numbers))


def test_a_message_that_is_none_is_not_quoted(postgres_url: str) -> None:
    """The older transport tells that it could not read something; what stood in it may be a value."""
    with serving_over_http({"DATABASE_URL": postgres_url, **SETTINGS, "TRANSPORT": "sse"}) as server:
        headers = {"authorization": f"Bearer {TOKEN}"}
        with httpx2.stream("GET", server.url, headers=headers, timeout=10) as stream:
            told = stream.iter_lines()  # held: the stream ends with it
            messages = next(line for line in told if line.startswith("data:")).removeprefix("data:").strip()
            for body in (b'{"jsonrpc": "2.0", "%s": 1}' % VALUE.encode(), VALUE.encode()):
                answer = httpx2.post(f"{server.base}{messages}", content=body, headers={**JSON, **headers})
                assert answer.status_code == 400
        assert wait_until(lambda: server.log.count("Failed to parse message") == 2, 5)
        assert MARK not in server.log
        assert "Traceback" not in server.log
