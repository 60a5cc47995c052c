"""The T-SQL batch of a call, as text, for every type; what it binds; and what is read from its last SELECT."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mssqlclient_mcp.dialects.conversions import TypedValue
from mssqlclient_mcp.dialects.sqlserver.call_batch import prepare, read_answer
from mssqlclient_mcp.dialects.sqlserver.conversions import RULES
from mssqlclient_mcp.dialects.sqlserver.signature import RETURNS
from mssqlclient_mcp.errors import InvalidParameter
from mssqlclient_mcp.models import (
    Column,
    Direction,
    ObjectName,
    ParameterField,
    ParameterType,
    ResultSet,
    StatementKind,
    StoredProcedureParameter,
)
from mssqlclient_mcp.procedure_models import ProcedureSignature
from mssqlclient_mcp.type_mapper import bound_value, parse_type

EXPECTED: Mapping[str, tuple[str, str]] = {
    # type -> (the variable's declaration with a value, how the output is read)
    "bit": ("DECLARE @v1 bit = CONVERT(bit, ?);", "@v1"),
    "tinyint": ("DECLARE @v1 tinyint = CONVERT(tinyint, ?);", "@v1"),
    "smallint": ("DECLARE @v1 smallint = CONVERT(smallint, ?);", "@v1"),
    "int": ("DECLARE @v1 int = CONVERT(int, ?);", "@v1"),
    "bigint": ("DECLARE @v1 bigint = CONVERT(bigint, ?);", "@v1"),
    "decimal(18,2)": ("DECLARE @v1 decimal(18,2) = CONVERT(decimal(18,2), ?);", "@v1"),
    "numeric(10,0)": ("DECLARE @v1 numeric(10,0) = CONVERT(numeric(10,0), ?);", "@v1"),
    "money": ("DECLARE @v1 money = CONVERT(money, ?);", "@v1"),
    "smallmoney": ("DECLARE @v1 smallmoney = CONVERT(smallmoney, ?);", "@v1"),
    "float": ("DECLARE @v1 float = CONVERT(float, ?);", "@v1"),
    "real": ("DECLARE @v1 real = CONVERT(real, ?);", "@v1"),
    "date": ("DECLARE @v1 date = CONVERT(date, ?);", "@v1"),
    "time(7)": ("DECLARE @v1 time(7) = CONVERT(time(7), ?);", "@v1"),
    "datetime": ("DECLARE @v1 datetime = CONVERT(datetime, ?);", "@v1"),
    "datetime2(3)": ("DECLARE @v1 datetime2(3) = CONVERT(datetime2(3), ?);", "@v1"),
    "smalldatetime": ("DECLARE @v1 smalldatetime = CONVERT(smalldatetime, ?);", "@v1"),
    "datetimeoffset(7)": ("DECLARE @v1 datetimeoffset(7) = CONVERT(datetimeoffset(7), ?);", "@v1"),
    "char(5)": ("DECLARE @v1 char(5) = CONVERT(char(5), ?);", "@v1"),
    "varchar(max)": ("DECLARE @v1 varchar(max) = CONVERT(varchar(max), ?);", "@v1"),
    "text": ("DECLARE @v1 varchar(max) = CONVERT(varchar(max), ?);", "@v1"),
    "nchar(5)": ("DECLARE @v1 nchar(5) = CONVERT(nchar(5), ?);", "@v1"),
    "nvarchar(50)": ("DECLARE @v1 nvarchar(50) = CONVERT(nvarchar(50), ?);", "@v1"),
    "ntext": ("DECLARE @v1 nvarchar(max) = CONVERT(nvarchar(max), ?);", "@v1"),
    "sysname": ("DECLARE @v1 nvarchar(128) = CONVERT(nvarchar(128), ?);", "@v1"),
    "binary(8)": ("DECLARE @v1 binary(8) = CONVERT(binary(8), ?);", "@v1"),
    "varbinary(max)": ("DECLARE @v1 varbinary(max) = CONVERT(varbinary(max), ?);", "@v1"),
    "image": ("DECLARE @v1 varbinary(max) = CONVERT(varbinary(max), ?);", "@v1"),
    "timestamp": ("DECLARE @v1 binary(8) = CONVERT(binary(8), ?);", "@v1"),
    "uniqueidentifier": ("DECLARE @v1 uniqueidentifier = CONVERT(uniqueidentifier, ?);", "@v1"),
    "xml": ("DECLARE @v1 xml = CONVERT(xml, ?);", "CONVERT(nvarchar(max), @v1)"),
    "hierarchyid": ("DECLARE @v1 hierarchyid = hierarchyid::Parse(CONVERT(nvarchar(4000), ?));", "@v1.ToString()"),
    "geometry": ("DECLARE @v1 geometry = geometry::Parse(CONVERT(nvarchar(max), ?));", "@v1.ToString()"),
    "geography": ("DECLARE @v1 geography = geography::Parse(CONVERT(nvarchar(max), ?));", "@v1.ToString()"),
    "json": ("DECLARE @v1 json = CONVERT(json, ?);", "CONVERT(nvarchar(max), @v1)"),
    "vector(3)": ("DECLARE @v1 vector(3) = CONVERT(vector(3), ?);", "CONVERT(nvarchar(max), @v1)"),
}
SAMPLES: Mapping[str, object] = {
    "date": "2024-01-31",
    "time": "10:00:00",
    "datetime": "2024-01-31",
    "datetime2": "2024-01-31",
    "smalldatetime": "2024-01-31",
    "datetimeoffset": "2024-01-31T00:00:00Z",
    "uniqueidentifier": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    "binary": "0x01",
    "varbinary": "0x01",
    "image": "0x01",
    "timestamp": "0x01",
    "hierarchyid": "/1/",
    "xml": "<a/>",
    "geometry": "POINT (1 2)",
    "geography": "POINT (1 2)",
}


def _one(
    kind: ParameterType, *, output: bool = True, default: str | None = None, known: bool = True
) -> StoredProcedureParameter:
    direction = Direction.INOUT if output else Direction.IN
    return StoredProcedureParameter("@a", 1, kind, kind.text, direction, False if known else None, default)


def _signature(*parameters: StoredProcedureParameter, handle: str = "") -> ProcedureSignature:
    return ProcedureSignature(ObjectName("dbo", "p"), "procedure", parameters, RETURNS, handle=handle)


@pytest.mark.parametrize("sql_type", EXPECTED)
def test_the_batch_of_every_type_reads_so(sql_type: str) -> None:
    """A typed variable, the call, and the last SELECT; the value is bound, never written."""
    declaration, reading = EXPECTED[sql_type]
    kind = parse_type(sql_type, "sqlserver")
    value = bound_value(SAMPLES.get(kind.name, 1), kind, "sqlserver")
    call = prepare(_signature(_one(kind)), {"@a": value})
    assert call.statement.sql == "\n".join(
        [
            "DECLARE @return_value int;",
            declaration,
            "EXEC @return_value = [dbo].[p]\n  @a = @v1 OUTPUT;",
            f"SELECT @return_value AS [mcp_return_value],\n  {reading} AS [mcp_output_1];",
        ]
    )
    assert call.statement.parameters == (value,)
    assert call.statement.kind is StatementKind.CALL


@pytest.mark.parametrize("sql_type", [*EXPECTED, "sql_variant"])
def test_null_is_written_with_the_type_of_its_variable(sql_type: str) -> None:
    """No marker: a NULL that a driver types would be a varchar, which binary types refuse."""
    kind = parse_type(sql_type, "sqlserver")
    call = prepare(_signature(_one(kind, output=False)), {"@a": None})
    assert call.statement.sql.splitlines()[1].endswith(" = NULL;")
    assert call.statement.sql.splitlines()[1].startswith("DECLARE @v1 ")
    assert call.statement.parameters == ()


def test_every_type_of_the_table_has_its_text_tested() -> None:
    """A type that is added to the table is added here, too."""
    tested = {parse_type(one, "sqlserver").name for one in EXPECTED}
    assert set(RULES) - tested == {"sql_variant", "table", "cursor", "rowversion"}


def test_a_variant_carries_the_type_of_its_value_both_ways() -> None:
    """In: converted to the value's type first. Out: as exact text, beside the name of what it held."""
    value = bound_value({"type": "decimal(10,2)", "value": "1.50"}, parse_type("sql_variant", "sqlserver"), "sqlserver")
    assert isinstance(value, TypedValue)
    call = prepare(_signature(_one(parse_type("sql_variant", "sqlserver"))), {"@a": value})
    assert "DECLARE @v1 sql_variant = CONVERT(decimal(10,2), ?);" in call.statement.sql
    assert "CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(@v1, 'BaseType')) AS [mcp_output_1_type]" in call.statement.sql
    columns = tuple(Column(name, "") for name in ("mcp_return_value", "mcp_output_1", "mcp_output_1_type"))
    answer = read_answer(call, [ResultSet(columns, [(0, "1.50", "decimal")])])
    assert (answer.outputs[0].value, answer.outputs[0].sql_type) == ("1.50", "sql_variant (decimal)")


@pytest.mark.parametrize(
    ("default", "start", "bound"),
    [
        ("-1.5", "CONVERT(decimal(9,2), ?)", "-1.5"),
        ("NULL", "NULL", None),
        (None, "NULL", None),
    ],
)
def test_an_output_left_out_starts_from_its_default(default: str | None, start: str, bound: str | None) -> None:
    """Binding an OUTPUT parameter hides its default, so the variable starts from it."""
    kind = parse_type("decimal(9,2)", "sqlserver")
    call = prepare(_signature(_one(kind, default=default)), {})
    assert f"DECLARE @v1 decimal(9,2) = {start};" in call.statement.sql
    assert [str(value) for value in call.statement.parameters] == ([bound] if bound else [])
    assert call.notes == ()


@pytest.mark.parametrize(("default", "known"), [("getdate()", True), (None, False)])
def test_an_unknown_default_is_said(default: str | None, known: bool) -> None:
    """A function, or a definition that may not be seen: NULL, and the answer says so."""
    call = prepare(_signature(_one(parse_type("datetime", "sqlserver"), default=default, known=known)), {})
    assert "= NULL;" in call.statement.sql
    assert call.notes == ("@a was left out and its default is not known here: it started from NULL.",)


def test_an_input_left_out_is_not_mentioned() -> None:
    """So the server's own default holds."""
    call = prepare(_signature(_one(parse_type("int", "sqlserver"), output=False)), {})
    assert call.statement.sql == (
        "DECLARE @return_value int;\nEXEC @return_value = [dbo].[p];\nSELECT @return_value AS [mcp_return_value];"
    )


def test_text_beyond_ascii_for_a_code_page_is_compared() -> None:
    """A character that the code page lacks would turn into a question mark without an error."""
    call = prepare(_signature(_one(parse_type("varchar(9)", "sqlserver"), output=False)), {"@a": "caf\u00e9"})
    assert "IF CONVERT(nvarchar(max), @v1) COLLATE Latin1_General_BIN2 <> CONVERT(nvarchar(max), ?)" in call.statement.sql
    assert call.statement.parameters == ("caf\u00e9", "caf\u00e9")
    plain = prepare(_signature(_one(parse_type("varchar(9)", "sqlserver"), output=False)), {"@a": "cafe"})
    assert "COLLATE" not in plain.statement.sql


def test_rows_of_a_table_type_are_inserted_with_markers() -> None:
    """One INSERT of typed cells; DEFAULT where a row leaves a column out; NOCOUNT hides the count from the answer."""
    kind = ParameterType(
        "table",
        "[dbo].[T]",
        fields=(
            ParameterField("id", parse_type("int", "sqlserver"), required=True),
            ParameterField("a]b", parse_type("varbinary(4)", "sqlserver")),
            ParameterField("day", parse_type("datetime", "sqlserver")),
            ParameterField("stamp", parse_type("timestamp", "sqlserver"), writable=False),
        ),
    )
    rows = bound_value([{"id": 1, "A]B": "0x01"}, {"id": 2, "day": "2024-12-31"}, [3, None, None]], kind, "sqlserver")
    call = prepare(_signature(_one(kind, output=False)), {"@a": rows})
    assert call.statement.sql.splitlines()[1:8] == [
        "DECLARE @v1 [dbo].[T];",
        "SET NOCOUNT ON;",
        "INSERT INTO @v1 ([id], [a]]b], [day]) VALUES",
        "(CONVERT(int, ?), CONVERT(varbinary(4), ?), DEFAULT),",
        "(CONVERT(int, ?), DEFAULT, CONVERT(datetime, ?)),",
        "(CONVERT(int, ?), NULL, NULL);",
        "SET NOCOUNT OFF;",
    ]
    assert call.statement.parameters == (1, b"\x01", 2, "20241231 00:00:00", 3)


def test_names_are_quoted_and_parameter_names_must_be_names() -> None:
    """Whatever the catalogue says, nothing gets out of its place in the text."""
    odd = ProcedureSignature(ObjectName("a]b", "c]; DROP TABLE t --"), "procedure", (), RETURNS, handle=";2")
    assert "EXEC @return_value = [a]]b].[c]]; DROP TABLE t --];2;" in prepare(odd, {}).statement.sql
    evil = StoredProcedureParameter("@a = 1; --", 1, parse_type("int", "sqlserver"), "int")
    with pytest.raises(InvalidParameter, match="cannot spell"):
        prepare(_signature(evil), {"@a = 1; --": 1})


def test_a_procedures_own_last_result_is_not_taken_for_the_outputs() -> None:
    """Only the batch's own SELECT is; when an error came first, everything is a result set."""
    call = prepare(_signature(), {})
    own = ResultSet((Column("mcp_return_value", "int"),), [(7,)])
    other = ResultSet((Column("x", "int"),), [(1,)])
    assert read_answer(call, [other, own]).return_value == 7
    assert read_answer(call, [other, own]).result_sets == (other,)
    cut = read_answer(call, [own, other])
    assert (cut.result_sets, cut.has_return) == ((own, other), False)
