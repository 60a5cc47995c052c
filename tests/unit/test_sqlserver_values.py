"""Values from ODBC structures, and values on their way to ODBC."""

from __future__ import annotations

import struct
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.dialects.sqlserver.odbc import SQL_SS_TIME2, SQL_SS_TIMESTAMPOFFSET, SQL_SS_UDT, SQL_TYPE_TIMESTAMP
from mssqlclient_mcp.dialects.sqlserver.parameters import bind, marker_positions
from mssqlclient_mcp.dialects.sqlserver.values import converters_for, time_of_day, timestamp, timestamp_offset
from mssqlclient_mcp.errors import InvalidParameter
from tests.fakes.dbapi import Rows

INDIA = timezone(timedelta(hours=5, minutes=30))
NEWFOUNDLAND = timezone(-timedelta(hours=3, minutes=30))


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ((2020, 2, 29, 10, 11, 12, 123_456_000, 5, 30), datetime(2020, 2, 29, 10, 11, 12, 123456, tzinfo=INDIA)),
        ((2020, 2, 29, 10, 11, 12, 0, -3, -30), datetime(2020, 2, 29, 10, 11, 12, tzinfo=NEWFOUNDLAND)),
        ((9999, 12, 31, 23, 59, 59, 999_999_900, 14, 0), "9999-12-31T23:59:59.9999999+14:00"),
        ((1, 1, 1, 0, 0, 0, 100, 0, 0), "0001-01-01T00:00:00.0000001+00:00"),
    ],
)
def test_a_datetimeoffset_loses_neither_its_offset_nor_a_digit(fields: tuple[int, ...], value: object) -> None:
    """Aware datetimes, and text where Python's six digits do not do."""
    assert timestamp_offset(struct.pack("=hHHHHHIhh", *fields)) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (struct.pack("=hHHHHHI", 2020, 1, 2, 3, 4, 5, 123_456_000), datetime(2020, 1, 2, 3, 4, 5, 123456)),
        (struct.pack("=hHHHHHI", 2020, 1, 2, 3, 4, 5, 123_456_700), "2020-01-02T03:04:05.1234567"),
        (struct.pack("=iI", 43830, 300), datetime(2020, 1, 2, 0, 0, 1)),
        (struct.pack("=iI", -53690, 25919999), datetime(1753, 1, 1, 23, 59, 59, 997000)),
        (struct.pack("=HH", 43830, 61), datetime(2020, 1, 2, 1, 1)),
    ],
)
def test_a_datetime2_keeps_its_seventh_digit(raw: bytes, value: object) -> None:
    """And the older types, which FreeTDS hands over as they are on the wire, come right beside it."""
    assert timestamp(raw) == value


def test_a_time_keeps_its_seventh_digit() -> None:
    """As text, for Python's time ends at the sixth."""
    assert time_of_day(struct.pack("=HHHxxI", 23, 59, 59, 999_999_000)) == time(23, 59, 59, 999999)
    assert time_of_day(struct.pack("=HHHxxI", 0, 0, 0, 100)) == "00:00:00.0000001"


def test_converters_are_set_only_for_columns_that_need_them() -> None:
    """A converter costs a Python call a value."""
    plain = Rows([("a", int), ("b", str), ("c", datetime), ("d", time, 8, 0)], [])
    assert converters_for(plain.description) == {}
    fine = Rows([("a", datetime, 27, 7), ("b", time, 16, 7), ("c", bytearray, 34, 7)], [])
    assert set(converters_for(fine.description)) == {SQL_TYPE_TIMESTAMP, SQL_SS_TIME2, SQL_SS_TIMESTAMPOFFSET, SQL_SS_UDT}


def test_none_is_written_as_null_in_place_of_its_own_marker() -> None:
    """A driver binds None as varchar, which a varbinary column refuses."""
    assert bind("INSERT t VALUES (?, ?, ?)", [1, None, b"x"]) == ("INSERT t VALUES (?, NULL, ?)", [1, b"x"])


TRICKY = "SELECT '?''?' AS [a?]]?], \"b?\"\"?\" -- ?\n, /* ? /* ? */ ? */ ?, N'?', ?"


def test_a_question_mark_in_strings_names_and_comments_is_no_marker() -> None:
    """Strings with doubled quotes, brackets, quoted names, line comments, nested comments."""
    assert [TRICKY[at:] for at in marker_positions(TRICKY)] == ["?, N'?', ?", "?"]
    assert bind(TRICKY, [None, 5]) == (TRICKY.replace("*/ ?, N", "*/ NULL, N"), [5])


@pytest.mark.parametrize("sql", ["SELECT 'open ?", "SELECT [open ?", "/* open ?", "/* /* ? */ ?", "-- ?"])
def test_text_that_never_closes_does_not_hang_or_crash(sql: str) -> None:
    """What is malformed is the server's to complain of."""
    assert all(sql[at] == "?" for at in marker_positions(sql))


@given(st.text(alphabet="'\"[]?-/*\n aN", max_size=60))
def test_markers_are_found_in_any_text(sql: str) -> None:
    """Each position is a question mark, in order."""
    found = marker_positions(sql)
    assert found == sorted(set(found))
    assert all(sql[at] == "?" for at in found)


def test_the_number_of_markers_is_checked_when_a_null_is_written() -> None:
    """A value must not slip to another marker."""
    with pytest.raises(InvalidParameter, match=r"2 parameter markers.*1 values"):
        bind("SELECT ?, ?", [None])


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (2**63 - 1, 2**63 - 1), (2**63, Decimal(2**63)), (-(2**63), -(2**63)), (-(2**63) - 1, Decimal(-(2**63) - 1)),
        (True, True), (1.5, 1.5), ("é😀", "é😀"), (b"\0", b"\0"), (bytearray(b"x"), b"x"), (memoryview(b"x"), b"x"),
        (Decimal("1E+5"), Decimal("1E+5")), (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2020, 1, 2), date(2020, 1, 2)),
        (time(1, 2, 3, 4), "01:02:03.000004"), (datetime(2020, 1, 2, 3), datetime(2020, 1, 2, 3)),
        (datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=INDIA), "2020-01-02 03:04:05.000006+05:30"),
    ],
)  # fmt: skip
def test_a_value_goes_to_the_driver_in_a_form_that_loses_nothing(value: object, sent: object) -> None:
    """Integers beyond bigint as decimals; times and aware datetimes as text, whose digits and offset a driver may drop."""
    text, values = bind("SELECT ?", [value])
    assert text == "SELECT ?"
    assert values == [sent]
    assert type(values[0]) is type(sent)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), Decimal("1e39"), Decimal("1." + "1" * 38), 10**38, "\ud800", [1], {"a": 1}],
)
def test_a_value_that_sql_server_cannot_hold_is_refused_by_its_place(value: object) -> None:
    """Before anything is sent, naming which parameter it is."""
    with pytest.raises(InvalidParameter, match="Parameter 2 "):
        bind("SELECT ?, ?", [1, value])
