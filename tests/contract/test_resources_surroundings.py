"""Resources, completions and prompts among many callers: each sees its own sessions, within its scope and its rate limit."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference

from mssqlclient_mcp.errors import RateLimited
from mssqlclient_mcp.server import build_server
from mssqlclient_mcp.tools.resource_updates import MOST_LISTENING
from mssqlclient_mcp.tools.surroundings import Caller, CallTold, Surroundings
from tests.databases import TestDatabase, postgres_database

SESSION = ResourceTemplateReference(uri="db://sessions/{sessionId}/results.csv")
TABLE = ResourceTemplateReference(uri="db://table/{schema}/{name}")


@pytest.fixture
def shop(postgres_url: str) -> TestDatabase:
    """An empty database."""
    return postgres_database(postgres_url)


class Callers:
    """Who calls is what a test says; every call is told to it."""

    def __init__(self) -> None:
        self.caller = Caller("ann", "ann")
        self.told: list[CallTold] = []
        self.limited = False

    def surroundings(self) -> Surroundings:
        """What the server is given."""
        return Surroundings(lambda _: self.caller, self._admit, watchers=(self.told.append,))

    async def _admit(self, caller: Caller) -> None:
        if self.limited:
            raise RateLimited(f"{caller.owner} asks too often.")


async def test_a_session_is_read_and_completed_by_its_owner_only(shop: TestDatabase) -> None:
    """To everybody else it is as if it never was."""
    callers = Callers()
    async with Client(build_server(shop.config(ENABLE_START_QUERY="true"), surroundings=callers.surroundings())) as client:
        started = await client.call_tool("start_query", {"query": "SELECT 1 AS n"})
        session = started.structured_content["sessionId"]
        await client.call_tool("get_session_status", {"sessionId": session, "waitSeconds": 20})
        uri = f"db://sessions/{session}/results.csv"
        assert (await client.read_resource(uri)).contents[0].text == "n\r\n1\r\n"
        assert (await client.complete(SESSION, {"name": "sessionId", "value": ""})).completion.values == [session]
        callers.caller = Caller("bob", "bob")
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri, cache_mode="bypass")
        assert refused.value.error.data["code"] == "SESSION_NOT_FOUND"
        assert (await client.complete(SESSION, {"name": "sessionId", "value": ""})).completion.values == []


async def test_a_read_is_told_as_a_call_is(shop: TestDatabase) -> None:
    """Method, caller, code and duration; what failed with its code."""
    callers = Callers()
    async with Client(build_server(shop.config(), surroundings=callers.surroundings())) as client:
        await client.read_resource("db://schema")
        with pytest.raises(MCPError):
            await client.read_resource("db://table/public/nothing")
    assert [(one.tool, one.caller.owner, one.code) for one in callers.told] == [
        ("resources/read", "ann", "ok"),
        ("resources/read", "ann", "OBJECT_NOT_FOUND"),
    ]


async def test_a_client_that_listens_everywhere_takes_no_place_from_others(shop: TestDatabase) -> None:
    """A stream stays open as long as its client likes, and all clients share the places for them."""
    callers = Callers()
    server = build_server(shop.config(ENABLE_START_QUERY="true"), surroundings=callers.surroundings())
    async with Client(server) as client, AsyncExitStack() as streams:
        for _ in range(MOST_LISTENING):
            await streams.enter_async_context(client.listen(resource_subscriptions=["db://sessions/x/results.csv"]))
        with pytest.raises(MCPError, match="close one"):
            await streams.enter_async_context(client.listen(resource_subscriptions=["db://sessions/x/results.csv"]))
        callers.caller = Caller("bob", "bob")
        await streams.enter_async_context(client.listen(resource_subscriptions=["db://sessions/x/results.csv"]))
        await streams.aclose()
        callers.caller = Caller("ann", "ann")
        async with client.listen(resource_subscriptions=["db://sessions/x/results.csv"]):
            """There is room again."""


async def test_the_rate_limit_counts_reads(shop: TestDatabase) -> None:
    """Or a client could go round it; it is told when to come back."""
    callers = Callers()
    callers.limited = True
    async with Client(build_server(shop.config(), surroundings=callers.surroundings())) as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource("db://schema")
        assert refused.value.error.data["code"] == "RATE_LIMITED"
        assert refused.value.error.data["retryable"] is True
        assert (await client.list_resources()).resources
        assert (await client.complete(TABLE, {"name": "schema", "value": ""})).completion.values == []


async def test_a_token_without_the_scope_for_reading_sees_no_names(shop: TestDatabase) -> None:
    """Neither through a resource nor through a completion."""
    callers = Callers()
    callers.caller = Caller("ann", "ann", frozenset({"db:write"}))
    async with Client(build_server(shop.config(), surroundings=callers.surroundings())) as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource("db://schema")
        assert refused.value.error.data["code"] == "PERMISSION_DENIED"
        assert "db:read" in refused.value.error.message
        assert (await client.complete(TABLE, {"name": "schema", "value": ""})).completion.values == []


async def test_a_defect_is_logged_and_not_shown(
    shop: TestDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets INTERNAL without the insides; the connection goes on."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("insides")

    callers = Callers()
    monkeypatch.setattr("mssqlclient_mcp.metadata.Metadata.table_schema", broken)
    async with Client(build_server(shop.config(), surroundings=callers.surroundings())) as client:
        with pytest.raises(MCPError) as failed:
            await client.read_resource("db://table/a/b")
        assert failed.value.error.data["code"] == "INTERNAL"
        assert "insides" not in failed.value.error.message
        assert (await client.list_resources()).resources
    assert "resources/read failed" in caplog.text
    assert callers.told[0].code == "INTERNAL"
