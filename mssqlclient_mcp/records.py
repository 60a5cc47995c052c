"""The rows of our own catalogue statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import overload

Record = dict[str, object]
"""A row by column alias."""


class Records(Sequence[Record]):
    """Rows as the driver gave them: each becomes a dict when it is looked at, and a page that is only shown needs none."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._names = list(names)
        self._rows = rows

    def columns(self) -> dict[str, Sequence[object]]:
        """The values by column alias."""
        values: Sequence[Sequence[object]] = list(zip(*self._rows, strict=True)) or [()] * len(self._names)
        return dict(zip(self._names, values, strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Record]:
        return map(dict, map(zip, repeat(self._names), self._rows))

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        if isinstance(place, slice):
            return Records(self._names, self._rows[place])
        return dict(zip(self._names, self._rows[place], strict=True))


def columns_of(records: Sequence[Record]) -> dict[str, Sequence[object]]:
    """The values of any records by column alias."""
    if isinstance(records, Records):
        return records.columns()
    names = list(records[0]) if records else []
    return {name: [record[name] for record in records] for name in names}
