"""The outline of a statement: what the second parser (sqlglot) is given to read.

Statements begin and end outside of parentheses, so what stands inside them matters only when it holds a query of its own.
Calls, hints and lists are replaced by stand-ins; literals and quoted names by short ones. That keeps the second opinion
quick, and keeps it from refusing reads only because it does not know a function's own syntax.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .reading import NAME, NUMBER, STRING, WORD, Reading

QUERY_WORDS = frozenset(("select", "with", "values", "table", "insert", "update", "delete", "merge", "into"))


@dataclass(frozen=True)
class Outlining:
    """What a dialect adds: words before a group that is kept whole, and ``special(reading, index)`` -> (text, next index) for
    tokens that need another stand-in (None: none)."""

    kept: frozenset[str]
    not_calls: frozenset[str]
    special: Callable[[Reading, int], tuple[str, int] | None]


def outline(reading: Reading, how: Outlining) -> str:
    """The outline as text."""
    pieces: list[str] = []
    index = 0
    while index < len(reading.tokens):
        replaced = how.special(reading, index) or _call(reading, index, how)
        piece, index = replaced or (_piece(reading, index), index + 1)
        pieces.append(piece)
    return " ".join(pieces)


def holds_query(reading: Reading, opening: int) -> bool:
    """True when the group that opens there has a word of a query anywhere inside."""
    return any(reading.tokens[index].key in QUERY_WORDS for index in range(opening, reading.partner[opening]))


def is_name_list(reading: Reading, opening: int) -> bool:
    """True for ``(a, b)``: names and commas only."""
    return all(
        reading.is_name(index) or reading.tokens[index].key == "," for index in range(opening + 1, reading.partner[opening])
    )


def _call(reading: Reading, index: int, how: Outlining) -> tuple[str, int] | None:
    token, opening = reading.tokens[index], index + 1
    if token.kind not in (WORD, NAME) or reading.key(opening) != "(":
        return None
    if token.key == "in" and not holds_query(reading, opening):
        return "IN (1)", reading.partner[opening] + 1
    if token.key in how.kept or token.key in how.not_calls:
        return None
    closing = reading.partner[opening]
    if closing - opening <= 2 or is_name_list(reading, opening) or holds_query(reading, opening):
        return None
    return ("f(a)" if reading.key(index - 1) == "as" else "f(1)"), closing + 1


def _piece(reading: Reading, index: int) -> str:
    token = reading.tokens[index]
    if token.kind == STRING:
        return "'s'"
    if token.kind == NUMBER:
        return "1"
    if token.kind == NAME:
        return '"n"'
    return reading.text[token.start : token.end]
