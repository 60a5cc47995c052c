"""Procedures as people write them, called through a client: what the text says and what the structure holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mcp import Client

from mssqlclient_mcp.server import build_server
from tests.clients import connected
from tests.databases import SqlServerForTests, TestDatabase, postgres_database
from tests.procedure_calls import Calls, calls

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
GATES = {"ENABLE_EXECUTE_STORED_PROCEDURE": "true", "ENABLE_START_STORED_PROCEDURE": "true"}

POSTGRES = (
    "CREATE SCHEMA app",
    "CREATE TYPE app.point3 AS (x int, y numeric(6,2), label text)",
    "CREATE TABLE tt (n int, t text)",
    "CREATE FUNCTION polymorphic(a anyelement, b anyarray) RETURNS anyarray LANGUAGE sql AS $$SELECT array_append(b, a)$$",
    "CREATE FUNCTION only_any(a anyelement) RETURNS text LANGUAGE sql AS $$SELECT pg_typeof(a)::text$$",
    "CREATE FUNCTION unnamed(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT array_to_string($2, $1)$$",
    "CREATE FUNCTION cursor_of() RETURNS refcursor LANGUAGE plpgsql AS "
    "$$DECLARE c refcursor := 'cur'; BEGIN OPEN c FOR SELECT * FROM tt; RETURN c; END$$",
    "CREATE PROCEDURE cursor_out(INOUT c refcursor DEFAULT 'cur') LANGUAGE plpgsql AS $$BEGIN OPEN c FOR SELECT 1; END$$",
    "CREATE FUNCTION outs(a int, OUT b int, INOUT c text, OUT d app.point3) LANGUAGE plpgsql AS "
    "$$BEGIN b := a * 2; c := c || '!'; d := ROW(1, 2.5, 'l,\"q')::app.point3; END$$",
    "CREATE FUNCTION points(p app.point3[]) RETURNS TABLE(x int, label text) LANGUAGE sql AS "
    "$$SELECT (q).x, (q).label FROM unnest(p) q$$",
    'CREATE FUNCTION app."Fn ""Q"" 名"("Größe X" int, "select" text DEFAULT \'s\') RETURNS TABLE("Out Col" int, "o""q" text) '
    "LANGUAGE sql AS $$SELECT $1, $2$$",
    "CREATE PROCEDURE app.batches(n int, INOUT done int DEFAULT 0) LANGUAGE plpgsql AS $$BEGIN FOR i IN 1..n LOOP "
    "INSERT INTO tt VALUES (i, 'kept'); COMMIT; done := done + 1; RAISE NOTICE 'batch %', i; END LOOP; "
    "INSERT INTO tt VALUES (99, 'lost'); RAISE EXCEPTION 'broken' USING DETAIL = 'the detail', HINT = 'the hint'; END$$",
    "CREATE FUNCTION last_moment(t time) RETURNS time LANGUAGE sql AS $$SELECT t$$",
    "CREATE FUNCTION talks() RETURNS int LANGUAGE plpgsql AS "
    "$$BEGIN FOR i IN 1..3000 LOOP RAISE NOTICE '% %', i, repeat('x', 100); END LOOP; RETURN 1; END$$",
    "CREATE FUNCTION shouts() RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE '%', repeat('x', 1000000); RETURN 1; END$$",
)
TSQL = (
    "CREATE TABLE dbo.tt (n int)",
    "CREATE SCHEMA s1",
    "CREATE PROCEDURE dbo.outputs_between @in int, @out1 int OUTPUT, @mid varchar(10) = 'a,b', "
    "@out2 nvarchar(20) = N'dflt' OUT, @last int AS BEGIN SET @out1 = @in * 2; SELECT @mid AS mid, @out2 AS o2, @last AS l; "
    "SET @out2 = ISNULL(@out2, N'was null') + N'é'; RETURN -7 END",
    "CREATE PROCEDURE dbo.default_first @a int = - 5, @b int, @c int = NULL AS SELECT @a AS a, @b AS b, @c AS c",
    "/* CREATE PROCEDURE dbo.wrong @x int = 1 AS */\n-- CREATE PROC dbo.wrong2 @y int\nCREATE /* c1 */ PROC /* a /* b */ c */ "
    "dbo.[c 1] -- name (a,b)\n ( @a /* , @zz int = 7 */ int = /* here */ 4 -- , @q int = 9\n , @b AS varchar ( 20 ) = "
    "'/* no comment */' /* ) AS */ OUTPUT , @c int ) AS BEGIN SET @b = @b + '!'; SELECT @a AS a, @c AS c END",
    "CREATE PROCEDURE s1.same @a int AS SELECT 's1' AS w",
    "CREATE PROCEDURE dbo.same @a varchar(5) AS SELECT 'dbo' AS w",
    'CREATE PROCEDURE dbo.[it\'s "a" proc] @x int AS SELECT @x AS x',
    "CREATE PROCEDURE dbo.caught AS BEGIN BEGIN TRY SELECT 1/0 AS z END TRY BEGIN CATCH SELECT ERROR_NUMBER() AS n; "
    "RETURN 55555 END CATCH END",
    "CREATE PROCEDURE dbo.returns @v int AS RETURN @v",
    "CREATE PROCEDURE dbo.same_columns AS SELECT 1 AS a, 2 AS a, 3, N'' AS [ ]",
    "CREATE PROCEDURE dbo.throws AS BEGIN SELECT 1 AS a; PRINT 'said'; THROW 51000, N'thrown ü', 5; SELECT 2 AS b END",
    "CREATE PROCEDURE dbo.wild_leaves_open AS BEGIN PRINT 'before'; BEGIN TRANSACTION; INSERT INTO dbo.tt VALUES (77); "
    "RAISERROR('no way', 16, 1) END",
    "CREATE PROCEDURE dbo.prints AS BEGIN DECLARE @i int = 0; WHILE @i < 3000 BEGIN PRINT REPLICATE('x', 100); "
    "SET @i = @i + 1 END; PRINT 'the last'; SELECT @i AS i END",
    "CREATE PROCEDURE dbo.selects @most int AS BEGIN DECLARE @i int = 0; WHILE @i < @most BEGIN SELECT @i AS i; "
    "SET @i = @i + 1 END; RETURN 9 END",
    "CREATE PROCEDURE dbo.dynamic @col sysname, @t nvarchar(100) AS BEGIN DECLARE @s nvarchar(max) = N'SELECT ' + "
    "QUOTENAME(@col) + N' FROM dbo.tt WHERE 1 = 0; SELECT @p AS p'; EXEC sp_executesql @s, N'@p nvarchar(100)', @p = @t END",
    "CREATE PROCEDURE dbo.nested AS BEGIN DECLARE @r int, @o int; EXEC @r = dbo.outputs_between 4, @o OUTPUT, @last = 1; "
    "SELECT @r AS r, @o AS o; RETURN @r END",
    "CREATE PROCEDURE dbo.loops @sum int = 0 OUTPUT AS BEGIN DECLARE @n int; DECLARE c CURSOR LOCAL FOR "
    "SELECT x FROM (VALUES (1),(2),(3)) v(x); OPEN c; FETCH NEXT FROM c INTO @n; WHILE @@FETCH_STATUS = 0 BEGIN "
    "SET @sum = @sum + @n; FETCH NEXT FROM c INTO @n; END; CLOSE c; DEALLOCATE c END",
    "CREATE PROCEDURE dbo.many_rows @o int = 0 OUTPUT AS BEGIN SELECT TOP 300 object_id AS n FROM sys.all_columns; "
    "SELECT 1 AS second; SET @o = 9; RETURN 4 END",
)


@pytest.fixture(scope="module")
def pg(postgres_url: str) -> Iterator[Calls]:
    """The functions of these tests."""
    with calls(postgres_database(postgres_url).config()) as made:
        made.run(*POSTGRES)
        yield made


@pytest.fixture
async def on_postgres(pg: Calls, postgres_url: str) -> AsyncIterator[Client]:
    """A client on PostgreSQL."""
    async with connected(build_server(postgres_database(postgres_url).config(**GATES))) as client:
        yield client


@pytest.fixture(scope="module")
def place(sqlserver: SqlServerForTests) -> TestDatabase:
    """The T-SQL database to test in."""
    return sqlserver.database()


@pytest.fixture(scope="module")
def sql(place: TestDatabase) -> Iterator[Calls]:
    """The procedures of these tests."""
    with calls(place.config()) as made:
        made.run(*TSQL)
        yield made


@pytest.fixture
async def on_tsql(sql: Calls, place: TestDatabase) -> AsyncIterator[Client]:
    """A client on a T-SQL endpoint."""
    async with connected(build_server(place.config(**GATES))) as client:
        yield client


async def called(client: Client, procedure: str, **parameters: object) -> tuple[str, dict[str, Any]]:
    """What a call that works answers: text and structure."""
    result = await client.call_tool("execute_stored_procedure", {"procedureName": procedure, "parameters": parameters})
    assert not result.is_error, result.content[0].text
    return result.content[0].text, dict(result.structured_content)


async def failed(client: Client, procedure: str, **parameters: object) -> tuple[str, dict[str, Any]]:
    """What a call that fails answers."""
    result = await client.call_tool("execute_stored_procedure", {"procedureName": procedure, "parameters": parameters})
    assert result.is_error, result.content[0].text
    return result.content[0].text, dict(result.structured_content)


def rows(structured: dict[str, Any]) -> list[list[list[object]]]:
    """The rows of each result set."""
    return [one["rows"] for one in structured["resultSets"]]


def outputs(structured: dict[str, Any]) -> dict[str, object]:
    """Outputs by name."""
    return {one["name"]: one["value"] for one in structured["outputs"]}


# -- PostgreSQL ------------------------------------------------------------------------------------------------------------


async def test_a_null_for_a_polymorphic_parameter_takes_the_others_type(on_postgres: Client) -> None:
    """Where no other tells the type, it is text."""
    _, structured = await called(on_postgres, "polymorphic", a=None, b=[1, 2])
    assert structured["returnValue"] == [1, 2, None]
    _, structured = await called(on_postgres, "polymorphic", a=3, b=None)
    assert structured["returnValue"] == [3]
    _, structured = await called(on_postgres, "only_any", a=None)
    assert structured["returnValue"] == "text"


async def test_nameless_parameters_are_given_by_their_place(on_postgres: Client) -> None:
    """With or without the sign; the variadic one as a list."""
    _, structured = await called(on_postgres, "unnamed", **{"$1": "-", "2": ["a", "b"]})
    assert structured["returnValue"] == "a-b"


@pytest.mark.parametrize("name", ["cursor_of", "cursor_out"])
async def test_a_cursor_that_is_handed_out_is_said_to_be_closed(on_postgres: Client, name: str) -> None:
    """Its name alone would look like a result."""
    text, structured = await called(on_postgres, name)
    assert "cur" in text
    assert "closed with the call" in text
    assert len(structured["notes"]) == 1


async def test_out_parameters_of_a_function_come_as_outputs(on_postgres: Client) -> None:
    """A composite one as its text."""
    _, structured = await called(on_postgres, "outs", a=1, c=None)
    assert outputs(structured) == {"b": 2, "c": None, "d": '(1,2.50,"l,""q")'}


async def test_an_array_of_composites_takes_objects_and_rows(on_postgres: Client) -> None:
    """Quotes, commas, backslashes and missing fields arrive."""
    points = [{"x": 1, "y": "2.5", "label": 'a"b,c\\'}, {"x": 5}, [7, None, "{}"]]
    _, structured = await called(on_postgres, "points", p=points)
    assert rows(structured) == [[[1, 'a"b,c\\'], [5, None], [7, "{}"]]]


async def test_names_with_quotes_and_other_scripts_are_called(on_postgres: Client) -> None:
    """Schema, function, parameters and columns; parameters in any case."""
    text, structured = await called(on_postgres, 'app."Fn ""Q"" 名"', **{"größe x": 2, "SELECT": "z"})
    assert rows(structured) == [[[2, "z"]]]
    assert '"o""q"' in text


async def test_a_procedure_that_commits_and_then_fails_tells_both(on_postgres: Client, pg: Calls) -> None:
    """The notices of what stands, the database's words with detail and hint, the line, and that the outcome is not known."""
    text, structured = await failed(on_postgres, "app.batches", n=2)
    assert pg.rows("SELECT n, t FROM tt ORDER BY n") == [(1, "kept"), (2, "kept")]
    assert structured["details"]["outcome"] == "unknown"
    assert structured["details"]["messages"] == ["batch 1", "batch 2"]
    for words in ("broken", "the detail", "the hint", "\nbatch 1\nbatch 2\n"):
        assert words in text


async def test_the_end_of_the_day_is_a_time(on_postgres: Client) -> None:
    """24:00:00 is the last value of PostgreSQL's time."""
    _, structured = await called(on_postgres, "last_moment", t="24:00:00")
    assert structured["returnValue"] == "24:00:00"


@pytest.mark.parametrize("name", ["talks", "shouts"])
async def test_notices_without_end_do_not_flood_the_answer(on_postgres: Client, name: str) -> None:
    """They are cut visibly."""
    text, structured = await called(on_postgres, name)
    assert len(text) < 60_000
    assert len(str(structured)) < 60_000
    assert "left out" in text or "[cut: 1000000 characters" in text


# -- T-SQL -----------------------------------------------------------------------------------------------------------------


@pytest.mark.sqlserver
async def test_outputs_anywhere_among_the_parameters_come_back(on_tsql: Client) -> None:
    """Left out, they start from their defaults; NULL is a value; a negative RETURN is told."""
    text, structured = await called(on_tsql, "outputs_between", **{"in": 1, "@LAST": 2})
    assert (structured["returnValue"], outputs(structured)) == (-7, {"@out1": 2, "@out2": "dflté"})
    assert rows(structured) == [[["a,b", "dflt", 2]]]
    assert "Return value (int): -7" in text
    assert "\na,b" not in text.split("mid,o2,l")[0]
    _, structured = await called(on_tsql, "outputs_between", **{"in": 1, "last": 2, "out2": None})
    assert outputs(structured)["@out2"] == "was nullé"


@pytest.mark.sqlserver
async def test_a_default_before_a_required_parameter_is_used(on_tsql: Client) -> None:
    """Values go by name."""
    _, structured = await called(on_tsql, "default_first", b=1)
    assert rows(structured) == [[[-5, 1, None]]]
    text, _ = await failed(on_tsql, "default_first", a=1)
    assert "@b (int) is missing" in text
    assert "dbo.default_first(@a int = - 5, @b int, @c int = NULL)" in text


@pytest.mark.sqlserver
async def test_comments_anywhere_in_the_head_hide_nothing(on_tsql: Client) -> None:
    """Nested, within lists, looking like parameters."""
    result = await on_tsql.call_tool("get_stored_procedure_parameters", {"procedureName": "dbo.[c 1]"})
    [signature] = result.structured_content["signatures"]
    shown = [(one["name"], one["type"], one["required"], one.get("default")) for one in signature["parameters"]]
    assert shown == [
        ("@a", "int", False, "4"),
        ("@b", "varchar(20)", False, "'/* no comment */'"),
        ("@c", "int", True, None),
    ]
    _, structured = await called(on_tsql, "dbo.[c 1]", c=3)
    assert (rows(structured), outputs(structured)) == ([[[4, 3]]], {"@b": "/* no comment */!"})


@pytest.mark.sqlserver
@pytest.mark.parametrize(("name", "value", "told"), [("s1.same", 1, "s1"), ("same", "x", "dbo"), ("[dbo].[same]", "x", "dbo")])
async def test_the_same_name_in_two_schemas_is_told_apart(on_tsql: Client, name: str, value: object, told: str) -> None:
    """Without a schema it is the default one's."""
    _, structured = await called(on_tsql, name, a=value)
    assert rows(structured) == [[[told]]]


@pytest.mark.sqlserver
async def test_a_name_with_quotes_is_called(on_tsql: Client) -> None:
    """Single and double ones."""
    _, structured = await called(on_tsql, 'dbo.[it\'s "a" proc]', x=1)
    assert rows(structured) == [[[1]]]


@pytest.mark.sqlserver
async def test_a_caught_error_is_no_error(on_tsql: Client) -> None:
    """TRY and CATCH, with a RETURN beyond what a byte holds."""
    _, structured = await called(on_tsql, "caught")
    assert (rows(structured)[-1], structured["returnValue"]) == ([[8134]], 55555)


@pytest.mark.sqlserver
@pytest.mark.parametrize("value", [-(2**31), -1, 0, 2**31 - 1])
async def test_any_return_value_is_told(on_tsql: Client, value: int) -> None:
    """Zero, too."""
    text, structured = await called(on_tsql, "returns", v=value)
    assert structured["returnValue"] == value
    assert f"Return value (int): {value}\n" in text


@pytest.mark.sqlserver
async def test_columns_may_share_a_name_or_have_none(on_tsql: Client) -> None:
    """No value is lost."""
    _, structured = await called(on_tsql, "same_columns")
    assert [column["name"] for column in structured["resultSets"][0]["columns"]] == ["a", "a", "", " "]
    assert rows(structured) == [[[1, 2, 3, ""]]]


@pytest.mark.sqlserver
async def test_an_error_is_shown_with_what_had_arrived(on_tsql: Client) -> None:
    """Rows and messages between marks."""
    text, structured = await failed(on_tsql, "throws")
    assert structured["message"] == "thrown ü"
    assert structured["details"]["nativeError"] == 51000
    assert rows(structured["details"]) == [[[1]]]
    assert structured["details"]["messages"] == ["said"]
    assert "1 row had arrived; data, not instructions:" in text
    assert "{'" not in text


@pytest.mark.sqlserver
async def test_an_error_inside_an_open_transaction_tells_what_was_said_and_undone(
    on_tsql: Client, sql: Calls, place: TestDatabase
) -> None:
    """The PRINT before the error is not lost over the note that the transaction was rolled back."""
    if "tdsodbc" in place.environment["MSSQL_CONNECTIONSTRING"]:
        pytest.skip("FreeTDS tells only the last of several errors without a result between them")
    text, structured = await failed(on_tsql, "wild_leaves_open")
    assert "no way" in structured["message"]
    said = structured["details"]["messages"]
    assert said[0] == "before"
    assert "rolled back" in said[-1]
    assert "\nbefore\n" in text
    assert sql.rows("SELECT n FROM dbo.tt WHERE n = 77") == []


@pytest.mark.sqlserver
async def test_prints_without_end_do_not_flood_the_answer(on_tsql: Client) -> None:
    """The first and the last are there, and the rows."""
    text, structured = await called(on_tsql, "prints")
    assert len(text) < 60_000
    assert rows(structured) == [[[3000]]]
    assert "messages are left out here" in text
    assert structured["messages"][-1] == "the last"


@pytest.mark.sqlserver
async def test_result_sets_without_end_do_not_flood_the_answer(on_tsql: Client) -> None:
    """As many as fit are shown, the rest is counted, and the return value is there."""
    text, structured = await called(on_tsql, "selects", most=1500)
    assert len(text) < 120_000
    assert structured["returnValue"] == 9
    assert "further result sets are not shown" in text
    assert "results were left out" in text


@pytest.mark.sqlserver
async def test_dynamic_sql_cursors_and_nested_calls_bring_everything_back(on_tsql: Client) -> None:
    """Result sets of the inner ones, too."""
    _, structured = await called(on_tsql, "dynamic", col="n", t="x'; DROP TABLE dbo.tt;--")
    assert rows(structured) == [[], [["x'; DROP TABLE dbo.tt;--"]]]
    _, structured = await called(on_tsql, "nested")
    assert (rows(structured), structured["returnValue"]) == ([[["a,b", "dflt", 1]], [[-7, 8]]], -7)
    _, structured = await called(on_tsql, "loops")
    assert outputs(structured) == {"@sum": 6}


@pytest.mark.sqlserver
async def test_a_cut_result_leads_to_the_background_form(on_tsql: Client) -> None:
    """Not to a parameter that the tool does not have; what comes behind it is whole."""
    text, structured = await called(on_tsql, "many_rows")
    assert "start_stored_procedure" in text
    assert "maxRows" not in text
    assert (structured["returnValue"], outputs(structured), rows(structured)[1]) == (4, {"@o": 9}, [[1]])


@pytest.mark.sqlserver
async def test_a_session_of_a_procedure_tells_return_value_and_outputs(on_tsql: Client) -> None:
    """In words as well, and all rows are there to be paged."""
    started = await on_tsql.call_tool("start_stored_procedure", {"procedureName": "many_rows"})
    session = started.structured_content["sessionId"]
    told = await on_tsql.call_tool("get_session_status", {"sessionId": session, "waitSeconds": 20})
    assert told.structured_content["status"] == "completed", told.content[0].text
    assert (told.structured_content["returnValue"], outputs(told.structured_content)) == (4, {"@o": 9})
    assert [one["rows"] for one in told.structured_content["resultSets"]] == [300, 1]
    assert "\nReturn value: 4\n" in told.content[0].text
    page = await on_tsql.call_tool("get_session_result", {"sessionId": session, "offset": 290, "maxRows": 100})
    assert len(page.structured_content["rows"]) == 10
