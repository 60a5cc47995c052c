"""Completions as a client meets them: names of databases, schemas, tables and procedures while they are typed."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import Completion, PromptReference, ResourceTemplateReference

from mssqlclient_mcp.server import build_server
from tests import golden_schema
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

TABLE = ResourceTemplateReference(uri="db://table/{schema}/{name}")
TABLE_IN_SERVER = ResourceTemplateReference(uri="db://{database}/table/{schema}/{name}")
SESSION = ResourceTemplateReference(uri="db://sessions/{sessionId}/results.csv")
CALL_PROCEDURE = PromptReference(name="call_procedure")
DOCUMENT_TABLE = PromptReference(name="document_table")


@pytest.fixture(scope="module")
def golden(database: TestDatabase) -> TestDatabase:
    """A database with the golden schema in it."""
    golden_schema.load(database)
    return database


@pytest.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest, golden: TestDatabase) -> AsyncIterator[Client]:
    """A client in database mode."""
    server = build_server(golden.config(ENABLE_START_QUERY="true"))
    async with connected(server, mode=request.param) as client:
        yield client


@pytest.fixture(params=["auto", "legacy"])
async def server_mode(request: pytest.FixtureRequest, golden: TestDatabase) -> AsyncIterator[Client]:
    """A client in server mode."""
    async with connected(build_server(golden.server_mode_config()), mode=request.param) as client:
        yield client


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield int(listening.getsockname()[1])


async def completed(
    client: Client, ref: ResourceTemplateReference | PromptReference, name: str, value: str, **context: str
) -> Completion:
    """The answer to one completion/complete."""
    return (await client.complete(ref, {"name": name, "value": value}, context or None)).completion


async def test_table_names_are_completed_from_their_beginning(client: Client) -> None:
    """Those that begin so come first, in any case of letters."""
    found = await completed(client, TABLE, "name", "Cust", schema="golden")
    assert found.values[0] == "customers"
    assert (found.total, found.has_more) == (len(found.values), False)


async def test_letters_in_order_are_enough(client: Client) -> None:
    """Whoever remembers only pieces of a name finds it all the same."""
    assert "big_spenders" in (await completed(client, TABLE, "name", "bgspend", schema="golden")).values
    assert "big_spenders" in (await completed(client, TABLE, "name", "spend", schema="golden")).values
    assert (await completed(client, TABLE, "name", "zzzqqq")).values == []


async def test_the_schema_that_was_chosen_narrows_the_tables(client: Client) -> None:
    """The context's arguments count."""
    odd = await completed(client, TABLE, "name", "", schema="odd schema.x")
    assert [name.lower() for name in odd.values] == ['t "q" [b] ünï']  # some T-SQL endpoints fold names


async def test_schemas_are_completed(client: Client) -> None:
    """Those that have tables."""
    assert (await completed(client, TABLE, "schema", "go")).values[0] == "golden"
    assert "odd schema.x" in (await completed(client, TABLE, "schema", "")).values


async def test_procedures_of_a_prompt_are_completed(client: Client) -> None:
    """With their schema, as the tools take them."""
    assert (await completed(client, CALL_PROCEDURE, "procedure", "rest")).values == ["golden.restock"]
    assert (await completed(client, CALL_PROCEDURE, "procedure", "golden.re")).values[0] == "golden.restock"


async def test_tables_of_a_prompt_are_completed_as_the_tools_take_them(client: Client) -> None:
    """A name that would be split or folded is quoted."""
    assert "golden.customers" in (await completed(client, DOCUMENT_TABLE, "table", "golden.cu")).values
    [odd] = (await completed(client, DOCUMENT_TABLE, "table", 'T "q')).values
    shown = await client.call_tool("get_table_schema", {"tableName": odd})
    assert not shown.is_error


async def test_ids_of_the_callers_sessions_are_completed(client: Client) -> None:
    """From memory, without the database."""
    started = await client.call_tool("start_query", {"query": "SELECT 1 AS n"})
    session = started.structured_content["sessionId"]
    assert (await completed(client, SESSION, "sessionId", session[:4])).values == [session]


async def test_in_server_mode_databases_are_completed_and_narrow_the_rest(server_mode: Client, golden: TestDatabase) -> None:
    """Without a database there is nothing to look in."""
    assert golden.name in (await completed(server_mode, TABLE_IN_SERVER, "database", golden.name[:4])).values
    names = await completed(server_mode, TABLE_IN_SERVER, "name", "cust", database=golden.name, schema="golden")
    assert names.values[0] == "customers"
    assert (await completed(server_mode, TABLE_IN_SERVER, "name", "cust")).values == []
    assert golden.name in (await completed(server_mode, DOCUMENT_TABLE, "database", "")).values


async def test_free_text_has_no_completion(client: Client) -> None:
    """An argument in the user's own words."""
    assert (await completed(client, PromptReference(name="long_question"), "question", "ho")).values == []


@pytest.mark.parametrize(
    ("ref", "argument"),
    [
        (ResourceTemplateReference(uri="db://nothing/{x}"), "x"),
        (TABLE, "nmae"),
        (PromptReference(name="call_procdure"), "procedure"),
        (CALL_PROCEDURE, "prcedure"),
    ],
)
async def test_what_is_not_there_is_a_protocol_error(
    client: Client, ref: ResourceTemplateReference | PromptReference, argument: str
) -> None:
    """A misspelt reference or argument is the client's mistake, not an empty list."""
    with pytest.raises(MCPError) as wrong:
        await completed(client, ref, argument, "x")
    assert wrong.value.error.data["code"] == "INVALID_PARAMETER"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_database_that_is_away_gives_an_empty_list_in_time(mode: str, silent_port: int) -> None:
    """Typing must not hang nor fail: neither with a closed port nor with one that never answers."""
    for port in (1, silent_port):
        away = TestDatabase("postgresql", "nowhere", {"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/nowhere"}, "")
        async with Client(build_server(away.config(CONNECTION_TIMEOUT_SECONDS="8")), mode=mode) as client:
            began = time.monotonic()
            found = await completed(client, TABLE, "name", "cust")
            assert (found.values, found.total, found.has_more) == ([], 0, False)
            assert time.monotonic() - began < 5
