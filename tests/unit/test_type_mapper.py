"""Values on their way to the database: what is taken, in which form it leaves, and what is refused before anything runs."""

from __future__ import annotations

import base64
from decimal import Decimal

import pytest

from mssqlclient_mcp.errors import InvalidParameter
from mssqlclient_mcp.models import ParameterField, ParameterType, StoredProcedureParameter
from mssqlclient_mcp.type_mapper import (
    convert_parameters_for_execution,
    convert_python_to_sql,
    parse_type,
    type_mapping,
    validate_parameter,
)

SQL, PG = "sqlserver", "postgresql"


@pytest.mark.parametrize(
    ("dialect", "sql_type", "value", "bound"),
    [
        (SQL, "bit", "yes", True),
        (SQL, "bit", 0, False),
        (SQL, "bit", "FALSE", False),
        (SQL, "bit", True, True),
        (SQL, "tinyint", 255, 255),
        (SQL, "smallint", "-32768", -32768),
        (SQL, "int", 5.0, 5),
        (SQL, "int", "2147483647", 2147483647),
        (SQL, "bigint", "9223372036854775807", 9223372036854775807),
        (SQL, "decimal(38,10)", "1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"),
        (SQL, "decimal(18,2)", 0.1, "0.1"),
        (SQL, "decimal(18,2)", "1.500", "1.500"),
        (SQL, "decimal(5,2)", "999.99", "999.99"),
        (SQL, "decimal(5,2)", "1e2", "100"),
        (SQL, "money", "922337203685477.5807", "922337203685477.5807"),
        (SQL, "float", "1.7976931348623157e308", 1.7976931348623157e308),
        (SQL, "real", 1.5, 1.5),
        (SQL, "char(3)", "ab", "ab"),
        (SQL, "nvarchar(2)", "\U0001f600", "\U0001f600"),
        (SQL, "nvarchar(max)", "x" * 9000, "x" * 9000),
        (SQL, "varbinary(4)", "0x00ff", b"\x00\xff"),
        (SQL, "varbinary(4)", base64.b64encode(b"\x01\x02\x03").decode(), b"\x01\x02\x03"),
        (SQL, "varbinary(4)", "", b""),
        (SQL, "varbinary(4)", "0x", b""),
        (SQL, "date", "2024-02-29", "2024-02-29"),
        (SQL, "date", "2024-02-29T00:00:00", "2024-02-29"),
        (SQL, "time(7)", "23:59:59.9999999", "23:59:59.9999999"),
        (SQL, "datetime", "2024-01-02 03:04:05.997", "20240102 03:04:05.997"),
        (SQL, "datetime2(7)", "0001-01-01", "0001-01-01T00:00:00"),
        (SQL, "datetime2(3)", "2024-01-02T03:04:05.1230000", "2024-01-02T03:04:05.123"),
        (SQL, "smalldatetime", "2079-06-06T23:59:00", "20790606 23:59:00"),
        (SQL, "datetimeoffset(7)", "2024-01-02T03:04:05.1234567-08:30", "2024-01-02T03:04:05.1234567-08:30"),
        (SQL, "datetimeoffset(0)", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
        (SQL, "uniqueidentifier", "{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        (SQL, "xml", '<?xml version="1.0" encoding="utf-8"?><a/>', '<?xml version="1.0"?><a/>'),
        (SQL, "hierarchyid", "/1/2/", "/1/2/"),
        (SQL, "json", {"a": [Decimal("1.10"), None, True]}, '{"a":[1.10,null,true]}'),
        (SQL, "varchar(20)", 12, "12"),
        (PG, "boolean", "no", "false"),
        (PG, "smallint", -32768, "-32768"),
        (PG, "numeric", "NaN", "NaN"),
        (PG, "numeric", "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
        (PG, "double precision", "-Infinity", "-Infinity"),
        (PG, "double precision", float("inf"), "Infinity"),
        (PG, "double precision", 0.1, "0.1"),
        (PG, "bytea", "0xdeadBEEF", b"\xde\xad\xbe\xef"),
        (PG, "date", "0044-03-15 BC", "0044-03-15 BC"),
        (PG, "date", "infinity", "infinity"),
        (PG, "date", "5874897-12-31", "5874897-12-31"),
        (PG, "timestamp with time zone", "2024-01-02T03:04:05.123456+05:30", "2024-01-02T03:04:05.123456+05:30"),
        (PG, "interval", "P1DT2H", "P1DT2H"),
        (PG, "inet", "10.0.0.1/8", "10.0.0.1/8"),
        (PG, "cidr", "2001:db8::/32", "2001:db8::/32"),
        (PG, "jsonb", {"a": 1}, '{"a":1}'),
        (PG, "jsonb", '"text"', '"text"'),
        (PG, "integer[]", [1, None, 3], '{"1",NULL,"3"}'),
        (PG, "integer[]", [[1, 2], [3, 4]], '{{"1","2"},{"3","4"}}'),
        (PG, "text[]", ['a"b', "c\\d", "", "NULL", "{,}"], '{"a\\"b","c\\\\d","","NULL","{,}"}'),
        (PG, "bytea[]", ["0x00"], '{"\\\\x00"}'),
        (PG, "int4range", "[1,10)", "[1,10)"),
        (PG, "int4range", {"lower": 1, "bounds": "[]"}, '["1",]'),
    ],
)
def test_a_value_leaves_in_the_form_of_its_type(dialect: str, sql_type: str, value: object, bound: object) -> None:
    """No digit is lost, no float stands between, and the form does not depend on the server's language."""
    converted = convert_python_to_sql(value, sql_type, dialect)
    assert converted == bound
    assert type(converted) is type(bound)


@pytest.mark.parametrize(
    ("dialect", "sql_type", "value", "reason"),
    [
        (SQL, "bit", "maybe", "neither true nor false"),
        (SQL, "bit", 2, "neither true nor false"),
        (SQL, "tinyint", 256, "out of range"),
        (SQL, "tinyint", -1, "out of range"),
        (SQL, "int", 2147483648, "out of range"),
        (SQL, "int", "", "empty text"),
        (SQL, "int", "5.5", "not a whole number"),
        (SQL, "int", "1_000", "not a whole number"),
        (SQL, "int", "١٢", "not a whole number"),
        (SQL, "int", True, "not a whole number"),
        (SQL, "int", float("nan"), "not a whole number"),
        (SQL, "bigint", "9223372036854775808", "out of range"),
        (SQL, "decimal(5,2)", "1000", "too large"),
        (SQL, "decimal(5,2)", "1.005", "3 digits behind the point"),
        (SQL, "decimal(5,2)", "NaN", "not a number"),
        (SQL, "decimal(5,2)", float("inf"), "not a finite number"),
        (SQL, "money", "922337203685477.5808", "out of range"),
        (SQL, "money", "0.00001", "5 digits behind the point"),
        (SQL, "float", float("nan"), "not a finite number"),
        (SQL, "float", "1e309", "out of range"),
        (SQL, "real", 3.5e38, "out of range"),
        (SQL, "nvarchar(3)", "\U0001f600\U0001f600", "4 characters long"),
        (SQL, "varchar(2)", "abc", "3 characters long"),
        (SQL, "nvarchar(3)", {"a": 1}, "not a text"),
        (SQL, "nvarchar(3)", "\ud800", "surrogate"),
        (SQL, "varbinary(2)", "0x010203", "3 bytes"),
        (SQL, "varbinary(2)", "0x0", "odd number"),
        (SQL, "varbinary(8)", "no base64!", "neither base64 nor"),
        (SQL, "varbinary(8)", "abc", "neither base64 nor"),
        (SQL, "varbinary(8)", "0xZZ", "begins with 0x"),
        (SQL, "date", "2023-02-29", "February of that year has 28 days"),
        (SQL, "date", "2024-02-31", "February of that year has 29 days"),
        (SQL, "date", "31/12/2024", "ISO 8601"),
        (SQL, "date", "2024-13-01", "no month 13"),
        (SQL, "date", "0000-01-01", "no year 0"),
        (SQL, "date", "2024-01-01T10:00", "keeps only the date"),
        (SQL, "time(3)", "10:00:00.1234", "4 digits"),
        (SQL, "time(3)", "24:00:00", "no time"),
        (SQL, "datetime", "1752-12-31", "out of range"),
        (SQL, "smalldatetime", "2079-06-07", "out of range"),
        (SQL, "smalldatetime", "2024-01-01T10:00:30", "keeps whole minutes"),
        (SQL, "datetime2(0)", "2024-01-01T10:00:00+02:00", "keeps none"),
        (SQL, "datetimeoffset(7)", "2024-01-01T10:00:00", "has no offset"),
        (SQL, "datetimeoffset(7)", "2024-01-01T10:00:00+14:30", "no offset"),
        (SQL, "uniqueidentifier", "6f9619ff", "not a GUID"),
        (SQL, "cursor", "c", "exists only inside T-SQL"),
        (SQL, "hierarchyid", 5, "not a text"),
        (SQL, "sql_variant", {"type": "int", "value": "x"}, "not a whole number"),
        (SQL, "sql_variant", {"type": "int; DROP TABLE t", "value": 1}, "not a type"),
        (SQL, "sql_variant", [1], "not clear"),
        (PG, "integer", 2147483648, "out of range"),
        (PG, "date", "0045-02-30 BC", "has 29 days"),
        (PG, "date", "5874898-01-01", "out of range"),
        (PG, "timestamp", "2024-01-01T00:00:00.1234567", "7 digits"),
        (PG, "jsonb", "text", "not a JSON document"),
        (PG, "jsonb", "NaN", "not a JSON document"),
        (PG, "jsonb", [float("nan")], "no place in JSON"),
        (PG, "inet", "300.1.1.1", "not an address"),
        (PG, "cidr", "10.0.0.1/8", "not a network"),
        (PG, "integer[]", [1, "x"], "item 2: 'x' is not a whole number"),
        (PG, "integer[]", [[1], [2, 3]], "differ in length"),
        (PG, "integer[]", 5, "not a list"),
        (PG, "int4range", "1-10", "not a range"),
        (PG, "interval", "soon", "not an interval"),
        (PG, "uuid", 5, "not a GUID"),
    ],
)
def test_an_unfit_value_is_named_before_anything_runs(dialect: str, sql_type: str, value: object, reason: str) -> None:
    """Overflow, rounding, the calendar, lengths, encodings: refused with a reason."""
    with pytest.raises(InvalidParameter) as caught:
        convert_python_to_sql(value, sql_type, dialect)
    assert reason in caught.value.message


@pytest.mark.parametrize("dialect", [SQL, PG])
def test_null_fits_every_type(dialect: str) -> None:
    """None stays None: the call's text gives it its type."""
    for name in type_mapping[dialect]:
        assert convert_python_to_sql(None, ParameterType(name, name), dialect) is None


def test_an_enum_takes_its_labels_only() -> None:
    """The labels come from the catalogue."""
    mood = ParameterType("enum", "mood", labels=("sad", "happy"))
    assert convert_python_to_sql("sad", mood, PG) == "sad"
    with pytest.raises(InvalidParameter, match="'sad', 'happy'"):
        convert_python_to_sql("angry", mood, PG)


def test_a_composite_takes_an_object_or_a_list() -> None:
    """Fields by name in any case, or in order; what is inside is checked and quoted."""
    kind = ParameterType(
        "composite",
        "address",
        fields=(ParameterField("street", ParameterType("text", "text")), ParameterField("no", parse_type("integer", PG))),
    )
    assert convert_python_to_sql({"Street": 'a"b', "no": 5}, kind, PG) == '("a\\"b","5")'
    assert convert_python_to_sql(["", None], kind, PG) == '("",)'
    with pytest.raises(InvalidParameter, match="no: 'x' is not a whole number"):
        convert_python_to_sql({"no": "x"}, kind, PG)
    with pytest.raises(InvalidParameter, match="unknown field 'zip'"):
        convert_python_to_sql({"zip": 1}, kind, PG)


def test_all_problems_of_a_call_are_told_at_once() -> None:
    """One answer names every value that does not fit, and every name that is not there."""
    parameters = [
        StoredProcedureParameter("@id", 1, parse_type("int", SQL), "int"),
        StoredProcedureParameter("@day", 2, parse_type("date", SQL), "date"),
        StoredProcedureParameter("@note", 3, parse_type("nvarchar(5)", SQL), "nvarchar(5)"),
    ]
    with pytest.raises(InvalidParameter) as caught:
        convert_parameters_for_execution(parameters, {"@id": "x", "@day": "2024-02-31", "@note": "ok", "@no": 1}, SQL)
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert [str(line).split(" ")[0].rstrip(":") for line in problems] == ["@no", "@id", "@day"]
    assert validate_parameter("ok", parameters[2], SQL) is None
    assert convert_parameters_for_execution(parameters, {"@id": "7", "@note": "ok"}, SQL) == {"@id": 7, "@note": "ok"}


def test_types_are_read_as_people_write_them() -> None:
    """Synonyms, spaces, default lengths and precision."""
    assert parse_type("National Character Varying(5)", SQL) == ParameterType(
        "nvarchar", "national character varying(5)", length=5
    )
    assert parse_type("decimal", SQL).precision == 18
    assert parse_type("varchar(max)", SQL).length is None
    assert parse_type("varchar", SQL).length == 1
    assert parse_type("numeric", PG).precision is None
    assert parse_type("timestamp(3) with time zone[]", PG).name == "array"
    with pytest.raises(InvalidParameter, match="not a type"):
        parse_type("int)--", SQL)
