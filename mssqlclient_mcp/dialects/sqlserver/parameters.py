"""Values on their way to ODBC: what a driver would lose or refuse is turned into what it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from ...errors import InvalidParameter

_LARGEST_BIGINT = 2**63 - 1
_SMALLEST_BIGINT = -(2**63)
_MOST_DIGITS = 38  # of decimal and numeric

# Whatever may hide a "?" from the server: strings, quoted names, comments (the opening of a nested one apart).
_PIECE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\[(?:[^\]]|\]\])*\]|--[^\r\n]*|/\*|\?""")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def bind(sql: str, parameters: Sequence[object]) -> tuple[str, list[object]]:
    """The text and the values to send. Raises InvalidParameter for a value that SQL Server cannot hold.

    None is written as NULL in place of its marker: a driver that cannot ask for the parameter's type binds it as varchar,
    which the server refuses for binary ones, and Microsoft's pays a round trip to ask.
    """
    values = [_value(value, position) for position, value in enumerate(parameters, start=1)]
    if all(value is not None for value in values):
        return sql, values
    markers = marker_positions(sql)
    if len(markers) != len(values):
        raise InvalidParameter(f"The query has {len(markers)} parameter markers, but {len(values)} values were given.")
    pieces, last = [], 0
    for position, value in zip(markers, values, strict=True):
        if value is None:
            pieces += [sql[last:position], "NULL"]
            last = position + 1
    return "".join([*pieces, sql[last:]]), [value for value in values if value is not None]


def marker_positions(sql: str) -> list[int]:
    """Where the ``?`` markers stand: those outside strings, quoted names and comments (T-SQL's comments nest)."""
    positions, at = [], 0
    while match := _PIECE.search(sql, at):
        at = match.end()
        if match[0] == "?":
            positions.append(match.start())
        elif match[0] == "/*":
            at = _end_of_comment(sql, at)
    return positions


def _end_of_comment(sql: str, at: int) -> int:
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(sql, at)):
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return len(sql) if depth else at


def _value(value: object, position: int) -> object:
    if value is None or (isinstance(value, (bool, bytes, date)) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str):
        return _text(value, position)
    if isinstance(value, int):
        return value if _SMALLEST_BIGINT <= value <= _LARGEST_BIGINT else _decimal(Decimal(value), position)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidParameter(f"Parameter {position} is {value}, which SQL Server's float cannot hold.")
        return value
    if isinstance(value, Decimal):
        return _decimal(value, position)
    if isinstance(value, datetime):
        # The driver would drop the offset of an aware one; as text the server converts it whole.
        return value.isoformat(sep=" ") if value.tzinfo is not None else value
    if isinstance(value, (time, UUID)):
        return str(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise InvalidParameter(f"Parameter {position} is a {type(value).__name__}, which SQL Server has no type for.")


def _text(value: str, position: int) -> str:
    try:
        value.encode("utf-16-le")
    except UnicodeEncodeError as error:
        raise InvalidParameter(f"Parameter {position} holds half a surrogate pair, which is no character.") from error
    return value


def _decimal(value: Decimal, position: int) -> Decimal:
    if not value.is_finite():
        raise InvalidParameter(f"Parameter {position} is {value}, which SQL Server's decimal cannot hold.")
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    before, behind = max(len(digits) + exponent, 0), max(-exponent, 0)
    if before + behind > _MOST_DIGITS:
        raise InvalidParameter(f"Parameter {position} has more than the {_MOST_DIGITS} digits of SQL Server's decimal.")
    return value
