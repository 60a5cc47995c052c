"""execute_filter as a client meets it, on every database at hand: trees of conditions, their logic and their limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp import Client

from mssqlclient_mcp.server import build_server
from tests import people
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

Tree = dict[str, Any]


@pytest.fixture(scope="module")
def loaded(database: TestDatabase) -> TestDatabase:
    """A database with the people in it."""
    people.load(database)
    return database


@pytest.fixture
async def client(loaded: TestDatabase) -> AsyncIterator[Client]:
    """A client in database mode, with the default gates."""
    async with connected(build_server(loaded.config())) as client:
        yield client


def condition(column: str, op: str, *value: object) -> Tree:
    """A condition as a client writes it."""
    return {"column": column, "op": op, **({"value": value[0]} if value else {})}


async def ids(client: Client, tree: object) -> list[object]:
    """The ids of the people whom a tree lets through."""
    result = await client.call_tool(
        "execute_filter", {"tableName": "reads.people", "columns": ["id"], "filter": tree, "orderBy": [{"column": "id"}]}
    )
    assert not result.is_error, result.content[0].text
    return [row[0] for row in result.structured_content["rows"]]


async def refusal(client: Client, tree: object) -> list[str]:
    """What is wrong with a tree."""
    result = await client.call_tool("execute_filter", {"tableName": "reads.people", "filter": tree})
    assert result.structured_content["code"] == "INVALID_PARAMETER"
    return result.structured_content["details"]["problems"]


ADULT, ROMAN, ACTIVE = condition("age", ">=", 18), condition("city", "=", "Rome"), condition("active", "=", True)


async def test_the_tool_is_listed_with_its_tree(client: Client) -> None:
    """The tree's schema is recursive, and the filter is required."""
    [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == "execute_filter"]
    assert tool.input_schema["required"] == ["tableName", "filter"]
    reference = tool.input_schema["properties"]["filter"]["$ref"]
    tree = tool.input_schema["$defs"][reference.rpartition("/")[2]]
    assert tree["properties"]["and"]["items"] == {"$ref": reference}
    assert tree["properties"]["not"] == {"$ref": reference}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (ADULT, [1, 3, 4, 6, 8]),
        ({"and": [ADULT, ROMAN]}, [3, 4]),
        ({"or": [ROMAN, condition("age", "<", 18)]}, [3, 4, 5]),
        ({"not": ROMAN}, [1, 2, 6, 7, 8]),
        ({"not": {"or": [ROMAN, condition("city", "is_null")]}}, [1, 2, 6, 7, 8]),
        ({"and": [ADULT, {"or": [ROMAN, {"not": ACTIVE}]}]}, [3, 4]),
        ({"or": [{"and": [ADULT, ACTIVE]}, condition("id", "=", 5)]}, [1, 3, 5, 6]),
        ({"not": {"not": ADULT}}, [1, 3, 4, 6, 8]),
        ({"and": [ADULT]}, [1, 3, 4, 6, 8]),
        ({"AND": [ADULT, ROMAN]}, [3, 4]),
    ],
    ids=str,
)
async def test_trees(client: Client, tree: Tree, expected: list[int]) -> None:
    """The logic is SQL's: what NULL makes uncertain is left out, also behind a not."""
    assert await ids(client, tree) == expected


async def test_the_parts_beside_the_tree_are_those_of_select_data(client: Client) -> None:
    """Groups, aggregates, order, limit and cursor."""
    result = await client.call_tool(
        "execute_filter",
        {
            "tableName": "reads.people",
            "filter": {"or": [ROMAN, condition("city", "=", "Oslo")]},
            "groupBy": ["city"],
            "aggregates": [{"function": "count", "as": "n"}],
            "orderBy": [{"column": "n", "direction": "desc"}],
            "limit": 1,
        },
    )
    content = result.structured_content
    assert content["rows"] == [["Oslo", 3]]
    assert content["nextOffset"] == 1


async def test_a_cursor_goes_on_within_the_tree(client: Client) -> None:
    """The tree holds for each page."""
    arguments: dict[str, Any] = {"tableName": "reads.people", "columns": ["name"], "filter": {"or": [ADULT, ROMAN]}, "limit": 2}
    names: list[str] = []
    content = (await client.call_tool("execute_filter", arguments)).structured_content
    while content["truncated"]:
        names += [row[0] for row in content["rows"]]
        content = (await client.call_tool("execute_filter", {**arguments, "cursor": content["nextCursor"]})).structured_content
    names += [row[0] for row in content["rows"]]
    assert names == ["Ann", "Cid", "Dee", "Fay", "Hal; --"]


def nested(depth: int) -> Tree:
    """A tree of that depth; a sole condition has depth 1."""
    tree = ADULT
    for _ in range(depth - 1):
        tree = {"and": [tree]}
    return tree


async def test_depth_and_number_are_limited(client: Client) -> None:
    """Ten levels and a hundred conditions; more is refused, however deep it goes."""
    assert await ids(client, nested(10)) == [1, 3, 4, 6, 8]
    [problem] = await refusal(client, nested(11))
    assert "10" in problem
    assert await refusal(client, nested(60))
    assert await ids(client, {"or": [ADULT] * 100}) == [1, 3, 4, 6, 8]
    [problem] = await refusal(client, {"or": [{"and": [ADULT] * 50}, {"and": [ADULT] * 51}]})
    assert "100" in problem


@pytest.mark.parametrize(
    ("tree", "place", "words"),
    [
        ({"and": [ADULT, {"or": [ROMAN, condition("age", "=", "x")]}]}, "filter.and[1].or[1].value", "whole number"),
        ({"not": condition("agge", "=", 1)}, "filter.not.column", "age"),
        ({"and": []}, "filter.and", "empty"),
        ({"and": ADULT}, "filter.and", "list"),
        ({"xor": [ADULT]}, "filter", "and"),
        ({"and": [ADULT], "or": [ROMAN]}, "filter", "one of"),
        ({"and": [ADULT], "column": "age"}, "filter", "one of"),
        ({"and": [ADULT, 5]}, "filter.and[1]", "object"),
        ({}, "filter", "column"),
        ([ADULT], "filter", "object"),
    ],
    ids=str,
)
async def test_malformed_trees_are_refused_with_the_place(client: Client, tree: object, place: str, words: str) -> None:
    """The path leads to the part that is wrong."""
    [problem] = await refusal(client, tree)
    assert problem.startswith(f"{place}:")
    assert words in problem


async def test_all_problems_of_a_tree_at_once(client: Client) -> None:
    """Wherever they are."""
    problems = await refusal(
        client,
        {"or": [condition("agge", "=", 1), {"not": condition("age", "=", None)}, {"and": [condition("age", "in", [])]}]},
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "filter.or[0].column",
        "filter.or[1].not.value",
        "filter.or[2].and[0].value",
    ]


async def test_the_filter_is_required(client: Client) -> None:
    """Without one it is select_data."""
    result = await client.call_tool("execute_filter", {"tableName": "reads.people"})
    assert result.structured_content["code"] == "INVALID_PARAMETER"
    assert "filter" in result.content[0].text


async def test_server_mode_takes_the_database(loaded: TestDatabase) -> None:
    """As the first, required argument."""
    async with connected(build_server(loaded.server_mode_config())) as client:
        arguments = {"databaseName": loaded.name, "tableName": "reads.people", "columns": ["id"], "filter": ADULT}
        result = await client.call_tool("execute_filter", arguments)
        assert [row[0] for row in result.structured_content["rows"]] == [1, 3, 4, 6, 8]
