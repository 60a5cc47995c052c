"""Prompts as a client meets them: the four stories, worded for the gates that are open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mssqlclient_mcp.server import build_server
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

GATES = {
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_START_QUERY": "true",
    "ENABLE_EXECUTE_STORED_PROCEDURE": "true",
    "ENABLE_START_STORED_PROCEDURE": "true",
}
STORIES = {
    "long_question": {"question": "How much did each region sell?"},
    "call_procedure": {"procedure": "sales.place_order"},
    "assess_server": {},
    "document_table": {"table": "sales.orders"},
}


@pytest.fixture(params=["auto", "legacy"])
async def client(request: pytest.FixtureRequest, database: TestDatabase) -> AsyncIterator[Client]:
    """A client with every gate open."""
    async with connected(build_server(database.config(**GATES)), mode=request.param) as client:
        yield client


@pytest.fixture
async def closed_client(database: TestDatabase) -> AsyncIterator[Client]:
    """A client with every gate closed."""
    async with connected(build_server(database.config(ENABLE_SELECT_DATA="false"))) as client:
        yield client


async def worded(client: Client, name: str, **arguments: str) -> str:
    """The text of a prompt's one message."""
    result = await client.get_prompt(name, arguments)
    assert result.description
    [message] = result.messages
    assert message.role == "user"
    return str(message.content.text)


async def test_the_four_stories_are_listed(client: Client) -> None:
    """Analyst, developer, administrator, data engineer; each with a title and described arguments."""
    prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
    assert set(prompts) == set(STORIES)
    assert all(prompt.title and prompt.description for prompt in prompts.values())
    required = {name: {one.name for one in prompt.arguments or () if one.required} for name, prompt in prompts.items()}
    assert required == {name: set(arguments) for name, arguments in STORIES.items()}
    assert all(one.description for prompt in prompts.values() for one in prompt.arguments or ())


@pytest.mark.parametrize("name", STORIES)
async def test_a_prompt_carries_what_the_user_gave(client: Client, name: str) -> None:
    """The argument stands in the text as it was written."""
    text = await worded(client, name, **STORIES[name])
    assert all(value in text for value in STORIES[name].values())


async def test_a_prompt_names_the_tools_that_are_open(client: Client) -> None:
    """The way through the tools, in order."""
    text = await worded(client, "long_question", **STORIES["long_question"])
    assert all(tool in text for tool in ("get_metadata", "start_query", "get_session_status", "get_session_result"))
    assert "execute_stored_procedure" in await worded(client, "call_procedure", **STORIES["call_procedure"])


@pytest.mark.parametrize("name", STORIES)
async def test_a_prompt_never_names_a_tool_that_is_closed(client: Client, closed_client: Client, name: str) -> None:
    """A model would call it and fail; where nothing can run, the user is told who can open it."""
    open_tools = {tool.name for tool in (await closed_client.list_tools()).tools}
    closed = {tool.name for tool in (await client.list_tools()).tools} - open_tools
    assert closed
    text = await worded(closed_client, name, **STORIES[name])
    assert [tool for tool in closed if tool in text] == []
    if name in ("long_question", "call_procedure"):
        assert "ENABLE_" in text


async def test_in_server_mode_prompts_take_a_database_and_name_that_modes_tools(database: TestDatabase) -> None:
    """Every tool call then needs databaseName."""
    async with Client(build_server(database.server_mode_config(**GATES))) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        for name in ("long_question", "call_procedure", "document_table"):
            first = (prompts[name].arguments or [])[0]
            assert (first.name, first.required) == ("database", True)
        text = await worded(client, "document_table", database="warehouse", table="sales.orders")
    assert "get_table_schema_in_database" in text
    assert "warehouse" in text


async def test_text_that_looks_like_a_placeholder_stays_text(client: Client) -> None:
    """An argument is data."""
    assert "{start_query} {0} {question}" in await worded(client, "long_question", question="{start_query} {0} {question}")


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("long_qestion", {}, "long_question"),
        ("document_table", {}, "table"),
        ("document_table", {"table": "  "}, "table"),
        ("document_table", {"table": "t", "tabel": "t"}, "tabel"),
        ("assess_server", {"focsu": "indexes"}, "focus"),
    ],
)
async def test_what_does_not_fit_is_a_protocol_error_with_the_nearest_name(
    client: Client, name: str, arguments: dict[str, str], expected: str
) -> None:
    """An unknown prompt, a missing or unknown argument."""
    with pytest.raises(MCPError) as wrong:
        await client.get_prompt(name, arguments)
    assert wrong.value.error.code == -32602
    assert wrong.value.error.data["code"] == "INVALID_PARAMETER"
    assert expected in wrong.value.error.message
