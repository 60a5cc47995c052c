"""SQL Server's types at their limits, with what the server must make of them; by hand from "Data types (Transact-SQL)"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal


@dataclass(frozen=True)
class Trip:
    """A value on its way through a parameter: as it is sent, as it must come back, and as the server shows it as text
    (``shown`` is an expression over @v; None: ``CONVERT(nvarchar(4000), @v)``)."""

    sql_type: str
    sent: object
    back: object
    as_text: str
    shown: str | None = None


def _offset(hours: int, minutes: int = 0) -> timezone:
    return timezone(timedelta(hours=hours, minutes=minutes))


_ISO = "CONVERT(nvarchar(4000), @v, 126)"
_HEX = "CONVERT(nvarchar(4000), CONVERT(varbinary(max), @v), 1)"
_EXACT = "CONVERT(nvarchar(4000), @v, 3)"
_FOUR = "CONVERT(nvarchar(4000), @v, 2)"
_BYTES = "CONVERT(nvarchar(20), DATALENGTH(@v))"
_SAME = _BYTES + " + CASE WHEN @v = {0} THEN N' same' ELSE N'' END"
_UNICODE = "\u00e9\u20ac\U0001f600'\"?"

TRIPS: tuple[Trip, ...] = (
    Trip("bit", True, True, "1"),
    Trip("bit", "no", False, "0"),
    Trip("tinyint", 0, 0, "0"),
    Trip("tinyint", 255, 255, "255"),
    Trip("smallint", -32768, -32768, "-32768"),
    Trip("smallint", 32767, 32767, "32767"),
    Trip("int", -2147483648, -2147483648, "-2147483648"),
    Trip("int", 2147483647, 2147483647, "2147483647"),
    Trip("bigint", "-9223372036854775808", -9223372036854775808, "-9223372036854775808"),
    Trip("bigint", 9223372036854775807, 9223372036854775807, "9223372036854775807"),
    Trip("decimal(38,0)", "9" * 38, Decimal("9" * 38), "9" * 38),
    Trip("decimal(38,0)", "-" + "9" * 38, Decimal("-" + "9" * 38), "-" + "9" * 38),
    Trip("decimal(38,38)", "0." + "0" * 37 + "1", Decimal("1E-38"), "0." + "0" * 37 + "1"),
    Trip("decimal(18,2)", "0.10", Decimal("0.10"), "0.10"),
    Trip("numeric(10,4)", 123456.7891, Decimal("123456.7891"), "123456.7891"),
    Trip("money", "922337203685477.5807", Decimal("922337203685477.5807"), "922337203685477.5807", _FOUR),
    Trip("money", "-922337203685477.5808", Decimal("-922337203685477.5808"), "-922337203685477.5808", _FOUR),
    Trip("smallmoney", "214748.3647", Decimal("214748.3647"), "214748.3647", _FOUR),
    Trip("smallmoney", "-214748.3648", Decimal("-214748.3648"), "-214748.3648", _FOUR),
    Trip("float", "1.7976931348623157e308", 1.7976931348623157e308, "1.7976931348623157e+308", _EXACT),
    Trip("float", 0.1, 0.1, "1.0000000000000001e-001", _EXACT),
    Trip("real", 3.4028234663852886e38, 3.4028234663852886e38, "3.4028235e+038", "CONVERT(nvarchar(4000), @v, 1)"),
    Trip("real", 0.5, 0.5, "0.5"),
    Trip("date", "0001-01-01", date(1, 1, 1), "0001-01-01", _ISO),
    Trip("date", "9999-12-31", date(9999, 12, 31), "9999-12-31", _ISO),
    Trip("time(7)", "23:59:59.9999999", "23:59:59.9999999", "23:59:59.9999999", _ISO),
    Trip("time(0)", "00:00:00", time(0, 0, 0), "00:00:00", _ISO),
    Trip("datetime", "1753-01-01T00:00:00", datetime(1753, 1, 1), "1753-01-01T00:00:00", _ISO),
    Trip("datetime", "9999-12-31T23:59:59.997", datetime(9999, 12, 31, 23, 59, 59, 997000), "9999-12-31T23:59:59.997", _ISO),
    Trip("smalldatetime", "1900-01-01", datetime(1900, 1, 1), "1900-01-01T00:00:00", _ISO),
    Trip("smalldatetime", "2079-06-06T23:59:00", datetime(2079, 6, 6, 23, 59), "2079-06-06T23:59:00", _ISO),
    Trip("datetime2(7)", "0001-01-01", datetime(1, 1, 1), "0001-01-01T00:00:00", _ISO),
    Trip("datetime2(7)", "9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999", _ISO),
    Trip("datetime2(3)", "2024-02-29T12:00:00.123", datetime(2024, 2, 29, 12, 0, 0, 123000), "2024-02-29T12:00:00.123", _ISO),
    Trip(
        "datetimeoffset(7)",
        "0001-01-01T14:00:00+14:00",
        datetime(1, 1, 1, 14, tzinfo=_offset(14)),
        "0001-01-01T14:00:00+14:00",
        _ISO,
    ),
    Trip(
        "datetimeoffset(7)",
        "9999-12-31T09:59:59.9999999-14:00",
        "9999-12-31T09:59:59.9999999-14:00",
        "9999-12-31T09:59:59.9999999-14:00",
        _ISO,
    ),
    Trip(
        "datetimeoffset(0)",
        "2024-01-02T03:04:05Z",
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
        "2024-01-02T03:04:05Z",
        _ISO,
    ),
    Trip("char(5)", "abc", "abc  ", "abc  "),
    Trip("varchar(8000)", "x" * 8000, "x" * 8000, "8000", _BYTES),
    Trip("varchar(max)", "y" * 20000, "y" * 20000, "20000 same", _SAME.format("REPLICATE(CAST('y' AS varchar(max)), 20000)")),
    Trip("nchar(4)", "\u20ac", "\u20ac   ", "\u20ac   "),
    Trip("nvarchar(4000)", "\u20ac" * 4000, "\u20ac" * 4000, "8000", _BYTES),
    Trip("nvarchar(50)", _UNICODE, _UNICODE, _UNICODE),
    Trip("nvarchar(50)", "", "", ""),
    Trip(
        "nvarchar(max)",
        "\u20ac" * 9000,
        "\u20ac" * 9000,
        "18000 same",
        _SAME.format("REPLICATE(CAST(NCHAR(8364) AS nvarchar(max)), 9000)"),
    ),
    Trip("sysname", "a]b", "a]b", "a]b"),
    Trip("binary(4)", "0x0102", b"\x01\x02\x00\x00", "0x01020000", _HEX),
    Trip("varbinary(8000)", "0x" + "AB" * 8000, b"\xab" * 8000, "8000", _BYTES),
    Trip("varbinary(max)", "0x" + "00FF" * 10000, b"\x00\xff" * 10000, "20000", _BYTES),
    Trip("varbinary(10)", "AP8=", b"\x00\xff", "0x00FF", _HEX),
    Trip("uniqueidentifier", "6f9619ff-8b86-d011-b42d-00c04fc964ff", None, "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
    Trip("xml", '<?xml version="1.0" encoding="utf-8"?><a b="c">\u00e9</a>', None, '<a b="c">\u00e9</a>'),
    Trip("sql_variant", "text", "text", "text"),
    Trip("sql_variant", {"type": "decimal(10,3)", "value": "1.500"}, "1.500", "1.500"),
    Trip("hierarchyid", "/1/2.5/", "/1/2.5/", "/1/2.5/", "@v.ToString()"),
    Trip("geometry", "POINT (1 2)", "POINT (1 2)", "POINT (1 2)", "@v.ToString()"),
    Trip("geography", "POINT (-122 47)", "POINT (-122 47)", "POINT (-122 47)", "@v.ToString()"),
    Trip("json", {"a": 1}, '{"a":1}', '{"a":1}'),
    Trip("vector(2)", [1, 2], None, "[1.0000000e+000,2.0000000e+000]"),
)
"""For every type that a parameter can have and that a variable can hold."""

INPUT_ONLY: tuple[Trip, ...] = (
    Trip("text", "plain", None, "plain"),
    Trip("ntext", _UNICODE, None, _UNICODE),
    Trip("image", "0x0102", b"\x01\x02", "0x0102", "CONVERT(nvarchar(4000), CONVERT(varbinary(max), @v), 1)"),
    Trip("timestamp", "0x00000000000007D1", None, "0x00000000000007D1", _HEX),
)
"""The deprecated large types and rowversion cannot be OUTPUT, or not usefully: they go in only."""
