"""Statements put together from fragments: reads and dangers, nested in one another and disguised.

About half of them hold no danger at all, or hold it where it is only text: those show that the gate lets reads through.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from .fragments import (
    DANGEROUS_FRAMES,
    DANGEROUS_QUERIES,
    DANGEROUS_VALUES,
    DISGUISED,
    FRAMES,
    NAMES,
    QUERIES,
    SPACES,
    VALUES,
)

Draw = Callable[[st.SearchStrategy[str]], str]

DEEPEST = 3


@st.composite
def statements(draw: Draw, canary: str) -> str:
    """One statement as text."""
    danger = draw(st.sampled_from(("none", "none", "none", "value", "query", "frame")))
    frame = draw(st.sampled_from(DANGEROUS_FRAMES if danger in ("query", "frame") else FRAMES))
    text = _filled(draw, frame, danger == "value", 0)
    return _disguised(draw, text.replace("{canary}", canary))


def _filled(draw: Draw, text: str, dangerous: bool, depth: int) -> str:
    for slot, pick in (("{q}", _query), ("{d}", _danger), ("{one}", _one), ("{v}", _value), ("{c}", _constant), ("{n}", _name)):
        while slot in text:
            text = text.replace(slot, pick(draw, dangerous, depth + 1), 1)
    return text


def _query(draw: Draw, dangerous: bool, depth: int) -> str:
    return _filled(draw, draw(st.sampled_from(QUERIES if depth < DEEPEST else QUERIES[:3])), dangerous, depth)


def _danger(draw: Draw, dangerous: bool, depth: int) -> str:
    return _filled(draw, draw(st.sampled_from(DANGEROUS_QUERIES)), dangerous, depth)


def _value(draw: Draw, dangerous: bool, depth: int) -> str:
    return draw(st.sampled_from(DANGEROUS_VALUES if dangerous else NAMES + VALUES))


def _constant(draw: Draw, dangerous: bool, depth: int) -> str:
    return draw(st.sampled_from(DANGEROUS_VALUES if dangerous else VALUES[:12]))


def _name(draw: Draw, dangerous: bool, depth: int) -> str:
    return draw(st.sampled_from(NAMES))


def _one(draw: Draw, dangerous: bool, depth: int) -> str:
    return f"SELECT {_value(draw, dangerous, depth)} FROM t LIMIT 1"


def _disguised(draw: Draw, text: str) -> str:
    for name in DISGUISED:
        if name in text and draw(st.sampled_from("ynn")) == "y":
            text = text.replace(name, draw(st.sampled_from(_spellings(name))))
    if draw(st.sampled_from("ynnn")) == "y":
        text = draw(st.sampled_from((text.upper(), text.swapcase(), text.lower())))
    for _ in range(int(draw(st.sampled_from("00123")))):
        text = _respaced(text, int(draw(st.sampled_from("0123456789"))), draw(st.sampled_from(SPACES)))
    return text


def _spellings(name: str) -> tuple[str, ...]:
    first, rest = ord(name[0]), name[1:]
    escaped = f'U&"\\{first:04x}{rest}"'
    return (
        f'"{name}"',
        name.upper(),
        f"pg_catalog.{name}",
        escaped,
        f'pg_catalog . "{name}"',
        f"{name} ",
        escaped.replace("\\", "!") + " UESCAPE '!'",
        f"/**/{name}/**/",
        name.replace("i", "\u0131"),
        f'u&"\\+{first:06x}{rest}"',
    )


def _respaced(text: str, number: int, space: str) -> str:
    places = [index for index, sign in enumerate(text) if sign == " "]
    if not places:
        return text
    place = places[number * 7919 % len(places)]
    return text[:place] + space + text[place + 1 :]
