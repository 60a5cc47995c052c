"""Convert and format are inverse: a value as a cursor yields it, shown as JSON and sent back, is the same value."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.call_schema import call_schema
from mssqlclient_mcp.errors import InvalidParameter
from mssqlclient_mcp.formatters.values import json_value
from mssqlclient_mcp.models import ObjectName, ParameterType, StoredProcedureParameter
from mssqlclient_mcp.procedure_models import ProcedureSignature
from mssqlclient_mcp.type_mapper import check, convert_python_to_sql, parse_type, type_mapping, validate_parameter

SQL, PG = "sqlserver", "postgresql"
TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=50)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def _through_json(value: object) -> object:
    """As an answer shows it and a client sends it back."""
    return json.loads(json.dumps(json_value(value)))


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers(value: int) -> None:
    """Beyond 2**53, too, where JSON's numbers end."""
    assert convert_python_to_sql(_through_json(value), "bigint", SQL) == value
    assert convert_python_to_sql(_through_json(value), "bigint", PG) == str(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**28) + 1, max_value=10**28 - 1, places=10))
def test_decimals(value: Decimal) -> None:
    """All 38 digits; no float in between."""
    assert Decimal(str(convert_python_to_sql(_through_json(value), "decimal(38,10)", SQL))) == value
    assert Decimal(str(convert_python_to_sql(_through_json(value), "numeric", PG))) == value


@given(st.integers(-922337203685477_5808, 922337203685477_5807))
def test_money(ticks: int) -> None:
    """To its last ten-thousandth."""
    value = Decimal(ticks).scaleb(-4)
    assert Decimal(str(convert_python_to_sql(_through_json(value), "money", SQL))) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats(value: float) -> None:
    """The same eight bytes, the sign of zero included."""
    back = convert_python_to_sql(_through_json(value), "float", SQL)
    assert isinstance(back, float)
    assert (back, math.copysign(1, back)) == (value, math.copysign(1, value))
    assert float(str(convert_python_to_sql(_through_json(value), "double precision", PG))) == value


@given(TEXT)
def test_text(value: str) -> None:
    """Nothing is trimmed, folded or escaped."""
    assert convert_python_to_sql(_through_json(value), "nvarchar(max)", SQL) == value
    assert convert_python_to_sql(_through_json(value), "text", PG) == value


@given(st.binary(max_size=60))
def test_bytes(value: bytes) -> None:
    """0x and hex digits are never taken for base64."""
    assert convert_python_to_sql(_through_json(value), "varbinary(max)", SQL) == value
    assert convert_python_to_sql(_through_json(value), "bytea", PG) == value


@given(st.dates())
def test_dates(value: date) -> None:
    """Year 1 to 9999."""
    assert convert_python_to_sql(_through_json(value), "date", SQL) == value.isoformat()
    assert convert_python_to_sql(_through_json(value), "date", PG) == value.isoformat()


@given(st.times())
def test_times(value: time) -> None:
    """To the microsecond."""
    assert time.fromisoformat(_six(convert_python_to_sql(_through_json(value), "time(7)", SQL))) == value


@given(st.datetimes())
def test_timestamps(value: datetime) -> None:
    """To the microsecond."""
    assert datetime.fromisoformat(_six(convert_python_to_sql(_through_json(value), "datetime2(7)", SQL))) == value
    assert datetime.fromisoformat(_six(convert_python_to_sql(_through_json(value), "timestamp", PG))) == value


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=OFFSETS))
def test_timestamps_with_an_offset(value: datetime) -> None:
    """The same moment at the same offset."""
    back = str(convert_python_to_sql(_through_json(value), "datetimeoffset(7)", SQL))
    again = datetime.fromisoformat(_six(back[:-6]) + back[-6:])
    assert (again, again.utcoffset()) == (value, value.utcoffset())


@given(st.uuids())
def test_uuids(value: UUID) -> None:
    """In their usual form."""
    assert UUID(str(convert_python_to_sql(_through_json(value), "uniqueidentifier", SQL))) == value


@given(st.booleans())
def test_booleans(value: bool) -> None:
    """true and false."""
    assert convert_python_to_sql(_through_json(value), "bit", SQL) is value


@given(st.lists(st.one_of(st.none(), TEXT), max_size=8))
def test_arrays_as_postgresql_reads_them(items: list[str | None]) -> None:
    """The literal, read by the rules of PostgreSQL's documentation, has the same items."""
    assert _read_array(str(convert_python_to_sql(_through_json(items), "text[]", PG))) == items


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)


@given(JSON.filter(lambda value: value is not None and not isinstance(value, str)))
def test_json_documents(value: object) -> None:
    """A document says the same after it was written."""
    assert json.loads(str(convert_python_to_sql(value, "jsonb", PG))) == value


ANYTHING = st.one_of(JSON, TEXT, st.floats(), st.decimals(), st.binary(max_size=10))


@given(ANYTHING, st.sampled_from([(name, kind) for name in (SQL, PG) for kind in type_mapping[name]]))
def test_any_value_for_any_type_fits_or_is_refused_with_a_reason(value: object, where: tuple[str, str]) -> None:
    """Never another exception: a model sends what it likes."""
    dialect, name = where
    kind = ParameterType(name, name, element=ParameterType("text", "text") if name == "array" else None)
    try:
        convert_python_to_sql(value, kind, dialect)
    except InvalidParameter as error:
        assert len(error.message) < 600  # noqa: PT017 - the point is that no other exception comes


SCALARS = ("bit", "tinyint", "int", "bigint", "nvarchar(10)", "decimal(9,2)", "money", "real")


@given(st.sampled_from(SCALARS), st.one_of(st.integers(), st.booleans(), TEXT, st.none(), st.lists(st.integers())))
def test_what_the_schema_of_a_call_takes_the_call_takes(sql_type: str, value: object) -> None:
    """The JSON Schema promises nothing that the check then refuses."""
    kind = parse_type(sql_type, SQL)
    parameter = StoredProcedureParameter("@a", 1, kind, kind.text)
    schema = call_schema(ProcedureSignature(ObjectName("dbo", "p"), "procedure", (parameter,)), SQL)
    fits_schema = jsonschema.Draft202012Validator(schema).is_valid({"@a": value})
    too_wide = isinstance(value, (int, str)) and not isinstance(value, bool) and sql_type in ("decimal(9,2)", "money", "bigint")
    too_wide = too_wide or (isinstance(value, str) and not value.isascii())
    if fits_schema and not too_wide:
        assert validate_parameter(value, parameter, SQL) is None


def test_seven_digits_stay_seven() -> None:
    """What Python's own types cannot hold passes as text."""
    assert check("0001-01-01T00:00:00.0000001", parse_type("datetime2(7)", SQL), SQL) == "0001-01-01T00:00:00.0000001"


def _six(text: object) -> str:
    """With all six digits of a fraction, as Python 3.10 reads it."""
    whole, _, fraction = str(text).partition(".")
    return f"{whole}.{fraction.ljust(6, '0')}" if fraction else whole


def _read_array(text: str) -> list[str | None]:
    """A one-dimensional array literal: quoted items with backslash escapes, or NULL."""
    items: list[str | None] = []
    position = 1
    while position < len(text) - 1:
        if text[position] == '"':
            item, position = "", position + 1
            while text[position] != '"':
                position += text[position] == "\\"
                item += text[position]
                position += 1
            items.append(item)
            position += 1
        else:
            assert text.startswith("NULL", position)
            items.append(None)
            position += 4
        position += 1  # the comma
    return items
