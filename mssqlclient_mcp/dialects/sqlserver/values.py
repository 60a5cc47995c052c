"""Values on their way from ODBC: the types pyodbc cannot read, and the digits it would drop.

With a converter pyodbc hands over the driver's C structure as bytes (SQL_C_BINARY). The structures are those of "Enhanced
Date and Time Type Behavior" and sqltypes.h; all fractions are nanoseconds.
"""

from __future__ import annotations

import struct
from datetime import date, datetime, time, timedelta, timezone

from .odbc import SQL_SS_TIME2, SQL_SS_TIMESTAMPOFFSET, SQL_SS_UDT, SQL_TYPE_TIMESTAMP, Converter, Description

_TIMESTAMP = struct.Struct("=hHHHHHI")  # SQL_TIMESTAMP_STRUCT
_TIMESTAMP_OFFSET = struct.Struct("=hHHHHHIhh")  # SQL_SS_TIMESTAMPOFFSET_STRUCT
_TIME2 = struct.Struct("=HHHxxI")  # SQL_SS_TIME2_STRUCT, padded before the fraction
_MICROSECOND_DIGITS = 6  # Python keeps no more; SQL Server's time types have up to 7


def timestamp_offset(raw: bytes) -> object:
    """A datetimeoffset: an aware datetime, or ISO 8601 text when its seventh digit would be lost."""
    year, month, day, hour, minute, second, nanos, zone_hours, zone_minutes = _TIMESTAMP_OFFSET.unpack(raw)
    zone = timezone(timedelta(hours=zone_hours, minutes=zone_minutes))
    exact = datetime(year, month, day, hour, minute, second, nanos // 1000, tzinfo=zone)
    if not nanos % 1000:
        return exact
    return f"{_seconds(exact.replace(tzinfo=None), nanos)}{exact.isoformat()[-6:]}"


def timestamp(raw: bytes) -> object:
    """A datetime2: a datetime, or ISO 8601 text when its seventh digit would be lost."""
    if len(raw) != _TIMESTAMP.size:
        return _older_datetime(raw)
    year, month, day, hour, minute, second, nanos = _TIMESTAMP.unpack(raw)
    exact = datetime(year, month, day, hour, minute, second, nanos // 1000)
    return _seconds(exact, nanos) if nanos % 1000 else exact


def time_of_day(raw: bytes) -> object:
    """A time: a time, or ISO 8601 text when its seventh digit would be lost."""
    hour, minute, second, nanos = _TIME2.unpack(raw)
    if not nanos % 1000:
        return time(hour, minute, second, nanos // 1000)
    return f"{hour:02}:{minute:02}:{second:02}.{nanos // 100:07}"


def raw_bytes(raw: bytes) -> object:
    """A CLR type (hierarchyid, geometry, geography): its serialised bytes."""
    return bytes(raw)


def converters_for(description: Description) -> dict[int, Converter]:
    """The converters that the columns of a result need; most need none, and then values come at the driver's full speed.

    pyodbc describes what it cannot read as bytearray. A converter for the common timestamp is costly, so it is set only
    where a seventh digit can be.
    """
    wanted: dict[int, Converter] = {}
    for _, kind, _, _, _, scale, _ in description:
        if kind is bytearray:
            wanted[SQL_SS_TIMESTAMPOFFSET] = timestamp_offset
            wanted[SQL_SS_UDT] = raw_bytes
        elif scale > _MICROSECOND_DIGITS and kind is datetime:
            wanted[SQL_TYPE_TIMESTAMP] = timestamp
        elif scale > _MICROSECOND_DIGITS and kind is time:
            wanted[SQL_SS_TIME2] = time_of_day
    return wanted


def _seconds(moment: datetime, nanos: int) -> str:
    return f"{moment.replace(microsecond=0).isoformat()}.{nanos // 100:07}"


def _older_datetime(raw: bytes) -> object:
    """datetime (days since 1900 and 1/300 s) and smalldatetime (days and minutes) as they travel on the wire: FreeTDS
    hands these over as they are."""
    start = datetime.combine(date(1900, 1, 1), time())
    if len(raw) == 4:
        days, minutes = struct.unpack("=HH", raw)
        return start + timedelta(days=days, minutes=minutes)
    days, ticks = struct.unpack("=iI", raw)
    return start + timedelta(days=days, milliseconds=(ticks * 10 + 1) // 3)
