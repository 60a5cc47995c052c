"""Functions and procedures on a real PostgreSQL: every type at its limits, outputs, overloads, defaults, faults.

Expected values are typed by hand, or read back by the server itself (``value::text``); none comes from our converter.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from mssqlclient_mcp.errors import (
    ConstraintViolation,
    DatabaseFault,
    DatabaseMcpError,
    InvalidParameter,
    ObjectNotFound,
)
from mssqlclient_mcp.models import Direction, TruncatedBy
from tests.databases import postgres_database
from tests.procedure_calls import Calls, calls

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'so-so', 'it''s "fine"');
CREATE TYPE address AS (street text, "No" int, tags text[]);
CREATE TYPE parcel AS (label varchar(20), target address);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE floatrange AS RANGE (subtype = float8)
"""


@pytest.fixture(scope="module")
def pg(postgres_url: str) -> Iterator[Calls]:
    """A database with types of its own, and an echo function for each type that a test asks for."""
    with calls(postgres_database(postgres_url).config()) as made:
        made.run(*TYPES.split(";\n"))
        yield made


@pytest.fixture(scope="module")
def echo() -> dict[str, str]:
    """By type, the name of a procedure that hands its INOUT value back, and tells how the server reads it as text."""
    return {}


def _echo(pg: Calls, made: dict[str, str], sql_type: str) -> str:
    if sql_type == "xml" and not _has_xml(pg):
        pytest.skip("this server was built without libxml")
    if sql_type not in made:
        name = f"echo_{len(made)}"
        pg.run(
            f"CREATE PROCEDURE {name}(INOUT v {sql_type}, INOUT as_text text = NULL) LANGUAGE plpgsql AS "
            "$$ BEGIN as_text := v::text; END $$"
        )
        made[sql_type] = name
    return made[sql_type]


def _has_xml(pg: Calls) -> bool:
    try:
        return bool(pg.rows("SELECT xmlparse(CONTENT '<a/>')::text"))
    except DatabaseFault:
        return False


ODD_TEXT = "a'b\"c\\d\n\u00e9\U0001f600 $1 %s ?"
MOST_V6 = ":".join(["ffff"] * 8)
ODD_ITEMS = ["", "NULL", None, 'a"b', "c\\d", "{,}", " "]

ROUND_TRIPS: tuple[tuple[str, object, object, str], ...] = (
    # type, value as it is sent, value as it comes back, value as the server itself writes it
    ("boolean", True, True, "true"),
    ("boolean", "no", False, "false"),
    ("smallint", -32768, -32768, "-32768"),
    ("smallint", 32767, 32767, "32767"),
    ("integer", -2147483648, -2147483648, "-2147483648"),
    ("integer", 2147483647, 2147483647, "2147483647"),
    ("bigint", -9223372036854775808, -9223372036854775808, "-9223372036854775808"),
    ("bigint", "9223372036854775807", 9223372036854775807, "9223372036854775807"),
    ("oid", 4294967295, 4294967295, "4294967295"),
    ("numeric", "1" + "0" * 200 + ".5", Decimal("1" + "0" * 200 + ".5"), "1" + "0" * 200 + ".5"),
    ("numeric", "-0.00000000000000000000000000000001", Decimal("-1E-32"), "-0.00000000000000000000000000000001"),
    ("numeric", 0.1, Decimal("0.1"), "0.1"),
    ("numeric", "12.30", Decimal("12.30"), "12.30"),
    ("numeric", "Infinity", Decimal("Infinity"), "Infinity"),
    ("money", "92233720368547758.07", "$92,233,720,368,547,758.07", "$92,233,720,368,547,758.07"),
    ("money", "-92233720368547758.08", "-$92,233,720,368,547,758.08", "-$92,233,720,368,547,758.08"),
    ("real", 3.4028235e38, 3.4028235e38, "3.4028235e+38"),
    ("real", "1e-45", 1e-45, "1e-45"),
    ("double precision", "1.7976931348623157e308", 1.7976931348623157e308, "1.7976931348623157e+308"),
    ("double precision", 5e-324, 5e-324, "5e-324"),
    ("double precision", "-Infinity", float("-inf"), "-Infinity"),
    ("text", ODD_TEXT, ODD_TEXT, ODD_TEXT),
    ("text", "", "", ""),
    ("varchar", "x" * 70000, "x" * 70000, "x" * 70000),
    ("char(3)", "abc", "abc", "abc"),
    ('"char"', "z", "z", "z"),
    ("name", "n" * 63, "n" * 63, "n" * 63),
    ("bytea", "0x", b"", "\\x"),
    ("bytea", "0x00FF5C27", b"\x00\xff\x5c\x27", "\\x00ff5c27"),
    ("bytea", "AP9cJw==", b"\x00\xff\x5c\x27", "\\x00ff5c27"),
    ("date", "4713-01-01 BC", "4713-01-01 BC", "4713-01-01 BC"),
    ("date", "0001-01-01", "0001-01-01", "0001-01-01"),
    ("date", "5874897-12-31", "5874897-12-31", "5874897-12-31"),
    ("date", "-infinity", "-infinity", "-infinity"),
    ("time", "00:00:00", "00:00:00", "00:00:00"),
    ("time", "23:59:59.999999", "23:59:59.999999", "23:59:59.999999"),
    ("time with time zone", "23:59:59.999999-14:00", "23:59:59.999999-14:00", "23:59:59.999999-14"),
    ("timestamp", "4713-01-01T00:00:00 BC", "4713-01-01T00:00:00 BC", "4713-01-01 00:00:00 BC"),
    ("timestamp", "294276-12-31T23:59:59.999999", "294276-12-31T23:59:59.999999", "294276-12-31 23:59:59.999999"),
    ("timestamp", "infinity", "infinity", "infinity"),
    ("interval", "P1Y2M3DT4H5M6.789S", "1 year 2 mons 3 days 04:05:06.789", "1 year 2 mons 3 days 04:05:06.789"),
    ("interval", "-178000000 years", "-178000000 years", "-178000000 years"),
    ("json", '{"b" : 1.10, "a":null}', '{"b" : 1.10, "a":null}', '{"b" : 1.10, "a":null}'),
    ("jsonb", {"a": [1, 0.5, True, None, "\u00e9\""]},
        '{"a": [1, 0.5, true, null, "\u00e9\\""]}', '{"a": [1, 0.5, true, null, "\u00e9\\""]}'),
    ("jsonb", [], "[]", "[]"),
    ("jsonb", 5, "5", "5"),
    ("xml", '<?xml version="1.0" encoding="latin1"?><a b="c">\u00e9</a>', None, '<?xml version="1.0"?><a b="c">\u00e9</a>'),
    ("inet", "10.1.2.3/8", "10.1.2.3/8", "10.1.2.3/8"),
    ("inet", MOST_V6, MOST_V6, f"{MOST_V6}/128"),
    ("cidr", "192.168.0.0/16", "192.168.0.0/16", "192.168.0.0/16"),
    ("macaddr", "08:00:2b:01:02:03", "08:00:2b:01:02:03", "08:00:2b:01:02:03"),
    ("bit(3)", "101", "101", "101"),
    ("bit varying", "10110", "10110", "10110"),
    ("point", "(1.5,-2)", "(1.5,-2)", "(1.5,-2)"),
    ("tsvector", "'a':1 'b':2", "'a':1 'b':2", "'a':1 'b':2"),
    ("int4range", "[1,10)", "[1,10)", "[1,10)"),
    ("int4range", {"lower": -2147483648, "upper": None, "bounds": "(]"}, "[-2147483647,)", "[-2147483647,)"),
    ("int4range", {"empty": True}, "empty", "empty"),
    ("numrange", {"lower": "0.1", "upper": "0.2", "bounds": "[]"}, "[0.1,0.2]", "[0.1,0.2]"),
    ("daterange", {"lower": "2024-01-01", "upper": "2024-12-31"}, "[2024-01-01,2024-12-31)", "[2024-01-01,2024-12-31)"),
    ("int4multirange", "{[1,3),[5,7)}", "{[1,3),[5,7)}", "{[1,3),[5,7)}"),
    ("floatrange", {"lower": 0.5}, "[0.5,)", "[0.5,)"),
    ("mood", "it's \"fine\"", "it's \"fine\"", "it's \"fine\""),
    ("positive", 1, 1, "1"),
    ("integer[]", [1, None, -2147483648], [1, None, -2147483648], "{1,NULL,-2147483648}"),
    ("integer[]", [], [], "{}"),
    ("integer[]", [[1, 2], [3, 4]], [[1, 2], [3, 4]], "{{1,2},{3,4}}"),
    ("integer[]", "{7,8}", [7, 8], "{7,8}"),
    ("text[]", ODD_ITEMS, ODD_ITEMS, '{"","NULL",NULL,"a\\"b","c\\\\d","{,}"," "}'),
    ("numeric[]", ["0.10", 5], [Decimal("0.10"), Decimal(5)], "{0.10,5}"),
    ("bytea[]", ["0x00", "0xFF"], [b"\x00", b"\xff"], '{"\\\\x00","\\\\xff"}'),
    ("boolean[]", [True, "no"], [True, False], "{t,f}"),
    ("uuid[]", ["6F9619FF-8B86-D011-B42D-00C04FC964FF"], None, "{6f9619ff-8b86-d011-b42d-00c04fc964ff}"),
    ("timestamp[]", ["2024-02-29T12:00:00"], None, '{"2024-02-29 12:00:00"}'),
    ("mood[]", ["sad", "so-so"], None, "{sad,so-so}"),
    ("address", {"street": 'High "St", 1', "no": 5, "tags": ["a,b", "c\"d"]}, None,
        '("High ""St"", 1",5,"{""a,b"",""c\\\\""d""}")'),
    ("address", ["", None, None], None, '("",,)'),
    ("parcel", {"label": "x", "target": {"street": "(y)", "No": 1}}, None, '(x,"(""(y)"",1,)")'),
    ("address[]", [{"street": "a b"}, None], None, '{"(\\"a b\\",,)",NULL}'),
    ("uuid", "{6F9619FF-8B86-D011-B42D-00C04FC964FF}", None, "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
)  # fmt: skip


@pytest.mark.parametrize(("sql_type", "value", "back", "as_text"), ROUND_TRIPS)
def test_a_value_goes_in_and_comes_out_whole(
    pg: Calls, echo: dict[str, str], sql_type: str, value: object, back: object, as_text: str
) -> None:
    """Each type at its limits: the server reads exactly what was meant, and what comes back is exactly that."""
    found = pg.outputs(_echo(pg, echo, sql_type), {"v": value})
    assert found["as_text"] == as_text
    if back is not None:
        assert found["v"] == back
        assert type(found["v"]) is type(back)


@pytest.mark.parametrize("sql_type", sorted({row[0] for row in ROUND_TRIPS}))
def test_null_reaches_every_type(pg: Calls, echo: dict[str, str], sql_type: str) -> None:
    """A NULL with the parameter's type."""
    assert pg.outputs(_echo(pg, echo, sql_type), {"v": None}) == {"v": None, "as_text": None}


def test_a_moment_with_an_offset_is_the_same_moment(pg: Calls) -> None:
    """timestamptz keeps the moment; the offset shown is the session's."""
    pg.run("CREATE FUNCTION moment(m timestamptz) RETURNS float8 LANGUAGE sql AS 'SELECT extract(epoch FROM m)::float8'")
    assert pg.call("moment", {"m": "1970-01-01T02:00:00.5+02:00"}).return_value == 0.5
    assert pg.call("moment", {"m": "infinity"}).return_value == float("inf")


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [
        ("integer", 2147483648),
        ("integer", ""),
        ("integer", "NaN"),
        ("date", "2024-02-31"),
        ("mood", "angry"),
        ("jsonb", "{'a'}"),
        ("bytea", "no base64!"),
        ("integer[]", [1, "x"]),
        ("address", {"zip": 1}),
        ("int4range", {"lower": "x"}),
    ],
)
def test_an_unfit_value_never_reaches_the_server(pg: Calls, echo: dict[str, str], sql_type: str, value: object) -> None:
    """Refused with the parameter's name and the whole signature."""
    name = _echo(pg, echo, sql_type)
    with pytest.raises(InvalidParameter) as caught:
        pg.call(name, {"v": value})
    assert str(caught.value.details["problems"]).startswith(f"['v ({sql_type}): ") or "v (" in str(
        caught.value.details["problems"]
    )
    assert str(caught.value.details["expected"]).startswith(f"public.{name}(v ")


def test_a_domain_is_checked_by_the_server(pg: Calls, echo: dict[str, str]) -> None:
    """What only the server knows, it says itself."""
    with pytest.raises(ConstraintViolation):
        pg.call(_echo(pg, echo, "positive"), {"v": -1})


def test_defaults_are_used_and_shown(pg: Calls) -> None:
    """An omitted parameter takes its default, which the signature shows as the server writes it."""
    pg.run(
        "CREATE FUNCTION with_defaults(a int, b text = 'x, y', c date = current_date, OUT d text) LANGUAGE sql AS "
        "$$ SELECT concat_ws('|', a, b, c = current_date) $$"
    )
    [signature] = pg.signatures("with_defaults")
    assert [(p.name, p.required, p.default) for p in signature.parameters] == [
        ("a", True, None),
        ("b", False, "'x, y'::text"),
        ("c", False, "CURRENT_DATE"),
        ("d", False, None),
    ]
    assert signature.parameters[3].direction is Direction.OUT
    assert pg.outputs("with_defaults", {"a": 1}) == {"d": "1|x, y|t"}
    assert pg.outputs("with_defaults", {"c": "2000-01-01", "A": 2}) == {"d": "2|x, y|f"}


def test_all_problems_are_told_at_once(pg: Calls) -> None:
    """Missing, unknown, unfit and given twice, in one answer with the signature; nothing has run."""
    pg.run("CREATE PROCEDURE strict_one(id int, day date, note text = '') LANGUAGE sql AS 'SELECT 1/0'")
    with pytest.raises(InvalidParameter) as caught:
        pg.call("strict_one", {"ID": "x", "nte": "hello", "id": 2})
    assert caught.value.details["problems"] == [
        "id (integer): 'x' is not a whole number",
        "nte: there is no such parameter; did you mean note?",
        "id is given twice",
        "day (date) is missing",
    ]
    assert caught.value.details["expected"] == "public.strict_one(id integer, day date, note text = ''::text)"


def test_parameters_may_be_a_json_string(pg: Calls) -> None:
    """The same object as text; its decimals keep all their digits."""
    pg.run("CREATE FUNCTION plus_one(n numeric) RETURNS numeric LANGUAGE sql AS 'SELECT n + 1'")
    assert pg.call("plus_one", '{"n": 12345678901234567890.123456789}').return_value == Decimal(
        "12345678901234567891.123456789"
    )
    for bad in ("[1]", "{", '{"n": 1, "n": 2}', "5"):
        with pytest.raises(InvalidParameter):
            pg.call("plus_one", bad)


def test_overloads_are_told_apart_by_names_and_types(pg: Calls) -> None:
    """By the names given, by the values, or by the types behind the name."""
    pg.run(
        "CREATE FUNCTION pick(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'int' $$",
        "CREATE FUNCTION pick(a text) RETURNS text LANGUAGE sql AS $$ SELECT 'text' $$",
        "CREATE FUNCTION pick(a date, c int) RETURNS text LANGUAGE sql AS $$ SELECT 'date and int' $$",
        "CREATE FUNCTION pick(x numeric) RETURNS text LANGUAGE sql AS $$ SELECT 'numeric' $$",
    )
    assert len(pg.signatures("pick")) == 4
    assert pg.call("pick", {"a": 5}).return_value == "int"
    assert pg.call("pick", {"a": "2024-01-01"}).return_value == "text"
    assert pg.call("pick", {"a": "2024-01-01", "c": 1}).return_value == "date and int"
    assert pg.call("pick", {"x": 5}).return_value == "numeric"
    assert pg.call("pick(text)", {"a": "5"}).return_value == "text"
    assert pg.call("public.pick(date, integer)", {"a": "2024-01-01", "c": 2}).return_value == "date and int"
    with pytest.raises(InvalidParameter, match="None of the 4 overloads"):
        pg.call("pick", {"q": 1})
    with pytest.raises(InvalidParameter, match="No overload"):
        pg.call("pick(uuid)", {"a": 1})


def test_values_that_fit_two_overloads_alike_are_refused(pg: Calls) -> None:
    """Rather ask than call the wrong one."""
    pg.run(
        "CREATE FUNCTION twin(a date) RETURNS text LANGUAGE sql AS $$ SELECT 'date' $$",
        "CREATE FUNCTION twin(a timestamp) RETURNS text LANGUAGE sql AS $$ SELECT 'timestamp' $$",
    )
    with pytest.raises(InvalidParameter, match="2 overloads") as caught:
        pg.call("twin", {"a": "2024-01-01"})
    assert caught.value.details["expected"] == ["public.twin(a date)", "public.twin(a timestamp without time zone)"]
    assert pg.call("twin(timestamp)", {"a": "2024-01-01"}).return_value == "timestamp"


def test_every_kind_of_function_answers(pg: Calls) -> None:
    """Scalar, void, sets, tables, composites, records, several OUT parameters, polymorphic and variadic ones."""
    pg.run(
        "CREATE FUNCTION f_void() RETURNS void LANGUAGE sql AS 'SELECT'",
        "CREATE FUNCTION f_set(n int) RETURNS SETOF int LANGUAGE sql AS 'SELECT generate_series(1, n)'",
        "CREATE FUNCTION f_table(n int) RETURNS TABLE(i int, t text) LANGUAGE sql AS "
        "$$ SELECT g, 'r' || g FROM generate_series(1, n) g $$",
        "CREATE FUNCTION f_row() RETURNS address LANGUAGE sql AS $$ SELECT ROW('s', 1, NULL)::address $$",
        "CREATE FUNCTION f_record() RETURNS record LANGUAGE sql AS $$ SELECT 1, 'x'::text $$",
        "CREATE FUNCTION f_outs(a int, OUT b int, INOUT c text, OUT d numeric) LANGUAGE sql AS 'SELECT a + 1, c || c, 1.50'",
        "CREATE FUNCTION f_poly(v anyelement) RETURNS text LANGUAGE sql AS 'SELECT pg_typeof(v)::text'",
        "CREATE FUNCTION f_many(prefix text, VARIADIC rest int[]) RETURNS text LANGUAGE sql AS "
        "$$ SELECT prefix || array_to_string(rest, '-') $$",
        "CREATE FUNCTION f_nameless(int, text) RETURNS text LANGUAGE sql AS 'SELECT $1::text || $2'",
        "CREATE FUNCTION f_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    )
    void = pg.call("f_void")
    assert (void.return_type, void.result.result_sets, void.outputs) == (None, (), ())
    assert [row[0] for row in pg.call("f_set", {"n": 3}).result.result_sets[0].rows] == [1, 2, 3]
    table = pg.call("f_table", {"n": 2}).result.result_sets[0]
    assert ([c.name for c in table.columns], list(table.rows)) == (["i", "t"], [(1, "r1"), (2, "r2")])
    assert pg.call("f_set", {"n": 0}).result.result_sets[0].rows == []
    assert pg.call("f_row").result.result_sets[0].rows == [("s", 1, None)]
    assert pg.call("f_record").result.result_sets[0].rows == [("(1,x)",)]
    assert pg.outputs("f_outs", {"a": 1, "c": "z"}) == {"b": 2, "c": "zz", "d": Decimal("1.50")}
    assert pg.call("f_poly", {"v": 5}).return_value == "integer"
    assert (
        pg.call("f_poly", {"v": {"type": "timestamptz", "value": "2024-01-01T00:00:00Z"}}).return_value
        == "timestamp with time zone"
    )
    assert pg.call("f_many", {"prefix": "p", "rest": [1, 2]}).return_value == "p1-2"
    assert pg.call("f_nameless", {"$1": 5, "2": "x"}).return_value == "5x"
    with pytest.raises(InvalidParameter, match="only a trigger"):
        pg.call("f_trigger")
    with pytest.raises(InvalidParameter, match="aggregate"):
        pg.call("pg_catalog.string_agg", {"a": "b"})


def test_a_procedure_may_commit_and_roll_back_by_itself(pg: Calls) -> None:
    """Autocommit: what it committed stays, what it rolled back is gone."""
    pg.run(
        "CREATE TABLE log (n int)",
        "CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); COMMIT; "
        "INSERT INTO log VALUES (2); ROLLBACK; INSERT INTO log VALUES (3); END $$",
    )
    pg.call("commits")
    assert pg.rows("SELECT n FROM log ORDER BY n") == [(1,), (3,)]


def test_notices_come_with_the_answer(pg: Calls) -> None:
    """RAISE NOTICE and WARNING, in order."""
    pg.run("CREATE PROCEDURE talks() LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
    assert [(m.severity, m.text) for m in pg.call("talks").result.messages] == [("NOTICE", "one"), ("WARNING", "two")]


def test_an_error_inside_keeps_the_servers_words(pg: Calls) -> None:
    """Message, SQLSTATE and what had been said before."""
    pg.run(
        "CREATE PROCEDURE fails() LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE 'before'; RAISE EXCEPTION 'boom' USING ERRCODE = 'P0007'; END $$"
    )
    with pytest.raises(DatabaseFault) as caught:
        pg.call("fails")
    assert "boom" in caught.value.message
    details = caught.value.details
    assert (details["sqlstate"], details["procedure"], details["line"]) == ("P0007", "fails()", 1)
    assert details["messages"] == ["before"]


def test_an_error_tells_the_innermost_function_and_its_line(pg: Calls) -> None:
    """Where it was raised, not where it was called from."""
    pg.run(
        "CREATE FUNCTION inner_one(a int, b text) RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1 / (a - a);\nEND $$",
        "CREATE PROCEDURE outer_one() LANGUAGE plpgsql AS $$ BEGIN\n\n  PERFORM inner_one(1, ''); END $$",
    )
    with pytest.raises(DatabaseFault, match="division by zero") as caught:
        pg.call("outer_one")
    assert (caught.value.details["procedure"], caught.value.details["line"]) == ("inner_one(integer,text)", 3)


def test_rows_are_cut_at_the_limit_and_outputs_are_not(pg: Calls) -> None:
    """A cut result says so; a call with outputs has them whatever the limit."""
    cut = pg.call("pg_catalog.generate_series(integer, integer)", {"$1": 1, "$2": 1000}, max_rows=10).result.result_sets[0]
    assert (len(cut.rows), cut.truncated_by) == (10, TruncatedBy.ROWS)
    pg.run("CREATE PROCEDURE large(INOUT t text) LANGUAGE plpgsql AS $$ BEGIN t := repeat('x', 1000000); END $$")
    assert len(str(pg.outputs("large", {"t": ""})["t"])) == 1_000_000


def test_an_unknown_procedure_names_the_nearest(pg: Calls) -> None:
    """Three names that may be meant."""
    pg.run("CREATE FUNCTION get_customer_orders() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    with pytest.raises(ObjectNotFound) as caught:
        pg.call("get_custmer_orders")
    nearest = caught.value.details["nearest"]
    assert isinstance(nearest, list)
    assert nearest[0] == "public.get_customer_orders"
    assert len(nearest) == 3


@pytest.mark.parametrize(
    "name",
    [
        "f(); DROP TABLE log; --",
        "public.f_void; SELECT 1",
        '"f_void"(); SELECT 1',
        "f_void()); DROP TABLE log",
        "'; --",
        "a.b.c",
        "",
        "x" * 2000,
    ],
)
def test_a_name_is_looked_up_never_spliced(pg: Calls, name: str) -> None:
    """Injection through a procedure's name: not found, or no name, and nothing has happened."""
    with pytest.raises(DatabaseMcpError) as caught:
        pg.call(name)
    assert isinstance(caught.value, (ObjectNotFound, InvalidParameter))
    assert pg.rows("SELECT count(*) FROM log") == [(2,)]


def test_odd_names_of_procedures_and_parameters_are_quoted(pg: Calls) -> None:
    """Names with quotes, dots, spaces and SQL in them, as the catalogue has them."""
    pg.run(
        'CREATE SCHEMA "Odd.Schema"',
        'CREATE FUNCTION "Odd.Schema"."pro""c; --"("My ""Param) => 1; --" int, "My" int = 7) '
        "RETURNS int LANGUAGE sql AS 'SELECT $1 + $2'",
    )
    found = pg.call('"Odd.Schema"."pro""c; --"', {'My "Param) => 1; --': 5})
    assert found.return_value == 12
    with pytest.raises(InvalidParameter):
        pg.call('"Odd.Schema"."pro""c; --"', {'x" => 1); DROP TABLE log; --': 5})


def test_a_quoted_name_is_not_folded(pg: Calls) -> None:
    """``"F_Void"`` is not ``f_void``; without quotes it is."""
    assert pg.signatures("F_VOID")[0].name.name == "f_void"
    with pytest.raises(ObjectNotFound):
        pg.signatures('"F_VOID"')
