"""One value of a result, as JSON and as text. Nothing is lost: no digit, no zone offset, no byte."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

SAFE_INTEGER = 2**53 - 1
"""The largest integer that a JSON reader with doubles holds exactly (RFC 8259, section 6); beyond it, text."""

MUST_QUOTE = frozenset(',"\n\r')


def json_value(value: object) -> object:
    """A value as JSON: numbers only where a double holds them exactly, decimals and larger integers as text, bytes as
    ``0x`` and hex digits, times as ISO 8601, arrays as arrays."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)  # type: ignore[operator]
    if kind is float:
        return value if math.isfinite(value) else _float_text(value)  # type: ignore[arg-type]
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    return plain_text(value)


def counted(count: int, many: str, one: str) -> str:
    """``3 indexes``, ``1 index``."""
    return f"{count} {one if count == 1 else many}"


def plain_text(value: object) -> str:
    """A value as text, without quoting."""
    render = _TEXT.get(type(value))
    return render(value) if render is not None else str(value)


def cell_text(value: object) -> str:
    """A value as a cell of comma-separated text: NULL stands bare, and text that could be mistaken is quoted (RFC 4180)."""
    if value is None:
        return "NULL"
    text = value if type(value) is str else plain_text(value)
    if not text or text == "NULL" or not MUST_QUOTE.isdisjoint(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _bytes_text(value: bytes) -> str:
    return "0x" + bytes(value).hex().upper()


def _array_text(value: object) -> str:
    return json.dumps(json_value(value), ensure_ascii=False)


_TEXT: dict[type, Callable[..., str]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float_text,
    Decimal: str,
    bytes: _bytes_text,
    bytearray: _bytes_text,
    memoryview: _bytes_text,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: str,
    UUID: str,
    list: _array_text,
    tuple: _array_text,
    dict: lambda value: json.dumps(value, ensure_ascii=False),
}
