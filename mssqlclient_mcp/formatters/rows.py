"""Rows as text and as structured content, cut to a budget of characters in one pass."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..models import Column, Row, TruncatedBy
from .values import cell_text, json_value, plain_text

CELL_CUT_MARK = "… [cut: {length} characters in all]"


@dataclass(frozen=True)
class Table:
    """Rows ready to be sent: ``lines`` of comma-separated text and the same rows as JSON values."""

    header: str
    lines: list[str]
    rows: list[list[object]]
    truncated_by: TruncatedBy | None

    @property
    def text(self) -> str:
        """Header and rows."""
        return "\n".join([self.header, *self.lines])


def table(columns: Sequence[Column], rows: Iterable[Row], *, budget: int, truncated_by: TruncatedBy | None = None) -> Table:
    """As many rows as fit into ``budget`` characters of text, at least one; a first row that is too long has its longest
    cells cut, visibly."""
    header = ",".join(cell_text(column.name) for column in columns)
    lines: list[str] = []
    values: list[list[object]] = []
    left = budget - len(header)
    for row in rows:
        line = _line(row)
        left -= len(line) + 1
        if left < 0:
            truncated_by = TruncatedBy.BYTES
            if lines:
                break
            cut = _cut_cells(row, budget)
            return Table(header, [_line(cut)], [_values(cut)], truncated_by)
        lines.append(line)
        values.append(_values(row))
    return Table(header, lines, values, truncated_by)


def column_list(columns: Iterable[Column]) -> list[dict[str, str]]:
    """Columns as structured content."""
    return [{"name": column.name, "type": column.type} for column in columns]


def fenced(text: str) -> str:
    """Data between two marks that the data cannot know, for it may hold words that look like instructions."""
    mark = f"data-{secrets.token_hex(4)}"
    return f"<{mark}>\n{text}\n</{mark}>"


def _line(row: Row) -> str:
    return ",".join([cell_text(value) for value in row])


def _values(row: Row) -> list[object]:
    return [json_value(value) for value in row]


def _cut_cells(row: Row, budget: int) -> Row:
    share = max(100, budget // max(1, len(row)))
    return tuple(_cut_cell(value, share) for value in row)


def _cut_cell(value: object, length: int) -> object:
    text = value if isinstance(value, str) else None if value is None else plain_text(value)
    if text is None or len(text) <= length:
        return value
    return text[:length] + CELL_CUT_MARK.format(length=len(text))
