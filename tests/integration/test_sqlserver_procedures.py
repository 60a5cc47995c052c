"""Stored procedures on a live T-SQL endpoint (TEST_MSSQL_CONNECTIONSTRING): types at their limits, outputs, defaults, faults.

A type or statement that the endpoint does not have is skipped by name; SQL Server itself must have them all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest

from mssqlclient_mcp.errors import ConnectionFailed, DatabaseMcpError, InvalidParameter, ObjectNotFound, StatementError
from mssqlclient_mcp.models import Direction, SessionStatus, TruncatedBy
from mssqlclient_mcp.procedure_models import ProcedureResult
from tests.databases import SqlServerForTests, TestDatabase
from tests.procedure_calls import Calls, calls
from tests.sqlserver_procedure_types import INPUT_ONLY, TRIPS, Trip

pytestmark = pytest.mark.sqlserver


@pytest.fixture(scope="module")
def place(sqlserver: SqlServerForTests) -> TestDatabase:
    """The database to test in."""
    return sqlserver.database()


@pytest.fixture(scope="module")
def sql(place: TestDatabase) -> Iterator[Calls]:
    """Calls on it."""
    with calls(place.config()) as made:
        yield made


@pytest.fixture(scope="module")
def echo() -> dict[str, str | None]:
    """By type, the procedure that echoes it; None where the endpoint does not have the type."""
    return {}


def _make(sql: Calls, place: TestDatabase, *statements: str) -> None:
    """Create what a test needs, or skip where a mere look-alike cannot."""
    try:
        sql.run(*statements)
    except StatementError as error:
        if place.genuine:
            raise
        pytest.skip(f"this endpoint does not have it: {error.message}")


def _echo(sql: Calls, place: TestDatabase, made: dict[str, str | None], trip: Trip, *, output: bool) -> str:
    """A procedure that tells what it was given, and (``output``) hands it back."""
    key = f"{trip.sql_type} {trip.shown} {output}"
    if key not in made:
        name = f"dbo.echo_{len(made)}"
        made[key] = None
        _make(sql, place, _echo_definition(name, trip, output=output))
        made[key] = name
    found = made[key]
    if found is None:
        pytest.skip("this endpoint does not have the type")
    return found


def _echo_definition(name: str, trip: Trip, *, output: bool) -> str:
    shown = trip.shown or "CONVERT(nvarchar(4000), @v)"
    kind = trip.sql_type
    if not output:
        value = "NULL" if kind in NOT_IN_A_RESULT or kind.endswith("(max)") else "@v"
        told = f"{shown} AS as_text, {value} AS v, IIF(@n IS NULL, 1, 0) AS n"
        return f"CREATE PROCEDURE {name} @v {kind}, @n {kind} AS SELECT {told}"
    return (
        f"CREATE PROCEDURE {name} @v {kind} = NULL OUTPUT, @n {kind} OUTPUT, @as_text nvarchar(4000) = NULL OUTPUT AS "
        f"BEGIN SET @as_text = {shown} END"
    )


NOT_IN_A_RESULT = ("sql_variant", "hierarchyid", "geometry", "geography", "xml", "json", "vector(2)")
"""Types whose columns not every driver reads, or reads as something else."""


def _call(sql: Calls, place: TestDatabase, name: str, parameters: object) -> ProcedureResult:
    """A call; where an endpoint that is not SQL Server fails at it, the test is skipped with its words."""
    try:
        return sql.call(name, parameters)
    except (StatementError, ConnectionFailed) as error:
        if place.genuine:
            raise
        pytest.skip(f"this endpoint cannot: {error.message}")


def _id(trip: Trip) -> str:
    return f"{trip.sql_type} {str(trip.sent)[:30]}"


def _seven_digits(place: TestDatabase, trip: Trip) -> None:
    if not place.genuine and ".9999999" in str(trip.sent):
        pytest.skip("this endpoint keeps six digits of a second")


def _is_as_meant(place: TestDatabase, trip: Trip, told: object, back: object) -> None:
    """What the server calls the value, in the words of SQL Server's documents; and what came back."""
    if place.genuine or trip.back is None:
        assert str(told) == trip.as_text
    if trip.back is not None and back is not None:
        assert back == trip.back
        assert type(back) is type(trip.back)


@pytest.mark.parametrize("trip", TRIPS, ids=_id)
def test_an_output_goes_in_and_comes_out_whole(
    sql: Calls, place: TestDatabase, echo: dict[str, str | None], trip: Trip
) -> None:
    """The server's own text of the value is what was meant, what comes back is exactly that, and a NULL stays one."""
    _seven_digits(place, trip)
    name = _echo(sql, place, echo, trip, output=True)
    found = {one.name: one.value for one in _call(sql, place, name, {"v": trip.sent, "n": None}).outputs}
    assert found["@v"] is not None
    _is_as_meant(place, trip, found["@as_text"], found["@v"])
    assert found["@n"] is None


@pytest.mark.parametrize("trip", [*(one for one in TRIPS if one.sql_type.endswith(("(max)", "(0)"))), *INPUT_ONLY], ids=_id)
def test_an_input_arrives_whole(sql: Calls, place: TestDatabase, echo: dict[str, str | None], trip: Trip) -> None:
    """Large types, and those that no variable can have (text, ntext, image): what is sent becomes them at the call."""
    name = _echo(sql, place, echo, trip, output=False)
    [(told, back, is_null)] = _call(sql, place, name, {"v": trip.sent, "n": None}).result.result_sets[0].rows
    _is_as_meant(place, trip, told, back)
    assert is_null == 1


def test_everything_comes_back_in_order(sql: Calls, place: TestDatabase) -> None:
    """Result sets, counts, PRINT, RAISERROR of low severity, outputs and the return value, all of one call."""
    _make(
        sql,
        place,
        "CREATE TABLE dbo.everything_log (n int)",
        "CREATE PROCEDURE dbo.everything @n int, @twice int OUTPUT, @text nvarchar(20) = N'a, b' OUTPUT AS BEGIN "
        "PRINT 'first'; SELECT @n AS n; INSERT INTO dbo.everything_log VALUES (1), (2); RAISERROR('low', 10, 1) WITH NOWAIT; "
        "SELECT N'x' AS x, NULL AS nothing; SET @twice = @n * 2; SET @text = @text + N'!'; RETURN -5 END",
    )
    found = sql.call("everything", {"n": 21})
    assert [list(part.rows) for part in found.result.result_sets if part.columns] == [[(21,)], [("x", None)]]
    counts = [part.rows_affected for part in found.result.result_sets if not part.columns]
    assert counts == [2] or not place.genuine
    assert {one.name: one.value for one in found.outputs} == {"@twice": 42, "@text": "a, b!"}
    assert (found.return_value, found.return_type) == (-5, "int")
    said = " ".join(message.text for message in found.result.messages)
    assert "first" in said
    assert "low" in said or not place.genuine


def test_outputs_survive_a_cut_result(sql: Calls, place: TestDatabase) -> None:
    """Surplus rows are read and dropped, for the outputs come behind them."""
    _make(
        sql,
        place,
        "CREATE PROCEDURE dbo.much @after int OUTPUT AS BEGIN SELECT TOP 2000 a.name FROM sys.all_columns a; "
        "SELECT TOP 50 name FROM sys.all_columns; SET @after = 1 END",
    )
    found = sql.call("much", max_rows=10)
    sets = [part for part in found.result.result_sets if part.columns]
    assert [(len(part.rows), part.truncated_by) for part in sets] == [(10, TruncatedBy.ROWS)] * 2
    assert [one.value for one in found.outputs] == [1]


def test_defaults_are_read_from_the_definition(sql: Calls, place: TestDatabase) -> None:
    """Signs, strings with commas, comments: shown as written; an OUTPUT parameter left out starts from its default."""
    _make(
        sql,
        place,
        "CREATE PROCEDURE dbo.with_defaults (@a int, -- the first, @zz int = 9\n @b nvarchar(30) = N'x, ''y'') OUTPUT', "
        "@c decimal(10,2) = -1.50 OUTPUT, @d varbinary(4) = 0x0A, @e datetime = '20240131' OUTPUT, @f bit = 1 OUTPUT) AS "
        "SELECT @a AS a, @b AS b, @d AS d",
    )
    [signature] = sql.signatures("WITH_DEFAULTS")
    assert [(one.name, one.sql_type, one.required, one.default) for one in signature.parameters] == [
        ("@a", "int", True, None),
        ("@b", "nvarchar(30)", False, "N'x, ''y'') OUTPUT'"),
        ("@c", "decimal(10,2)", False, "-1.50"),
        ("@d", "varbinary(4)", False, "0x0A"),
        ("@e", "datetime", False, "'20240131'"),
        ("@f", "bit", False, "1"),
    ]
    assert signature.parameters[2].direction is Direction.INOUT
    found = sql.call("dbo.with_defaults", {"A": 1})
    assert found.result.result_sets[0].rows == [(1, "x, 'y') OUTPUT", b"\x0a")]
    values = {one.name: one.value for one in found.outputs}
    assert (values["@c"], str(values["@e"]), values["@f"]) == (Decimal("-1.50"), "2024-01-31 00:00:00", True)
    assert found.result.notes == ()


def test_a_table_type_takes_rows_of_objects_or_arrays(sql: Calls, place: TestDatabase) -> None:
    """A table-valued parameter, whatever the driver: filled before the call."""
    _make(
        sql,
        place,
        "CREATE TYPE dbo.lines AS TABLE (id int NOT NULL, [odd name] nvarchar(20) NULL, price decimal(9,2) DEFAULT 1.5)",
        "CREATE PROCEDURE dbo.take_lines @lines dbo.lines READONLY, @sum decimal(18,2) = NULL OUTPUT AS "
        "BEGIN SELECT id, [odd name], price FROM @lines ORDER BY id; SELECT @sum = SUM(price) FROM @lines END",
    )
    [signature] = sql.signatures("take_lines")
    assert [(one.name, one.type.name) for one in signature.parameters] == [("@lines", "table"), ("@sum", "decimal")]
    found = sql.call("take_lines", {"lines": [{"ID": 1, "odd name": "a'b", "price": "2.25"}, {"id": 2, "odd name": None}]})
    assert found.result.result_sets[0].rows == [(1, "a'b", Decimal("2.25")), (2, None, Decimal("1.50"))]
    assert [one.value for one in found.outputs] == [Decimal("3.75")]
    assert sql.call("take_lines", {"lines": [[1, "x", 1], [2, "y", 2]]}).outputs[0].value == Decimal("3.00")
    assert sql.call("take_lines", {"lines": []}).outputs[0].value is None
    if place.genuine:  # a table that is left out is an empty one
        assert sql.call("take_lines").outputs[0].value is None
    with pytest.raises(InvalidParameter) as caught:
        sql.call("take_lines", {"lines": [{"id": 1}, {"id": "x"}]})
    assert "row 2, id: 'x' is not a whole number" in str(caught.value.details["problems"])
    with pytest.raises(InvalidParameter, match="2000 at once"):
        sql.call("take_lines", {"lines": [[n, "x", n] for n in range(1, 1000)]})


def test_text_that_the_code_page_would_change_is_refused(sql: Calls, place: TestDatabase) -> None:
    """varchar cannot hold every character: rather an error than a question mark."""
    _make(sql, place, "CREATE PROCEDURE dbo.narrow @v varchar(10), @out varchar(10) = NULL OUTPUT AS SET @out = @v")
    assert sql.call("narrow", {"v": "caf\u00e9"}).outputs[0].value == "caf\u00e9"
    if not place.genuine:
        pytest.skip("the code page of this endpoint is its own")
    with pytest.raises(StatementError, match="code page"):
        sql.call("narrow", {"v": "\u4e2d\u6587"})


def test_an_error_half_way_brings_what_had_arrived(sql: Calls, place: TestDatabase) -> None:
    """Number, line and procedure of the error, and the result sets before it."""
    _make(
        sql,
        place,
        "CREATE PROCEDURE dbo.half_way AS BEGIN SELECT 1 AS one; PRINT 'so far'; RAISERROR('boom', 16, 3); SELECT 2 END",
    )
    with pytest.raises(DatabaseMcpError) as caught:
        sql.call("half_way")
    assert "boom" in caught.value.message
    arrived = caught.value.details["arrived"]
    assert arrived.result.result_sets[0].rows == [(1,)]  # type: ignore[attr-defined]


GOES_ON = (
    "CREATE PROCEDURE dbo.goes_on @done int = 0 OUTPUT AS BEGIN "
    "SELECT 12 / (3 - x) AS part FROM (VALUES (1), (2), (3), (4)) AS v(x); "
    "SELECT N'after' AS later; SET @done = 42; RETURN 7 END"
)


def test_what_came_behind_an_error_is_read_to_the_end(sql: Calls, place: TestDatabase) -> None:
    """T-SQL goes on behind a row that fails: the rows before it, later results, outputs and the return value are told."""
    _make(sql, place, GOES_ON)
    with pytest.raises(DatabaseMcpError, match=r"(?i)divi(de|sion) by zero") as caught:
        sql.call("goes_on")
    assert caught.value.details["nativeError"] == 8134
    arrived = caught.value.details["arrived"]
    assert isinstance(arrived, ProcedureResult)
    sets = [list(part.rows) for part in arrived.result.result_sets if part.columns]
    assert sets == [[(6,), (12,)], [("after",)]]
    assert ([one.value for one in arrived.outputs], arrived.return_value) == ([42], 7)


def test_a_session_tells_what_came_behind_an_error(sql: Calls, place: TestDatabase) -> None:
    """The same in the background: it failed, with its rows, outputs and return value."""
    with calls(place.config(ENABLE_START_STORED_PROCEDURE="true")) as own:
        told = own.service.start_stored_procedure("me", None, "goes_on", {})
        session = own.service.sessions.get_session("me", told.session_id)
        over = threading.Event()
        session.when_over(over.set)
        assert over.wait(30)
        shown = session.snapshot()
    assert shown.error is not None
    assert "arrived" not in shown.error.details
    assert (shown.status, shown.outputs[0].value, shown.return_value) == (SessionStatus.FAILED, 42, 7)
    assert [one.rows for one in shown.result_sets if one.columns] == [2, 1]
    assert session.store.page(0, 0, 9) == [(6,), (12,)]


def test_a_transaction_left_open_is_rolled_back_and_said(sql: Calls, place: TestDatabase) -> None:
    """Autocommit: what a procedure commits stays; what it leaves open does not."""
    _make(
        sql,
        place,
        "CREATE TABLE dbo.tran_log (n int)",
        "CREATE PROCEDURE dbo.commits AS BEGIN BEGIN TRAN; INSERT INTO dbo.tran_log VALUES (1); COMMIT; "
        "BEGIN TRAN; INSERT INTO dbo.tran_log VALUES (2); ROLLBACK END",
        "CREATE PROCEDURE dbo.leaves_open AS BEGIN BEGIN TRAN; INSERT INTO dbo.tran_log VALUES (3) END",
    )
    sql.call("commits")
    assert sql.rows("SELECT n FROM dbo.tran_log") == [(1,)]
    try:
        said = " ".join(message.text for message in sql.call("leaves_open").result.messages)
        assert "rolled back" in said
    except StatementError as error:
        if place.genuine and "266" not in str(error.details):
            raise
    assert sql.rows("SELECT n FROM dbo.tran_log") == [(1,)]


def test_a_procedure_of_another_schema_and_with_an_odd_name_is_called(sql: Calls, place: TestDatabase) -> None:
    """Identifiers come from the catalogue, and are quoted."""
    _make(sql, place, "CREATE SCHEMA [odd.schema]", "CREATE PROCEDURE [odd.schema].[pro]]c; --] @p int AS RETURN @p")
    assert sql.call("[odd.schema].[pro]]c; --]", {"p": 4}).return_value == 4
    with pytest.raises(ObjectNotFound):
        sql.call("[pro]]c; --]", {"p": 4})


def test_a_synonym_leads_to_its_procedure(sql: Calls, place: TestDatabase) -> None:
    """What it takes is what its target takes; a target elsewhere is named."""
    _make(sql, place, "CREATE PROCEDURE dbo.target @p int AS RETURN @p", "CREATE SYNONYM dbo.alias FOR dbo.target")
    assert sql.call("alias", {"p": 6}).return_value == 6


def test_a_numbered_procedure_is_called(sql: Calls, place: TestDatabase) -> None:
    """``p;2`` with its own parameters."""
    _make(
        sql,
        place,
        "CREATE PROCEDURE dbo.numbered;1 @a int AS RETURN 1",
        "CREATE PROCEDURE dbo.numbered;2 @b int = 5 AS RETURN @b",
    )
    assert sql.call("numbered;2").return_value == 5


def test_an_encrypted_procedure_is_called_without_knowing_its_defaults(sql: Calls, place: TestDatabase) -> None:
    """What is required is unknown, and said; the server decides."""
    _make(sql, place, "CREATE PROCEDURE dbo.secret_one @a int, @b int = 5 OUTPUT WITH ENCRYPTION AS SET @b = @b + @a")
    [signature] = sql.signatures("secret_one")
    if not signature.notes:
        pytest.skip("this endpoint does not encrypt")
    assert [one.required for one in signature.parameters] == [None, None]
    found = sql.call("secret_one", {"a": 1})
    assert "encrypted" in found.result.notes[0]
    assert "@b was left out" in found.result.notes[1]


def test_a_system_procedure_is_called(sql: Calls, place: TestDatabase) -> None:
    """sp_ procedures are found in sys."""
    try:
        found = sql.call("sp_datatype_info")
    except DatabaseMcpError:
        if place.genuine:
            raise
        pytest.skip("this endpoint's system procedures are not in its catalogue")
    assert found.result.result_sets


@pytest.mark.parametrize("name", ["everything; DROP TABLE dbo.tran_log", "dbo.everything @n=1; --", "'; --", "a.b.c.d", ""])
def test_a_name_is_looked_up_never_spliced(sql: Calls, name: str) -> None:
    """Injection through a procedure's name: not found, or no name."""
    with pytest.raises((ObjectNotFound, InvalidParameter)):
        sql.call(name)
    with pytest.raises(InvalidParameter):
        sql.call("everything", {"n": 1, "x = 1; DROP TABLE dbo.tran_log; --": 1})
    assert sql.rows("SELECT COUNT(*) FROM dbo.tran_log") == [(1,)]
