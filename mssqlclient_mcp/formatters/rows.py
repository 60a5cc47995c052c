"""Rows as text and as structured content, cut to a budget of characters in one pass."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import is_

from ..models import Column, Row, TruncatedBy
from .columns import rendered
from .values import cell_text, plain_text

BATCH_ROWS = 256
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
    for batch in _batches(rows):
        new_lines, new_values = _rendered(batch)
        fit, left = _fitting(new_lines, left)
        lines += new_lines[:fit]
        values += new_values[:fit]
        if fit < len(new_lines):
            truncated_by = TruncatedBy.BYTES
            if not lines:
                lines, values = _rendered([_cut_cells(batch[0], budget)])
            break
    return Table(header, lines, values, truncated_by)


def lines_of(columns: Sequence[Sequence[object]]) -> Iterator[str]:
    """Rows, given as columns, as lines of comma-separated text."""
    for start in range(0, len(columns[0]), BATCH_ROWS):
        cells = [rendered(column[start : start + BATCH_ROWS])[0] for column in columns]
        yield from map(",".join, zip(*cells, strict=True))


def column_list(columns: Iterable[Column]) -> list[dict[str, str]]:
    """Columns as structured content."""
    return [{"name": column.name, "type": column.type} for column in columns]


def fenced(text: str) -> str:
    """Data between two marks that the data cannot know, for it may hold words that look like instructions."""
    mark = f"data-{secrets.token_hex(4)}"
    return f"<{mark}>\n{text}\n</{mark}>"


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in pieces, so that no more than a piece is rendered beyond what fits."""
    source = iter(rows)
    while batch := list(islice(source, BATCH_ROWS)):
        yield batch


def _rendered(rows: Sequence[Row]) -> tuple[list[str], list[list[object]]]:
    """Rows as lines of comma-separated text and as JSON values, rendered column by column."""
    columns = list(zip(*rows, strict=True))
    if not columns:
        return [""] * len(rows), [[] for _ in rows]
    cells, content = zip(*map(rendered, columns), strict=True)
    as_they_are = all(map(is_, content, columns))
    return list(map(",".join, zip(*cells, strict=True))), list(map(list, rows if as_they_are else zip(*content, strict=True)))


def _fitting(lines: Sequence[str], left: int) -> tuple[int, int]:
    """How many of the lines fit, each with its line break, and how many characters are then left."""
    whole = left - sum(map(len, lines)) - len(lines)
    if whole >= 0:
        return len(lines), whole
    for number, line in enumerate(lines):
        if left < len(line) + 1:
            return number, left
        left -= len(line) + 1
    return len(lines), left


def _cut_cells(row: Row, budget: int) -> Row:
    share = max(100, budget // max(1, len(row)))
    return tuple(cut_value(value, share) for value in row)


def cut_value(value: object, length: int) -> object:
    """The value, or the beginning of its text when that is longer, with a mark that says so."""
    text = value if isinstance(value, str) else None if value is None else plain_text(value)
    if text is None or len(text) <= length:
        return value
    return text[:length] + CELL_CUT_MARK.format(length=len(text))
