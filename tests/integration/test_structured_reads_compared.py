"""Random structured reads on each database, held against the same question answered in Python: groups, aggregates, order with
NULLs, pages by offset and by cursor, and keys of every type that can be one."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.formatters.data import data_page
from mssqlclient_mcp.structured_requests import StructuredRead
from tests import people
from tests.databases import TestDatabase

Row = dict[str, Any]
COLUMNS = ("id", "team", "place", "points", "cost", "day", "ok")
FACTS: tuple[Row, ...] = tuple(
    dict(zip(COLUMNS, values, strict=True))
    for values in (
        (
            n,
            ("red", "blue", "green", None)[n * 7 % 4],
            "p" + str(n * 5 % 3),
            None if n % 5 == 0 else n * 13 % 7 - 3,
            None if n % 11 == 0 else f"{n * 37 % 9}.{n % 4}5",
            None if n % 6 == 1 else f"2024-0{n % 3 + 1}-1{n % 2}",
            None if n % 9 == 2 else n % 2 == 0,
        )
        for n in range(1, 41)
    )
)
NUMBERS = ("points", "cost")
ORDERED = ("id", "team", "place", "points", "cost", "day")


@pytest.fixture(scope="module")
def service(database: TestDatabase) -> Iterator[DatabaseService]:
    """A service on a database with the facts."""
    postgres = database.dialect == "postgresql"
    kinds = ("numeric(8,2)", "boolean") if postgres else ("decimal(8,2)", "bit")
    rows = ", ".join(f"({', '.join(people.literal(value, postgres=postgres) for value in row.values())})" for row in FACTS)
    people.run(
        database,
        "DROP TABLE IF EXISTS compared_facts",
        "CREATE TABLE compared_facts (id int NOT NULL PRIMARY KEY, team varchar(10), place varchar(10) NOT NULL, points int,"
        f" cost {kinds[0]}, day date, ok {kinds[1]})",
        f"INSERT INTO compared_facts VALUES {rows}",
    )
    with DatabaseService(database.config()) as service:
        yield service


def read(service: DatabaseService, table: str, **asked: Any) -> dict[str, Any]:
    """The structured content of a read."""
    with service.call(20):
        page = service.data.read(None, StructuredRead(table, **asked))
    return data_page(page, max_chars=60_000)[1]


# -- the same in Python --------------------------------------------------------------------------------------------------


def plain(name: str, value: Any) -> Any:
    """A value as Python compares it like a database does."""
    return None if value is None else Decimal(str(value)) if name in NUMBERS else value


def holds(one: Row, row: Row) -> bool:
    """Whether a condition holds; what is unknown does not."""
    name, op = one["column"], one["op"]
    held, value = plain(name, row[name]), one.get("value")
    if op in ("is_null", "is_not_null"):
        return (held is None) == (op == "is_null")
    if held is None:
        return False
    others = [plain(name, other) for other in (value if isinstance(value, list) else [value])]
    if op in ("in", "not_in"):
        return (held in others) == (op == "in")
    if op == "between":
        return bool(others[0] <= held <= others[1])
    return bool({"=": held == others[0], "!=": held != others[0], "<": held < others[0], ">=": held >= others[0]}[op])


def aggregated(one: Row, rows: list[Row]) -> Any:
    """An aggregate over rows: NULLs are left out, and nothing has no sum."""
    name = one.get("column")
    if name is None:
        return len(rows)
    values = [plain(name, row[name]) for row in rows if row[name] is not None]
    function = one["function"]
    if function in ("count", "count_distinct"):
        return len(values if function == "count" else set(values))
    if not values:
        return None
    return {"sum": sum, "min": min, "max": max, "avg": lambda all_of: sum(all_of) / len(all_of)}[function](values)


def compared(order: list[tuple[str, bool]], nulls_high: bool) -> Any:
    """A sort key: NULLs stand above everything on PostgreSQL, below on SQL Server."""

    def difference(one: Row, other: Row) -> int:
        for name, descending in order:
            a, b = one[name], other[name]
            if a == b:
                continue
            less = (b is None) == nulls_high if a is None or b is None else a < b
            return (1 if descending else -1) if less else (-1 if descending else 1)
        return 0

    return functools.cmp_to_key(difference)


def same(found: Any, expected: Any) -> bool:
    """Equal, numbers to the sixth decimal."""
    if expected is None or isinstance(expected, (str, bool)):
        return bool(found == expected)
    return found is not None and abs(Decimal(str(found)) - Decimal(expected)) < Decimal("0.000002")


# -- random questions ----------------------------------------------------------------------------------------------------

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(0, 42),
    "team": st.sampled_from(["red", "blue", "green", "none", ""]),
    "place": st.sampled_from(["p0", "p1", "p2", "p9"]),
    "points": st.integers(-5, 5),
    "cost": st.sampled_from(["0.25", 3.35, 8, "100.001", -1]),
    "day": st.sampled_from(["2024-01-10", "2024-02-11", "2024-03-10", "1999-12-31"]),
}


@st.composite
def conditions(draw: st.DrawFn) -> Row:
    """A condition."""
    name = draw(st.sampled_from(ORDERED))
    op = draw(st.sampled_from(["=", "!=", "<", ">=", "between", "in", "not_in", "is_null", "is_not_null"]))
    if op in ("is_null", "is_not_null"):
        return {"column": name, "op": op}
    size = {"between": (2, 2), "in": (1, 3), "not_in": (1, 3)}.get(op)
    values = VALUES[name]
    return {"column": name, "op": op, "value": draw(st.lists(values, min_size=size[0], max_size=size[1]) if size else values)}


@st.composite
def grouped(draw: st.DrawFn) -> Row:
    """A request with groups or aggregates, or both."""
    groups = draw(st.lists(st.sampled_from(["team", "place", "points", "day", "ok"]), unique=True, max_size=3))
    aggregates: list[Row] = []
    for number in range(draw(st.integers(0 if groups else 1, 3))):
        function = draw(st.sampled_from(["count", "count_distinct", "sum", "avg", "min", "max"]))
        column = draw(st.sampled_from(NUMBERS if function in ("sum", "avg") else ORDERED))
        counted: Row = {} if function == "count" and draw(st.booleans()) else {"column": column}
        aggregates.append(
            {"function": function, "as": draw(st.sampled_from(["n", "team x", "Cost "])) + str(number), **counted}
        )
    names = [one["as"] for one in aggregates] + [name for name in groups if name != "ok"]
    order = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
    return {
        "filters": draw(st.lists(conditions(), max_size=2)),
        "group_by": groups,
        "aggregates": aggregates,
        "order_by": [{"column": name, "direction": draw(st.sampled_from(["asc", "desc"]))} for name in order],
        "limit": draw(st.sampled_from([1, 3, 100])),
        "offset": draw(st.sampled_from([0, 0, 2, 50])) if groups else 0,
    }


def expected_groups(asked: Row, *, nulls_high: bool) -> list[Row]:
    """What the request should bring, all pages together."""
    groups, rows = asked["group_by"], [row for row in FACTS if all(holds(one, row) for one in asked["filters"])]
    keys = list(dict.fromkeys(tuple(row[name] for name in groups) for row in rows)) if groups else [()]
    found = []
    for key in keys:
        inside = [row for row in rows if tuple(row[name] for name in groups) == key]
        found.append(dict(zip(groups, key, strict=True)) | {one["as"]: aggregated(one, inside) for one in asked["aggregates"]})
    order = [(one["column"], one["direction"] == "desc") for one in asked["order_by"]]
    last = order[-1][1] if order else False
    order += [(name, last) for name in groups if name not in dict(order)]
    return sorted(found, key=compared(order, nulls_high))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=grouped())
def test_groups_and_aggregates_are_those_of_python(service: DatabaseService, asked: Row) -> None:
    """Values, order and page, with NULLs as groups and left out of aggregates."""
    found = read(service, "compared_facts", **asked)
    everything = expected_groups(asked, nulls_high=service.dialect.name == "postgresql")
    page = everything[asked["offset"] : asked["offset"] + asked["limit"]]
    names = [column["name"] for column in found["columns"]]
    assert names == [*asked["group_by"], *(one["as"] for one in asked["aggregates"])]
    assert len(found["rows"]) == len(page)
    for row, wanted in zip(found["rows"], page, strict=True):
        assert all(same(value, wanted[name]) for name, value in zip(names, row, strict=True)), (row, wanted)
    assert found["truncated"] == (len(everything) > asked["offset"] + asked["limit"])


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.lists(st.tuples(st.sampled_from(ORDERED), st.booleans()), unique_by=lambda one: one[0], max_size=3),
    filters=st.lists(conditions(), max_size=2),
    limit=st.integers(1, 9),
)
def test_pages_together_are_the_whole_in_order(
    service: DatabaseService, order: list[tuple[str, bool]], filters: list[Row], limit: int
) -> None:
    """By cursor where there is one, else by offset: every row once, in the order that was asked for and then by the key."""
    wishes = [{"column": name, "direction": "desc" if descending else "asc"} for name, descending in order]
    whole = [*order, *([] if "id" in dict(order) else [("id", order[-1][1] if order else False)])]
    rows = [
        {name: plain(name, value) for name, value in row.items()} for row in FACTS if all(holds(one, row) for one in filters)
    ]
    expected = [row["id"] for row in sorted(rows, key=compared(whole, service.dialect.name == "postgresql"))]
    found: list[int] = []
    place: Row = {}
    for _ in range(50):
        page = read(service, "compared_facts", columns=["id"], filters=filters, order_by=wishes, limit=limit, **place)
        found += [row[0] for row in page["rows"]]
        if not page["truncated"]:
            break
        place = {"cursor": page["nextCursor"]} if "nextCursor" in page else {"offset": page["nextOffset"]}
    assert found == expected


# -- keys of every type --------------------------------------------------------------------------------------------------

KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "postgresql": {
        "smallint": ("-32768", "0", "32767"),
        "bigint": ("-9223372036854775808", "9007199254740993", "9223372036854775807"),
        "numeric": ("-0.1", "0.30000000000000000001", "1e30"),
        "real": ("0.1", "3.4e38", "-1e-37"),
        "double precision": ("0.1", "1e308", "5e-324"),
        "money": ("-1.23", "92233720368547758.07", "0"),
        "boolean": ("true", "false"),
        "text": ("'a'", "'A'", "'a '", "'ä'", "''", "'\U0001f600'", "'O''Neil'"),
        "char(5)": ("'a'", "'b '", "'ab'"),
        "varchar(3)": ("'a'", "'b '", "'äöü'"),
        "name": ("'a'", "'b'"),
        '"char"': ("'a'", "'b'"),
        "date": ("'0044-03-15 BC'", "'2024-02-29'", "'infinity'", "'9999-12-31'"),
        "time": ("'00:00'", "'23:59:59.999999'", "'24:00'"),
        "timetz": ("'10:00+02'", "'10:00-12'"),
        "timestamp": ("'2024-01-01 00:00:00.000001'", "'-infinity'", "'12024-01-01'"),
        "timestamptz": ("'2024-01-01 00:00:00.000001+13'", "'1800-01-01 00:00+00'", "'infinity'"),
        "interval": ("'1 day'", "'-1 mon'", "'1 s'"),
        "uuid": (f"'{people.ANN}'", "'00000000-0000-0000-0000-000000000000'"),
        "bytea": ("''", "'\\x00'", "'\\xff00'"),
        "inet": ("'10.0.0.1'", "'::1'"),
        "macaddr": ("'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"),
        "bit(3)": ("B'101'", "B'001'"),
        "varbit": ("B'1'", "B'0011'"),
        "int[]": ("'{1,2}'", "'{}'", "'{2}'"),
        "text[]": ("'{a,b}'", "'{\"x,y\"}'"),
        "int4range": ("'[1,5)'", "'empty'"),
        "jsonb": ("'1'", "'{\"a\": [1, null]}'"),
        "oid": ("4294967295", "1"),
        "pg_lsn": ("'0/1'", "'F/2'"),
        "tsvector": ("'a'", "'b c'"),
    },
    "sqlserver": {
        "tinyint": ("0", "255"),
        "smallint": ("-32768", "32767"),
        "bigint": ("-9223372036854775808", "9007199254740993", "9223372036854775807"),
        "decimal(38,10)": ("-0.1", "9999999999999999999999999999.9999999999"),
        "money": ("-922337203685477.5808", "0.0001", "922337203685477.5807"),
        "smallmoney": ("-1.23", "214748.3647"),
        "real": ("0.1", "3.4e38"),
        "float": ("0.1", "1e308", "-1e-300"),
        "bit": ("0", "1"),
        "char(5)": ("'a'", "'b'", "'ab'"),
        "varchar(10)": ("'a'", "'b b'", "''", "'O''Neil'"),
        "nvarchar(10)": ("N'a'", "N'ä'", "N'\U0001f600'", "N'Ω'"),
        "nchar(5)": ("N'a'", "N'Ω'"),
        "date": ("'0001-01-01'", "'9999-12-31'"),
        "time(3)": ("'00:00'", "'23:59:59.999'"),
        "time(7)": ("'00:00:00.0000010'", "'23:59:59.999999'"),
        "datetime": ("'1753-01-01T00:00:00'", "'2024-01-01T10:00:00.003'", "'2024-01-01T10:00:00.007'"),
        "smalldatetime": ("'1900-01-01T00:00:00'", "'2024-01-01T10:01:00'"),
        "datetime2(7)": ("'0001-01-01T00:00:00'", "'2024-01-01T10:00:00.123456'"),
        "datetimeoffset(3)": ("'2024-01-01T10:00:00.123+14:00'", "'2024-01-01T10:00:00.123-12:00'"),
        "uniqueidentifier": (
            f"'{people.ANN}'",
            "'00000000-0000-0000-0000-0000000000ff'",
            "'ff000000-0000-0000-0000-000000000000'",
        ),
        "varbinary(10)": ("0x", "0x01", "0xFF00"),
        "binary(3)": ("0x000001", "0xFF0000"),
        "sysname": ("N'a'", "N'b'"),
    },
}


LACKING = ("binary(3)",)
"""Types whose comparison a T-SQL endpoint other than SQL Server may lack."""


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages_over_a_key_of_every_type(service: DatabaseService, database: TestDatabase, direction: str) -> None:
    """One row a page, with the key alone and behind another: every row once, in the order of a page that has them all."""
    for kind, values in KEYS[database.dialect].items():
        rows = ", ".join(f"({group}, {value})" for group in (1, 2) for value in values)
        remake(database, "g int NOT NULL", kind, "PRIMARY KEY (g, k)", rows)
        order = [{"column": "g", "direction": direction}, {"column": "k", "direction": direction}]
        for wishes, filters in ((order, []), (order[1:], [{"column": "g", "op": "=", "value": 2}])):
            whole = read(service, "compared_keys", order_by=wishes, filters=filters)["rows"]
            found: list[object] = []
            place: Row = {}
            for _ in range(len(whole) + 1):
                page = read(service, "compared_keys", order_by=wishes, filters=filters, limit=1, **place)
                found += page["rows"]
                if not page["truncated"]:
                    break
                place = {"cursor": page["nextCursor"]} if "nextCursor" in page else {"offset": len(found)}
            assert found == whole, kind


def test_a_value_as_it_was_read_finds_its_row(service: DatabaseService, database: TestDatabase) -> None:
    """What an answer shows can be asked for with = and in, and excluded with !=, whatever the type."""
    for kind, values in KEYS[database.dialect].items():
        if kind in LACKING and not database.genuine:
            continue
        remake(database, "id int NOT NULL PRIMARY KEY", kind, "UNIQUE (k, id)", ", ".join(enumerate_sql(values)))
        for number, value in read(service, "compared_keys", order_by=["id"])["rows"]:
            for op, asked, expected in (("=", value, 1), ("in", [value, value], 1), ("!=", value, len(values) - 1)):
                condition = {"column": "k", "op": op, "value": asked}
                found = read(service, "compared_keys", columns=["id"], filters=[condition])["rows"]
                assert len(found) == expected, (kind, condition)
                assert ([number] in found) == (op != "!="), (kind, condition)


def enumerate_sql(values: tuple[str, ...]) -> Iterator[str]:
    """Values with numbers, as rows of an INSERT."""
    return (f"({number}, {value})" for number, value in enumerate(values))


def remake(database: TestDatabase, first: str, kind: str, key: str, rows: str) -> None:
    """The table of keys anew, with another type."""
    people.run(
        database,
        "DROP TABLE IF EXISTS compared_keys",
        f"CREATE TABLE compared_keys ({first}, k {kind} NOT NULL, {key})",
        f"INSERT INTO compared_keys VALUES {rows}",
    )
