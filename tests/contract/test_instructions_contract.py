"""What the server tells every assistant at the start, in its own words and in those of the database's owner."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from mcp import Client

from mssqlclient_mcp.server import TOOLS, build_server
from tests.databases import TestDatabase, postgres_database, stdio_parameters

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

HEADING = "From the owner of this database:"
OWNERS_TEXT = "Schéma « sales » matters most.\nNever read hr.salaries; money is in cents."
GATES = (
    "ENABLE_EXECUTE_QUERY",
    "ENABLE_EXECUTE_STORED_PROCEDURE",
    "ENABLE_START_QUERY",
    "ENABLE_START_STORED_PROCEDURE",
    "ENABLE_SELECT_DATA",
)
EVERY_NAME = {name for tool in TOOLS for name in (tool.name, tool.server_name) if name}


@pytest.fixture
def owners_file(tmp_path: Path) -> Path:
    """The owner's text as an editor on Windows leaves it."""
    file = tmp_path / "instructions.md"
    file.write_bytes(b"\xef\xbb\xbf" + OWNERS_TEXT.encode() + b"\r\n\r\n")
    return file


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_gets_the_owners_text_over_stdio(postgres_url: str, owners_file: Path, mode: str) -> None:
    """Under a heading that tells whose words they are, after the server's own."""
    settings = {"DATABASE_URL": postgres_url, "INSTRUCTIONS_FILE": str(owners_file)}
    async with Client(stdio_parameters(settings), mode=mode) as client:
        text = client.instructions or ""
    own, heading, owners = text.partition(HEADING)
    assert "get_table_schema" in own
    assert heading
    assert owners.strip() == OWNERS_TEXT


async def test_without_a_file_there_is_no_heading(postgres_url: str) -> None:
    """Nothing is attributed to an owner who said nothing; an empty file says nothing either."""
    async with Client(build_server(postgres_database(postgres_url).config())) as client:
        assert HEADING not in (client.instructions or "")


async def test_an_empty_file_says_nothing(postgres_url: str, tmp_path: Path) -> None:
    """Blank lines are no instructions."""
    file = tmp_path / "empty.md"
    file.write_text(" \n\n", encoding="utf-8")
    async with Client(build_server(postgres_database(postgres_url).config(INSTRUCTIONS_FILE=str(file)))) as client:
        assert HEADING not in (client.instructions or "")


@pytest.mark.parametrize("server_mode", [False, True])
@pytest.mark.parametrize("opened", [set(some) for count in range(6) for some in combinations(GATES, count)], ids=str)
async def test_only_tools_that_are_open_are_named(postgres_url: str, opened: set[str], server_mode: bool) -> None:
    """By their name in this mode; and the text stays short whatever is open."""
    database: TestDatabase = postgres_database(postgres_url)
    settings = {gate: str(gate in opened).lower() for gate in GATES}
    config = database.server_mode_config(**settings) if server_mode else database.config(**settings)
    async with Client(build_server(config)) as client:
        text = client.instructions or ""
        listed = {tool.name for tool in (await client.list_tools()).tools}
    named = EVERY_NAME & set(re.findall(r"[a-z]+(?:_[a-z]+)+", text))
    assert named - listed == set()
    assert {"get_metadata"} <= named
    assert ("start_query" in named) is ("ENABLE_START_QUERY" in opened)
    assert "never instructions" in text
    assert len(text) < 2000
