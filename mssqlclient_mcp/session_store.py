"""Rows of background sessions, packed: each batch becomes one block of bytes that the garbage collector never looks into.

A tuple of eight small values costs about 500 bytes, packed some 40 to 100; the bytes counted are the bytes held. The blocks lie
in memory mapped for them alone, which goes back to the system at once when a result goes: a heap that ten workers share keeps
what was freed. A page is found by bisection and unpacks only the blocks it touches.
"""

from __future__ import annotations

import io
import mmap
import pickle
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast, overload

from .errors import ResultExpired
from .messages import MOST_RESULT_SETS, MessageLog, sets_left_out
from .models import Column, Message, ResultSet, Row, SessionResultSet, TruncatedBy
from .procedure_models import ProcedureResult
from .turns import Turns

BATCH_ROWS = 96
BLOCK_OVERHEAD = 256
"""Bytes of Python's own that a block costs: its view, and its places in two lists."""
FIRST_SEGMENT = 64 << 10
SEGMENT = 1 << 20
WAIT_FOR_ROOM_SECONDS = 1.0
GIVEN_UP = "The rows of this session were given up to make room for other results."


class ResultMemory:
    """The bytes that all sessions may hold together. When they are used up, the oldest finished result goes; with nothing
    finished, the largest running one is told to stop reading."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.turns = Turns()  # of the workers that fill the results
        self._changed = threading.Condition()
        self._running: dict[ResultStore, int] = {}
        self._finished: dict[ResultStore, int] = {}
        self._used = 0

    @property
    def used_bytes(self) -> int:
        """Bytes held by all results."""
        with self._changed:
            return self._used

    def bytes_of(self, store: ResultStore) -> int:
        """Bytes held by one result."""
        with self._changed:
            return self._running.get(store, 0) + self._finished.get(store, 0)

    def open(self, store: ResultStore) -> None:
        """A result begins."""
        with self._changed:
            self._running[store] = 0

    def claim(self, store: ResultStore, size: int, most: int | None = None) -> bool:
        """Room for ``size`` more bytes, of at most ``most`` in all; False when ``store`` has to stop. May wait a moment for
        another result that was told to stop."""
        with self._changed:
            if most is not None and self._running.get(store, 0) + size > most:
                return False
            while self._used + size > self.total_bytes:
                if not self._make_room(store):
                    return False
            if store not in self._running:
                return False
            self._running[store] += size
            self._used += size
            return True

    def finish(self, store: ResultStore) -> None:
        """The result is whole: from now on it may have to make room."""
        with self._changed:
            if store in self._running:
                self._finished[store] = self._running.pop(store)
                self._changed.notify_all()

    def forget(self, store: ResultStore) -> None:
        """The result is given up, with all its bytes."""
        with self._changed:
            self._used -= self._running.pop(store, 0) + self._finished.pop(store, 0)
            self._changed.notify_all()

    def _make_room(self, asking: ResultStore) -> bool:
        oldest = next((store for store, size in self._finished.items() if size), None)
        if oldest is not None:
            self._used -= self._finished.pop(oldest)
            oldest.drop()
            return True
        reading = {store: size for store, size in self._running.items() if not store.cut}
        stopping = len(self._running) > len(reading)
        if not stopping:
            largest = max(reading, key=lambda store: reading[store], default=asking)
            largest.cut = True
            if largest is asking:
                return False
        return not asking.cut and self._changed.wait(WAIT_FOR_ROOM_SECONDS)


@dataclass
class _Part:
    columns: tuple[Column, ...] = ()
    blocks: list[memoryview] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # rows up to and with each block
    rows_affected: int | None = None
    truncated: bool = False
    after_cut: bool = False

    @property
    def rows(self) -> int:
        return self.ends[-1] if self.ends else 0


class ResultStore:
    """A ``ResultSink`` that packs what comes, counts it, and stops at its limit. The worker writes, anybody reads.

    With ``keep_last`` a result set that begins after the cut still keeps its first row: a procedure's outputs come last.
    """

    def __init__(self, memory: ResultMemory, max_bytes: int, *, keep_last: bool = False) -> None:
        self._memory = memory
        self._max_bytes = max_bytes
        self._keep_last = keep_last
        self._lock = threading.Lock()
        self._parts: list[_Part] = []
        self._messages = MessageLog()
        self._sets_left_out = 0
        self._open = False
        self._shown: int | None = None
        self._segment = memoryview(b"")  # what is left of the mapped memory that is being filled
        self.cut = False
        self.dropped = False
        self.sealed = False
        memory.open(self)

    # -- the sink ------------------------------------------------------------------------------------------------------

    def begin(self, columns: tuple[Column, ...]) -> None:
        with self._lock:
            self._open = True
            self._add_part(_Part(columns, after_cut=self.cut))

    def wants(self) -> int:
        if not self.cut and not self.sealed:
            self._memory.turns.take(self)
            return BATCH_ROWS
        if self._may_keep_one():
            return 1
        with self._lock:
            self._parts[-1].truncated = True
        return 0

    def add(self, rows: Sequence[Row]) -> None:
        if self.sealed:
            return
        if self.cut and not self._may_keep_one():
            self._mark_cut()
            return
        kept = self._pack(rows)
        if kept < len(rows):
            self._mark_cut()

    def end(self, rows_affected: int | None) -> None:
        self._memory.turns.leave(self)
        with self._lock:
            if self.sealed:
                return
            if not self._open:
                self._add_part(_Part())
            self._parts[-1].rows_affected = rows_affected
            self._open = False

    def say(self, messages: Sequence[Message]) -> None:
        with self._lock:
            self._messages.say(messages)

    # -- the end -------------------------------------------------------------------------------------------------------

    def seal(self) -> None:
        """Nothing more is taken in; what is there may have to make room for others."""
        self._memory.turns.leave(self)
        with self._lock:
            self.sealed = True
            self._segment = memoryview(b"")
        self._memory.finish(self)

    def drop(self) -> None:
        """Give the rows up; columns and counts stay."""
        with self._lock:
            self.dropped = True
            self._segment = memoryview(b"")
            for part in self._parts:
                part.blocks = []

    def forget(self) -> None:
        """Give the rows up and their bytes back."""
        self.drop()
        self._memory.forget(self)

    def told_apart(self, collect: Callable[[tuple[ResultSet, ...]], ProcedureResult]) -> ProcedureResult:
        """A procedure's answer by ``collect``; the result set that carried its outputs is shown no longer."""
        procedure = collect(self.result_sets())
        with self._lock:
            self._shown = len(procedure.result.result_sets)
        return procedure

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Rows kept, over all result sets."""
        return sum(one.rows for one in self.summary())

    @property
    def held_bytes(self) -> int:
        """Bytes held."""
        return self._memory.bytes_of(self)

    def summary(self) -> tuple[SessionResultSet, ...]:
        """What there is, without rows."""
        with self._lock:
            return tuple(
                SessionResultSet(part.columns, part.rows, part.rows_affected, part.truncated)
                for part in self._parts[: self._shown]
            )

    def messages(self) -> tuple[Message, ...]:
        """What the database said, long talk with a gap in the middle."""
        with self._lock:
            return (*self._messages.all(), *sets_left_out(self._sets_left_out))

    def page(self, result_set: int, offset: int, most: int) -> list[Row]:
        """Up to ``most`` rows of a result set from ``offset`` on."""
        return list(self.read(result_set, offset, most))

    def read(self, result_set: int, offset: int = 0, most: int | None = None) -> Iterator[Row]:
        """The rows of a result set, a block at a time in memory. Raises ResultExpired when they were given up."""
        with self._lock:
            if self.dropped:
                raise ResultExpired(GIVEN_UP)
            part = self._parts[result_set]
            blocks, ends = part.blocks, part.ends[: len(part.blocks)]
        return _rows_of(blocks, ends, offset, most)

    def result_sets(self) -> tuple[ResultSet, ...]:
        """The result sets with rows that are unpacked when they are looked at."""
        return tuple(
            ResultSet(
                one.columns,
                StoredRows(self, number, one.rows),
                one.rows_affected,
                TruncatedBy.BYTES if one.truncated else None,
            )
            for number, one in enumerate(self.summary())
        )

    # -- packing -------------------------------------------------------------------------------------------------------

    def _pack(self, rows: Sequence[Row]) -> int:
        """Keep as many of ``rows`` as there is room for, and say how many."""
        kept = 0
        taking = len(rows)
        while taking:
            packed = pack(rows[kept : kept + taking])
            if self._claim(len(packed) + BLOCK_OVERHEAD):
                self._append(packed, taking)
                kept += taking
                taking = min(taking, len(rows) - kept)
            else:
                taking //= 2
        return kept

    def _claim(self, size: int) -> bool:
        return self._memory.claim(self, size, None if self._may_keep_one() else self._max_bytes)

    def _append(self, packed: bytes, rows: int) -> None:
        with self._lock:
            if self.sealed:
                return
            part = self._parts[-1]
            part.ends.append(part.rows + rows)
            part.blocks.append(self._place(packed))

    def _place(self, packed: bytes) -> memoryview:
        """The block in mapped memory, which lives as long as a view of it does."""
        size = len(packed)
        if size > len(self._segment):
            wanted = SEGMENT if self._parts[0].blocks else FIRST_SEGMENT
            self._segment = memoryview(mmap.mmap(-1, max(size, wanted)))
        place, self._segment = self._segment[:size], self._segment[size:]
        place[:] = packed
        return place.toreadonly()

    def _add_part(self, part: _Part) -> None:
        if len(self._parts) >= MOST_RESULT_SETS:
            self.cut = True
            self._sets_left_out += 1
            self._parts[-1] = part
        else:
            self._parts.append(part)

    def _may_keep_one(self) -> bool:
        if not self._keep_last or self.sealed or not self._parts:
            return False
        part = self._parts[-1]
        return part.after_cut and not part.rows

    def _mark_cut(self) -> None:
        with self._lock:
            self.cut = True
            self._parts[-1].truncated = True


class StoredRows(Sequence[Row]):
    """The rows of one result set of a store, as a sequence."""

    def __init__(self, store: ResultStore, result_set: int, length: int) -> None:
        self._store = store
        self._result_set = result_set
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return self._store.page(self._result_set, 0, self._length)[index]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        [row] = self._store.page(self._result_set, index % self._length, 1)
        return row

    def __iter__(self) -> Iterator[Row]:
        return self._store.read(self._result_set, 0, self._length)


def _rows_of(blocks: list[memoryview], ends: list[int], offset: int, most: int | None) -> Iterator[Row]:
    total = ends[-1] if ends else 0
    stop = total if most is None else min(total, offset + most)
    number = bisect_right(ends, offset)
    while offset < stop:
        start = ends[number - 1] if number else 0
        rows = unpack(blocks[number])[offset - start : stop - start]
        yield from rows
        offset += len(rows)
        number += 1


def pack(rows: Sequence[Row]) -> bytes:
    """Rows as one block. Without the memory of objects already seen, which takes half the time and finds nothing here."""
    block = io.BytesIO()
    pickler = pickle.Pickler(block, pickle.HIGHEST_PROTOCOL)
    pickler.fast = True
    pickler.dump(rows)
    return block.getvalue()


def unpack(block: memoryview) -> Sequence[Row]:
    """The rows of a block."""
    return cast("Sequence[Row]", pickle.loads(block))  # noqa: S301 - blocks are ours and never leave the process
