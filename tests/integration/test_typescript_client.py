"""The client most hosts are built with, the TypeScript SDK, against a server process over both HTTP transports."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.databases import ROOT
from tests.http_servers import serving_over_http
from tests.nodes import WAIT_SECONDS, node_folder

TOKEN = "typescript-test-token"


def run_client(url: str, *calls: tuple[str, dict[str, object]], token: str = TOKEN) -> dict[str, Any]:
    """What the TypeScript client saw."""
    node, folder = node_folder("@modelcontextprotocol/sdk")
    script = ROOT / "tests" / "typescript" / "client.mjs"
    run = subprocess.run(
        [node, str(script), str(folder), url, token, json.dumps(calls)],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return told


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["http", "sse"])
def test_the_typescript_client_lists_and_calls(postgres_url: str, transport: str) -> None:
    """It checks answers against the output schemas, as hosts do, and takes a bearer token along."""
    settings = {
        "DATABASE_URL": postgres_url,
        "TRANSPORT": transport,
        "HTTP_BEARER_TOKEN": TOKEN,
        "ENABLE_EXECUTE_QUERY": "true",
        "ENABLE_START_QUERY": "true",
    }
    with serving_over_http(settings) as server:
        told = run_client(
            server.url,
            ("execute_query", {"query": "SELECT 40 + $1::int AS n", "parameters": [2]}),
            ("list_tables", {}),
            ("start_query", {"query": "SELECT 1 AS one"}),
            ("list_sessions", {}),
            ("execute_query", {"query": "DROP TABLE t"}),
        )
    assert "error" not in told, told
    assert told["server"]["name"] == "mssqlclient_mcp"
    assert {"execute_query", "list_tables", "start_query"} <= set(told["tools"])
    queried, listed, started, sessions, refused = told["results"]
    assert queried["structuredContent"]["rows"] == [[42]]
    assert not listed.get("isError")
    assert [one["sessionId"] for one in sessions["structuredContent"]["sessions"]] == [
        started["structuredContent"]["sessionId"]
    ]
    assert refused["isError"]
    assert refused["structuredContent"]["code"] == "READ_ONLY_VIOLATION"


@pytest.mark.parametrize("transport", ["http", "sse"])
def test_the_typescript_client_is_told_that_its_token_is_wrong(postgres_url: str, transport: str) -> None:
    """401 reaches it as such."""
    settings = {"DATABASE_URL": postgres_url, "TRANSPORT": transport, "HTTP_BEARER_TOKEN": TOKEN}
    with serving_over_http(settings) as server:
        told = run_client(server.url, token="another-token-altogether")
    assert "401" in told["error"]
    assert told["tools"] == []
