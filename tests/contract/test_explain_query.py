"""explain_query as a client meets it, on every database at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mcp import Client

from mssqlclient_mcp.server import build_server
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
NO_PLANS = "gives no estimated plans"


@pytest.fixture
async def client(database: TestDatabase) -> AsyncIterator[Client]:
    """A client of a server with the query gate open, writes off."""
    async with connected(build_server(database.config(ENABLE_EXECUTE_QUERY="true"))) as client:
        yield client


@pytest.fixture
async def writer(database: TestDatabase) -> AsyncIterator[Client]:
    """A client of a server with writes on."""
    config = database.config(ENABLE_EXECUTE_QUERY="true", ENABLE_WRITE_QUERIES="true")
    async with connected(build_server(config)) as client:
        yield client


async def test_a_plan_has_a_summary_and_the_databases_own_document(client: Client, database: TestDatabase) -> None:
    """Cost, operators and the plan; a T-SQL endpoint without plans says so and runs nothing."""
    result = await client.call_tool("explain_query", {"query": "SELECT COUNT(*) AS n FROM INFORMATION_SCHEMA.TABLES"})
    if result.is_error and not database.genuine:
        assert NO_PLANS in result.content[0].text
        return
    answer = result.structured_content
    assert not result.is_error
    assert answer["cost"] > 0
    assert answer["operators"][0]["depth"] == 0
    assert answer["planFormat"] == {"postgresql": "json", "sqlserver": "xml"}[database.dialect]
    assert answer["plan"][0] in "[<"
    assert "not run" in result.content[0].text


@pytest.mark.parametrize("query", ["DELETE FROM t", "SELECT 1; SELECT 2", "EXPLAIN SELECT 1", "CREATE TABLE x (a int)"])
async def test_what_the_gate_refuses_is_not_explained(client: Client, query: str) -> None:
    """The same verdicts as for running it."""
    result = await client.call_tool("explain_query", {"query": query})
    assert result.structured_content["code"] == "READ_ONLY_VIOLATION"


async def test_with_writes_on_a_change_has_a_plan_and_changes_nothing(writer: Client, database: TestDatabase) -> None:
    """The rows are there after the DELETE was explained."""
    await writer.call_tool("execute_query", {"query": "CREATE TABLE explained (id int)"})
    await writer.call_tool("execute_query", {"query": "INSERT INTO explained (id) VALUES (1)"})
    result = await writer.call_tool("explain_query", {"query": "DELETE FROM explained"})
    assert not result.is_error or (not database.genuine and NO_PLANS in result.content[0].text)
    left = await writer.call_tool("execute_query", {"query": "SELECT COUNT(*) AS n FROM explained"})
    assert left.structured_content["rows"] == [[1]]
    await writer.call_tool("execute_query", {"query": "DROP TABLE explained"})


async def test_after_a_plan_queries_run_again(client: Client) -> None:
    """The connection that showed plans instead of rows is not lent for queries."""
    for _ in range(3):
        await client.call_tool("explain_query", {"query": "SELECT 1 AS one"})
        result = await client.call_tool("execute_query", {"query": "SELECT 1 AS one"})
        assert result.structured_content["rows"] == [[1]]


async def test_an_unknown_table_is_named_in_the_databases_own_words(client: Client, database: TestDatabase) -> None:
    """An error of planning comes through as any other."""
    result = await client.call_tool("explain_query", {"query": "SELECT * FROM no_such_table_here"})
    assert result.is_error
    if database.genuine:
        assert result.structured_content["code"] == "OBJECT_NOT_FOUND"


async def test_the_tool_is_behind_the_query_gate(database: TestDatabase) -> None:
    """With the gate closed it is neither listed nor answers."""
    async with connected(build_server(database.config())) as closed:
        assert "explain_query" not in [tool.name for tool in (await closed.list_tools()).tools]
        result = await closed.call_tool("explain_query", {"query": "SELECT 1"})
        assert result.structured_content["code"] == "GATE_CLOSED"
