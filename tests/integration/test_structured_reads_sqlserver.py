"""Structured reads on a live T-SQL endpoint (TEST_MSSQL_CONNECTIONSTRING): types, keys and pages.

A type or a function that the endpoint does not have is skipped by name; SQL Server itself must have them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import DatabaseMcpError, InvalidParameter
from mssqlclient_mcp.formatters.data import data_page
from mssqlclient_mcp.structured_requests import StructuredRead
from tests import people
from tests.databases import SqlServerForTests, TestDatabase

pytestmark = pytest.mark.sqlserver

# type, a value as SQL, and conditions that find it
KINDS: dict[str, tuple[str, tuple[tuple[str, object], ...]]] = {
    "tinyint": ("200", (("=", 200), ("in", [1, "200"]))),
    "smallint": ("-3", (("<", 0),)),
    "bigint": ("9007199254740993", (("=", "9007199254740993"), ("=", 9007199254740993))),
    "decimal(18,4)": ("1.2345", (("=", "1.2345"), (">", 1.23449), ("<", "1.23450001"))),
    "money": ("12.34", (("=", "12.34"), ("between", [12, 13]))),
    "smallmoney": ("12.34", (("=", 12.34),)),
    "float": ("0.1", (("=", 0.1),)),
    "real": ("0.1", (("=", 0.1),)),
    "bit": ("1", (("=", True), ("in", [1]))),
    "date": ("'2024-02-29'", (("=", "2024-02-29"),)),
    "time(7)": ("'10:00:00.123456'", (("=", "10:00:00.123456"), (">=", "10:00:00.1234560"))),
    "datetime": ("'2024-01-31T10:00:00.123'", (("=", "2024-01-31T10:00:00.123"),)),
    "smalldatetime": ("'2024-01-31T10:01:00'", (("=", "2024-01-31T10:01"),)),
    "datetime2(3)": ("'2024-01-31T10:00:00.123'", (("=", "2024-01-31T10:00:00.123"), (">", "2024-01-31"))),
    "datetimeoffset(3)": ("'2024-01-31T10:00:00.123+02:00'", (("=", "2024-01-31T08:00:00.123Z"),)),
    "char(5)": ("'abc'", (("=", "abc"), ("starts_with", "ab"))),
    "varchar(20)": ("'a_b[c]%'", (("=", "a_b[c]%"), ("contains", "_b["), ("like", "a\\_b[c]\\%"), ("ilike", "A%"))),
    "varchar(max)": ("'long'", (("=", "long"), ("contains", "on"))),
    "nchar(5)": ("N'äbc'", (("=", "äbc"),)),
    "nvarchar(20)": ("N'Ωmega'", (("=", "Ωmega"), ("contains", "meg"), ("!=", "?mega"))),
    "nvarchar(max)": ("N'Ωmega'", (("=", "Ωmega"),)),
    "text": ("'old'", (("like", "ol%"), ("contains", "l"))),
    "ntext": ("N'old'", (("like", "ol%"),)),
    "varbinary(10)": ("0xFF00", (("=", "0xFF00"),)),
    "uniqueidentifier": (f"'{people.ANN}'", (("=", people.ANN.upper()), ("in", [people.ANN]))),
    "sysname": ("N'name'", (("=", "name"),)),
    "xml": ("'<a/>'", (("is_not_null", None),)),
    "sql_variant": ("1", (("is_not_null", None),)),
    "hierarchyid": ("'/1/2/'", (("=", "/1/2/"),)),
}


@pytest.fixture(scope="module")
def place(sqlserver: SqlServerForTests) -> TestDatabase:
    """The database to test in."""
    return sqlserver.database()


@pytest.fixture(scope="module")
def service(place: TestDatabase) -> Iterator[DatabaseService]:
    """A service on it."""
    with DatabaseService(place.config()) as service:
        yield service


def read(service: DatabaseService, table: str, **asked: Any) -> dict[str, Any]:
    """The structured content of a read."""
    with service.call(60):
        page = service.data.read(service.settings.database, StructuredRead(table, **asked))
    return data_page(page, max_chars=60_000)[1]


def make_table(place: TestDatabase, kind: str, value: str) -> None:
    """A table with one column of a type, and one value in it; skips what the endpoint does not have."""
    people.run(place, "DROP TABLE IF EXISTS dbo.read_kind")
    try:
        people.run(
            place,
            f"CREATE TABLE dbo.read_kind (id int NOT NULL PRIMARY KEY, v {kind} NULL)",
            f"INSERT INTO dbo.read_kind VALUES (1, {value}), (2, NULL)",
        )
    except DatabaseMcpError as error:
        if place.genuine:
            raise
        pytest.skip(f"the endpoint does not have {kind}: {error.message[:80]}")


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_every_type_find_their_row(place: TestDatabase, service: DatabaseService, kind: str) -> None:
    """Each is compared as its column's type; and whatever the builder lets through, the database takes."""
    value, conditions = KINDS[kind]
    make_table(place, kind, value)
    for op, wanted in conditions:
        condition = {"column": "v", "op": op, **({} if wanted is None else {"value": wanted})}
        assert [row[0] for row in read(service, "dbo.read_kind", filters=[condition])["rows"]] == [1], op
    functions = ("count", "count_distinct", "sum", "avg", "min", "max")
    wishes: list[dict[str, Any]] = [{"order_by": ["v"]}, {"group_by": ["v"]}]
    wishes += [{"aggregates": [{"function": function, "column": "v"}]} for function in functions]
    for wish in wishes:
        try:
            assert read(service, "dbo.read_kind", **wish)["rows"]
        except InvalidParameter:
            continue
        except DatabaseMcpError as error:
            if place.genuine:
                raise
            print(f"{kind}, {wish}: {error.message}")


KEYS = {
    "int": [str(number) for number in range(-3, 7)],
    "decimal(10,2)": [f"{number}.25" for number in range(10)],
    "nvarchar(10)": [f"N'{sign}ä'" for sign in "zyxwabcΩ-_"],
    "varchar(10)": [f"'{sign}'" for sign in ("a", "ab", "a b", "a-b", "a_b", "coop", "co-op", "%", "[", "''")],
    "datetime": [f"'2024-01-31T10:00:00.{number * 10 + 3:03}'" for number in range(10)],
    "datetime2(7)": [f"'2024-01-31T10:00:00.12345{number}'" for number in range(10)],
    "date": [f"'2024-01-{number + 1:02}'" for number in range(10)],
    "uniqueidentifier": [f"'{number}f9619ff-8b86-d011-b42d-00c04fc964f{9 - number}'" for number in range(10)],
    "bigint": [f"900719925474099{number}" for number in range(10)],
    "float": [f"0.{number}1" for number in range(10)],
}


@pytest.mark.parametrize("kind", KEYS)
def test_cursors_over_keys_of_many_types(place: TestDatabase, service: DatabaseService, kind: str) -> None:
    """Every row once, in the database's own order."""
    people.run(
        place,
        "DROP TABLE IF EXISTS dbo.read_key",
        f"CREATE TABLE dbo.read_key (k {kind} NOT NULL PRIMARY KEY, n int NOT NULL)",
        "INSERT INTO dbo.read_key VALUES " + ", ".join(f"({key}, {place_})" for place_, key in enumerate(KEYS[kind])),
    )
    for order in ([], [{"column": "k", "direction": "desc"}]):
        whole = read(service, "dbo.read_key", columns=["n"], order_by=order)["rows"]
        seen: list[list[object]] = []
        cursor = None
        for _ in range(10):
            content = read(service, "dbo.read_key", columns=["n"], order_by=order, limit=3, cursor=cursor)
            seen += content["rows"]
            cursor = content.get("nextCursor")
            if cursor is None:
                break
        assert len(whole) == 10
        assert seen == whole


def test_a_unique_index_serves_as_a_key(place: TestDatabase, service: DatabaseService) -> None:
    """When it covers all rows and none of its columns is NULL."""
    people.run(
        place,
        "DROP TABLE IF EXISTS dbo.read_unique",
        "CREATE TABLE dbo.read_unique (a int NOT NULL, b int NULL, c int NOT NULL)",
        "CREATE UNIQUE INDEX one ON dbo.read_unique (b)",
        "CREATE UNIQUE INDEX two ON dbo.read_unique (c, a)",
        "INSERT INTO dbo.read_unique VALUES (1, 1, 2), (2, NULL, 1), (3, 3, 1)",
    )
    content = read(service, "dbo.read_unique", limit=1)
    assert content["rows"] == [[2, None, 1]]
    assert "nextCursor" in content
