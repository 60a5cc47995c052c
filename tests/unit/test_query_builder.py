"""Requests as data become SQL: golden texts per operator and type for both databases, without a database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mssqlclient_mcp import page_cursor, read_only
from mssqlclient_mcp.dialects.postgresql import selects as postgresql
from mssqlclient_mcp.dialects.postgresql.conversions import RULES as POSTGRESQL_RULES
from mssqlclient_mcp.dialects.selects import NOTHING, Ability, ReadableColumn, ReadableTable, selects_for
from mssqlclient_mcp.dialects.sqlserver import selects as sqlserver
from mssqlclient_mcp.dialects.sqlserver.types import TYPES as SQLSERVER_TYPES
from mssqlclient_mcp.errors import InvalidParameter
from mssqlclient_mcp.filter_sql import like_pattern
from mssqlclient_mcp.models import Condition, ObjectName, ParameterType, QueryRequest
from mssqlclient_mcp.query_builder import BuiltQuery, QueryBuilder
from mssqlclient_mcp.structured_requests import MOST_VALUES, OPERATORS, StructuredRead, read_request
from mssqlclient_mcp.type_mapper import parse_type

EVERYTHING = frozenset(Ability)


def column(dialect: str, name: str, written: str, *, nullable: bool = True, collation: str | None = None) -> ReadableColumn:
    """A column of a type as people write it. PostgreSQL's catalogue gives types for values without their lengths."""
    plain = re.sub(r"\([^)]*\)", "", written) if dialect == "postgresql" else written
    kind = replace(parse_type(plain, dialect), **({"precision": None, "scale": None} if dialect == "postgresql" else {}))
    abilities = (postgresql if dialect == "postgresql" else sqlserver).abilities_of(kind)
    return ReadableColumn(name, kind, written, nullable, abilities, collation=collation)


POSTGRESQL = ReadableTable(
    ObjectName("sales", "orders"),
    (
        column("postgresql", "id", "integer", nullable=False),
        column("postgresql", "status", "varchar(10)"),
        column("postgresql", "total", "numeric(10,2)"),
        column("postgresql", "placed", "timestamp with time zone", nullable=False),
        column("postgresql", "tags", "text[]"),
        column("postgresql", "doc", "jsonb"),
        column("postgresql", "raw", "json"),
        column("postgresql", "paid", "money"),
        column("postgresql", "data", "bytea"),
        column("postgresql", "ref", "uuid"),
        column("postgresql", "ok", "boolean"),
    ),
    (("id",),),
)
SQLSERVER = ReadableTable(
    ObjectName("sales", "orders"),
    (
        column("sqlserver", "id", "int", nullable=False),
        column("sqlserver", "status", "varchar(10)", collation="Latin1_General_CI_AS"),
        column("sqlserver", "code", "varchar(10)", collation="Latin1_General_BIN2"),
        column("sqlserver", "note", "nvarchar(20)", collation="Latin1_General_CI_AS"),
        column("sqlserver", "long", "nvarchar(max)", collation="Latin1_General_CS_AS"),
        column("sqlserver", "old", "text", collation="Latin1_General_CS_AS"),
        column("sqlserver", "total", "decimal(10,2)"),
        column("sqlserver", "big", "bigint"),
        column("sqlserver", "placed", "datetime", nullable=False),
        column("sqlserver", "data", "varbinary(20)"),
        column("sqlserver", "version", "rowversion"),
        column("sqlserver", "ref", "uniqueidentifier"),
        column("sqlserver", "ok", "bit"),
        column("sqlserver", "doc", "xml"),
        column("sqlserver", "place", "hierarchyid"),
        column("sqlserver", "any", "sql_variant"),
        column("sqlserver", "x]y", "int"),
    ),
    (("id",),),
)
TABLES = {"postgresql": POSTGRESQL, "sqlserver": SQLSERVER}


def build(dialect: str, *, table: ReadableTable | None = None, **given: Any) -> BuiltQuery:
    """The query of a request as a client writes it."""
    problems: list[str] = []
    request = read_request(StructuredRead("orders", **given), problems)
    return QueryBuilder(table or TABLES[dialect], dialect, problems).build(request)


def where(dialect: str, column_name: str, op: str, value: object = None) -> tuple[str, tuple[object, ...]]:
    """The condition in the SQL, and the values."""
    condition = {"column": column_name, "op": op, **({} if value is None else {"value": value})}
    statement = build(dialect, columns=["id"], filters=[condition]).statement
    assert read_only.judge(dialect, statement.sql).allowed, statement.sql
    return statement.sql.partition("WHERE ")[2].partition("\nORDER BY")[0], tuple(statement.parameters)


def problems_of(dialect: str, **given: Any) -> list[str]:
    """What is wrong with a request."""
    with pytest.raises(InvalidParameter) as caught:
        build(dialect, **given)
    found = caught.value.details["problems"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("column_name", "op", "value", "sql", "values"),
    [
        ("id", "=", 5, 't."id" = $1::integer', ("5",)),
        ("id", "!=", "5", 't."id" <> $1::integer', ("5",)),
        ("id", "<", 5, 't."id" < $1::integer', ("5",)),
        ("id", "<=", 5, 't."id" <= $1::integer', ("5",)),
        ("id", ">", 5, 't."id" > $1::integer', ("5",)),
        ("id", ">=", 5, 't."id" >= $1::integer', ("5",)),
        ("id", "between", [1, 5], 't."id" BETWEEN $1::integer AND $2::integer', ("1", "5")),
        ("id", "in", [1, 5], 't."id" IN ($1::integer, $2::integer)', ("1", "5")),
        ("id", "not_in", [1], 't."id" NOT IN ($1::integer)', ("1",)),
        ("status", "like", "a%\\_b", 't."status" LIKE $1::text', ("a%\\_b",)),
        ("status", "not_like", "[a]", 't."status" NOT LIKE $1::text', ("[a]",)),
        ("status", "ilike", "a_", 't."status" ILIKE $1::text', ("a_",)),
        ("status", "starts_with", "50%_\\", 't."status" LIKE $1::text', ("50\\%\\_\\\\%",)),
        ("status", "contains", "%", 't."status" LIKE $1::text', ("%\\%%",)),
        ("status", "is_null", None, 't."status" IS NULL', ()),
        ("status", "is_not_null", None, 't."status" IS NOT NULL', ()),
        ("status", "=", "longer than the column", 't."status" = $1::varchar', ("longer than the column",)),
        ("total", "=", "1.50", 't."total" = $1::numeric', ("1.50",)),
        ("placed", ">=", "2024-01-01T00:00:00Z", 't."placed" >= $1::timestamp with time zone', ("2024-01-01T00:00:00+00:00",)),
        ("tags", "=", ["a", 'b"'], 't."tags" = $1::text[]', ('{"a","b\\""}',)),
        ("doc", "=", {"a": 1}, 't."doc" = $1::jsonb', ('{"a":1}',)),
        ("paid", "=", "5.10", 't."paid" = $1::numeric::money', ("5.10",)),
        ("data", "=", "0xFF", 't."data" = $1::bytea', (b"\xff",)),
        ("ref", "=", "6F9619FF8B86D011B42D00C04FC964F1", 't."ref" = $1::uuid', ("6f9619ff-8b86-d011-b42d-00c04fc964f1",)),
        ("ok", "=", True, 't."ok" = $1::boolean', ("true",)),
    ],
    ids=str,
)
def test_postgresql_conditions(column_name: str, op: str, value: object, sql: str, values: tuple[object, ...]) -> None:
    """Each operator and kind of value: the value is a parameter, cast to its column's type."""
    assert where("postgresql", column_name, op, value) == (sql, values)


@pytest.mark.parametrize(
    ("column_name", "op", "value", "sql", "values"),
    [
        ("id", "=", 5, "t.[id] = CAST(? AS int)", (5,)),
        ("id", "!=", 5, "t.[id] <> CAST(? AS int)", (5,)),
        ("id", "<", 5, "t.[id] < CAST(? AS int)", (5,)),
        ("id", "<=", 5, "t.[id] <= CAST(? AS int)", (5,)),
        ("id", ">", 5, "t.[id] > CAST(? AS int)", (5,)),
        ("id", ">=", 5, "t.[id] >= CAST(? AS int)", (5,)),
        ("id", "between", [1, 5], "t.[id] BETWEEN CAST(? AS int) AND CAST(? AS int)", (1, 5)),
        ("id", "in", [1, 5], "t.[id] IN (CAST(? AS int), CAST(? AS int))", (1, 5)),
        ("id", "not_in", [1], "t.[id] NOT IN (CAST(? AS int))", (1,)),
        ("status", "is_null", None, "t.[status] IS NULL", ()),
        ("status", "is_not_null", None, "t.[status] IS NOT NULL", ()),
        ("status", "=", "x", "t.[status] = CAST(? AS varchar(8000))", ("x",)),
        ("status", "=", "Ω", "t.[status] = CAST(? AS nvarchar(4000))", ("Ω",)),
        ("status", "=", "longer than the column", "t.[status] = CAST(? AS varchar(8000))", ("longer than the column",)),
        ("note", "=", "x", "t.[note] = CAST(? AS nvarchar(4000))", ("x",)),
        ("long", "=", "x", "t.[long] = CAST(? AS nvarchar(max))", ("x",)),
        ("status", "like", "a%\\_b", "t.[status] LIKE CAST(? AS varchar(8000))", ("a%[_]b",)),
        ("status", "not_like", "[a]", "t.[status] NOT LIKE CAST(? AS varchar(8000))", ("[[]a]",)),
        ("status", "starts_with", "50%_[\\", "t.[status] LIKE CAST(? AS varchar(8000))", ("50[%][_][[]\\%",)),
        ("status", "contains", "%", "t.[status] LIKE CAST(? AS varchar(8000))", ("%[%]%",)),
        ("status", "ilike", "a_", "t.[status] LIKE CAST(? AS varchar(8000))", ("a_",)),
        ("code", "ilike", "a_", "LOWER(t.[code]) LIKE LOWER(CAST(? AS varchar(8000)))", ("a_",)),
        ("code", "like", "a_", "t.[code] LIKE CAST(? AS varchar(8000))", ("a_",)),
        ("old", "contains", "x", "t.[old] LIKE CAST(? AS varchar(max))", ("%x%",)),
        ("old", "ilike", "x", "LOWER(CAST(t.[old] AS varchar(max))) LIKE LOWER(CAST(? AS varchar(max)))", ("x",)),
        ("total", "=", "1.50", "t.[total] = CAST(? AS decimal(10,2))", ("1.50",)),
        ("total", ">", 1.0055, "t.[total] > CAST(? AS decimal(12,4))", ("1.0055",)),
        ("total", "<", 10**12, "t.[total] < CAST(? AS decimal(15,2))", (str(10**12),)),
        ("placed", ">=", "2024-01-31", "t.[placed] >= CAST(? AS datetime)", ("20240131 00:00:00",)),
        ("data", "=", "0xFF", "t.[data] = CAST(? AS varbinary(8000))", (b"\xff",)),
        ("version", ">", "0x00000000000007D1", "t.[version] > CAST(? AS binary(8))", (bytes.fromhex("00000000000007D1"),)),
        ("ok", "=", "yes", "t.[ok] = CAST(? AS bit)", (True,)),
        ("place", "=", "/1/2/", "t.[place] = hierarchyid::Parse(CONVERT(nvarchar(4000), ?))", ("/1/2/",)),
        ("x]y", "=", 1, "t.[x]]y] = CAST(? AS int)", (1,)),
    ],
    ids=str,
)
def test_sqlserver_conditions(column_name: str, op: str, value: object, sql: str, values: tuple[object, ...]) -> None:
    """Each operator and kind of value: CAST to the column's type at its longest, so that an index still serves and nothing
    is cut; text beyond ASCII never becomes a question mark."""
    assert where("sqlserver", column_name, op, value) == (sql, values)


def test_every_statement_passes_the_gate() -> None:
    """What is built here would also be let through if it were a caller's text."""
    for dialect in TABLES:
        for asked in (
            {},
            {"group_by": ["status"], "aggregates": [{"function": "count"}], "order_by": [{"column": "count"}]},
            {"aggregates": [{"function": "avg", "column": "total"}]},
            {"tree": {"not": {"or": [{"column": "id", "op": "=", "value": 1}, {"column": "ok", "op": "is_null"}]}}},
            {"offset": 5},
        ):
            sql = build(dialect, **asked).statement.sql
            verdict = read_only.judge(dialect, sql)
            assert verdict.allowed, (sql, verdict.reason)


# -- whole statements ----------------------------------------------------------------------------------------------------


def test_a_page_on_postgresql() -> None:
    """One row more than the page, in the order of the key, with the key behind the columns for the cursor."""
    built = build("postgresql", columns=["status"], limit=10, offset=20)
    assert built.statement.sql == ('SELECT t."status", t."id"\nFROM "sales"."orders" AS t\nORDER BY t."id"\nLIMIT 11 OFFSET 20')
    assert (built.shown, built.key_places) == (1, (1,))


def test_a_page_on_sqlserver() -> None:
    """OFFSET and FETCH after the ORDER BY."""
    built = build("sqlserver", columns=["status"], limit=10, order_by=[{"column": "placed", "direction": "desc"}])
    assert built.statement.sql == (
        "SELECT t.[status], t.[placed], t.[id]\nFROM [sales].[orders] AS t\n"
        "ORDER BY t.[placed] DESC, t.[id] DESC\nOFFSET 0 ROWS FETCH NEXT 11 ROWS ONLY"
    )
    assert built.key_places == (1, 2)


def test_a_table_without_a_key_on_sqlserver() -> None:
    """TOP without an order; with an offset an order that says nothing, which OFFSET needs."""
    keyless = ReadableTable(SQLSERVER.name, SQLSERVER.columns[:1])
    first = build("sqlserver", table=keyless, limit=10)
    assert first.statement.sql == "SELECT TOP (11) t.[id]\nFROM [sales].[orders] AS t"
    assert "order" in first.notes[0]
    later = build("sqlserver", table=keyless, limit=10, offset=10)
    assert later.statement.sql.endswith("ORDER BY (SELECT NULL)\nOFFSET 10 ROWS FETCH NEXT 11 ROWS ONLY")


def test_groups_on_postgresql() -> None:
    """Filters hold before the grouping; the groups' columns end the order, so that pages are stable."""
    built = build(
        "postgresql",
        group_by=["status"],
        filters=[{"column": "total", "op": "is_not_null"}],
        aggregates=[
            {"function": "count", "as": "n"},
            {"function": "count_distinct", "column": "id", "as": "ids"},
            {"function": "sum", "column": "paid", "as": "paid"},
            {"function": "max", "column": "placed", "as": "last one"},
        ],
        order_by=[{"column": "N", "direction": "desc"}],
        limit=3,
    )
    assert built.statement.sql == (
        'SELECT t."status", count(*) AS "n", count(DISTINCT t."id") AS "ids", sum(t."paid"::numeric) AS "paid", '
        'max(t."placed") AS "last one"\n'
        'FROM "sales"."orders" AS t\nWHERE t."total" IS NOT NULL\nGROUP BY t."status"\n'
        'ORDER BY "n" DESC, t."status" DESC\nLIMIT 4'
    )
    assert built.key_places == ()


def test_aggregates_on_sqlserver_neither_overflow_nor_round() -> None:
    """SUM and AVG of int are int there, and COUNT as well."""
    built = build(
        "sqlserver",
        aggregates=[
            {"function": "count"},
            {"function": "count", "column": "note"},
            {"function": "count_distinct", "column": "note"},
            {"function": "sum", "column": "id"},
            {"function": "sum", "column": "big"},
            {"function": "avg", "column": "id"},
            {"function": "avg", "column": "total"},
            {"function": "min", "column": "placed"},
        ],
    )
    assert built.statement.sql == (
        "SELECT COUNT_BIG(*) AS [count], COUNT_BIG(t.[note]) AS [count_note], COUNT_BIG(DISTINCT t.[note]) AS "
        "[count_distinct_note], SUM(CAST(t.[id] AS bigint)) AS [sum_id], SUM(CAST(t.[big] AS decimal(38, 0))) AS [sum_big], "
        "AVG(CAST(t.[id] AS decimal(25, 6))) AS [avg_id], AVG(t.[total]) AS [avg_total], MIN(t.[placed]) AS [min_placed]\n"
        "FROM [sales].[orders] AS t"
    )


def test_types_that_do_not_travel_come_as_text_on_sqlserver() -> None:
    """Under their own names."""
    sql = build("sqlserver", columns=["doc", "place", "any"]).statement.sql
    assert "CONVERT(nvarchar(max), t.[doc]) AS [doc]" in sql
    assert "t.[place].ToString() AS [place]" in sql
    assert "SQL_VARIANT_PROPERTY(t.[any], 'BaseType')" in sql


def test_a_tree_keeps_its_brackets() -> None:
    """Junctions stand in brackets of their own, whatever surrounds them."""
    leaf = {"column": "id", "op": "=", "value": 1}
    tree = {"or": [{"and": [leaf, {"not": {"or": [leaf, leaf]}}]}, {"not": leaf}]}
    sql = build("postgresql", columns=["id"], tree=tree).statement.sql
    condition = 't."id" = ${}::integer'
    one, two, three, four = (condition.format(place) for place in range(1, 5))
    assert f"WHERE (({one} AND NOT (({two} OR {three}))) OR NOT ({four}))\n" in sql


# -- cursors -------------------------------------------------------------------------------------------------------------


def next_cursor(built: BuiltQuery, *values: object) -> str:
    """The cursor behind a row with these key values."""
    cursor = page_cursor.encoded(built.fingerprint, values)
    assert cursor is not None
    return cursor


def test_a_cursor_becomes_a_condition_that_an_index_can_start_at() -> None:
    """For an order of several columns in different directions, the values typed by their columns."""
    given: dict[str, Any] = {
        "columns": ["id"],
        "filters": [{"column": "ok", "op": "=", "value": True}],
        "order_by": [{"column": "placed", "direction": "desc"}, {"column": "id", "direction": "asc"}],
    }
    first = build("sqlserver", **given)
    built = build("sqlserver", **given, cursor=next_cursor(first, "2024-01-31T10:00:00.123", 7))
    assert (
        "WHERE t.[ok] = CAST(? AS bit) AND t.[placed] <= CAST(? AS datetime) AND (t.[placed] < CAST(? AS datetime) OR "
        "(t.[placed] = CAST(? AS datetime) AND t.[id] > CAST(? AS int)))\n"
    ) in built.statement.sql
    moment = "20240131 10:00:00.123"
    assert built.statement.parameters == (True, moment, moment, moment, 7)
    assert built.fingerprint == first.fingerprint


def test_a_cursor_of_another_request_is_refused() -> None:
    """Even of one that differs by a value alone, and one whose values are not of the key's types."""
    given: dict[str, Any] = {"filters": [{"column": "id", "op": ">", "value": 1}]}
    cursor = next_cursor(build("postgresql", **given), 7)
    assert build("postgresql", **given, cursor=cursor).statement.parameters == ("1", "7")
    other = {"filters": [{"column": "id", "op": ">", "value": 2}]}
    assert problems_of("postgresql", **other, cursor=cursor)[0].startswith("cursor:")
    for values in (["x"], [1, 2], [None], []):
        forged = page_cursor.encoded(build("postgresql", **given).fingerprint, values)
        assert problems_of("postgresql", **given, cursor=forged or "e30")[0].startswith("cursor:")


@pytest.mark.parametrize("text", ["", "=", "!", "e30", "W10", "WzFd", "\x00", "ü", "W1tdXQ", "A" * 9000])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Never an error of another kind."""
    assert problems_of("postgresql", cursor=text)[0].startswith("cursor:")


def test_a_nullable_order_has_no_cursor() -> None:
    """NULL compares with nothing."""
    assert build("postgresql", order_by=[{"column": "total"}]).key_places == ()


def test_keys_are_taken_as_they_serve() -> None:
    """An order that holds a whole key needs no further column; the first key that sorts is appended otherwise."""
    columns = (column("postgresql", "a", "integer", nullable=False), column("postgresql", "b", "integer", nullable=False))
    table = ReadableTable(ObjectName("s", "t"), columns, (("a", "b"), ("b",)))
    assert 'ORDER BY t."b"\n' in build("postgresql", table=table, order_by=["b"]).statement.sql
    assert 'ORDER BY t."a", t."b"\n' in build("postgresql", table=table).statement.sql
    assert (
        'ORDER BY t."a" DESC, t."b" DESC\n'
        in build("postgresql", table=table, order_by=[{"column": "a", "direction": "DESC"}]).statement.sql
    )


# -- names and limits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["postgresql", "sqlserver"])
@pytest.mark.parametrize("name", ["{brace}", "a{b]c", 'x}"y', "plain", "]]"])
def test_every_name_passes_the_gate_as_it_is_quoted(dialect: str, name: str) -> None:
    """The gate judges the FROM of a structured read, too; braces in brackets it refuses, as ODBC drivers may rewrite them."""
    quoted = selects_for(dialect).quote(name)
    assert read_only.judge(dialect, f"SELECT {quoted} FROM {quoted}.{quoted}").allowed


@pytest.mark.parametrize("dialect", TABLES)
def test_names_are_quoted_as_the_catalogue_spells_them(dialect: str) -> None:
    """Whatever signs they hold."""
    odd = "a]b\"c'd; --\x01?{}"
    columns = (
        ReadableColumn(odd, ParameterType("int4" if dialect == "postgresql" else "int", "int"), "int", False, EVERYTHING),
    )
    table = ReadableTable(ObjectName(odd, odd), columns, ((odd,),))
    sql = build(dialect, table=table, columns=[odd.upper()], filters=[{"column": odd, "op": "is_null"}]).statement.sql
    quoted = selects_for(dialect).quote(odd)
    assert quoted == '"a]b""c\'d; --\x01?{}"'
    assert selects_for(dialect).quote('a]b"c') == ('"a]b""c"' if dialect == "postgresql" else '[a]]b"c]')
    assert sql.startswith(f"SELECT t.{quoted}\nFROM {quoted}.{quoted} AS t\nWHERE t.{quoted} IS NULL\nORDER BY t.{quoted}\n")


def test_a_name_that_differs_by_case_alone_must_be_exact_where_two_are_alike() -> None:
    """Otherwise any case will do, and quotes or brackets around it."""
    columns = tuple(column("postgresql", name, "integer") for name in ("Size", "size", "Other"))
    table = ReadableTable(ObjectName("s", "t"), columns)
    assert 'SELECT t."size", t."Other"\n' in build("postgresql", table=table, columns=["size", '"OTHER"']).statement.sql
    [problem] = problems_of("postgresql", table=table, columns=["SIZE"])
    assert "'Size' or 'size'" in problem


def test_too_many_values_in_all_are_refused() -> None:
    """SQL Server takes 2,100 parameters, some of which its drivers use."""
    conditions = [{"column": "id", "op": "in", "value": list(range(MOST_VALUES))}] * 3
    [problem] = problems_of("sqlserver", filters=conditions)
    assert "2000" in problem
    assert len(build("postgresql", filters=conditions).statement.parameters) == 3000


def test_many_problems_are_cut() -> None:
    """An answer full of the same mistake helps nobody."""
    problems = problems_of("postgresql", filters=[{"column": "x", "op": "=", "value": 1}] * 50)
    assert len(problems) == 31
    assert problems[-1] == "and 20 more"


@pytest.mark.parametrize(
    ("dialect", "name", "op", "value"),
    [
        ("postgresql", "raw", "=", {"a": 1}),
        ("postgresql", "tags", "like", "x"),
        ("postgresql", "id", "contains", "1"),
        ("sqlserver", "old", "=", "x"),
        ("sqlserver", "doc", "=", "<a/>"),
        ("sqlserver", "any", "=", 1),
        ("sqlserver", "placed", "ilike", "2024%"),
    ],
)
def test_operators_that_a_type_does_not_have(dialect: str, name: str, op: str, value: object) -> None:
    """They are refused before the database would refuse them, but NULL can always be asked for."""
    [problem] = problems_of(dialect, filters=[{"column": name, "op": op, "value": value}])
    assert problem.startswith("filters[0].op:")
    assert f"{name} is " in problem
    assert build(dialect, filters=[{"column": name, "op": "is_null"}])


@pytest.mark.parametrize(("dialect", "names"), [("postgresql", ["raw"]), ("sqlserver", ["old", "doc", "any"])])
def test_what_cannot_be_compared_cannot_be_grouped_or_ordered(dialect: str, names: list[str]) -> None:
    """json, xml, text, sql_variant."""
    for name in names:
        assert problems_of(dialect, group_by=[name])[0].startswith("groupBy[0]:")
        assert problems_of(dialect, order_by=[name])[0].startswith("orderBy[0].column:")
        assert problems_of(dialect, aggregates=[{"function": "count_distinct", "column": name}])


def test_every_type_that_is_known_has_its_abilities_told() -> None:
    """A type added to the tables of types must be thought of here."""
    for name in SQLSERVER_TYPES:
        able = sqlserver.abilities_of(ParameterType(name, name))
        odd = {"image", "xml", "json", "vector", "sql_variant", "geometry", "geography", "table", "cursor"}
        assert (able == NOTHING) == (name in odd), name
    for name in ("bit", "uniqueidentifier"):
        assert Ability.EXTREMES not in sqlserver.abilities_of(ParameterType(name, name))
    unable = {name for name in POSTGRESQL_RULES if postgresql.abilities_of(ParameterType(name, name)) == NOTHING}
    pseudo = {name for name in POSTGRESQL_RULES if name.startswith("any")}
    assert unable - pseudo == {
        "json", "xml", "array", "composite", "internal", "cstring", "trigger", "event_trigger", "record", "verbatim",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("literals", "op", "text", "pattern"),
    [
        (postgresql.PATTERN_LITERALS, "like", "a\\", None),
        (sqlserver.PATTERN_LITERALS, "like", "a\\", None),
        (sqlserver.PATTERN_LITERALS, "like", "a\\\\b", "a\\b"),
        (postgresql.PATTERN_LITERALS, "like", "a\\\\b", "a\\\\b"),
        (postgresql.PATTERN_LITERALS, "like", "\\a\\%%", "a\\%%"),
        (sqlserver.PATTERN_LITERALS, "like", "[a-z]\\[%", "[[]a-z][[]%"),
        (postgresql.PATTERN_LITERALS, "contains", "\\", "%\\\\%"),
    ],
)
def test_patterns_mean_the_same_everywhere(literals: Mapping[str, str], op: str, text: str, pattern: str | None) -> None:
    """% and _ are wildcards, a backslash takes that away, and nothing else means anything."""
    assert like_pattern(op, text, literals) == pattern


def test_a_request_can_be_made_by_hand() -> None:
    """``QueryRequest`` is what the builder takes: table, columns, filters, limit, and the rest."""
    request = QueryRequest("orders", ("id",), (Condition("id", "=", 1),), 5)
    sql = QueryBuilder(POSTGRESQL, "postgresql").build(request).statement.sql
    assert sql == 'SELECT t."id"\nFROM "sales"."orders" AS t\nWHERE t."id" = $1::integer\nORDER BY t."id"\nLIMIT 6'


NAMES_AND_KEYS = "id status total tags x column op value and or not function as direction asc sum 5"
SIGNS_AND_OPERATORS = ("", "=", "in", "like", "between", "is_null", "[", "{", "';", "\x00", "\ud800")
WORDS = st.sampled_from((*NAMES_AND_KEYS.split(), *SIGNS_AND_OPERATORS))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=400, deadline=None)
@given(
    dialect=st.sampled_from(sorted(TABLES)),
    fields=st.dictionaries(
        st.sampled_from(["columns", "filters", "tree", "group_by", "aggregates", "order_by"]), ANYTHING, min_size=1
    ),
    cursor=st.none() | WORDS | st.text(max_size=20),
)
def test_whatever_is_sent_is_built_or_refused(dialect: str, fields: dict[str, Any], cursor: str | None) -> None:
    """No request of any shape is an error of another kind, and what is built passes the gate's rules for the table."""
    try:
        built = build(dialect, **fields, cursor=cursor)
    except InvalidParameter as error:
        problems = error.details["problems"]
    else:
        problems = None
        assert read_only.judge(dialect, f"SELECT * FROM {built.source}").allowed
    assert problems is None or problems


@settings(max_examples=400, deadline=None)
@given(
    dialect=st.sampled_from(sorted(TABLES)),
    place=st.integers(0, 10),
    op=st.sampled_from(OPERATORS),
    value=ANYTHING | st.text(max_size=5),
)
def test_whatever_a_column_is_compared_with_is_bound_or_refused(dialect: str, place: int, op: str, value: Any) -> None:
    """A value never stands in the SQL: the text is the same for all values of a shape."""
    condition = {"column": TABLES[dialect].columns[place].name, "op": op, "value": value}
    try:
        statement = build(dialect, filters=[condition]).statement
    except InvalidParameter:
        return
    marks = len(statement.parameters)
    assert statement.sql.count("?" if dialect == "sqlserver" else "$") == marks
    assert "'" not in statement.sql.partition("WHERE")[2]
