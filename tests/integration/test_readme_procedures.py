"""README's worked examples of procedures, run as they are written through a client over stdio: the answers shown are true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import psycopg
import pytest
from mcp import Client

from tests.databases import ROOT, SqlServerForTests, postgres_database, stdio_parameters
from tests.procedure_calls import calls

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

SECTION = (ROOT / "README.md").read_text(encoding="utf-8").split("### A procedure, on each database\n")[1].split("\n### ")[0]
POSTGRES, SQLSERVER = SECTION.split("SQL Server, for a procedure made like this:")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


async def _answers_as_shown(environment: Mapping[str, str], text: str) -> None:
    """The one call in ``text``, sent as it stands, is answered as shown behind it, the duration aside."""
    request, shown = map(json.loads, _blocks(text, "json"))
    async with Client(stdio_parameters({**environment, "ENABLE_EXECUTE_STORED_PROCEDURE": "true"})) as client:
        result = await client.call_tool(request["tool"], request["arguments"])
    assert not result.is_error, result.content[0].text
    told = dict(result.structured_content or {})
    assert told.pop("durationSeconds") > 0
    assert shown.pop("durationSeconds") > 0
    assert told == shown
    words = result.content[0].text
    assert all(f"{one['name']} = {one['value']}" in words for one in shown["outputs"])


async def test_the_example_on_postgresql_is_true(make_postgres_database: Callable[[], str]) -> None:
    """In the demo's shop."""
    database = postgres_database(make_postgres_database())
    with psycopg.connect(database.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute((ROOT / "mssqlclient_mcp" / "demo" / "shop.sql").read_text(encoding="utf-8"))
    await _answers_as_shown(database.environment, POSTGRES)


def test_the_page_on_procedures_shows_the_same_example() -> None:
    """So what is true of the one is true of the other."""
    page = (ROOT / "docs" / "procedures.md").read_text(encoding="utf-8").split("## An example on each database\n")[1]
    assert page.strip() == SECTION[: SECTION.rindex("```") + 3].strip()


@pytest.mark.sqlserver
async def test_the_example_on_sql_server_is_true(sqlserver: SqlServerForTests) -> None:
    """With the table and the procedure that README shows."""
    database = sqlserver.database()
    [script] = _blocks(SQLSERVER, "sql")
    with calls(database.config()) as made:
        made.run("CREATE SCHEMA sales", *script.split("\nGO\n"))
    await _answers_as_shown(database.environment, SQLSERVER)
