"""Structured reads on a real PostgreSQL: random trees against a Python evaluation, every type, all kinds of keys, rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import DatabaseMcpError, InvalidParameter
from mssqlclient_mcp.formatters.data import data_page
from mssqlclient_mcp.structured_requests import MOST_LEVELS, StructuredRead

Tree = dict[str, Any]
Row = dict[str, Any]

SCHEMA = """
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN s.percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE s.pair AS (a int, b text);
CREATE TABLE s.kinds (
  id int PRIMARY KEY, small smallint, big bigint, num numeric(12,3), f4 real, f8 double precision, paid money, flag boolean,
  word text, short varchar(5), fixed char(5), kind "char", tag name, day date, at time(3), attz timetz, moment timestamp(3),
  tz timestamptz, span interval, ref uuid, feeling s.mood, share s.percent, tags text[], numbers int[], moods s.mood[],
  doc jsonb, raw json, data bytea, ip inet, net cidr, mac macaddr, flags bit(3), more varbit, range int4range, lsn pg_lsn,
  place point, pair s.pair, vec tsvector);
INSERT INTO s.kinds VALUES (1, 1, 2, 1.5, 0.1, 0.1, 12.5, true, 'wörd', 'abc', 'abc', 'x', 'tag', '2024-02-29', '10:00:00.125',
  '10:00:00+02', '2024-01-01 10:00:00.5', '2024-01-01 10:00:00+00', '1 day 2 hours',
  '6f9619ff-8b86-d011-b42d-00c04fc964ff', 'ok', 50, '{a,b}', '{1,2}', '{sad,ok}', '{"a": [1, 2]}', '{"a": 1}',
  '\\xff00', '10.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03',
  B'101', B'1', '[1,5)', '0/16B3748', '(1,2)', '(1,x)', 'a b');
INSERT INTO s.kinds (id) VALUES (2);
CREATE TABLE s.small (id int PRIMARY KEY, a int, b int, t text, n numeric, d date, f boolean);
CREATE TABLE s.uniques (a int NOT NULL, b text NOT NULL, c int, d int NOT NULL, UNIQUE (b, a), UNIQUE (c));
CREATE UNIQUE INDEX partial ON s.uniques (d) WHERE d > 0;
CREATE UNIQUE INDEX expression ON s.uniques ((d + 1));
INSERT INTO s.uniques SELECT n % 3, 'b' || n / 3, n, n FROM generate_series(0, 29) AS n;
CREATE TABLE s.deferred (a int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE s.parent (id int PRIMARY KEY);
CREATE TABLE s.child () INHERITS (s.parent);
CREATE TABLE s.parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE s.parts_1 PARTITION OF s.parts DEFAULT;
CREATE MATERIALIZED VIEW s.stored AS SELECT id, word FROM s.kinds;
CREATE TABLE s.bytes (k bytea PRIMARY KEY, at timestamptz NOT NULL);
INSERT INTO s.bytes
  SELECT decode(lpad(to_hex(n), 4, '0'), 'hex'), '2024-01-01 00:00:00.000001+00'::timestamptz + n % 5 * '1 us'::interval
  FROM generate_series(1, 20) AS n;
CREATE TABLE s.secret (id int PRIMARY KEY, open text, closed text);
INSERT INTO s.secret VALUES (1, 'o', 'c');
"""

SMALL: tuple[Row, ...] = tuple(
    {"id": number, "a": a, "b": b, "t": t, "n": n, "d": d, "f": f}
    for number, (a, b, t, n, d, f) in enumerate(
        [
            (1, 1, "x", "1.5", "2024-01-01", True),
            (2, None, "X", "2.25", None, False),
            (None, 3, "x%", None, "2024-06-30", None),
            (0, -1, "", "-1", "2023-12-31", True),
            (3, 3, None, "0", "2024-01-02", False),
            (None, None, "a_b", "1.50", None, None),
            (-2, 2, "a\\b", "100", "2024-01-01", True),
            (1, 0, "xyz", None, "1999-01-01", None),
        ]
    )
)


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[DatabaseService]:
    """A service on a database with the schema above."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(SCHEMA)  # type: ignore[arg-type]
        for row in SMALL:
            connection.execute("INSERT INTO s.small VALUES (%s, %s, %s, %s, %s, %s, %s)", tuple(row.values()))
    with DatabaseService(load_config({"DATABASE_URL": postgres_url})) as service:
        yield service


def read(service: DatabaseService, table: str, **asked: Any) -> dict[str, Any]:
    """The structured content of a read."""
    with service.call(20):
        page = service.data.read(None, StructuredRead(table, **asked))
    return data_page(page, max_chars=60_000)[1]


# -- random trees --------------------------------------------------------------------------------------------------------


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "a": st.integers(-3, 4),
    "b": st.integers(-3, 4),
    "n": st.sampled_from(["1.5", 2.25, -1, 0, "1.50", 100, "7"]),
    "d": st.sampled_from(["2024-01-01", "2024-06-30", "1999-01-01", "2025-01-01"]),
    "t": st.text("xX%_\\ab", max_size=3),
}


def comparable(name: str, value: Any) -> Any:
    """A value as Python compares it like PostgreSQL does."""
    return None if value is None else float(value) if name == "n" else value


@st.composite
def conditions(draw: st.DrawFn) -> Tree:
    """A condition over the small table."""
    name = draw(st.sampled_from(["a", "b", "n", "d", "t", "f"]))
    ops = ["=", "!=", "is_null", "is_not_null"]
    if name in ("t",):
        ops += ["in", "not_in", "like", "not_like", "ilike", "starts_with", "contains"]
    elif name != "f":
        ops += ["in", "not_in", "<", "<=", ">", ">=", "between"]
    op = draw(st.sampled_from(ops))
    values = VALUES.get(name, st.booleans())
    if op in ("is_null", "is_not_null"):
        return {"column": name, "op": op}
    if op == "between":
        return {"column": name, "op": op, "value": [draw(values), draw(values)]}
    if op in ("in", "not_in"):
        return {"column": name, "op": op, "value": draw(st.lists(values, min_size=1, max_size=3))}
    value = draw(values)
    if op in ("like", "not_like", "ilike"):
        value = value.rstrip("\\")
    return {"column": name, "op": op, "value": value}


def trees() -> st.SearchStrategy[Tree]:
    """Trees of and, or, not; now and then deeper than is allowed."""
    return st.recursive(
        conditions(),
        lambda inner: st.one_of(
            st.builds(lambda part: {"not": part}, inner),
            st.builds(
                lambda word, parts: {word: parts}, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)
            ),
        ),
        max_leaves=12,
    )


def depth(tree: Tree) -> int:
    """Levels of a tree; a condition is one."""
    if "column" in tree:
        return 1
    [(word, inner)] = tree.items()
    return 1 + max(map(depth, [inner] if word == "not" else inner))


def holds(tree: Tree, row: Row) -> bool | None:
    """SQL's logic of three values: True, False or None for unknown."""
    if "column" in tree:
        return condition_holds(tree, row)
    [(word, inner)] = tree.items()
    if word == "not":
        found = holds(inner, row)
        return None if found is None else not found
    parts = [holds(part, row) for part in inner]
    deciding = word == "or"
    return deciding if deciding in parts else None if None in parts else not deciding


def condition_holds(one: Tree, row: Row) -> bool | None:
    """A condition on one row."""
    name, op, value = one["column"], one["op"], one.get("value")
    held = comparable(name, row[name])
    if op in ("is_null", "is_not_null"):
        return (held is None) == (op == "is_null")
    if held is None:
        return None
    if op in ("like", "not_like", "ilike"):
        fold = str.lower if op == "ilike" else str
        return matches(fold(held), fold(value)) == (op != "not_like")
    if op in ("starts_with", "contains"):
        return held.startswith(value) if op == "starts_with" else value in held
    if op in ("in", "not_in"):
        return (held in [comparable(name, item) for item in value]) == (op == "in")
    if op == "between":
        low, high = (comparable(name, item) for item in value)
        return low <= held <= high
    other = comparable(name, value)
    return {
        "=": held == other, "!=": held != other, "<": held < other, "<=": held <= other, ">": held > other, ">=": held >= other,
    }[op]  # fmt: skip


def matches(text: str, pattern: str) -> bool:
    """LIKE, with a backslash that takes the next sign for itself."""
    if not pattern:
        return not text
    sign, rest = pattern[0], pattern[1:]
    if sign == "%":
        return any(matches(text[start:], rest) for start in range(len(text) + 1))
    if sign == "\\":
        sign, rest = rest[0], rest[1:]
    elif sign == "_":
        return bool(text) and matches(text[1:], rest)
    return text[:1] == sign and matches(text[1:], rest)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
def test_random_trees_let_through_what_sql_lets_through(service: DatabaseService, tree: Tree) -> None:
    """The result is that of an evaluation in Python with SQL's three values, whatever the tree."""
    if depth(tree) > MOST_LEVELS:
        with pytest.raises(InvalidParameter):
            read(service, "s.small", tree=tree)
        return
    found = read(service, "s.small", columns=["id"], tree=tree)["rows"]
    assert [row[0] for row in found] == [row["id"] for row in SMALL if holds(tree, row)]


# -- types ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "op", "value"),
    [
        ("small", "=", "1"),
        ("big", "in", ["2", 3]),
        ("num", "=", 1.5),
        ("num", ">", "1.4999999"),
        ("f4", "=", 0.1),
        ("f8", "between", [0, "0.2"]),
        ("paid", "=", "12.50"),
        ("flag", "=", "yes"),
        ("word", "=", "wörd"),
        ("word", "ilike", "WÖ%"),
        ("short", "=", "abc"),
        ("short", "!=", "longer than five"),
        ("short", "starts_with", "ab"),
        ("fixed", "=", "abc"),
        ("fixed", "starts_with", "abc"),
        ("kind", "=", "x"),
        ("tag", "contains", "a"),
        ("day", "=", "2024-02-29"),
        ("at", "=", "10:00:00.125"),
        ("attz", "=", "10:00:00+02:00"),
        ("moment", "<", "2024-01-02"),
        ("tz", "=", "2024-01-01T11:00:00+01:00"),
        ("span", "=", "P1DT2H"),
        ("ref", "=", "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
        ("feeling", "=", "ok"),
        ("feeling", ">", "sad"),
        ("feeling", "in", ["ok", "happy"]),
        ("share", "<", 200),
        ("tags", "=", ["a", "b"]),
        ("numbers", "=", [1, 2]),
        ("numbers", "<", [1, 3]),
        ("moods", "=", ["sad", "ok"]),
        ("doc", "=", {"a": [1, 2]}),
        ("data", "=", "0xFF00"),
        ("ip", "=", "10.0.0.1"),
        ("net", "=", "10.0.0.0/8"),
        ("mac", "=", "08:00:2b:01:02:03"),
        ("flags", "=", "101"),
        ("more", "=", "1"),
        ("range", "=", {"lower": 1, "upper": 5}),
        ("lsn", ">", "0/16B3747"),
        ("pair", "=", {"a": 1, "b": "x"}),
        ("vec", "=", "'a' 'b'"),
    ],
    ids=str,
)
def test_values_of_every_type_find_their_row(service: DatabaseService, name: str, op: str, value: object) -> None:
    """Each is compared as its column's type, and stands in no way of an index."""
    found = read(service, "s.kinds", columns=["id"], filters=[{"column": name, "op": op, "value": value}])
    assert found["rows"] == [[1]]


@pytest.mark.parametrize("name", ["raw", "place"])
def test_types_without_comparison_are_refused(service: DatabaseService, name: str) -> None:
    """json and point have no equality; NULL can be asked for."""
    with pytest.raises(InvalidParameter) as caught:
        read(service, "s.kinds", filters=[{"column": name, "op": "=", "value": "x"}])
    assert "can be compared" in str(caught.value.details["problems"])
    assert read(service, "s.kinds", columns=["id"], filters=[{"column": name, "op": "is_null"}])["rows"] == [[2]]


def test_an_enum_label_that_is_none_names_those_there_are(service: DatabaseService) -> None:
    """Before anything runs."""
    with pytest.raises(InvalidParameter) as caught:
        read(service, "s.kinds", filters=[{"column": "feeling", "op": "=", "value": "glad"}])
    assert "'sad', 'ok', 'happy'" in str(caught.value.details["problems"])


def test_whatever_can_be_asked_of_a_column_works(service: DatabaseService) -> None:
    """Every column with each function, group and order: the database never refuses what the builder lets through."""
    names = [column["name"] for column in read(service, "s.kinds", limit=1)["columns"]]
    assert len(names) == 38
    allowed = 0
    for name in names:
        wishes: list[dict[str, Any]] = [{"order_by": [name]}, {"group_by": [name]}]
        functions = ("count", "count_distinct", "sum", "avg", "min", "max")
        wishes += [{"aggregates": [{"function": function, "column": name}]} for function in functions]
        for wish in wishes:
            try:
                read(service, "s.kinds", **wish)
                allowed += 1
            except InvalidParameter:
                continue
    assert allowed > 150


def test_an_index_on_the_column_serves(service: DatabaseService, postgres_url: str) -> None:
    """The cast stands on the value's side: a primary key is still looked up in its index."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE s.many AS SELECT n AS id, n::varchar(10) AS word FROM generate_series(1, 20000) AS n")
        connection.execute("ALTER TABLE s.many ADD PRIMARY KEY (id)")
        connection.execute("CREATE INDEX ON s.many (word)")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ANALYZE s.many")
        for condition in ("t.\"id\" = '7'::integer", "t.\"word\" = '7'::character varying"):
            plan = connection.execute(f'EXPLAIN SELECT t."id" FROM "s"."many" AS t WHERE {condition}').fetchall()  # type: ignore[arg-type]
            assert "Index" in str(plan)
    found = read(service, "s.many", columns=["word"], filters=[{"column": "word", "op": "=", "value": "7"}])
    assert found["rows"] == [["7"]]


# -- keys ----------------------------------------------------------------------------------------------------------------


def whole_by_cursor(service: DatabaseService, table: str, limit: int, **asked: Any) -> list[list[object]]:
    """All rows, page by page."""
    rows: list[list[object]] = []
    cursor = None
    for _ in range(100):
        content = read(service, table, limit=limit, cursor=cursor, **asked)
        rows += content["rows"]
        cursor = content.get("nextCursor")
        if cursor is None:
            assert not content["truncated"]
            return rows
    raise AssertionError("the pages do not end")


def test_a_unique_key_serves_when_there_is_no_primary_one(service: DatabaseService) -> None:
    """Of all the unique indexes only one is whole, of columns, and never NULL."""
    rows = whole_by_cursor(service, "s.uniques", 7, columns=["d"])
    assert sorted(row[0] for row in rows) == list(range(30))
    down = whole_by_cursor(service, "s.uniques", 4, columns=["a", "b"], order_by=[{"column": "a", "direction": "desc"}])
    assert down == sorted(down, reverse=True)


def test_a_cursor_keeps_bytes_and_microseconds(service: DatabaseService) -> None:
    """What a key holds comes back exactly."""
    rows = whole_by_cursor(service, "s.bytes", 3, order_by=["at"])
    assert len({row[0] for row in rows}) == 20
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


def test_a_key_that_cannot_be_written_down_pages_by_offset(service: DatabaseService, postgres_url: str) -> None:
    """No cursor is given that would not be taken back: a NaN is none, and neither is an offset with seconds."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE s.wild (f float8 PRIMARY KEY)")
        connection.execute("INSERT INTO s.wild VALUES (1), ('NaN'), ('Infinity')")
        connection.execute("CREATE TABLE s.times (at timestamptz PRIMARY KEY)")
        connection.execute("INSERT INTO s.times VALUES ('-infinity'), ('0044-03-15 BC'), ('12024-01-01'), ('infinity')")
    pages = [read(service, "s.wild", limit=1, offset=offset) for offset in range(3)]
    assert [page["rows"] for page in pages] == [[[1]], [["Infinity"]], [["NaN"]]]
    assert ["nextCursor" in page for page in pages] == [True, False, False]
    assert pages[1]["nextOffset"] == 2
    assert len(whole_by_cursor(service, "s.times", 1)) == 4


@pytest.mark.parametrize("table", ["s.deferred", "s.parent", "s.stored"])
def test_what_is_not_surely_a_key_is_none(service: DatabaseService, table: str) -> None:
    """Deferred, inherited from without being shared, or not there."""
    assert "order" in read(service, table)["notes"][0]


def test_a_key_that_may_still_hold_null_is_none(service: DatabaseService, postgres_url: str) -> None:
    """A NOT NULL that is NOT VALID (PostgreSQL 18) says nothing of the rows that were there: a cursor would leave them out."""
    with psycopg.connect(postgres_url) as connection:
        if connection.info.server_version < 180000:
            pytest.skip("NOT NULL ... NOT VALID came with PostgreSQL 18")
        connection.execute("CREATE TABLE s.late (k int UNIQUE, v int)")
        connection.execute("INSERT INTO s.late VALUES (NULL, 1), (NULL, 2), (3, 3)")
        connection.execute("ALTER TABLE s.late ADD CONSTRAINT late_k NOT NULL k NOT VALID")
    pages = [read(service, "s.late", columns=["v"], order_by=["k"], limit=1, offset=offset) for offset in range(3)]
    assert sorted(page["rows"][0][0] for page in pages) == [1, 2, 3]
    assert not any("nextCursor" in page for page in pages)


def test_partitions_and_materialized_views_are_read(service: DatabaseService) -> None:
    """A partitioned table has its key."""
    assert "notes" not in read(service, "s.parts")
    assert read(service, "s.stored", columns=["word"], filters=[{"column": "id", "op": "=", "value": 1}])["rows"] == [["wörd"]]


# -- rights --------------------------------------------------------------------------------------------------------------


def test_columns_that_the_login_may_not_read_are_left_out(service: DatabaseService, postgres_url: str) -> None:
    """And said; asked for by name they are refused."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE ROLE column_reader LOGIN PASSWORD 'x'")
        connection.execute("GRANT USAGE ON SCHEMA s TO column_reader")
        connection.execute("GRANT SELECT (id, open) ON s.secret TO column_reader")
    place = urlsplit(postgres_url)
    location = place.netloc.rpartition("@")[2]
    query = f"?{place.query}" if place.query else ""
    url = f"postgresql://column_reader:x@{location}{place.path}{query}"
    try:
        with DatabaseService(load_config({"DATABASE_URL": url})) as limited:
            content = read(limited, "s.secret")
            assert content["rows"] == [[1, "o"]]
            assert "closed" in content["notes"][0]
            with pytest.raises(InvalidParameter) as caught:
                read(limited, "s.secret", columns=["closed"])
            assert "may not read" in str(caught.value.details["problems"])
            with pytest.raises(DatabaseMcpError):
                read(limited, "s.small")
    finally:
        with psycopg.connect(postgres_url) as connection:
            connection.execute("DROP OWNED BY column_reader")
            connection.execute("DROP ROLE column_reader")


@pytest.mark.parametrize("table", ["pg_catalog.pg_authid", "pg_shadow", "pg_catalog.pg_subscription"])
def test_what_the_gate_refuses_by_name_is_refused_here_too(service: DatabaseService, table: str) -> None:
    """Password hashes and keys are no data, whoever writes the SQL; the rest of the catalogue can be read."""
    with pytest.raises(DatabaseMcpError) as caught:
        read(service, table)
    assert caught.value.code.value == "READ_ONLY_VIOLATION"
    schemas = read(service, "pg_catalog.pg_namespace", filters=[{"column": "nspname", "op": "=", "value": "s"}])
    assert schemas["rowCount"] == 1


def test_a_read_that_takes_too_long_ends_with_advice(postgres_url: str, service: DatabaseService) -> None:
    """A view can be slow; the deadline reaches the database."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE VIEW s.slow AS SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"
        )
    with service.call(0.5), pytest.raises(DatabaseMcpError) as caught:
        service.data.read(None, StructuredRead("s.slow"))
    assert caught.value.code.value == "TIMEOUT"


def test_a_view_that_writes_is_stopped_by_the_transaction(postgres_url: str, service: DatabaseService) -> None:
    """Structured reads run in a read-only transaction like all others."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE s.log (n int)")
        connection.execute(
            "CREATE FUNCTION s.note() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO s.log VALUES (1) RETURNING n'"
        )
        connection.execute("CREATE VIEW s.writing AS SELECT s.note() AS n")
    with pytest.raises(DatabaseMcpError):
        read(service, "s.writing")
    assert read(service, "s.log")["rows"] == []
