"""Numbers on their way to the database: whole ones, decimals, floats, and yes or no. Decimals never meet a float."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from ..dialects.conversions import Rule
from ..models import ParameterType
from .unfit import Unfit, shown

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
MOST_DIGITS = 140_000  # PostgreSQL's numeric: 131072 digits before the point, 16383 behind it


def boolean(value: object, _: ParameterType, __: Rule) -> bool:
    """true and false, 1 and 0, and the words people write for them."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value)
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Unfit(f"{shown(value)} is neither true nor false")


def integer(value: object, kind: ParameterType, rule: Rule) -> int:
    """A whole number within the type's range; ``5.0`` is 5, ``5.5`` is refused."""
    if isinstance(value, bool):
        raise Unfit(f"{shown(value)} is not a whole number")
    number = _decimal(value, "a whole number")
    if not number.is_finite() or number != number.to_integral_value():
        raise Unfit(f"{shown(value)} is not a whole number")
    _check_range(number, kind, rule)
    return int(number)


def decimal(value: object, kind: ParameterType, rule: Rule) -> str:
    """A decimal as plain digits. Refused rather than rounded: more digits behind the point than the type keeps."""
    word = _word(value, rule)
    if word is not None:
        return word
    number = _decimal(value, "a number")
    if not number.is_finite():
        raise Unfit(f"{shown(value)} is not a finite number")
    _check_range(number, kind, rule)
    scale = kind.scale if kind.scale is not None else rule.digits
    _check_digits(number, value, kind, scale)
    return format(number, "f")


def floating(value: object, kind: ParameterType, rule: Rule) -> float | str:
    """The nearest float. A word such as NaN stays a word, where the type has it."""
    word = _word(value, rule)
    if word is not None:
        return word
    number = _decimal(value, "a number")
    if not number.is_finite():
        raise Unfit(f"{shown(value)} is not a finite number")
    _check_range(number, kind, rule)
    return float(number)


def _word(value: object, rule: Rule) -> str | None:
    """``NaN`` and its like written as text; a float that is none is refused with the text to write instead."""
    if isinstance(value, float) and not math.isfinite(value) and rule.words:
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str) and value.strip().lower() in rule.words:
        return value.strip()
    return None


def _decimal(value: object, what: str) -> Decimal:
    if isinstance(value, bool):
        raise Unfit(f"{shown(value)} is not {what}")
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))  # the digits that were written, not those of the nearest double
    if isinstance(value, str):
        text = value.strip()
        if not text:
            raise Unfit(f"an empty text is not {what}; write null for no value")
        if _NUMBER.fullmatch(text) and len(text) <= MOST_DIGITS:
            return Decimal(text)
    raise Unfit(f"{shown(value)} is not {what}")


def _check_range(number: Decimal, kind: ParameterType, rule: Rule) -> None:
    if (rule.low is not None and number < rule.low) or (rule.high is not None and number > rule.high):
        raise Unfit(f"{shown(_plain(number))} is out of range: {kind.text} goes from {rule.low} to {rule.high}")


def _plain(number: Decimal) -> object:
    return int(number) if number == number.to_integral_value() and number.adjusted() < 40 else number


def _check_digits(number: Decimal, value: object, kind: ParameterType, scale: int | None) -> None:
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    digits, exponent = _without_zeros(digits, exponent)
    if scale is not None and -exponent > scale:
        raise Unfit(f"{shown(value)} has {-exponent} digits behind the point, and {kind.text} keeps {scale}")
    before = len(digits) + exponent
    if kind.precision is not None and scale is not None and any(digits) and before > kind.precision - scale:
        raise Unfit(f"{shown(value)} is too large: {kind.text} has {kind.precision - scale} digits before the point")


def _without_zeros(digits: tuple[int, ...], exponent: int) -> tuple[tuple[int, ...], int]:
    """Trailing zeros say nothing about the value."""
    last = len(digits)
    while last > 1 and digits[last - 1] == 0:
        last -= 1
    return digits[:last], exponent + len(digits) - last if any(digits) else 0
