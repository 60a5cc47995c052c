"""Dates and times on their way to the database, as ISO 8601 text. Checked against the calendar here, because Python's own types
hold neither seven digits of a second nor the years before 1 and after 9999."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time

from ..dialects.conversions import Rule
from ..models import ParameterType
from .unfit import Unfit, shown

_DATE = r"(?P<year>\d{4,7})-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?"
_ZONE = r"(?P<zone> ?(?:[Zz]|[+-]\d\d(?::?\d\d(?::\d\d)?)?))?"
_ERA = r"(?P<era> ?[bB][cC])?"
_MOMENT = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}{_ZONE})?{_ERA}", re.ASCII)
_CLOCK = re.compile(rf"{_TIME}{_ZONE}", re.ASCII)
FARTHEST_OFFSET = 14 * 60
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class _Moment:
    year: int  # astronomical: 0 is 1 BC
    month: int
    day: int
    clock: str  # hh:mm:ss, empty without a time
    fraction: str  # without trailing zeros
    zone: str  # +hh:mm, or empty

    @property
    def day_text(self) -> str:
        return f"{self.year if self.year > 0 else 1 - self.year:04}-{self.month:02}-{self.day:02}"

    @property
    def era(self) -> str:
        return "" if self.year > 0 else " BC"


def day(value: object, kind: ParameterType, rule: Rule) -> str:
    """A date; one with a time of midnight is taken for its date."""
    word = _word(value, rule)
    if word:
        return word
    moment = _moment(value, "2024-12-31")
    if moment.clock not in ("", "00:00:00") or moment.fraction or moment.zone:
        raise Unfit(f"{shown(value)} has a time of day, and {kind.text} keeps only the date")
    _check_bounds(moment, value, kind, rule)
    return moment.day_text + moment.era


def timestamp(value: object, kind: ParameterType, rule: Rule) -> str:
    """A date with a time of day, and with the offset of its zone where the type keeps one."""
    word = _word(value, rule)
    if word:
        return word
    moment = _moment(value, "2024-12-31T23:59:59" + ("+02:00" if rule.offset else ""))
    _check_zone(moment.zone, value, kind, rule)
    _check_bounds(moment, value, kind, rule)
    if rule.whole_minutes and (moment.fraction or moment.clock[6:] not in ("", "00")):
        raise Unfit(f"{shown(value)} has seconds, and {kind.text} keeps whole minutes")
    fraction = _fraction(moment.fraction, value, kind, rule)
    return f"{moment.day_text}T{moment.clock or '00:00:00'}{fraction}{moment.zone}{moment.era}"


def time_of_day(value: object, kind: ParameterType, rule: Rule) -> str:
    """A time of day."""
    word = _word(value, rule)
    if word:
        return word
    text = value.isoformat() if isinstance(value, time) else value
    match = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise Unfit(f"{shown(value)} is not a time; write it as 23:59:59" + ("+02:00" if rule.offset else ""))
    zone = _zone(match, value)
    _check_zone(zone, value, kind, rule)
    fraction = _fraction((match["fraction"] or "").rstrip("0"), value, kind, rule)
    return _clock(match, value) + fraction + zone


def _word(value: object, rule: Rule) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip().lower() in rule.words else None


def _moment(value: object, example: str) -> _Moment:
    text = value.isoformat() if isinstance(value, (date, datetime)) else value
    match = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise Unfit(f"{shown(value)} is not a date in ISO 8601; write it as {example}")
    year = int(match["year"])
    if year == 0:
        raise Unfit(f"{shown(value)}: there is no year 0; the year before 1 is 0001 BC")
    year = 1 - year if match["era"] else year
    month, number = int(match["month"]), int(match["day"])
    _check_calendar(year, month, number, value)
    clock = _clock(match, value) if match["hour"] else ""
    return _Moment(year, month, number, clock, (match["fraction"] or "").rstrip("0"), _zone(match, value))


def _check_calendar(year: int, month: int, number: int, value: object) -> None:
    if not 1 <= month <= 12:
        raise Unfit(f"{shown(value)}: there is no month {month}")
    days = 29 if month == 2 and calendar.isleap(year) else _DAYS[month - 1]
    if not 1 <= number <= days:
        raise Unfit(f"{shown(value)}: {calendar.month_name[month]} of that year has {days} days")


def _clock(match: re.Match[str], value: object) -> str:
    hour, minute, second = match["hour"], match["minute"], match["second"] or "00"
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise Unfit(f"{shown(value)}: there is no time {hour}:{minute}:{second}")
    return f"{hour}:{minute}:{second}"


def _zone(match: re.Match[str], value: object) -> str:
    text = (match["zone"] or "").strip().upper()
    if not text:
        return ""
    if text == "Z":
        return "+00:00"
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:4])
    if len(digits) > 4 and int(digits[4:]):
        raise Unfit(f"{shown(value)}: an offset has whole minutes")
    if minutes > 59 or hours * 60 + minutes > FARTHEST_OFFSET:
        raise Unfit(f"{shown(value)}: there is no offset {text}")
    return f"{text[0]}{digits[:2]}:{digits[2:4]}"


def _check_zone(zone: str, value: object, kind: ParameterType, rule: Rule) -> None:
    if zone and not rule.offset:
        raise Unfit(f"{shown(value)} has an offset, and {kind.text} keeps none; convert it first")
    if rule.offset and not zone:
        raise Unfit(f"{shown(value)} has no offset; {kind.text} needs one, such as Z or +02:00")


def _check_bounds(moment: _Moment, value: object, kind: ParameterType, rule: Rule) -> None:
    if not rule.first <= (moment.year, moment.month, moment.day) <= rule.last:
        raise Unfit(f"{shown(value)} is out of range: {kind.text} goes from {_bound(rule.first)} to {_bound(rule.last)}")


def _bound(bound: tuple[int, int, int]) -> str:
    moment = _Moment(*bound, "", "", "")
    return moment.day_text + moment.era


def _fraction(digits: str, value: object, kind: ParameterType, rule: Rule) -> str:
    keeps = kind.scale if kind.scale is not None else rule.digits or 0
    if len(digits) > keeps:
        raise Unfit(f"{shown(value)} has {len(digits)} digits of a second's fraction, and {kind.text} keeps {keeps}")
    return f".{digits}" if digits else ""
