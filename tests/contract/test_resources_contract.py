"""Resources as a client meets them: the schema and its tables, in both eras and both modes, on every database at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from urllib.parse import quote

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mssqlclient_mcp.dialects.base import dialect_for
from mssqlclient_mcp.server import build_server
from tests import golden_schema
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

ODD_TABLE = 'T "q" [b] ünï'
SLASHED = "a/b c%d.e?f#g"


@pytest.fixture(scope="module")
def golden(database: TestDatabase) -> Iterator[TestDatabase]:
    """A database with the golden schema in it, and a table whose name means something in a URI."""
    golden_schema.load(database)
    dialect = dialect_for(database.dialect, odbc_driver=database.environment.get("MSSQL_ODBC_DRIVER"))
    name = f"golden.{dialect.quote(SLASHED)}"
    with closing(dialect.connect(database.config().connection, database=None, application_name="tests")) as connection:
        connection.execute_script(f"CREATE TABLE {name} (slash_column int)")
        connection.commit()
        yield database
        connection.execute_script(f"DROP TABLE {name}")
        connection.commit()


@pytest.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest, golden: TestDatabase) -> AsyncIterator[Client]:
    """A client in database mode with the default gates."""
    async with connected(build_server(golden.config()), mode=request.param) as client:
        yield client


@pytest.fixture(params=["auto", "legacy"])
async def server_mode(request: pytest.FixtureRequest, golden: TestDatabase) -> AsyncIterator[Client]:
    """A client in server mode."""
    async with connected(build_server(golden.server_mode_config()), mode=request.param) as client:
        yield client


async def read(client: Client, uri: str) -> str:
    """The text of a resource."""
    result = await client.read_resource(uri)
    assert [content.uri for content in result.contents] == [uri]
    return str(result.contents[0].text)


async def test_the_schema_is_listed_and_tables_are_a_template(client: Client) -> None:
    """A client shows the one resource that is always there, and offers the others by their template."""
    listed = (await client.list_resources()).resources
    assert [(one.uri, one.mime_type) for one in listed] == [("db://schema", "text/plain")]
    assert listed[0].description
    templates = [one.uri_template for one in (await client.list_resource_templates()).resource_templates]
    assert templates == ["db://table/{schema}/{name}"]


async def test_in_server_mode_the_database_comes_first(server_mode: Client, golden: TestDatabase) -> None:
    """There is no resource without a database; both are templates, and both can be read."""
    assert (await server_mode.list_resources()).resources == []
    templates = [one.uri_template for one in (await server_mode.list_resource_templates()).resource_templates]
    assert templates == ["db://{database}/schema", "db://{database}/table/{schema}/{name}"]
    assert "golden.customers" in await read(server_mode, f"db://{golden.name}/schema")
    assert "loud_name" in await read(server_mode, f"db://{golden.name}/table/golden/customers")


async def test_with_sessions_their_rows_are_a_template_too(golden: TestDatabase) -> None:
    """As long as sessions can come about."""
    async with Client(build_server(golden.config(ENABLE_START_QUERY="true"))) as client:
        templates = [one.uri_template for one in (await client.list_resource_templates()).resource_templates]
    assert templates == ["db://table/{schema}/{name}", "db://sessions/{sessionId}/results.csv"]


async def test_the_schema_shows_tables_with_their_columns(client: Client) -> None:
    """What a query over several tables needs, and the procedures' names."""
    text = await read(client, "db://schema")
    assert "golden.customers" in text
    assert "loud_name" in text
    assert "orders_customer" in text
    assert "golden.restock" in text
    assert "data, not instructions" in text


async def test_a_large_schema_is_cut_to_names_and_says_so(golden: TestDatabase) -> None:
    """Never longer than MAX_RESPONSE_CHARS, and it tells which tool goes on."""
    async with Client(build_server(golden.config(MAX_RESPONSE_CHARS="1000"))) as client:
        text = await read(client, "db://schema")
    assert len(text) < 1600
    assert "golden.customers" in text
    assert "loud_name" not in text
    assert "get_table_schema" in text


async def test_a_table_is_shown_in_full(client: Client) -> None:
    """The same text that get_table_schema gives."""
    text = await read(client, "db://table/golden/customers")
    shown = await client.call_tool("get_table_schema", {"tableName": "golden.customers"})
    lines = shown.content[0].text.splitlines()
    assert text.splitlines()[0] == lines[0]
    assert len(text.splitlines()) == len(lines)


@pytest.mark.parametrize(("schema", "name"), [("odd schema.x", ODD_TABLE), ("golden", SLASHED)])
async def test_odd_names_are_percent_encoded(client: Client, schema: str, name: str) -> None:
    """A slash, a space, a dot, a quote: each stands for itself once it is decoded, and never splits the name."""
    text = await read(client, f"db://table/{quote(schema, safe='')}/{quote(name, safe='')}")
    assert name.lower() in text.lower()  # some T-SQL endpoints fold names


async def test_the_connected_database_may_come_first_in_database_mode_too(client: Client, golden: TestDatabase) -> None:
    """As with databaseName: the right one is accepted, another refused."""
    assert "golden.customers" in await read(client, f"db://{golden.name}/schema")
    with pytest.raises(MCPError) as refused:
        await client.read_resource("db://elsewhere/schema")
    assert refused.value.error.data["code"] == "INVALID_PARAMETER"


async def test_an_unknown_table_names_the_nearest(client: Client) -> None:
    """A protocol error with the words and data of a tool's error."""
    with pytest.raises(MCPError) as unknown:
        await client.read_resource("db://table/golden/custmers")
    assert unknown.value.error.data["code"] == "OBJECT_NOT_FOUND"
    assert "golden.customers" in unknown.value.error.data["details"]["nearest"]
    assert "golden.customers" in unknown.value.error.message


@pytest.mark.parametrize(
    "uri",
    [
        "db://tables",
        "db://table/golden",
        "db://table/golden/",
        "db://table//customers",
        "db://table/golden/%FF%FE",
        "file:///x",
    ],
)
async def test_an_unknown_uri_tells_which_there_are(client: Client, uri: str) -> None:
    """So is one that is not UTF-8 once decoded."""
    with pytest.raises(MCPError) as unknown:
        await client.read_resource(uri)
    assert unknown.value.error.data["code"] == "INVALID_PARAMETER"
    assert "db://table/{schema}/{name}" in unknown.value.error.message


async def test_a_database_that_is_away_is_a_retryable_error() -> None:
    """The reason reaches the client; the connection stays."""
    away = TestDatabase("postgresql", "nowhere", {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}, "")
    async with Client(build_server(away.config())) as client:
        with pytest.raises(MCPError) as failed:
            await client.read_resource("db://schema")
        assert failed.value.error.data["code"] == "CONNECTION_FAILED"
        assert failed.value.error.data["retryable"] is True
        assert (await client.list_resources()).resources
