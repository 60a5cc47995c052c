"""Many who wait for the same sessions: all are answered at the end, none holds a thread, and none is left behind."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from mcp import Client

from mssqlclient_mcp.server import build_server
from mssqlclient_mcp.session import Session
from tests.clients import connected
from tests.databases import postgres_database

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
GATES = {"ENABLE_START_QUERY": "true"}
ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """Every session that is made."""
    made: list[Session] = []
    begin = Session.__init__

    def remembered(self: Session, **arguments: Any) -> None:
        begin(self, **arguments)
        made.append(self)

    monkeypatch.setattr(Session, "__init__", remembered)
    return made


async def asked(client: Client, tool: str, session: str, wait: float) -> dict[str, Any]:
    """The answer to a waiting question."""
    result = await client.call_tool(tool, {"sessionId": session, "waitSeconds": wait})
    assert not result.is_error, result.content[0].text
    return dict(result.structured_content)


async def test_a_hundred_waiters_are_answered_when_the_session_ends(postgres_url: str, sessions: list[Session]) -> None:
    """At once, with a true status, and without a thread each; those who gave up waiting leave nothing behind."""
    async with connected(build_server(postgres_database(postgres_url).config(**GATES))) as client:
        started = await client.call_tool("start_query", {"query": ENDLESS})
        session = started.structured_content["sessionId"]
        tools = ("get_session_status", "get_session_result")
        waiting = [asyncio.create_task(asked(client, tools[n % 2], session, 30)) for n in range(100)]
        impatient = [asyncio.create_task(asked(client, tools[n % 2], session, 0.3)) for n in range(20)]
        await asyncio.sleep(0.2)
        gone = waiting[:10]
        for task in gone:
            task.cancel()
        assert {told["status"] for told in await asyncio.gather(*impatient)} == {"running"}
        assert threading.active_count() < 40
        await client.call_tool("cancel_session", {"sessionId": session})
        began = time.monotonic()
        answers = await asyncio.gather(*waiting[10:])
        assert time.monotonic() - began < 3
        assert {told["status"] for told in answers} == {"cancelled"}
        await asyncio.gather(*gone, return_exceptions=True)
        assert sessions[0]._waiters == []


async def test_status_answers_at_once_beside_those_who_wait(postgres_url: str) -> None:
    """Waiting takes nothing that others need."""
    async with connected(build_server(postgres_database(postgres_url).config(**GATES))) as client:
        started = await client.call_tool("start_query", {"query": ENDLESS})
        session = started.structured_content["sessionId"]
        waiting = [asyncio.create_task(asked(client, "get_session_status", session, 30)) for _ in range(60)]
        await asyncio.sleep(0.2)
        began = time.monotonic()
        for _ in range(20):
            assert (await asked(client, "get_session_status", session, 0))["status"] == "running"
        assert (time.monotonic() - began) / 20 < 0.1
        await client.call_tool("cancel_session", {"sessionId": session})
        await asyncio.gather(*waiting)
