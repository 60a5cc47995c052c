"""The schema tools as a client meets them, on every database at hand: names, argument rules, and the shape of answers."""

from __future__ import annotations

import pytest
from mcp import Client
from mcp_types import CallToolResult

from mssqlclient_mcp.config import Config
from mssqlclient_mcp.server import build_server
from tests import golden_schema
from tests.databases import TestDatabase
from tests.golden_schema import ODD_NAME

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

TABLE_TOOLS = ("get_table_schema", "get_table_indexes", "get_table_foreign_keys", "get_table_statistics")
IN_DATABASE = {"list_tables", "get_table_schema", "list_stored_procedures", "get_stored_procedure_definition"}
TOOLS = (
    *TABLE_TOOLS,
    "list_tables",
    "list_stored_procedures",
    "get_stored_procedure_definition",
    "get_metadata",
    "search_objects",
)


@pytest.fixture(scope="module")
def golden(database: TestDatabase) -> TestDatabase:
    """A database with the golden schema in it."""
    golden_schema.load(database)
    return database


class OneCallEach:
    """A client that opens for each call: a fixture's set-up and clean-up run in different tasks, which anyio forbids."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def call_tool(self, name: str, arguments: dict[str, object]) -> CallToolResult:
        """One call, from connecting to closing."""
        async with Client(build_server(self._config)) as client:
            return await client.call_tool(name, arguments)


@pytest.fixture
def client(golden: TestDatabase) -> OneCallEach:
    """A client in database mode."""
    return OneCallEach(golden.config())


@pytest.fixture
def server_mode(golden: TestDatabase) -> OneCallEach:
    """A client in server mode."""
    return OneCallEach(golden.server_mode_config())


async def test_the_schema_tools_are_there_in_both_modes(golden: TestDatabase) -> None:
    """One handler serves both; in server mode some have a second name, and databaseName comes first."""
    async with Client(build_server(golden.config())) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    async with Client(build_server(golden.server_mode_config())) as client:
        in_server = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(TOOLS) <= set(listed)
    for name in TOOLS:
        tool = in_server[f"{name}_in_database" if name in IN_DATABASE else name]
        assert tool.input_schema["required"][0] == "databaseName"
        assert tool.annotations.read_only_hint is True
    assert "list_databases" in in_server
    assert "list_databases" not in listed


async def test_list_databases_shows_the_one_we_are_in(server_mode: OneCallEach, golden: TestDatabase) -> None:
    """With its state and whether the login may enter."""
    result = await server_mode.call_tool("list_databases", {})
    mine = [item for item in result.structured_content["databases"] if item["name"] == golden.name]
    assert mine[0]["accessible"] is True
    assert golden.name in result.content[0].text


async def test_list_tables_pages_and_filters(client: OneCallEach) -> None:
    """A page says how many there are and where the next one starts; the pattern's star stands for anything."""
    first = await client.call_tool("list_tables", {"schema": "golden", "maxRows": 1})
    assert len(first.structured_content["tables"]) == 1
    assert first.structured_content["nextOffset"] == 1
    rest = await client.call_tool("list_tables", {"schema": "golden", "offset": 1})
    assert len(rest.structured_content["tables"]) == first.structured_content["total"] - 1
    some = await client.call_tool("list_tables", {"schema": "golden", "namePattern": "BIG*"})
    assert [(t["name"], t["kind"]) for t in some.structured_content["tables"]] == [("big_spenders", "view")]


async def test_an_empty_page_still_tells_the_total(client: OneCallEach) -> None:
    """A caller that paged too far learns how far it may go."""
    result = await client.call_tool("list_tables", {"schema": "golden", "offset": 1000})
    assert result.structured_content["tables"] == []
    assert result.structured_content["total"] >= 3


async def test_get_table_schema_shows_columns_keys_and_checks(client: OneCallEach, golden: TestDatabase) -> None:
    """Type with length and precision, nullability, default, identity, computed formula, primary key, description."""
    result = await client.call_tool("get_table_schema", {"tableName": "golden.customers"})
    columns = {column["name"]: column for column in result.structured_content["columns"]}
    assert columns["id"]["primaryKey"] == 1
    assert columns["id"]["identity"]
    if golden.genuine:
        assert (columns["id"]["identitySeed"], columns["id"]["identityIncrement"]) == ("5", "2")
    assert "40" in columns["name"]["type"]
    assert columns["name"]["nullable"] is False
    assert "nobody" in columns["name"]["default"]
    assert "upper" in columns["loud_name"]["computed"].lower()
    assert "10,2" in columns["credit"]["type"]
    assert [check["name"] for check in result.structured_content["checks"]] == ["credit_ok"]
    assert "customers" in result.content[0].text


async def test_a_view_comes_with_its_definition(client: OneCallEach) -> None:
    """An engineer reads what a view selects."""
    result = await client.call_tool("get_table_schema", {"tableName": "golden.big_spenders"})
    assert result.structured_content["kind"] == "view"
    assert "1000" in result.structured_content["definition"]


@pytest.mark.parametrize("tool", TABLE_TOOLS)
async def test_a_name_with_spaces_dots_quotes_brackets_and_unicode_is_found(
    tool: str, client: OneCallEach, golden: TestDatabase
) -> None:
    """Quoted the database's own way; nothing is spliced into SQL."""
    result = await client.call_tool(tool, {"tableName": ODD_NAME[golden.dialect]})
    assert not result.is_error, result.content[0].text
    found = (result.structured_content["schema"], result.structured_content["name"])
    expected = ("odd schema.x", 'T "q" [b] ünï')
    assert found == expected if golden.genuine else tuple(map(str.lower, found)) == tuple(map(str.lower, expected))


@pytest.mark.parametrize("tool", TABLE_TOOLS)
async def test_an_unknown_table_names_the_three_nearest(tool: str, client: OneCallEach) -> None:
    """A model corrects a misspelt name without another look around."""
    result = await client.call_tool(tool, {"tableName": "golden.custmers"})
    assert result.structured_content["code"] == "OBJECT_NOT_FOUND"
    assert result.structured_content["details"]["nearest"][0] == "golden.customers"
    assert len(result.structured_content["details"]["nearest"]) == 3


async def test_a_name_that_cannot_be_read_is_an_invalid_parameter(client: OneCallEach) -> None:
    """Too many parts, or a quote left open, is said at once."""
    for name in ("a.b.c", "[golden.customers", ""):
        result = await client.call_tool("get_table_schema", {"tableName": name})
        assert result.structured_content["code"] == "INVALID_PARAMETER"


async def test_get_table_indexes_shows_keys_in_order(client: OneCallEach) -> None:
    """Every index with its columns; the primary key is marked."""
    result = await client.call_tool("get_table_indexes", {"tableName": "golden.orders"})
    indexes = {tuple(c["name"] for c in i["columns"]): i for i in result.structured_content["indexes"] if i["columns"]}
    assert indexes[("id", "line")]["primaryKey"] is True
    assert ("placed", "customer_id") in indexes


async def test_get_table_foreign_keys_shows_both_directions(client: OneCallEach) -> None:
    """What this table points to, what points to it, and itself; all column pairs in order."""
    result = await client.call_tool("get_table_foreign_keys", {"tableName": "golden.orders"})
    keys = {key["name"]: key for key in result.structured_content["foreignKeys"]}
    assert keys["orders_customer"]["direction"] == "outgoing"
    assert keys["orders_customer"]["onDelete"] == "CASCADE"
    assert keys["orders_parent"]["direction"] == "self"
    assert keys["orders_parent"]["columns"] == ["parent_id", "parent_line"]
    assert keys["orders_parent"]["referencedColumns"] == ["id", "line"]
    incoming = await client.call_tool("get_table_foreign_keys", {"tableName": "golden.customers"})
    assert [key["direction"] for key in incoming.structured_content["foreignKeys"]] == ["incoming"]


async def test_get_table_statistics_never_fails_for_what_cannot_be_seen(client: OneCallEach) -> None:
    """Sizes are numbers, or null with a note."""
    result = await client.call_tool("get_table_statistics", {"tableName": "golden.customers"})
    assert not result.is_error, result.content[0].text
    content = result.structured_content
    assert content["rowsApproximate"] is True
    assert content["reservedKb"] is not None or content["notes"]


async def test_procedures_are_listed_and_read(client: OneCallEach) -> None:
    """The list, then the text of one."""
    listed = await client.call_tool("list_stored_procedures", {"schema": "golden", "namePattern": "restock"})
    assert [(p["name"], p["kind"]) for p in listed.structured_content["procedures"]] == [("restock", "procedure")]
    read = await client.call_tool("get_stored_procedure_definition", {"procedureName": "golden.restock"})
    assert "amount" in read.structured_content["definitions"][0]["definition"]
    missing = await client.call_tool("get_stored_procedure_definition", {"procedureName": "golden.restok"})
    assert "golden.restock" in missing.structured_content["details"]["nearest"]


async def test_get_metadata_outlines_tables_with_columns_and_keys(client: OneCallEach) -> None:
    """Many tables in one call, or one by name."""
    result = await client.call_tool("get_metadata", {"schema": "golden"})
    tables = {table["name"]: table for table in result.structured_content["tables"]}
    assert tables["orders"]["keys"][0]["columns"] == ["id", "line"]
    assert {key["referencedTable"] for key in tables["orders"]["foreignKeys"]} == {"customers", "orders"}
    one = await client.call_tool("get_metadata", {"schema": "golden", "tableName": "customers"})
    assert [table["name"] for table in one.structured_content["tables"]] == ["customers"]


async def test_search_finds_names_columns_and_definitions_best_first(client: OneCallEach) -> None:
    """A hit says where it was found, with the matching line of a text."""
    result = await client.call_tool("search_objects", {"pattern": "customer", "schema": "golden"})
    found = [(hit["name"], hit["foundIn"]) for hit in result.structured_content["matches"]]
    assert found[0] == ("customers", "name")
    assert ("orders", "column") in found
    text = await client.call_tool("search_objects", {"pattern": "peculiar*word", "lookIn": "definitions"})
    assert "peculiar marker word" in text.structured_content["matches"][0]["line"]


async def test_search_beyond_the_end_still_tells_the_total(client: OneCallEach) -> None:
    """A caller that paged too far learns how far it may go."""
    result = await client.call_tool("search_objects", {"pattern": "customer", "schema": "golden", "offset": 500})
    assert result.structured_content["matches"] == []
    assert result.structured_content["total"] >= 3


async def test_search_keeps_to_kinds_and_refuses_unknown_ones(client: OneCallEach) -> None:
    """objectTypes narrows; a kind that does not exist is named."""
    only = await client.call_tool(
        "search_objects", {"pattern": "*", "schema": "golden", "objectTypes": ["view"], "lookIn": "names"}
    )
    assert {hit["kind"] for hit in only.structured_content["matches"]} == {"view"}
    wrong = await client.call_tool("search_objects", {"pattern": "x", "objectTypes": ["gizmo"]})
    assert wrong.structured_content["code"] == "INVALID_PARAMETER"
