"""The tools as a client meets them: over the in-memory transport, in both protocol eras, on every database at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mcp import Client

from mssqlclient_mcp.server import build_server
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@pytest.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest, database: TestDatabase) -> AsyncIterator[Client]:
    """A client of a server with the query gate open."""
    server = build_server(database.config(ENABLE_EXECUTE_QUERY="true"))
    async with connected(server, mode=request.param) as client:
        yield client


@pytest.fixture
async def closed_client(database: TestDatabase) -> AsyncIterator[Client]:
    """A client of a server with the default gates."""
    async with connected(build_server(database.config())) as client:
        yield client


async def test_a_query_answers_with_rows_beside_their_columns(client: Client) -> None:
    """Text and structured content carry the same rows."""
    result = await client.call_tool("execute_query", {"query": "SELECT 1 AS id, 'a,b' AS name"})
    assert not result.is_error
    assert [column["name"] for column in result.structured_content["columns"]] == ["id", "name"]
    assert result.structured_content["rows"] == [[1, "a,b"]]
    assert result.structured_content["truncated"] is False
    assert '1,"a,b"' in result.content[0].text


async def test_a_result_is_cut_visibly_at_max_rows(client: Client) -> None:
    """One row more than wanted is fetched, so that truncation is known and said."""
    query = "SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3"
    result = await client.call_tool("execute_query", {"query": query, "maxRows": 2})
    assert result.structured_content["rowCount"] == 2
    assert (result.structured_content["truncated"], result.structured_content["truncatedBy"]) == (True, "rows")
    assert "maxRows" in result.content[0].text


async def test_exactly_max_rows_is_not_cut(client: Client) -> None:
    """A result that just fits is whole."""
    result = await client.call_tool("execute_query", {"query": "SELECT 1 AS n UNION ALL SELECT 2", "maxRows": 2})
    assert result.structured_content["truncated"] is False


async def test_bound_parameters_are_values_never_sql(client: Client, database: TestDatabase) -> None:
    """A parameter that looks like SQL stays a value."""
    text = "x'; DROP TABLE t; --"
    result = await client.call_tool(
        "execute_query", {"query": f"SELECT {database.marker(1, 'varchar(50)')} AS v", "parameters": [text]}
    )
    assert result.structured_content["rows"] == [[text]]


@pytest.mark.parametrize("query", ["DELETE FROM t", "SELECT 1; DELETE FROM t", "CREATE TABLE x (a int)"])
async def test_a_write_is_refused_while_writes_are_off(client: Client, query: str) -> None:
    """The gate refuses before anything is sent, and says what to do."""
    result = await client.call_tool("execute_query", {"query": query})
    assert result.is_error
    assert result.structured_content["code"] == "READ_ONLY_VIOLATION"
    assert result.structured_content["retryable"] is False


async def test_a_syntax_error_keeps_the_databases_own_message(client: Client) -> None:
    """A model repairs its SQL from the database's words."""
    result = await client.call_tool("execute_query", {"query": "SELECT * FROM"})
    assert result.is_error
    assert result.structured_content["code"] in ("SYNTAX_ERROR", "READ_ONLY_VIOLATION")


async def test_an_unknown_table_is_object_not_found(client: Client, database: TestDatabase) -> None:
    """The code tells a wrong name from wrong SQL (endpoints other than SQL Server itself use their own numbers)."""
    result = await client.call_tool("execute_query", {"query": "SELECT * FROM no_such_table_here"})
    assert result.structured_content["code"] in database.codes("OBJECT_NOT_FOUND")


async def test_an_unknown_argument_is_refused_with_the_nearest_name(client: Client) -> None:
    """The SDK alone would drop it silently."""
    result = await client.call_tool("execute_query", {"query": "SELECT 1", "maxRow": 3})
    assert result.structured_content["code"] == "INVALID_PARAMETER"
    assert "maxRows" in result.content[0].text


async def test_all_unfit_arguments_are_named_at_once(client: Client) -> None:
    """A model corrects one call, not one argument a call."""
    result = await client.call_tool("execute_query", {"maxRows": 0, "timeoutSeconds": "soon"})
    problems = result.structured_content["details"]["problems"]
    assert len(problems) == 3
    assert all(any(name in problem for problem in problems) for name in ("query", "maxRows", "timeoutSeconds"))


async def test_an_empty_query_is_an_invalid_parameter(client: Client) -> None:
    """Nothing is sent for nothing."""
    result = await client.call_tool("execute_query", {"query": "  \n "})
    assert result.structured_content["code"] == "INVALID_PARAMETER"


async def test_the_connected_database_may_be_named_and_no_other(client: Client, database: TestDatabase) -> None:
    """databaseName is not in the schema in database mode, yet the right one is accepted."""
    same = await client.call_tool("execute_query", {"query": "SELECT 1 AS n", "databaseName": database.name})
    other = await client.call_tool("execute_query", {"query": "SELECT 1 AS n", "databaseName": "elsewhere"})
    assert not same.is_error
    assert other.structured_content["code"] == "INVALID_PARAMETER"


async def test_the_command_timeout_changes_later_calls(client: Client, database: TestDatabase) -> None:
    """set_command_timeout is no mere note: a slow query then ends at the new limit."""
    changed = await client.call_tool("set_command_timeout", {"timeoutSeconds": 1})
    assert changed.structured_content == {"timeoutSeconds": 1, "previousTimeoutSeconds": 30}
    slow = await client.call_tool("execute_query", {"query": database.slow_query})
    assert slow.structured_content["code"] == "TIMEOUT"
    now = await client.call_tool("get_command_timeout", {})
    assert now.structured_content == {"timeoutSeconds": 1}


async def test_a_closed_gate_hides_the_tool_and_refuses_the_call(closed_client: Client) -> None:
    """Checked again at the call, with the setting that opens it."""
    names = [tool.name for tool in (await closed_client.list_tools()).tools]
    assert "execute_query" not in names
    assert "get_command_timeout" not in names
    result = await closed_client.call_tool("execute_query", {"query": "SELECT 1"})
    assert result.structured_content["code"] == "GATE_CLOSED"
    assert "ENABLE_EXECUTE_QUERY" in result.content[0].text


async def test_every_tool_has_schemas_description_and_annotations(client: Client) -> None:
    """What a client needs to choose and to check."""
    for tool in (await client.list_tools()).tools:
        assert tool.description
        assert tool.input_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"
        assert "required" not in tool.output_schema, "some clients hold errors against the output schema, too"
        assert tool.annotations.read_only_hint is not None
        assert "databaseName" not in tool.input_schema["properties"]


async def test_an_unknown_tool_names_the_nearest(client: Client) -> None:
    """A misspelt tool is an answer, not a broken connection."""
    result = await client.call_tool("execute_qeury", {"query": "SELECT 1"})
    assert result.is_error
    assert "execute_query" in result.content[0].text
