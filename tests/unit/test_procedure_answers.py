"""What a client reads: signatures as a table and as JSON Schema, and the answer of a call."""

from __future__ import annotations

import jsonschema

from mssqlclient_mcp.call_schema import call_schema
from mssqlclient_mcp.errors import DatabaseFault
from mssqlclient_mcp.formatters.procedures import (
    format_sp_parameters_table,
    procedure_result,
    sp_call_schemas,
    sp_parameters,
    with_what_arrived,
)
from mssqlclient_mcp.models import (
    Column,
    Direction,
    Message,
    ObjectName,
    OutputValue,
    ParameterField,
    ParameterType,
    QueryResult,
    ResultSet,
    StoredProcedureParameter,
)
from mssqlclient_mcp.procedure_models import ProcedureResult, ProcedureSignature
from mssqlclient_mcp.type_mapper import parse_type

NAME = ObjectName("dbo", "p")


def _signature(*parameters: StoredProcedureParameter, notes: tuple[str, ...] = ()) -> ProcedureSignature:
    returns = StoredProcedureParameter("@RETURN_VALUE", 0, parse_type("int", "sqlserver"), "int", Direction.RETURN)
    return ProcedureSignature(NAME, "procedure", parameters, returns, notes)


def _one(name: str, kind: ParameterType, **more: object) -> StoredProcedureParameter:
    return StoredProcedureParameter(name, 1, kind, kind.text, **more)  # type: ignore[arg-type]


def test_a_signature_reads_as_a_table() -> None:
    """Columns stand under each other; what is unknown says so; notes follow."""
    kind = parse_type("decimal(18,2)", "sqlserver")
    text = format_sp_parameters_table(
        _signature(
            _one("@id", parse_type("int", "sqlserver"), required=True),
            _one("@total", kind, direction=Direction.INOUT, required=None, default="-1"),
            notes=("Hidden.",),
        )
    )
    assert text.splitlines() == [
        "procedure dbo.p, returns int",
        "name    type           direction  required  default",
        "@id     int            in         yes",
        "@total  decimal(18,2)  inout      unknown   -1",
        "Note: Hidden.",
    ]
    assert "It has no parameters." in format_sp_parameters_table(_signature())


def test_overloads_are_all_shown() -> None:
    """Text and structured content hold every signature; schemas come as a list."""
    signatures = [_signature(), _signature(_one("@a", parse_type("int", "sqlserver"), required=True))]
    text, structured = sp_parameters(signatures)
    assert text.count("procedure dbo.p") == 2
    assert [one["signature"] for one in structured["signatures"]] == ["dbo.p()", "dbo.p(@a int)"]  # type: ignore[attr-defined]
    text, structured = sp_call_schemas(signatures, [call_schema(one, "sqlserver") for one in signatures])
    assert text.startswith("[")
    assert len(structured["signatures"]) == 2  # type: ignore[arg-type]


def test_the_schema_of_structured_values_tells_their_parts() -> None:
    """Arrays, enums, composites, table types, ranges; and what is not to be written is left out."""
    mood = ParameterType("enum", "mood", labels=("sad", "happy"))
    place = ParameterType("composite", "place", fields=(ParameterField("city", parse_type("text", "postgresql")),))
    schema = call_schema(
        _signature(
            _one("moods", ParameterType("array", "mood[]", element=mood), required=True),
            _one("place", place),
            _one("amount", parse_type("money", "postgresql")),
            _one("score", parse_type("double precision", "postgresql")),
            _one("span", ParameterType("range", "int4range")),
            _one("doc", parse_type("jsonb", "postgresql")),
            _one("gone", parse_type("text", "postgresql"), direction=Direction.OUT),
        ),
        "postgresql",
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    right = {
        "moods": ["sad", None],
        "place": {"city": "x"},
        "amount": "1.50",
        "score": "NaN",
        "span": "[1,2)",
        "doc": {"a": []},
    }
    assert validator.is_valid(right)
    assert [
        validator.is_valid({**right, **wrong}) for wrong in ({"moods": ["angry"]}, {"place": {"zip": 1}}, {"gone": ""})
    ] == [
        False,
        False,
        False,
    ]
    table = ParameterType(
        "table",
        "[dbo].[T]",
        fields=(
            ParameterField("id", parse_type("int", "sqlserver"), required=True),
            ParameterField("v", parse_type("timestamp", "sqlserver"), writable=False),
            ParameterField("when", parse_type("datetimeoffset(7)", "sqlserver")),
            ParameterField("code", parse_type("decimal(3,3)", "sqlserver")),
        ),
    )
    validator = jsonschema.Draft202012Validator(call_schema(_signature(_one("@t", table)), "sqlserver"))
    assert validator.is_valid({"@t": [{"id": 1, "code": "0.125"}]})
    assert not validator.is_valid({"@t": [{"when": None}]})
    assert not validator.is_valid({"@t": [{"id": 1, "v": "0x"}]})


def _result(**more: object) -> ProcedureResult:
    sets = (
        ResultSet((Column("n", "int"),), [(n,) for n in range(5)]),
        ResultSet((), (), rows_affected=3),
        ResultSet((Column("x", "text"),), [("y",)]),
    )
    return ProcedureResult(NAME, QueryResult(sets, 0.5, messages=(Message("hello"),), notes=("Said.",)), **more)  # type: ignore[arg-type]


def test_an_answer_has_all_parts_in_text_and_structure() -> None:
    """Outputs, return value, result sets in order, counts, messages, notes, duration."""
    outputs = (OutputValue("@a", "bigint", 2**60), OutputValue("@b", "varbinary(4)", b"\x01"), OutputValue("@c", "int", None))
    text, structured = procedure_result(_result(outputs=outputs, return_value=-1, return_type="int"), max_chars=10_000)
    assert structured["outputs"] == [
        {"name": "@a", "type": "bigint", "value": str(2**60)},
        {"name": "@b", "type": "varbinary(4)", "value": "0x01"},
        {"name": "@c", "type": "int", "value": None},
    ]
    assert (structured["returnValue"], structured["rowsAffected"]) == (-1, [3])
    assert [one["rowCount"] for one in structured["resultSets"]] == [5, 1]  # type: ignore[attr-defined]
    assert (structured["messages"], structured["notes"], structured["durationSeconds"]) == (["hello"], ["Said."], 0.5)
    for words in (
        "Return value (int): -1",
        "@b = 0x01",
        "@c = NULL",
        "Result set 1",
        "Result set 2",
        "Rows affected: 3",
        "hello",
    ):
        assert words in text


def test_a_huge_output_is_cut_visibly_and_leaves_room_for_the_rest() -> None:
    """The answer stays within reach of its limit, and says what it cut."""
    outputs = (OutputValue("@big", "nvarchar(max)", "x" * 100_000), OutputValue("@small", "int", 7))
    text, structured = procedure_result(_result(outputs=outputs), max_chars=5_000)
    big, small = structured["outputs"]  # type: ignore[misc]
    assert "[cut: 100000 characters in all]" in big["value"]
    assert small["value"] == 7
    assert len(text) < 10_000
    assert [one["rowCount"] for one in structured["resultSets"]] == [5, 1]  # type: ignore[attr-defined]


def test_an_error_carries_what_had_arrived() -> None:
    """Result sets and messages go into the details; nothing is left there that JSON cannot hold."""
    error = DatabaseFault("boom", details={"nativeError": 50000, "arrived": _result()})
    told = with_what_arrived(error, max_chars=5_000)
    assert told is error
    assert set(told.details) == {"nativeError", "resultSets", "rowsAffected", "messages"}
    assert told.next_step == ""
    plain = DatabaseFault("boom")
    assert with_what_arrived(plain, max_chars=100).details == {}


def test_an_error_that_the_procedure_went_on_behind_carries_its_outputs() -> None:
    """And says that what it did stands; one that broke it off says that it may."""
    outputs = (OutputValue("@a", "int", 7),)
    went_on = _result(outputs=outputs, return_value=3, return_type="int")
    told = with_what_arrived(DatabaseFault("boom", details={"outcome": "unknown", "arrived": went_on}), max_chars=5_000)
    assert (told.details["returnValue"], told.details["outputs"]) == (3, [{"name": "@a", "type": "int", "value": 7}])
    assert "came to its end" in told.next_step
    broke_off = with_what_arrived(DatabaseFault("boom", details={"outcome": "unknown", "arrived": _result()}), max_chars=5_000)
    assert "may stand" in broke_off.next_step
