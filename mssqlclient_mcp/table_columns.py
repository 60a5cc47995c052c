"""The columns of a readable table by the names that a client writes, and the problems with these names."""

from __future__ import annotations

from collections.abc import Sequence

from .dialects.selects import Ability, ReadableColumn, ReadableTable
from .structured_requests import nearest

NEEDS = {
    Ability.COMPARED: "values that can be compared",
    Ability.ORDERED: "values that have an order",
    Ability.MATCHED: "a text column",
    Ability.EXTREMES: "numbers, texts, dates or times",
    Ability.TOTALLED: "numbers",
}

_CLOSING = {"[": "]", '"': '"', "`": "`"}


class TableColumns:
    """Finds columns; what is wrong goes into ``problems`` by its path. ``unknown`` tells whether a name was not found, and
    ``nearest`` which columns may have been meant."""

    def __init__(self, table: ReadableTable, problems: list[str]) -> None:
        self.table = table
        self.problems = problems
        self.unknown = False
        self.nearest: list[str] = []

    def note(self, path: str, what: str) -> None:
        """Note a problem."""
        self.problems.append(f"{path}: {what}")

    def find(self, written: str) -> ReadableColumn | None:
        """The column of that very name, else the only one that differs by case; quotes or brackets around it may be left."""
        for name in (written, _bare(written)):
            exact = [column for column in self.table.columns if column.name == name]
            alike = exact or [column for column in self.table.columns if column.name.lower() == name.lower()]
            if len(alike) == 1:
                return alike[0]
        return None

    def column(self, written: str, path: str, ability: Ability | None = None) -> ReadableColumn | None:
        """The column, or None with the problem noted."""
        column = self.find(written)
        if column is None:
            self.note(path, self._missing(written))
        elif ability is not None and ability not in column.abilities:
            self.note(path, f"needs {NEEDS[ability]}; {told(column)}")
            return None
        return column

    def columns(self, written: Sequence[str], path: str, ability: Ability | None = None) -> list[ReadableColumn]:
        """The columns of a list, each once."""
        found: list[ReadableColumn] = []
        for place, name in enumerate(written):
            column = self.column(name, f"{path}[{place}]", ability)
            if column in found:
                self.note(f"{path}[{place}]", f"{name!r} stands there twice")
            elif column is not None:
                found.append(column)
        return found

    def _missing(self, written: str) -> str:
        self.unknown = True
        alike = [column.name for column in self.table.columns if column.name.lower() == written.lower()]
        if alike:
            return f"{written!r} can be {' or '.join(map(repr, alike))}: write it as the table does"
        if written in self.table.hidden:
            return f"this login may not read {written!r} of {self.table.name}"
        near = nearest(written, [column.name for column in self.table.columns])
        if near is None:
            return f"there is no column {written!r} in {self.table.name}"
        self.nearest += [near] if near not in self.nearest else []
        return f"there is no column {written!r} in {self.table.name}; did you mean {near!r}?"


def told(column: ReadableColumn) -> str:
    """``age is integer``."""
    return f"{column.name} is {column.sql_type}"


def _bare(written: str) -> str:
    """A name without the quotes or brackets around it."""
    closing = _CLOSING.get(written[:1])
    if closing is None or len(written) < 3 or not written.endswith(closing):
        return written
    return written[1:-1].replace(closing * 2, closing)
