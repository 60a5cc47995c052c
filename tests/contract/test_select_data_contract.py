"""select_data as a client meets it, on every database at hand: conditions, groups, order, pages, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult

from mssqlclient_mcp.server import build_server
from tests import people
from tests.clients import connected
from tests.databases import TestDatabase

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

OPERATORS = (
    "=", "!=", "<", "<=", ">", ">=", "between", "in", "not_in", "like", "not_like", "ilike", "starts_with", "contains",
    "is_null", "is_not_null",
)  # fmt: skip


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


async def answer(client: Client, **arguments: Any) -> dict[str, Any]:
    """The structured content of a call that succeeds."""
    result = await client.call_tool("select_data", {"tableName": "reads.people", **arguments})
    assert not result.is_error, result.content[0].text
    return result.structured_content


async def refusal(client: Client, code: str = "INVALID_PARAMETER", **arguments: Any) -> tuple[str, dict[str, Any]]:
    """The text and the details of a call that is refused."""
    result = await client.call_tool("select_data", {"tableName": "reads.people", **arguments})
    assert result.is_error
    assert result.structured_content["code"] == code, result.content[0].text
    return result.content[0].text, result.structured_content["details"]


async def ids(client: Client, *conditions: dict[str, Any]) -> list[object]:
    """The ids of the people for whom all conditions hold."""
    content = await answer(client, columns=["id"], filters=list(conditions), orderBy=[{"column": "id"}])
    return [row[0] for row in content["rows"]]


def condition(column: str, op: str, *value: object) -> dict[str, Any]:
    """A condition as a client writes it."""
    return {"column": column, "op": op, **({"value": value[0]} if value else {})}


async def test_the_tool_is_listed_with_all_its_operators(client: Client) -> None:
    """On by default; its schema says all that a call can hold, and it only reads."""
    [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == "select_data"]
    assert tool.input_schema["required"] == ["tableName"]
    assert set(tool.input_schema["properties"]) == {
        "tableName", "columns", "filters", "groupBy", "aggregates", "orderBy", "limit", "offset", "cursor",
    }  # fmt: skip
    for operator in OPERATORS:
        assert json.dumps(operator) in json.dumps(tool.input_schema)
    assert tool.annotations.read_only_hint is True


async def test_the_two_tools_together_stay_small(client: Client) -> None:
    """A client pays for the list at each start."""
    tools = [tool for tool in (await client.list_tools()).tools if tool.name in ("select_data", "execute_filter")]
    dumped = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    assert len(json.dumps(dumped, separators=(",", ":"))) < 3200


async def test_a_table_without_further_ado(client: Client) -> None:
    """All columns, in the order of the primary key, rows as arrays beside the columns; the text has the same."""
    result = await client.call_tool("select_data", {"tableName": "reads.people"})
    content = result.structured_content
    assert [column["name"] for column in content["columns"]] == list(people.COLUMNS)
    assert [row[0] for row in content["rows"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert content["rowCount"] == 8
    assert content["truncated"] is False
    assert "nextOffset" not in content
    assert "nextCursor" not in content
    assert content["rows"][0][7] == "9007199254740993"  # a bigint that a double does not hold
    assert "reads.people" in result.content[0].text
    assert "Gus O'Neil" in result.content[0].text


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (condition("age", "=", 30), [1, 6]),
        (condition("age", "=", "30"), [1, 6]),
        (condition("age", "!=", 30), [3, 4, 5, 8]),
        (condition("age", "<", 30), [5]),
        (condition("age", "<=", 30), [1, 5, 6]),
        (condition("age", ">", 41), [8]),
        (condition("age", ">=", 41), [3, 4, 8]),
        (condition("age", "between", [17, 30]), [1, 5, 6]),
        (condition("age", "in", [17, 64]), [5, 8]),
        (condition("age", "not_in", [17, 30]), [3, 4, 8]),
        (condition("age", "is_null"), [2, 7]),
        (condition("age", "is_not_null"), [1, 3, 4, 5, 6, 8]),
        (condition("name", "=", "Gus O'Neil"), [7]),
        (condition("name", "=", "Hal; --"), [8]),
        (condition("nick", "=", 'q"q'), [8]),
        (condition("name", "like", "_a%"), [6, 8]),
        (condition("name", "not_like", "_a%"), [1, 2, 3, 4, 5, 7]),
        (condition("nick", "like", "100%"), [3, 4]),
        (condition("nick", "like", "100\\%"), [3]),
        (condition("nick", "like", "[x]"), [5]),
        (condition("nick", "like", "back\\\\slash"), [7]),
        (condition("nick", "starts_with", "100%"), [3]),
        (condition("nick", "contains", "%"), [3]),
        (condition("nick", "contains", "_"), [1]),
        (condition("nick", "contains", "[x"), [5]),
        (condition("nick", "contains", "\\"), [7]),
        (condition("city", "ilike", "BONN"), [6, 7]),
        (condition("name", "ilike", "gus%"), [7]),
        (condition("score", "=", 10.5), [1, 6]),
        (condition("score", "=", "10.50"), [1, 6]),
        (condition("score", "between", [-5, 0.25]), [4, 5]),
        (condition("score", ">", 10.501), [2, 8]),
        (condition("active", "=", True), [1, 3, 6, 7]),
        (condition("active", "!=", True), [2, 5]),
        (condition("big", "=", 9007199254740993), [1]),
        (condition("big", "=", "9007199254740993"), [1]),
        (condition("ref", "=", people.ANN.upper()), [1]),
        (condition("ref", "in", [people.ANN]), [1]),
        (condition("born", ">=", "2000-02-29"), [4, 5]),
        (condition("made", "=", "2024-01-01T10:00:00.125"), [1]),
        (condition("made", ">=", "2024-01-02"), [2, 3]),
    ],
    ids=str,
)
async def test_conditions(client: Client, one: dict[str, Any], expected: list[int]) -> None:
    """Every operator, on values of every kind, alike on both databases."""
    assert await ids(client, one) == expected


async def test_all_conditions_must_hold(client: Client) -> None:
    """A list of conditions is an AND."""
    assert await ids(client, condition("age", ">=", 30), condition("city", "=", "Rome")) == [3, 4]
    assert await ids(client) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_column_names_may_come_in_any_case(client: Client) -> None:
    """As long as only one column can be meant."""
    content = await answer(client, columns=["NAME", "Id"], filters=[condition("AGE", "=", 64)], orderBy=[{"column": "ID"}])
    assert [column["name"] for column in content["columns"]] == ["name", "id"]
    assert content["rows"] == [["Hal; --", 8]]


async def test_order_in_both_directions(client: Client) -> None:
    """By several columns; the direction is asc unless it says desc."""
    order = [{"column": "age", "direction": "desc"}, {"column": "name"}]
    content = await answer(client, columns=["id"], filters=[condition("age", "is_not_null")], orderBy=order)
    assert [row[0] for row in content["rows"]] == [8, 3, 4, 1, 6, 5]


async def test_groups_with_aggregates(client: Client) -> None:
    """How many, and which is the most, without pulling rows; an order may name an alias."""
    content = await answer(
        client,
        groupBy=["city"],
        filters=[condition("city", "in", ["Oslo", "Rome"])],
        aggregates=[
            {"function": "count", "as": "people"},
            {"function": "count", "column": "age", "as": "ages"},
            {"function": "count_distinct", "column": "age", "as": "distinct_ages"},
            {"function": "sum", "column": "score", "as": "total"},
            {"function": "max", "column": "born", "as": "youngest"},
        ],
        orderBy=[{"column": "people", "direction": "desc"}],
    )
    assert [column["name"] for column in content["columns"]] == [
        "city", "people", "ages", "distinct_ages", "total", "youngest",
    ]  # fmt: skip
    assert content["rows"] == [
        ["Oslo", 3, 2, 2, "100000030.49", "1990-01-31"],
        ["Rome", 2, 2, 1, "0.25", "2000-02-29"],
    ]


async def test_aggregates_without_groups_are_one_row(client: Client) -> None:
    """Over all rows that fit; an average of whole numbers keeps its fraction."""
    content = await answer(
        client,
        filters=[condition("age", "in", [17, 30])],
        aggregates=[
            {"function": "count", "as": "n"},
            {"function": "avg", "column": "age", "as": "mean"},
            {"function": "min", "column": "age", "as": "low"},
            {"function": "sum", "column": "big", "as": "big"},
        ],
    )
    [[n, mean, low, big]] = content["rows"]
    assert (n, low, int(big)) == (3, 17, 9007199254740993 - 5 + 6)
    assert float(mean) == pytest.approx(77 / 3, abs=1e-5)


async def test_an_aggregate_without_a_name_gets_one(client: Client) -> None:
    """And groupBy alone answers which values there are."""
    content = await answer(client, aggregates=[{"function": "count"}, {"function": "max", "column": "age"}])
    assert [column["name"] for column in content["columns"]] == ["count", "max_age"]
    assert content["rows"] == [[8, 64]]
    distinct = await answer(client, groupBy=["active"])
    assert len(distinct["rows"]) == 3


async def test_a_view_is_read_like_a_table(client: Client) -> None:
    """It has no key: a note says that the order is not guaranteed."""
    content = await answer(client, tableName="reads.grown", filters=[condition("age", ">", 40)])
    assert sorted(row[0] for row in content["rows"]) == [3, 4, 8]
    assert any("order" in note for note in content["notes"])


async def test_names_full_of_quotes_stay_names(client: Client, loaded: TestDatabase) -> None:
    """Names come from the catalogue and are quoted; nothing in them is read as SQL."""
    content = await answer(
        client,
        tableName=people.ODD_TABLE[loaded.dialect],
        columns=[people.ODD_COLUMN],
        filters=[condition(people.ODD_COLUMN, ">", 1)],
        orderBy=[{"column": people.ODD_COLUMN, "direction": "desc"}],
    )
    assert content["columns"][0]["name"] == people.ODD_COLUMN
    assert content["rows"] == [[2]]


# -- pages ---------------------------------------------------------------------------------------------------------------


async def test_pages_by_offset(client: Client) -> None:
    """A cut answer says where the next page starts, and that it was cut."""
    first = await answer(client, columns=["id"], limit=5)
    assert [row[0] for row in first["rows"]] == [1, 2, 3, 4, 5]
    assert first["truncated"] is True
    assert first["truncatedBy"] == "rows"
    assert first["nextOffset"] == 5
    second = await answer(client, columns=["id"], limit=5, offset=first["nextOffset"])
    assert [row[0] for row in second["rows"]] == [6, 7, 8]
    assert second["truncated"] is False


async def test_a_page_that_is_just_full_is_not_cut(client: Client) -> None:
    """Only one row more tells that there is more."""
    content = await answer(client, columns=["id"], limit=8)
    assert content["rowCount"] == 8
    assert content["truncated"] is False


@pytest.mark.parametrize(
    "order",
    [
        [],
        [{"column": "person", "direction": "desc"}, {"column": "place"}],
        [{"column": "day"}],
        [{"column": "place", "direction": "desc"}],
    ],
    ids=str,
)
async def test_pages_by_cursor_bring_every_row_once(client: Client, order: list[dict[str, str]]) -> None:
    """Whatever the order, as long as it ends in a key; the key's columns need not be among those asked for."""
    seen: list[object] = []
    arguments: dict[str, Any] = {"tableName": "reads.visits", "columns": ["cost"], "orderBy": order, "limit": 7}
    content = await answer(client, **arguments)
    pages = 1
    while content["truncated"]:
        assert [column["name"] for column in content["columns"]] == ["cost"]
        seen += [row[0] for row in content["rows"]]
        content = await answer(client, **arguments, cursor=content["nextCursor"])
        pages += 1
    seen += [row[0] for row in content["rows"]]
    assert pages == 9
    assert sorted(seen) == sorted(f"{n}.50" for n in range(60))
    whole = await answer(client, **{**arguments, "limit": 100})
    assert [row[0] for row in whole["rows"]] == seen


async def test_a_cursor_is_not_moved_by_rows_that_come_in(client: Client, loaded: TestDatabase) -> None:
    """An offset would show a row twice; a cursor goes on behind the last one seen."""
    arguments: dict[str, Any] = {"columns": ["id"], "limit": 3}
    first = await answer(client, **arguments)
    people.run(loaded, "INSERT INTO reads.people (id, name) VALUES (-1, 'early')")
    try:
        second = await answer(client, **arguments, cursor=first["nextCursor"])
        assert [row[0] for row in second["rows"]] == [4, 5, 6]
    finally:
        people.run(loaded, "DELETE FROM reads.people WHERE id = -1")


async def test_a_cursor_belongs_to_its_request(client: Client) -> None:
    """With other conditions, another order or another table it would skip rows: it is refused, as is one made up."""
    first = await answer(client, columns=["id"], limit=3)
    cursor = first["nextCursor"]
    for other in (
        {"filters": [condition("age", ">", 1)]},
        {"orderBy": [{"column": "name"}]},
        {"tableName": "reads.visits"},
        {"cursor": cursor[:-3]},
        {"cursor": "not a cursor"},
        {"cursor": "e30"},
    ):
        text, _ = await refusal(client, **{"cursor": cursor, "limit": 3, **other})
        assert "cursor" in text
    text, _ = await refusal(client, cursor=cursor, offset=3)
    assert "offset" in text


async def test_an_order_with_nulls_pages_by_offset(client: Client) -> None:
    """A cursor cannot stand on NULL; the key behind it makes the pages stable all the same."""
    seen: list[object] = []
    for offset in (0, 3, 6):
        content = await answer(client, columns=["id"], orderBy=[{"column": "age"}], limit=3, offset=offset)
        assert "nextCursor" not in content
        seen += [row[0] for row in content["rows"]]
    assert sorted(seen) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_table_without_a_key_says_that_its_order_is_not_certain(client: Client) -> None:
    """Pages of it may overlap."""
    content = await answer(client, tableName="reads.loose", limit=2)
    assert content["nextOffset"] == 2
    assert "nextCursor" not in content
    assert any("order" in note.lower() for note in content["notes"])


async def test_the_limit_is_held_to_the_owners(loaded: TestDatabase) -> None:
    """MAX_ROWS is the owner's word."""
    async with connected(build_server(loaded.config(MAX_ROWS="3", DEFAULT_MAX_ROWS="3"))) as client:
        for more in ({}, {"limit": 50}):
            content = await answer(client, columns=["id"], **more)
            assert content["rowCount"] == 3
            assert content["truncatedBy"] == "rows"
        text, _ = await refusal(client, limit=0)
        assert "limit" in text


async def test_a_long_answer_is_cut_where_the_next_page_begins(loaded: TestDatabase) -> None:
    """Cut by size instead of rows, the next page begins behind the last row that was shown."""
    async with connected(build_server(loaded.config(MAX_RESPONSE_CHARS="1000"))) as client:
        arguments: dict[str, Any] = {"tableName": "reads.visits", "limit": 60}
        content = await answer(client, **arguments)
        assert content["truncatedBy"] == "bytes"
        assert content["nextOffset"] == content["rowCount"] < 60
        after = await answer(client, **arguments, cursor=content["nextCursor"])
        assert after["rows"][0][1] == f"p{content['rowCount']:03}"


# -- what is refused -----------------------------------------------------------------------------------------------------


async def test_every_problem_is_said_at_once_with_its_place(client: Client) -> None:
    """Nothing has run; each line names the path, and what is nearest or expected."""
    _, details = await refusal(
        client,
        columns=["nmae"],
        filters=[
            condition("agee", "=", 1),
            condition("age", "equals", 1),
            condition("age", "=", "old"),
            condition("age", "=", None),
            condition("age", "in", []),
            condition("age", "in", [1, None]),
            condition("age", "between", [1]),
            condition("age", "is_null", 3),
            condition("age", "contains", "x"),
            condition("score", "="),
            {"column": "age", "op": "=", "values": 1},
        ],
        orderBy=[{"column": "agge"}],
        aggregates=[],
    )
    problems = details["problems"]
    assert len(problems) == 13
    for place, words in (
        ("columns[0]", "name"),
        ("filters[0].column", "age"),
        ("filters[1].op", "'='"),
        ("filters[2].value", "int"),
        ("filters[3].value", "is_null"),
        ("filters[4].value", "empty"),
        ("filters[5].value[1]", "null"),
        ("filters[6].value", "two"),
        ("filters[7].value", "no value"),
        ("filters[8].op", "text"),
        ("filters[9].value", "missing"),
        ("filters[10]", "value"),
        ("orderBy[0].column", "age"),
    ):
        [line] = [problem for problem in problems if problem.startswith(f"{place}:")] or [f"nothing about {place}"]
        assert words in line
    assert any("score" in str(column) for column in details["expected"])
    assert set(details["nearest"]) == {"name", "age"}


async def test_a_mixture_of_columns_and_aggregates_is_explained(client: Client) -> None:
    """A column beside an aggregate must be grouped by."""
    text, _ = await refusal(client, columns=["city", "age"], groupBy=["city"], aggregates=[{"function": "count"}])
    assert "groupBy" in text
    text, _ = await refusal(client, groupBy=["city"], aggregates=[{"function": "count"}], orderBy=[{"column": "age"}])
    assert "orderBy[0]" in text
    good = await answer(client, columns=["city"], groupBy=["city"], aggregates=[{"function": "count"}])
    assert [column["name"] for column in good["columns"]] == ["city", "count"]


async def test_aggregates_that_make_no_sense_are_refused(client: Client) -> None:
    """With what is wrong and what there is."""
    _, details = await refusal(
        client,
        aggregates=[
            {"function": "median", "column": "age"},
            {"function": "sum", "column": "name"},
            {"function": "max", "column": "ref", "as": "x"},
            {"function": "max", "column": "active", "as": "y"},
            {"function": "avg"},
            {"function": "count", "as": 'n"; DROP TABLE reads.people; --'},
            {"function": "count", "as": "twice"},
            {"function": "min", "column": "age", "as": "TWICE"},
        ],
    )
    places = {problem.split(":")[0] for problem in details["problems"]}
    assert places == {
        "aggregates[0].function",
        "aggregates[1]",
        "aggregates[2]",
        "aggregates[3]",
        "aggregates[4].column",
        "aggregates[5].as",
        "aggregates[7].as",
    }


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("age", "abc", "whole number"),
        ("age", 2.5, "whole number"),
        ("age", 3_000_000_000, "out of range"),
        ("age", [1], "whole number"),
        ("born", "2024-02-30", "days"),
        ("made", "yesterday", "ISO 8601"),
        ("ref", "not-a-guid", "GUID"),
        ("active", "perhaps", "true"),
        ("name", {"a": 1}, "text"),
    ],
)
async def test_values_that_do_not_fit_their_column(client: Client, column: str, value: object, words: str) -> None:
    """They are refused with the reason and the column's type, before anything runs."""
    text, details = await refusal(client, filters=[condition(column, "=", value)])
    assert words in text
    [problem] = details["problems"]
    assert problem.startswith("filters[0].value:")


async def test_limits_of_a_request(client: Client) -> None:
    """A hundred conditions and a thousand values; a further one is refused."""
    assert await ids(client, *[condition("age", ">", 0)] * 100)
    text, _ = await refusal(client, filters=[condition("age", ">", 0)] * 101)
    assert "100" in text
    assert await ids(client, condition("id", "in", list(range(1000)))) == [1, 2, 3, 4, 5, 6, 7, 8]
    text, _ = await refusal(client, filters=[condition("id", "in", list(range(1001)))])
    assert "1000" in text


async def test_a_tree_belongs_to_execute_filter(client: Client) -> None:
    """And the answer says so."""
    text, _ = await refusal(client, filters=[{"or": [condition("age", "=", 1)]}])
    assert "execute_filter" in text


async def test_an_unknown_table_is_not_found(client: Client) -> None:
    """With the nearest names."""
    _, details = await refusal(client, "OBJECT_NOT_FOUND", tableName="reads.poeple")
    assert "reads.people" in details["nearest"]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE reads.people; --", "] ; --", '" ; --', "\x00", "a\x00b", "{fn now()}", "?", "$1", "%s", "\ud7ff"]
)
async def test_hostile_words_are_values_or_refused(client: Client, loaded: TestDatabase, text: str) -> None:
    """As a value they match nothing; as a name, an operator, an alias or a direction they are refused."""
    refused = loaded.codes("INVALID_PARAMETER") if "\x00" in text else {"INVALID_PARAMETER"}
    result: CallToolResult = await client.call_tool(
        "select_data", {"tableName": "reads.people", "columns": ["id"], "filters": [condition("name", "=", text)]}
    )
    assert result.structured_content.get("rows", []) == []
    assert result.structured_content.get("code", "INVALID_PARAMETER") in refused
    for arguments in (
        {"columns": [text]},
        {"filters": [condition(text, "=", 1)]},
        {"filters": [condition("id", text, 1)]},
        {"orderBy": [{"column": text}]},
        {"orderBy": [{"column": "id", "direction": text}]},
        {"groupBy": [text]},
        {"aggregates": [{"function": text}]},
        {"aggregates": [{"function": "count", "as": text}]},
        {"cursor": text},
    ):
        await refusal(client, **arguments)
    named = await client.call_tool("select_data", {"tableName": f"reads.{text}"})
    assert named.structured_content["code"] in {"OBJECT_NOT_FOUND", *refused}
    assert await ids(client) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_closed_gate_hides_and_refuses_both_tools(loaded: TestDatabase) -> None:
    """The owner may switch structured reads off."""
    async with connected(build_server(loaded.config(ENABLE_SELECT_DATA="false"))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert not names & {"select_data", "execute_filter"}
        for name, more in (("select_data", {}), ("execute_filter", {"filter": condition("id", "=", 1)})):
            result = await client.call_tool(name, {"tableName": "reads.people", **more})
            assert result.structured_content["code"] == "GATE_CLOSED"
            assert "ENABLE_SELECT_DATA" in result.content[0].text


async def test_server_mode_takes_the_database(loaded: TestDatabase) -> None:
    """As the first, required argument."""
    async with connected(build_server(loaded.server_mode_config())) as client:
        [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == "select_data"]
        assert tool.input_schema["required"][0] == "databaseName"
        arguments = {"tableName": "reads.people", "columns": ["id"]}
        result = await client.call_tool("select_data", {"databaseName": loaded.name, **arguments})
        assert result.structured_content["rowCount"] == 8
        without = await client.call_tool("select_data", arguments)
        assert without.structured_content["code"] == "INVALID_PARAMETER"


async def test_arguments_may_come_as_json_text(client: Client) -> None:
    """Some models write nested arguments as a string."""
    content = await answer(client, columns='["id"]', filters='[{"column": "score", "op": "=", "value": 10.50}]')
    assert [row[0] for row in content["rows"]] == [1, 6]
    text, _ = await refusal(client, filters="[{]")
    assert "filters" in text
