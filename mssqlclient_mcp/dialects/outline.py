"""The outline of a statement: what the second parser (sqlglot) is given to read.

Statements begin and end outside of parentheses, so what stands inside them matters only when it holds a query of its own.
Calls, hints and lists are replaced by one name, and so are chains of operands (``a.b = c AND d < 5`` becomes ``n``). That keeps
the second opinion quick, and keeps it from refusing reads only because it does not know a function's own syntax.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .reading import NAME, NUMBER, STRING, WORD, Reading

QUERY_WORDS = frozenset(("select", "with", "values", "table", "insert", "update", "delete", "merge", "into"))
_INFIX_WORDS = frozenset(("and", "or", "like", "ilike", "between", "escape"))
_INFIX_SIGNS = frozenset("+-*/%<>=!|&^~@#?,") | {"=>", ":="}
_BEFORE_SOLE_OPERANDS = frozenset(("as", "between", "symmetric", "asymmetric"))
_BEHIND_AGGREGATES = frozenset(("over", "within", "filter", "ignore", "respect"))
# Words that begin something longer than an operand.
_LONGER = frozenset((
    "all", "any", "array", "bit", "case", "character", "distinct", "double", "exists", "interval", "lateral", "national", "not",
    "only", "rows", "some", "time", "timestamp", "unique", "variadic",
))  # fmt: skip

Replacement = tuple[str, int]


@dataclass(frozen=True)
class Outlining:
    """What a dialect adds: ``keywords`` are no operands, and a group behind one is kept; ``special(reading, index)`` gives
    the text for tokens that need another stand-in and the index behind them, or None."""

    keywords: frozenset[str]
    special: Callable[[Reading, int], Replacement | None]


def outline(reading: Reading, how: Outlining) -> str:
    """The outline as text."""
    pieces: list[str] = []
    index, after_operand = 0, False
    while index < len(reading.tokens):
        if replaced := how.special(reading, index):
            piece, index = replaced
            after_operand = after_operand and not piece
        elif operand := _operand(reading, index, how):
            fresh = not after_operand and reading.key(index - 1) not in _BEFORE_SOLE_OPERANDS
            piece, index = operand
            if fresh:
                index = _swallow(reading, index, how)
            after_operand = True
        else:
            token = reading.tokens[index]
            piece, index = _piece(reading, index), index + 1
            after_operand = token.key in (")", "]")
        pieces.append(piece)
    return " ".join(pieces)


def holds_query(reading: Reading, opening: int) -> bool:
    """True when the group that opens there has a word of a query anywhere inside."""
    return any(reading.tokens[index].key in QUERY_WORDS for index in range(opening, reading.partner[opening]))


def _swallow(reading: Reading, index: int, how: Outlining) -> int:
    """The index behind all ``operator operand`` and ``, operand`` that follow."""
    while True:
        behind = index
        while reading.key(behind) in _INFIX_SIGNS:
            behind += 1
        if behind == index:
            negated = reading.key(index) == "not" and reading.key(index + 1) in ("like", "ilike", "between")
            behind += 2 if negated else reading.key(index) in _INFIX_WORDS
        if behind in (index, len(reading.tokens)) or reading.key(behind) in _LONGER or how.special(reading, behind):
            return index
        operand = _operand(reading, behind, how)
        if operand is None or reading.kind(operand[1]) == STRING or reading.key(operand[1]) in _BEHIND_AGGREGATES:
            return index
        index = operand[1]


def _operand(reading: Reading, index: int, how: Outlining) -> Replacement | None:
    """A literal, a parameter, or a dotted name with its call and what ``::`` adds; None when something else begins here."""
    kind = reading.kind(index)
    if kind in (STRING, NUMBER):
        return _piece(reading, index), index + 1
    if reading.key(index) == "$":  # a parameter, such as $1
        return "1", index + 1
    if kind not in (WORD, NAME) or reading.key(index) in how.keywords:
        return None
    end = _behind_name(reading, index)
    if reading.key(end) == "(" and reading.key(index) != "apply":
        return "f", end
    while reading.key(end) == "::" and reading.is_name(end + 1):
        end = _behind_type(reading, _behind_name(reading, end + 1))
    if end == index + 1:
        return _piece(reading, index), end
    if reading.key(end) in _BEHIND_AGGREGATES or reading.key(index - 2) == "pivot":
        return "count(n)", end
    return ("n.*" if reading.key(end - 1) == "*" else "n"), end


def _behind_type(reading: Reading, index: int) -> int:
    """The index behind the further words that a type's name may have."""
    if reading.key(index) in ("with", "without") and reading.key(index + 1) == "time":
        index += 3
    elif reading.key(index) in ("precision", "varying"):
        index += 1
    while reading.key(index) in ("(", "["):
        index = reading.partner[index] + 1
    return index


def _behind_name(reading: Reading, index: int) -> int:
    index += 1
    while True:
        key = reading.key(index)
        if key == "." and (reading.is_name(index + 1) or reading.key(index + 1) in (".", "*")):
            index += 1 if reading.key(index + 1) == "." else 2
        elif key == "[" or (key == "(" and not holds_query(reading, index)):
            index = reading.partner[index] + 1
        else:
            return index


def _piece(reading: Reading, index: int) -> str:
    token = reading.tokens[index]
    if token.kind == STRING:
        return "'s'"
    if token.kind == NUMBER:
        return "1"
    if token.kind == NAME:
        return '"n"'
    return reading.text[token.start : token.end]
