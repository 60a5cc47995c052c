"""Values that do not fit, on every database at hand: all said at once, before anything runs; the same in the background."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from mcp import Client

from mssqlclient_mcp.server import build_server
from tests.clients import connected
from tests.databases import TestDatabase
from tests.procedure_calls import Calls, calls

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

GATES = {"ENABLE_EXECUTE_STORED_PROCEDURE": "true", "ENABLE_START_STORED_PROCEDURE": "true"}
SETUP = {
    "postgresql": (
        "CREATE TABLE runs (n int)",
        "CREATE PROCEDURE takes_all(i int = NULL, s smallint = NULL, d date = NULL, b bytea = NULL, v varchar(3) = NULL, "
        "n numeric(5,2) = NULL, f double precision = NULL, u uuid = NULL, t time = NULL, ts timestamp = NULL, "
        "flag boolean = NULL, big bigint = NULL, must int = 0) LANGUAGE sql AS 'INSERT INTO runs VALUES (1)'",
        "CREATE PROCEDURE needs(a int, b int, c date, d text = '') LANGUAGE sql AS 'INSERT INTO runs VALUES (1)'",
        "CREATE PROCEDURE tells(n int, INOUT twice int = 1, INOUT word text = 'w') LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE 'said'; twice := coalesce(twice, 0) + n * 2; word := word || '!'; END $$",
    ),
    "sqlserver": (
        "CREATE TABLE dbo.runs (n int)",
        "CREATE PROCEDURE dbo.takes_all @i int = NULL, @s smallint = NULL, @d date = NULL, @b varbinary(20) = NULL, "
        "@v varchar(3) = NULL, @n decimal(5,2) = NULL, @f float = NULL, @u uniqueidentifier = NULL, @t time(6) = NULL, "
        "@ts datetime2(6) = NULL, @flag bit = NULL, @big bigint = NULL, @must int = 0 AS INSERT INTO dbo.runs VALUES (1)",
        "CREATE PROCEDURE dbo.needs @a int, @b int, @c date, @d nvarchar(20) = N'' AS INSERT INTO dbo.runs VALUES (1)",
        "CREATE PROCEDURE dbo.tells @n int, @twice int = 1 OUTPUT, @word nvarchar(20) = N'w' OUTPUT AS BEGIN PRINT 'said'; "
        "SELECT @n AS n; SET @twice = COALESCE(@twice, 0) + @n * 2; SET @word = @word + N'!'; RETURN 5 END",
    ),
}

UNFIT: tuple[tuple[str, object], ...] = (
    ("i", 2**31),
    ("i", ""),
    ("i", "NaN"),
    ("i", 1.5),
    ("i", True),
    ("i", [1]),
    ("i", {"a": 1}),
    ("s", -32769),
    ("s", "1e3x"),
    ("d", "2024-02-31"),
    ("d", "2023-02-29"),
    ("d", ""),
    ("d", 20240101),
    ("b", "not base64!"),
    ("b", "0x0"),
    ("b", "0xZZ"),
    ("n", "abc"),
    ("f", "1e400"),
    ("f", "one"),
    ("u", "6F9619FF-8B86-D011"),
    ("t", "25:00:00"),
    ("ts", "2024-01-01T24:61:00"),
    ("ts", "yesterday"),
    ("flag", 2),
    ("flag", "maybe"),
    ("big", 2**63),
    ("big", "9223372036854775808"),
)

UNFIT_IN_SIZE: tuple[tuple[str, object], ...] = (("v", "four"), ("n", "1000.00"), ("n", "1.005"), ("b", "0x" + "00" * 21))
"""PostgreSQL keeps no length of a parameter: what is too long for one fits there."""


@pytest.fixture(scope="module")
def made(database: TestDatabase) -> Iterator[Calls]:
    """The procedures of these tests."""
    with calls(database.config()) as made:
        made.run(*SETUP[database.dialect])
        yield made


@pytest_asyncio.fixture
async def client(database: TestDatabase, made: Calls) -> AsyncIterator[Client]:
    """A client of a server with the procedure gates open."""
    async with connected(build_server(database.config(**GATES))) as client:
        yield client


async def _refused(client: Client, procedure: str, parameters: dict[str, object]) -> dict[str, Any]:
    result = await client.call_tool("execute_stored_procedure", {"procedureName": procedure, "parameters": parameters})
    assert result.is_error, result.content[0].text
    assert result.structured_content is not None
    assert result.structured_content["code"] == "INVALID_PARAMETER", result.content[0].text
    details: dict[str, Any] = result.structured_content["details"]
    return details


async def test_each_unfit_value_is_named_before_the_procedure_runs(client: Client, made: Calls, database: TestDatabase) -> None:
    """With its parameter, its type and what is wrong; the signature beside it; nothing has run."""
    for name, value in (*UNFIT, *(UNFIT_IN_SIZE if database.dialect == "sqlserver" else ())):
        details = await _refused(client, "takes_all", {name: value})
        [problem] = details["problems"]
        assert problem.lstrip("@").startswith(f"{name} ("), (name, value, problem)
        assert "takes_all(" in details["expected"]
    assert made.rows("SELECT count(*) FROM runs") == [(0,)]


async def test_missing_unknown_and_unfit_are_said_all_at_once(client: Client, made: Calls) -> None:
    """One round is enough to repair a call."""
    details = await _refused(client, "needs", {"a": "x", "e": 1, "D": [1]})
    told = "\n".join(details["problems"]).replace("@", "")
    assert len(details["problems"]) == 5
    for words in ("a (int", "'x' is not a whole number", "e: there is no such parameter", "d (", "b (int"):
        assert words in told
    assert "c (date) is missing" in told
    assert details["expected"].replace("@", "").split("(", 1)[1].startswith("a int")
    assert made.rows("SELECT count(*) FROM runs") == [(0,)]


async def test_null_reaches_every_type(client: Client, made: Calls) -> None:
    """A NULL has its parameter's type, and the call runs."""
    everything = dict.fromkeys(("i", "s", "d", "b", "v", "n", "f", "u", "t", "ts", "flag", "big", "must"))
    before = made.rows("SELECT count(*) FROM runs")[0][0]
    result = await client.call_tool("execute_stored_procedure", {"procedureName": "takes_all", "parameters": everything})
    assert not result.is_error, result.content[0].text
    assert made.rows("SELECT count(*) FROM runs") == [(before + 1,)]  # type: ignore[operator]


async def test_the_background_gives_the_same_answer(client: Client, database: TestDatabase) -> None:
    """Outputs (those left out start from their defaults), return value, messages and rows, by either tool."""
    arguments = {"procedureName": "tells", "parameters": {"n": 21}}
    answer = (await client.call_tool("execute_stored_procedure", arguments)).structured_content
    assert answer is not None
    assert {one["name"].lstrip("@"): one["value"] for one in answer["outputs"]} == {"twice": 43, "word": "w!"}
    assert "said" in answer["messages"]
    started = (await client.call_tool("start_stored_procedure", arguments)).structured_content
    assert started is not None
    asked = {"sessionId": started["sessionId"], "waitSeconds": 30}
    status = (await client.call_tool("get_session_status", asked)).structured_content
    assert status is not None
    assert status["status"] == "completed"
    for key in ("outputs", "returnValue", "messages", "notes"):
        assert status.get(key) == answer.get(key), key
    if database.dialect == "sqlserver":
        page = (await client.call_tool("get_session_result", {**asked, "resultSet": 0})).structured_content
        assert page is not None
        assert page["rows"] == answer["resultSets"][0]["rows"] == [[21]]
        assert answer["returnValue"] == 5
    assert len(status["resultSets"]) >= len(answer.get("resultSets", []))


async def test_the_background_refuses_the_same_values(client: Client) -> None:
    """A session fails with the same problems, and nothing has run."""
    arguments = {"procedureName": "needs", "parameters": {"a": "x"}}
    started = (await client.call_tool("start_stored_procedure", arguments)).structured_content
    assert started is not None
    asked = {"sessionId": started["sessionId"], "waitSeconds": 30}
    status = (await client.call_tool("get_session_status", asked)).structured_content
    assert status is not None
    assert (status["status"], status["error"]["code"]) == ("failed", "INVALID_PARAMETER")
    assert status["error"]["details"]["problems"] == (await _refused(client, "needs", {"a": "x"}))["problems"]
