"""How a T-SQL statement is shown to the second parser: hints, namespaces and what it cannot read are left out."""

from __future__ import annotations

from .. import outline as shared
from ..reading import Reading
from . import words

_COMPARING = frozenset("<>=!|&^%")
_TABLE_SOURCE = frozenset(("from", "join", "apply", ","))


def _special(reading: Reading, index: int) -> tuple[str, int] | None:
    token = reading.tokens[index]
    key, following = token.key, reading.key(index + 1)
    if key == ";":
        return "", index + 1
    if key in ("option", "with") and following == "(":
        return "", reading.partner[index + 1] + 1
    if key == "with" and following == "xmlnamespaces" and reading.key(index + 2) == "(":
        closing = reading.partner[index + 2]
        return ("WITH", closing + 2) if reading.key(closing + 1) == "," else ("", closing + 1)
    if key == "for" and following in ("path", "xml", "json"):
        return "", index + 2 if following == "path" else _behind_options(reading, index)
    if key == "in" and following == "(" and not shared.holds_query(reading, index + 1):
        return "IN (1)", reading.partner[index + 1] + 1
    if key == "group" and following == "(" and reading.key(index + 2) == "graph":
        return "GROUP (ORDER BY 1)", reading.partner[index + 1] + 1
    if key == "::" and reading.key(index - 1) in _TABLE_SOURCE:
        return "", index + 1
    if key in _COMPARING:
        while reading.key(index) in _COMPARING:
            index += 1
        return "=", index
    return ("n", index + 1) if key.startswith("$") else None


def _behind_options(reading: Reading, index: int) -> int:
    """The index behind FOR XML or FOR JSON and its options."""
    while reading.key(index) not in ("", ";", "option", ")"):
        index = reading.partner[index] + 1 if reading.key(index) == "(" else index + 1
    return index


_OUTLINING = shared.Outlining((words.RESERVED - words.RESERVED_FUNCTIONS) | words.KEPT_GROUPS, _special)


def outline(reading: Reading) -> str:
    """The statement's outline."""
    return shared.outline(reading, _OUTLINING)
