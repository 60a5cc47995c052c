"""How a PostgreSQL statement is shown to the second parser, and what that shares with the rules."""

from __future__ import annotations

from .. import outline as shared
from ..reading import MARK, NAME, NO_GROUP, STRING, WORD, Reading
from . import words


def query_start(reading: Reading) -> int:
    """The index of the query's first token: the statement's own, or the first behind EXPLAIN and its options."""
    if reading.key(0) != "explain":
        return 0
    if reading.key(1) == "(" and reading.key(2) in words.EXPLAIN_OPTIONS:
        return reading.partner[1] + 1
    index = 1
    while reading.key(index) in ("analyze", "analyse", "verbose"):
        index += 1
    return index


def is_change(reading: Reading, index: int) -> bool:
    """True where INSERT, UPDATE, DELETE or MERGE is the verb and no name: followed by what it works on."""
    if _is_operand(reading, index):
        return False
    key, following = reading.key(index), reading.at(index + 1)
    if key == "update":
        return following.kind in (WORD, NAME)
    return following.key == ("from" if key == "delete" else "into")


def _is_operand(reading: Reading, index: int) -> bool:
    """True where a word can only be a column or a label: behind a dot, an operator, a comma or a keyword that wants one."""
    before = reading.at(index - 1)
    if index and before.kind == MARK and before.key not in (")", "(", "]", "$", ";"):
        return True
    if before.key in ("by", "between") and reading.key(index - 2) in ("set", "using"):
        return False  # there it is the name of a column that SEARCH or CYCLE adds
    return before.key in words.BEFORE_OPERAND and before.kind == WORD


def _special(reading: Reading, index: int) -> tuple[str, int] | None:
    key = reading.tokens[index].key
    if key == ";":
        return "", index + 1
    if key == "in" and reading.key(index + 1) == "(" and not shared.holds_query(reading, index + 1):
        return "IN (1)", reading.partner[index + 1] + 1
    if index == 0 and key == "explain":
        return "", query_start(reading)
    for stand_in in (_operator, _brackets, _typed, _word):
        if replaced := stand_in(reading, index):
            return replaced
    return None


def _operator(reading: Reading, index: int) -> tuple[str, int] | None:
    key = reading.tokens[index].key
    if key == "using" and reading.key(index + 1) in words.OPERATOR_SIGNS:  # ORDER BY a USING >
        while reading.key(index + 1) in words.OPERATOR_SIGNS:
            index += 1
        return "", index + 1
    if key == "operator" and reading.key(index + 1) == "(":
        return "-", reading.partner[index + 1] + 1
    end = index
    while reading.key(end) in words.OPERATOR_SIGNS:
        end += 1
    if end == index or (end == index + 1 and key in "*=<>"):
        return None
    return "-", end


def _brackets(reading: Reading, index: int) -> tuple[str, int] | None:
    if reading.key(index) == "[":
        return "", reading.partner[index] + 1
    if reading.key(index) == "array" and reading.key(index + 1) == "[":
        return "a", reading.partner[index + 1] + 1
    return None


def _typed(reading: Reading, index: int) -> tuple[str, int] | None:
    """Lengths of types behind ``::``, the ``AS (a int)`` of functions that return records, ``USING (id) AS j``."""
    if reading.key(index) == "(":
        first = reading.chain_start(index - 1) if reading.is_name(index - 1) else index
        if reading.key(first - 1) == "::":
            return "", reading.partner[index] + 1
        if (
            reading.key(index - 1) == "as"
            and reading.key(index - 2) == ")"
            and reading.key(index + 1) not in words.QUERY_STARTS | words.CHANGES | {"("}
        ):
            return "f (a)", reading.partner[index] + 1
    closed = reading.partner.get(index - 1, NO_GROUP) if reading.key(index - 1) == ")" else NO_GROUP
    if reading.key(index) == "as" and closed > 0 and reading.key(closed - 1) == "using":
        return "", index + 2
    return None


def _word(reading: Reading, index: int) -> tuple[str, int] | None:
    token = reading.tokens[index]
    if token.kind != WORD:
        return None
    if token.key in words.CHANGES or token.key in ("returning", "copy", "lock"):
        harmless = not is_change(reading, index)
        return ('"n"', index + 1) if harmless else None
    if token.key == "at" and reading.key(index + 1) == "local":
        return "", index + 2
    if reading.kind(index + 1) == STRING and token.key not in words.BEFORE_STRINGS:
        return "'s'", index + 2
    if token.key == "collation" and reading.key(index + 1) == "for":
        return "f", index + 2
    if token.key == "table" and reading.key(index - 1) in ("", "(", ")", "explain", "union", "all", "except", "intersect"):
        return "SELECT * FROM", index + 1
    return None


_OUTLINING = shared.Outlining(words.NOT_CALLS | words.KEPT_GROUPS, _special)


def outline(reading: Reading) -> str:
    """The statement's outline; empty for SHOW, which has nothing to read."""
    return "" if reading.key(0) == "show" else shared.outline(reading, _OUTLINING)
