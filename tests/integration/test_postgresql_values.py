"""Every type of PostgreSQL at its limits, out of and into a real server."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from mssqlclient_mcp.dialects.base import Access
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.dialects.postgresql.types import BUILTIN_TYPES, type_name
from mssqlclient_mcp.errors import InvalidParameter
from tests.live_postgres import ask, connect, with_parameter


@pytest.mark.parametrize(
    ("expression", "value", "type_"),
    [
        ("NULL", None, "text"),
        ("true", True, "boolean"),
        ("(-32768)::smallint", -32768, "smallint"),
        ("2147483647", 2147483647, "integer"),
        ("(-9223372036854775808)::bigint", -9223372036854775808, "bigint"),
        ("9223372036854775807", 9223372036854775807, "bigint"),
        ("4294967295::oid", 4294967295, "oid"),
        ("0.1::real", 0.1, "real"),
        ("1.7976931348623157e308::float8", 1.7976931348623157e308, "double precision"),
        ("0.1::float8 + 0.2::float8", 0.30000000000000004, "double precision"),
        ("'-Infinity'::float8", float("-inf"), "double precision"),
        ("'Infinity'::numeric", Decimal("Infinity"), "numeric"),
        ("1.10::numeric(18,2)", Decimal("1.10"), "numeric(18,2)"),
        ("1e-20::numeric", Decimal("0.00000000000000000001"), "numeric"),
        ("repeat('9', 1000)::numeric", Decimal("9" * 1000), "numeric"),
        ("'$1,234.56'::money", "$1,234.56", "money"),
        ("'a '::char(3)", "a  ", "char(3)"),
        ("'äöü €😀'::varchar(50)", "äöü €😀", "varchar(50)"),
        ("''", "", "text"),
        ("'\\x00ff41'::bytea", b"\x00\xffA", "bytea"),
        ("''::bytea", b"", "bytea"),
        ("'6ecd8c99-4036-403d-bf84-cf8400f67836'::uuid", UUID("6ecd8c99-4036-403d-bf84-cf8400f67836"), "uuid"),
        ("""'{"a": 1.10,  "b": null}'::json""", '{"a": 1.10,  "b": null}', "json"),
        ("""'{"a": 1.10}'::jsonb""", '{"a": 1.10}', "jsonb"),
        ("'10.0.0.0/8'::cidr", "10.0.0.0/8", "cidr"),
        ("'::1'::inet", "::1", "inet"),
        ("B'1010'", "1010", "bit"),
        ("'(1,2)'::point", "(1,2)", "point"),
        ("'[1,5)'::int4range", "[1,5)", "int4range"),
        ("'{[1,5),[7,9)}'::int4multirange", "{[1,5),[7,9)}", "int4multirange"),
        ("ROW(1, 'x y', NULL)", '(1,"x y",)', "record"),
        ("'a b'::tsvector", "'a' 'b'", "tsvector"),
        ("'pg_class'::regclass", "pg_class", "regclass"),
    ],
)
def test_a_value_comes_whole_with_its_type(postgres: PostgresConnection, expression: str, value: object, type_: str) -> None:
    """No digit, character or byte is lost, and the column says what it is."""
    columns, rows = ask(postgres, f"SELECT {expression} AS v")
    assert columns is not None
    assert (columns[0].name, columns[0].type) == ("v", type_)
    assert rows == [(value,)]
    assert type(rows[0][0]) is type(value)


def test_not_a_number_comes_as_such(postgres: PostgresConnection) -> None:
    """NaN of both number families (it equals nothing, itself included)."""
    _, [(real, numeric)] = ask(postgres, "SELECT 'NaN'::float8, 'NaN'::numeric")
    assert isinstance(real, float)
    assert real != real
    assert isinstance(numeric, Decimal)
    assert numeric.is_nan()


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'2024-02-29'::date", "2024-02-29"),
        ("'infinity'::date", "infinity"),
        ("'-infinity'::timestamptz", "-infinity"),
        ("'0044-03-15 BC'::date", "0044-03-15 BC"),
        ("'12000-01-01'::date", "12000-01-01"),
        ("'5874897-12-31'::date", "5874897-12-31"),
        ("'24:00:00'::time", "24:00:00"),
        ("'23:59:59.999999'::time", "23:59:59.999999"),
        ("'10:00+05:30'::timetz", "10:00:00+05:30"),
        ("'10:00-08'::timetz", "10:00:00-08:00"),
        ("'24:00:00+15:59:59'::timetz", "24:00:00+15:59:59"),
        ("'2024-01-01 10:00:00.123'::timestamp(3)", "2024-01-01T10:00:00.123"),
        ("'0044-03-15 10:00:00 BC'::timestamp", "0044-03-15T10:00:00 BC"),
        ("'294276-12-31 23:59:59.999999'::timestamp", "294276-12-31T23:59:59.999999"),
        ("'2024-07-01 10:00:00+00'::timestamptz", "2024-07-01T12:00:00+02:00"),
        ("'2024-01-01 10:00:00.5+00'::timestamptz", "2024-01-01T11:00:00.5+01:00"),
        ("'1800-01-01 00:00:00+00'::timestamptz", "1800-01-01T00:53:28+00:53:28"),
        ("'0044-03-15 10:00:00+00 BC'::timestamptz", "0044-03-15T10:53:28+00:53:28 BC"),
        ("interval '1 year 2 months 3 days 04:05:06.7'", "1 year 2 mons 3 days 04:05:06.7"),
    ],
)
def test_a_time_is_iso_8601_and_keeps_what_python_cannot_hold(postgres_url: str, expression: str, text: str) -> None:
    """Infinity, BC, years beyond 9999, 24:00 and offsets with seconds stay, in the session's own time zone."""
    with closing(connect(with_parameter(postgres_url, "options=-c%20TimeZone=Europe/Berlin"))) as berlin:
        assert ask(berlin, f"SELECT {expression}")[1] == [(text,)]


@pytest.mark.parametrize(
    ("expression", "value", "type_"),
    [
        ("ARRAY[1, NULL, 3]", [1, None, 3], "integer[]"),
        ("'{}'::int[]", [], "integer[]"),
        ("ARRAY[ARRAY['a,b', 'NULL'], ARRAY['\"', NULL]]", [["a,b", "NULL"], ['"', None]], "text[]"),
        ("ARRAY[1.50, 'NaN']::numeric(5,2)[]", None, "numeric(5,2)[]"),
        ("ARRAY['2024-01-01 10:00+00'::timestamptz]", ["2024-01-01T10:00:00+00:00"], "timestamp with time zone[]"),
        ("""ARRAY['{"a": [1]}'::jsonb]""", ['{"a": [1]}'], "jsonb[]"),
        ("ARRAY['\\x00'::bytea]", [b"\x00"], "bytea[]"),
        ("ARRAY['(1,2),(0,0)'::box, '(3,4),(1,1)']", ["(1,2),(0,0)", "(3,4),(1,1)"], "box[]"),
        ("'[0:1]={7,8}'::int[]", [7, 8], "integer[]"),
    ],
)
def test_an_array_is_a_list_of_the_same_values(
    postgres: PostgresConnection,
    expression: str,
    value: list[object] | None,
    type_: str,
) -> None:
    """Nested, empty, with NULL, with quotes, and of every element family."""
    postgres.begin(Access.READ_WRITE, net_seconds=30, lock_seconds=30)
    postgres.execute_script("SET LOCAL TimeZone = 'UTC'")
    cursor = postgres.execute(f"SELECT {expression}")
    columns, [(found,)] = cursor.columns, cursor.fetch(5)
    cursor.close()
    postgres.rollback()
    assert columns is not None
    assert columns[0].type == type_
    assert isinstance(found, list)
    assert value is None or found == value


def test_types_of_the_database_itself_have_their_names_and_their_text(
    postgres: PostgresConnection,
    postgres_admin: psycopg.Connection[tuple[object, ...]],
) -> None:
    """Enums, domains, composites and their arrays: the server's text, and the name format_type gives, even when the type was
    made after the connection."""
    ask(postgres, "SELECT 1")
    postgres_admin.execute("DROP TYPE IF EXISTS mood, pair CASCADE")
    postgres_admin.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    postgres_admin.execute("CREATE TYPE pair AS (a int, b text)")
    columns, rows = ask(postgres, "SELECT 'ok'::mood, ARRAY['sad']::mood[], (1, 'x')::pair")
    assert columns is not None
    assert [column.type for column in columns] == ["mood", "mood[]", "pair"]
    assert rows == [("ok", "{sad}", "(1,x)")]
    postgres_admin.execute("DROP TYPE mood, pair CASCADE")


def test_a_type_met_in_the_middle_of_a_long_result_is_named_the_next_time(
    postgres_url: str,
    postgres_admin: psycopg.Connection[tuple[object, ...]],
) -> None:
    """A row type of a table is not read ahead, and the server cannot be asked while it sends."""
    postgres_admin.execute("DROP TABLE IF EXISTS long_rows")
    postgres_admin.execute("CREATE TABLE long_rows AS SELECT g FROM generate_series(1, 500) AS g")
    with closing(connect(postgres_url)) as fresh:
        seen = []
        for _ in range(2):
            columns, rows = ask(fresh, "SELECT r FROM long_rows AS r")
            assert columns is not None
            seen.append(columns[0].type)
            assert len(rows) == 500
    assert seen == ["user-defined", "long_rows"]
    postgres_admin.execute("DROP TABLE long_rows")


def test_the_type_table_agrees_with_the_server(postgres_admin: psycopg.Connection[tuple[object, ...]]) -> None:
    """Every line of the table has the OIDs that pg_type has, and means the same type; and none of pg_type is missing."""
    found = postgres_admin.execute(
        "SELECT oid, typarray, to_regtype(n) FROM pg_type, unnest(%s::text[]) AS n WHERE oid = to_regtype(n)",
        ([row.name for row in BUILTIN_TYPES],),
    )
    served = {oid: array for oid, array, _ in found}
    table = {row.oid: row.array_oid for row in BUILTIN_TYPES if row.oid in served}
    assert table == served
    rest = postgres_admin.execute(
        "SELECT oid, typname FROM pg_type WHERE oid < 10000 AND typtype IN ('b', 'r', 'm') AND typcategory <> 'Z' "
        "AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.reltype = typelem)"
    )
    assert [name for oid, name in rest if isinstance(oid, int) and type_name(oid) is None] == []


@pytest.mark.parametrize(
    ("sql", "value", "answer"),
    [
        ("SELECT $1::int + 1", 5, 6),
        ("SELECT g FROM generate_series(1, 10) AS g WHERE g = $1", 5, 5),
        ("SELECT $1::bigint", 9223372036854775807, 9223372036854775807),
        ("SELECT $1::numeric", 10**30, Decimal(10**30)),
        ("SELECT $1", 1.5, 1.5),
        ("SELECT $1::numeric(10,2)", Decimal("1.10"), Decimal("1.10")),
        ("SELECT $1", True, True),
        ("SELECT $1", None, None),
        ("SELECT $1::int", None, None),
        ("SELECT $1::date", "2024-01-01", "2024-01-01"),
        ("SELECT datname FROM pg_database WHERE datname = $1", "template1", "template1"),
        ("SELECT $1 || '!'", 'it\'s 100 % \\ "quoted" ?', 'it\'s 100 % \\ "quoted" ?!'),
        ("SELECT $1::uuid", "6ecd8c99-4036-403d-bf84-cf8400f67836", UUID("6ecd8c99-4036-403d-bf84-cf8400f67836")),
        ("SELECT $1::bytea", b"\x00\xff", b"\x00\xff"),
        ("SELECT $1::jsonb ->> 'a'", {"a": "ü"}, "ü"),
        ("SELECT $1::jsonb -> 1 ->> 'b'", [{"a": 1}, {"b": 2}], "2"),
        ("SELECT 3 = ANY($1)", [1, 2, 3], True),
        ("SELECT 'x'::varchar = ANY($1)", ["x", None], True),
        ("SELECT '6ecd8c99-4036-403d-bf84-cf8400f67836'::uuid = ANY($1)", ["6ecd8c99-4036-403d-bf84-cf8400f67836"], True),
        ("SELECT $1::int[]", [], []),
        ("SELECT $1::int[]", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("SELECT $1::float8[]", [1, 2.5, None], [1.0, 2.5, None]),
        ("SELECT $1::text[]", ["a,b", '"', "NULL", ""], ["a,b", '"', "NULL", ""]),
    ],
)
def test_a_parameter_is_understood_as_its_place_wants_it(
    postgres: PostgresConnection,
    sql: str,
    value: object,
    answer: object,
) -> None:
    """Values as JSON brings them need no cast that a literal would not need."""
    assert ask(postgres, sql, value)[1] == [(answer,)]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", [1, "x"], object(), [True, 1]])
def test_a_value_that_cannot_be_sent_is_refused_before_anything_is(postgres: PostgresConnection, value: object) -> None:
    """The caller's mistake is told, and the connection and its transaction go on."""
    postgres.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=30)
    with pytest.raises(InvalidParameter):
        postgres.execute("SELECT $1", [value])
    cursor = postgres.execute("SELECT 1")
    assert cursor.fetch(1) == [(1,)]
    postgres.rollback()


def test_bytes_that_are_no_utf8_show_as_escapes(
    postgres_url: str, postgres_admin: psycopg.Connection[tuple[object, ...]]
) -> None:
    """A SQL_ASCII database holds bytes of any encoding: data, column names and messages are shown, never a crash."""
    postgres_admin.execute("DROP DATABASE IF EXISTS any_bytes")
    postgres_admin.execute("CREATE DATABASE any_bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with closing(connect(postgres_url, database="any_bytes")) as old:
            assert old.database == "any_bytes"
            columns, rows = ask(
                old, "SELECT convert_from('\\x63e9', 'SQL_ASCII') AS v, ARRAY[convert_from('\\xe9', 'SQL_ASCII')], 'ü'"
            )
            assert columns is not None
            assert rows == [("c\\xe9", ["\\xe9"], "ü")]
    finally:
        postgres_admin.execute("DROP DATABASE any_bytes")
