"""The procedure tools as a client meets them, on every database at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema
import pytest
from mcp import Client
from mcp_types import CallToolResult

from mssqlclient_mcp.config import Config
from mssqlclient_mcp.server import build_server
from tests.databases import TestDatabase
from tests.procedure_calls import Calls, calls

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

SETUP = {
    "postgresql": (
        "CREATE TABLE orders_log (id int, note text)",
        "CREATE PROCEDURE place_order(id int, INOUT total numeric, note text = 'none', INOUT placed text = NULL) "
        "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO orders_log VALUES (id, note); RAISE NOTICE 'placed %', id; "
        "total := total * 2; placed := '2024-01-02'; END $$",
        "CREATE FUNCTION list_orders(how_many int) RETURNS TABLE(n int) LANGUAGE sql AS 'SELECT generate_series(1, how_many)'",
        "CREATE PROCEDURE break_it(id int) LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no order %', id; END $$",
    ),
    "sqlserver": (
        "CREATE TABLE dbo.orders_log (id int, note nvarchar(100))",
        "CREATE PROCEDURE dbo.place_order @id int, @total decimal(18,2) OUTPUT, @note nvarchar(100) = N'none', "
        "@placed varchar(10) = NULL OUTPUT AS BEGIN INSERT INTO dbo.orders_log VALUES (@id, @note); PRINT 'placed'; "
        "SET @total = @total * 2; SET @placed = '2024-01-02'; RETURN 3 END",
        "CREATE PROCEDURE dbo.list_orders @how_many int AS WITH n AS (SELECT TOP (@how_many) 1 AS x FROM sys.all_columns) "
        "SELECT x AS n FROM n",
        "CREATE PROCEDURE dbo.break_it @id int AS BEGIN SELECT @id AS before_it; RAISERROR('no order', 16, 1) END",
        "CREATE PROCEDURE dbo.go_on @done int = 0 OUTPUT AS BEGIN SELECT 12 / (2 - x) AS part FROM (VALUES (1), (2)) AS v(x); "
        "SET @done = 42; RETURN 7 END",
    ),
}
GATES = {"ENABLE_EXECUTE_STORED_PROCEDURE": "true"}


@pytest.fixture(scope="module")
def made(database: TestDatabase) -> Iterator[Calls]:
    """The procedures of these tests."""
    with calls(database.config()) as made:
        made.run(*SETUP[database.dialect])
        yield made


class OneCallEach:
    """A client that opens for each call: a fixture's set-up and clean-up run in different tasks, which anyio forbids."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def call_tool(self, name: str, arguments: dict[str, object]) -> CallToolResult:
        """One call, from connecting to closing."""
        async with Client(build_server(self._config)) as client:
            return await client.call_tool(name, arguments)


@pytest.fixture
def client(database: TestDatabase, made: Calls) -> OneCallEach:
    """A client of a server with the procedure gate open."""
    return OneCallEach(database.config(**GATES))


def _at(database: TestDatabase, name: str) -> str:
    """A parameter's name as the database spells it."""
    return f"@{name}" if database.dialect == "sqlserver" else name


async def test_parameters_are_listed_with_type_direction_and_default(client: OneCallEach, database: TestDatabase) -> None:
    """format=table: a line a parameter in the text, the same as structured content."""
    result = await client.call_tool("get_stored_procedure_parameters", {"procedureName": "place_order"})
    assert not result.is_error, result.content[0].text
    [signature] = result.structured_content["signatures"]
    shown = {one["name"].lstrip("@"): one for one in signature["parameters"]}
    assert list(shown) == ["id", "total", "note", "placed"]
    assert (shown["id"]["direction"], shown["id"]["required"]) == ("in", True)
    assert shown["total"]["direction"] == "inout"
    assert shown["note"]["required"] is False
    assert "none" in shown["note"]["default"]
    for name in shown:
        assert name in result.content[0].text
    assert ("returns" in signature) == (database.dialect == "sqlserver")


async def test_the_call_has_a_json_schema(client: OneCallEach, database: TestDatabase) -> None:
    """format=json: a valid JSON Schema, as text too, which takes a right call and refuses wrong ones."""
    result = await client.call_tool("get_stored_procedure_parameters", {"procedureName": "place_order", "format": "json"})
    [signature] = result.structured_content["signatures"]
    schema = signature["callSchema"]
    assert json.loads(result.content[0].text) == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    right = {_at(database, "id"): 1, _at(database, "total"): "12.50"}
    assert validator.is_valid(right)
    assert not validator.is_valid({})
    assert not validator.is_valid({**right, "other": 1})
    assert not validator.is_valid({**right, _at(database, "id"): "x"})
    assert not validator.is_valid({**right, _at(database, "id"): 2**31})


@pytest.mark.parametrize("as_text", [False, True])
async def test_a_call_brings_everything_back(client: OneCallEach, made: Calls, database: TestDatabase, as_text: bool) -> None:
    """Outputs, return value, messages, duration; names in any case, with or without @, as an object or as JSON."""
    parameters: object = {"ID": 7, _at(database, "Total"): 12.25}
    result = await client.call_tool(
        "execute_stored_procedure",
        {"procedureName": "place_order", "parameters": json.dumps(parameters) if as_text else parameters},
    )
    assert not result.is_error, result.content[0].text
    structured = result.structured_content
    outputs = {one["name"].lstrip("@"): one["value"] for one in structured["outputs"]}
    assert outputs == {"total": "24.50", "placed": "2024-01-02"}
    assert structured.get("returnValue") == (3 if database.dialect == "sqlserver" else None)
    assert "placed" in structured["messages"][0]
    assert structured["durationSeconds"] >= 0
    assert "24.50" in result.content[0].text
    assert made.rows("SELECT note FROM orders_log WHERE id = 7")[0] == ("none",)


async def test_rows_are_cut_visibly(client: OneCallEach) -> None:
    """Result sets as for queries; the answer says that and why it was cut."""
    result = await client.call_tool(
        "execute_stored_procedure", {"procedureName": "list_orders", "parameters": {"how_many": 500}}
    )
    assert not result.is_error, result.content[0].text
    [rows] = result.structured_content["resultSets"]
    assert (rows["rowCount"], rows["truncated"], rows["truncatedBy"]) == (200, True, "rows")
    assert "cut" in result.content[0].text


async def test_problems_are_named_before_anything_runs(client: OneCallEach, made: Calls, database: TestDatabase) -> None:
    """All at once, with the signature."""
    before = made.rows("SELECT count(*) FROM orders_log")
    result = await client.call_tool(
        "execute_stored_procedure", {"procedureName": "place_order", "parameters": {"id": "x", "totl": 1, "note": [1]}}
    )
    details = result.structured_content["details"]
    assert result.structured_content["code"] == "INVALID_PARAMETER"
    told = " | ".join(details["problems"])
    assert all(word in told for word in ("'x' is not a whole number", "did you mean", "[1] is not a text"))
    assert "place_order(" in details["expected"]
    assert made.rows("SELECT count(*) FROM orders_log") == before


async def test_an_error_half_way_keeps_what_had_arrived(client: OneCallEach, database: TestDatabase) -> None:
    """The database's own words, and the rows that came before."""
    result = await client.call_tool("execute_stored_procedure", {"procedureName": "break_it", "parameters": {"id": 4}})
    assert result.is_error
    assert "no order" in result.structured_content["message"]
    if database.dialect == "sqlserver":
        [arrived] = result.structured_content["details"]["resultSets"]
        assert arrived["rows"] == [[4]]
        assert "before_it" in result.content[0].text
    else:
        details = result.structured_content["details"]
        assert (details["procedure"], details["line"]) == ("break_it(integer)", 1)
    assert "get_stored_procedure_definition" in result.content[0].text


async def test_a_call_that_goes_on_behind_an_error_tells_all_of_it(client: OneCallEach, database: TestDatabase) -> None:
    """It is an error, with the rows before it, the outputs and the return value in its details."""
    if database.dialect != "sqlserver":
        pytest.skip("an error ends a PostgreSQL procedure")
    result = await client.call_tool("execute_stored_procedure", {"procedureName": "go_on"})
    assert result.is_error
    details = result.structured_content["details"]
    assert [one["rows"] for one in details["resultSets"]] == [[[12]]]
    assert (details["returnValue"], details["outputs"][0]["value"], details["outcome"]) == (7, 42, "unknown")
    assert result.structured_content["retryable"] is False
    assert "came to its end" in result.content[0].text


async def test_an_unknown_procedure_names_the_nearest(client: OneCallEach) -> None:
    """OBJECT_NOT_FOUND for both tools."""
    for tool in ("get_stored_procedure_parameters", "execute_stored_procedure"):
        result = await client.call_tool(tool, {"procedureName": "plase_order"})
        assert result.structured_content["code"] == "OBJECT_NOT_FOUND"
        assert "place_order" in result.structured_content["details"]["nearest"][0]


async def test_the_gate_is_closed_by_default(database: TestDatabase) -> None:
    """Parameters may be looked at; the call is refused and says which setting opens it."""
    async with Client(build_server(database.config())) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert "get_stored_procedure_parameters" in names
        assert "execute_stored_procedure" not in names
        result = await client.call_tool("execute_stored_procedure", {"procedureName": "place_order"})
    assert result.structured_content["code"] == "GATE_CLOSED"
    assert "ENABLE_EXECUTE_STORED_PROCEDURE" in result.content[0].text


async def test_server_mode_takes_the_database_by_name(database: TestDatabase, made: Calls) -> None:
    """The same tools, and the old name of the call."""
    async with Client(build_server(database.server_mode_config(**GATES))) as client:
        result = await client.call_tool(
            "get_stored_procedure_parameters", {"databaseName": database.name, "procedureName": "place_order"}
        )
        assert not result.is_error, result.content[0].text
        result = await client.call_tool(
            "execute_stored_procedure_in_database",
            {"databaseName": database.name, "procedureName": "list_orders", "parameters": {"how_many": 2}},
        )
        assert not result.is_error, result.content[0].text
        assert len(result.structured_content["resultSets"][0]["rows"]) == 2
        missing = await client.call_tool("execute_stored_procedure", {"procedureName": "list_orders"})
        assert missing.structured_content["code"] == "INVALID_PARAMETER"
