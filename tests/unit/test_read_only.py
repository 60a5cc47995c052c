"""The gate's verdicts on the lists of statements: reads pass, everything else is refused with a reason."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.read_only import judge, judge_plan
from tests.read_only_lists import Case, cases

DIALECTS = ("sqlserver", "postgresql")
USUAL = (
    "SELECT a.id, a.name, COUNT(*) AS n FROM dbo.t AS a JOIN dbo.u AS b ON a.id = b.id"
    " WHERE a.name LIKE 'x%' AND b.created >= '2024-01-01' GROUP BY a.id, a.name ORDER BY n DESC"
)


@pytest.mark.parametrize("case", cases("refuse"), ids=lambda case: case.id)
def test_every_listed_danger_is_refused_with_a_reason(case: Case) -> None:
    """No statement of the refuse lists passes, and the refusal says why and what to do."""
    verdict = judge(case.dialect, case.sql)
    assert not verdict.allowed
    assert verdict.reason
    assert verdict.advice


@pytest.mark.parametrize("case", cases("allow"), ids=lambda case: case.id)
def test_every_listed_read_is_allowed(case: Case) -> None:
    """A gate that refuses plain reads gets switched off: every statement of the allow lists passes."""
    verdict = judge(case.dialect, case.sql)
    assert verdict.allowed, verdict.reason


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_refusal_points_at_the_place(dialect: str) -> None:
    """The position is the offset of the token that was refused."""
    verdict = judge(dialect, "SELECT 'a' AS x INTO y FROM t")
    assert verdict.position == 16
    assert "INTO" in verdict.reason


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgresql", "SELECT 1 FROM t WHERE (a IS NULL AND b >= $1)"),
        ("postgresql", "SELECT 1 FROM t WHERE a IS NULL OR b >= $1 AND c IS NOT NULL AND d LIKE $2"),
        ("postgresql", "SELECT * FROM t WHERE a BETWEEN $1 AND $2 AND b IS NULL AND c = ANY($3) LIMIT $4 OFFSET $5"),
        ("postgresql", "SELECT CASE WHEN a IS NULL THEN $1 ELSE b + $2 END, $3::bit varying FROM t ORDER BY $4"),
        ("sqlserver", "SELECT 1 FROM t WHERE (a IS NULL AND b >= ?)"),
        ("sqlserver", "SELECT TOP (?) * FROM t WHERE a BETWEEN ? AND ? AND b IS NOT NULL AND c LIKE ? ESCAPE '!'"),
        (
            "sqlserver",
            "SELECT CASE WHEN a IS NULL THEN ? ELSE ? END FROM t ORDER BY a OFFSET ? ROWS FETCH NEXT ? ROWS ONLY",
        ),
    ],
)
def test_a_read_may_have_parameters_wherever_a_value_stands(dialect: str, sql: str) -> None:
    """Behind IS NULL too, where the outline of the rest is short."""
    assert judge(dialect, sql).allowed


@pytest.mark.parametrize("dialect", DIALECTS)
def test_functions_learnt_from_the_database_are_refused_by_name(dialect: str) -> None:
    """What runs outside the database's control passes only while it is unknown, in whatever spelling it is called."""
    for sql in ("SELECT dbo.Reach_Out(1)", 'SELECT * FROM "reach_out"(1)', "SELECT * FROM dbo.reach_out(1) AS x"):
        assert judge(dialect, sql).allowed
        assert not judge(dialect, sql, outside_functions=frozenset({"reach_out"})).allowed
        assert judge(dialect, sql, outside_functions=frozenset({"other"})).allowed


@pytest.mark.parametrize(
    ("dialect", "learnt", "call"),
    [
        ("postgresql", "r\u00e9ad_it", "r\u00e9ad_it(1)"),
        ("sqlserver", "R\u00c9AD_IT", "dbo.r\u00e9ad_it(1)"),
        ("sqlserver", "read_it", "dbo.[read_it ](1)"),
        ("sqlserver", "read_it ", "dbo.read_it(1)"),
        ("postgresql", "read_it ", '"read_it "(1)'),
        ("postgresql", "r" * 63, "r" * 64 + "(1)"),
        ("postgresql", "\u00e9" * 31 + "a", '"' + "\u00e9" * 31 + 'ab"(1)'),
    ],
)
def test_a_learnt_function_is_known_however_the_server_may_find_it(dialect: str, learnt: str, call: str) -> None:
    """In other letters than ASCII, with blanks that SQL Server overlooks, beyond the length where PostgreSQL cuts names."""
    assert judge(dialect, f"SELECT {call}").allowed
    assert not judge(dialect, f"SELECT {call}", outside_functions=frozenset({learnt})).allowed


@pytest.mark.parametrize("dialect", DIALECTS)
def test_without_the_second_parser_nothing_passes(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that is not installed means refused, never allowed."""
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    monkeypatch.delitem(sys.modules, "mssqlclient_mcp.dialects.parser", raising=False)
    verdict = judge(dialect, "SELECT 1")
    assert not verdict.allowed
    assert "parser" in verdict.reason


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("error", [ValueError, KeyError, TypeError, RecursionError, AttributeError])
def test_a_parser_that_breaks_refuses(dialect: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside the second parser, the statement is refused."""
    import sqlglot

    def broken(*args: object, **kwargs: object) -> object:
        raise error("broken")

    monkeypatch.setattr(sqlglot, "parse", broken)
    assert not judge(dialect, "SELECT 1").allowed


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
        "SELECT '" + "x" * 1_000_000 + "'",
        "SELECT " + "1, " * 333_000 + "1",
        "SELECT " + "CASE WHEN 1 = 1 THEN " * 5_000 + "1" + " END" * 5_000,
        "SELECT * FROM " + "(SELECT * FROM " * 2_000 + "t" + ") AS x" * 2_000,
        "/*" * 300_000,
        "SELECT " + "f(" * 5_000 + ")" * 5_000,
        "SELECT " + "- " * 100_000 + "1 x y z",
        "'" * 240_001,
    ],
    ids=["parentheses", "1 MB string", "1 MB list", "cases", "subqueries", "comments", "calls", "signs", "quotes"],
)
def test_what_is_too_much_is_refused_not_a_crash(dialect: str, sql: str) -> None:
    """A megabyte of text or ten thousand parentheses get a refusal, and soon."""
    begin = time.perf_counter()
    assert not judge(dialect, sql).allowed
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_verdict_on_a_usual_query_takes_less_than_a_millisecond(dialect: str) -> None:
    """The best of several rounds, which is what the gate costs when nothing else keeps the machine busy."""
    judge(dialect, USUAL)
    best = min(_seconds(dialect, USUAL, 20) for _ in range(15))
    print(f"\nverdict on {len(USUAL)} characters, {dialect}: {best * 1000:.3f} ms")
    assert best < 0.001


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("shape", ["columns", "conditions", "union", "list", "cases"])
def test_a_verdict_is_linear_in_the_length(dialect: str, shape: str) -> None:
    """Eight times the text takes about eight times as long (a square would take 64 times)."""
    short, long = _shaped(shape, 400), _shaped(shape, 3_200)
    assert judge(dialect, long).allowed
    small = min(_seconds(dialect, short, 1) for _ in range(5))
    large = min(_seconds(dialect, long, 1) for _ in range(3))
    print(f"\n{dialect} {shape}: {len(short)} characters {small * 1000:.1f} ms, {len(long)} characters {large * 1000:.1f} ms")
    assert large < small * 8 * 4


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "text",
    ["SELECT 'a' {} ", "SELECT 'a' {}\nFROM t", "SELECT 'a'\n{}\nFROM t", "SELECT E'a' \n -- {} \n x", "SELECT 'a'\n/*{}*/"],
)
@pytest.mark.parametrize("filling", ["-", "-- ", " --\t", "--\n", "\n", " \n "])
def test_white_space_and_comments_behind_a_string_cost_no_time(dialect: str, text: str, filling: str) -> None:
    """A string may go on behind a line end and comments; looking for that must not try every way to cut a line of dashes."""
    begin = time.perf_counter()
    judge(dialect, text.format(filling * 10_000))
    assert time.perf_counter() - begin < 2


def _shaped(shape: str, count: int) -> str:
    numbers = range(count)
    return {
        "columns": "SELECT " + ", ".join(f"t.col{n} AS c{n}" for n in numbers) + " FROM dbo.t AS t",
        "conditions": "SELECT 1 FROM t WHERE " + " AND ".join(f"(col{n} > {n} OR col{n} IS NULL)" for n in numbers),
        "union": " UNION ALL ".join(f"SELECT {n} AS n" for n in numbers),
        "list": "SELECT 1 FROM t WHERE id IN (" + ", ".join(map(str, numbers)) + ")",
        "cases": "SELECT " + ", ".join(f"CASE WHEN a = {n} THEN 'x' END AS c{n}" for n in numbers) + " FROM t",
    }[shape]


def _seconds(dialect: str, sql: str, times: int) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        judge(dialect, sql)
    return (time.perf_counter() - begin) / times


_TOKENS = """
    SELECT FROM WHERE WITH AS ( ) ( ) [ ] , . ; :: : ' " -- /* */ 1 'x' "n" [b] N'x' E'x' $$ $a$ $1 ? @x @@y #t t.a a.b.c.d
    * + - < > = ! { } UNION ALL OPTION INDEX VALUES FOR XML JSON PATH UPDATE DELETE INSERT INTO MERGE JOIN CASE WHEN THEN
    END OVER IN NOT BETWEEN LIKE AND OR IS NULL CAST TABLE SHOW EXPLAIN ANALYZE ARRAY OPERATOR COLLATION AT LOCAL TIME ZONE
    USING RETURNING XMLNAMESPACES GROUP GRAPH PIVOT OPENJSON HINT USE LOGINPROPERTY U&"a" UESCAPE GROUPING SETS ORDER BY
    nextval pg_sleep fn_x sys modify FETCH OFFSET ROWS ONLY NEXT VALUE send
"""
_FRAGMENTS = st.sampled_from(_TOKENS.split())
_PIECES = st.lists(_FRAGMENTS, max_size=25)


@settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=60), _PIECES.map(" ".join), _PIECES.map(lambda found: "SELECT " + " ".join(found))))
def test_any_text_gets_a_verdict(sql: str) -> None:
    """No text makes the gate fail, which a client would see as a fault of the server."""
    for dialect in DIALECTS:
        for verdict in (judge(dialect, sql, outside_functions=frozenset({"t"})), judge_plan(dialect, sql, writes=True)):
            assert verdict.allowed or verdict.reason
