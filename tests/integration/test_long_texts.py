"""Megabytes where a name belongs, over real HTTP: a short answer, a short line in the log, and no work that grows with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, serving_over_http

LONG = "token={abcdefgh} " * 100_000
MANY = [f"a{n}" for n in range(50_000)]
MOST_CHARACTERS = 6000
GATES = {"ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true", "ENABLE_EXECUTE_STORED_PROCEDURE": "true"}
TABLE = {"type": "ref/resource", "uri": "db://table/{schema}/{name}"}


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """A server with every gate open that takes names."""
    with serving_over_http({"DATABASE_URL": postgres_url, "RATE_LIMIT_PER_MINUTE": "0", **GATES}) as server:
        yield server


@pytest.fixture(scope="module")
def session(server: HttpServerProcess) -> Iterator[httpx2.Client]:
    """A session of the handshake era, which has no header that must repeat a name."""
    with httpx2.Client(headers=JSON, timeout=30) as client:
        client.headers["mcp-session-id"] = client.post(server.url, json=INITIALIZE).headers["mcp-session-id"]
        client.post(server.url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield client


def tool(name: str, **arguments: object) -> tuple[str, dict[str, Any]]:
    """A call of a tool."""
    return "tools/call", {"name": name, "arguments": arguments}


REQUESTS = {
    "a tool": tool(LONG),
    "a resource": ("resources/read", {"uri": f"db://{LONG}"}),
    "a resource of a template": ("resources/read", {"uri": f"db://table/a/{LONG}"}),
    "a prompt": ("prompts/get", {"name": LONG}),
    "a prompt's argument": ("prompts/get", {"name": "assess_server", "arguments": {LONG: "x"}}),
    "many arguments of a prompt": (
        "prompts/get",
        {"name": "assess_server", "arguments": {f"a{n}": "x" for n in range(50_000)}},
    ),
    "a template to complete": ("completion/complete", {"ref": {**TABLE, "uri": LONG}, "argument": {"name": "x", "value": "x"}}),
    "an argument to complete": ("completion/complete", {"ref": TABLE, "argument": {"name": LONG, "value": "x"}}),
    "a prompt to complete": (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": LONG}, "argument": {"name": "x", "value": "x"}},
    ),
    "an argument": tool("list_tables", **{LONG: 1}),
    "many arguments": tool("list_tables", **dict.fromkeys(MANY, 1)),
    "a table": tool("get_table_schema", tableName=LONG),
    "a procedure": tool("get_stored_procedure_parameters", procedureName=LONG),
    "a parameter": tool("execute_stored_procedure", procedureName="pg_sleep", parameters={LONG: 1}),
    "a session": tool("get_session_status", sessionId=LONG),
    "a database": tool("list_tables", databaseName=LONG),
    "a column": tool("select_data", tableName="pg_catalog.pg_class", columns=[LONG]),
    "many columns": tool("select_data", tableName="pg_catalog.pg_class", columns=MANY),
    "an operator": tool("select_data", tableName="pg_catalog.pg_class", filters=[{"column": "oid", "op": LONG, "value": 1}]),
    "a cursor": tool("select_data", tableName="pg_catalog.pg_class", cursor=LONG),
}


@pytest.mark.parametrize("what", REQUESTS)
def test_a_long_text_for_a_name_is_answered_shortly(server: HttpServerProcess, session: httpx2.Client, what: str) -> None:
    """What a client sent is told back as far as it helps, to the client and in the log."""
    method, params = REQUESTS[what]
    before = len(server.log)
    answer = session.post(server.url, json={"jsonrpc": "2.0", "id": 2, "method": method, "params": params})
    assert answer.status_code == 200
    assert len(answer.text) < MOST_CHARACTERS
    assert "INTERNAL" not in answer.text
    with suppress(AssertionError):
        assert len(server.log) > before  # the line may still be on its way
    assert len(server.log) - before < MOST_CHARACTERS
