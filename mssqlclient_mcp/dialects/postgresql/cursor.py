"""What one statement brings back from PostgreSQL, a bounded chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import postgres, pq
from psycopg.adapt import Transformer

from ...errors import DatabaseMcpError, InvalidParameter
from ...models import Column, Message, Row
from .types import NAMES_OF_TYPES, USER_DEFINED, TypeKey, TypeNames
from .values import TIMES_BY_OID, Texts, lenient_adapters

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from .wire import Wire

_ROWS = (pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK, pq.ExecStatus.TUPLES_OK)
TEXT_OID = postgres.types["text"].oid
_COUNTING = ("INSERT", "UPDATE", "DELETE", "MERGE")


class PostgresCursor:
    """One statement under way: columns are known from its first answer, rows come chunk by chunk."""

    def __init__(
        self,
        wire: Wire,
        names: TypeNames,
        sql: str,
        parameters: Sequence[object],
        chunk: int,
        around: tuple[Sequence[str], Sequence[str]] = ((), ()),
    ) -> None:
        self._wire = wire
        self._names = names
        self._sql = sql
        self._transformer = wire.loading()
        self._lenient = False
        self._position = 0
        self._shape: list[tuple[str, TypeKey]] | None = None  # names and types of the columns
        self._times: list[tuple[int, Callable[[Texts], Texts]]] = []  # columns of times, and what makes them ISO 8601
        self._rows: PGresult | None = None  # the chunk under way
        self._error: DatabaseMcpError | None = None  # met while looking ahead
        self._count: int | None = None
        self._ended = False
        self._chunk = wire.send(sql, parameters, chunk, around=around)
        self._receive()

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """The columns; None for a statement that only counts."""
        if self._shape is None:
            return None
        unknown = [key for _, key in self._shape if self._names.find(key) is None]
        if unknown and self._look_ahead():
            ask_names(self._wire, self._names)
        return tuple(Column(name, self._names.find(key) or USER_DEFINED) for name, key in self._shape)

    @property
    def rows_affected(self) -> int | None:
        """Rows inserted, changed or deleted, once all rows that the statement returns are read."""
        return self._count

    def fetch(self, size: int) -> Sequence[Row]:
        """Up to ``size`` further rows of the chunk at hand, or of the next one."""
        if self._chunk > 1:
            return self._fetch(size)
        return self._gather(size)

    def next_part(self) -> bool:
        """False: the extended protocol takes one statement, and one statement has one part."""
        return False

    def goes_on(self) -> bool:
        """False: an error ends the statement."""
        return False

    def messages(self) -> tuple[Message, ...]:
        """What the server said since the last call."""
        return self._wire.take_messages()

    def close(self) -> None:
        """Give the cursor up; harmless twice; never raises. A statement with rows left is stopped."""
        self._rows = None
        if not self._ended:
            self._ended = True
            if self._wire.usable:
                self._wire.stop()

    def _gather(self, size: int) -> list[Row]:
        """Rows that come one by one, as one piece."""
        rows: list[Row] = []
        try:
            while len(rows) < size and (row := self._fetch(1)):
                rows += row
        except DatabaseMcpError as error:
            if not rows:
                raise
            self._error = error
        return rows

    def _fetch(self, size: int) -> Sequence[Row]:
        if self._rows is None or self._position >= self._rows.ntuples:
            self._rows = None
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if not self._ended:
                self._receive()
        if self._rows is None:
            return ()
        end = min(self._position + size, self._rows.ntuples)
        loaded = self._load(self._position, end)
        self._position = end
        return loaded

    def _receive(self) -> None:
        """Go on to the next chunk that has rows, or to the end."""
        try:
            while (result := self._wire.receive(self._sql)) is not None:
                if self._take(result):
                    return
        except DatabaseMcpError:
            self._ended = True
            raise
        self._ended = True

    def _take(self, result: PGresult) -> bool:
        """Look at one answer; True when it has rows to give."""
        if result.status in _ROWS:
            first = self._shape is None
            if first:
                self._shape = _shape(result)
                self._times = [(i, TIMES_BY_OID[oid]) for i, (_, (oid, _)) in enumerate(self._shape) if oid in TIMES_BY_OID]
            self._look_at(result, first=first)
            self._rows, self._position = result, 0
        if result.status == pq.ExecStatus.EMPTY_QUERY:
            self._wire.stop()
            raise InvalidParameter("The query holds no statement.")
        self._note_count(result)
        return result.status in _ROWS and result.ntuples > 0

    def _note_count(self, result: PGresult) -> None:
        tag = (result.command_status or b"").decode("ascii", "replace")
        if result.command_tuples is not None and (self._shape is None or tag.startswith(_COUNTING)):
            self._count = result.command_tuples

    def _load(self, start: int, end: int) -> list[Row]:
        try:
            rows = self._transformer.load_rows(start, end, tuple)
        except UnicodeDecodeError:
            if self._lenient or self._rows is None:
                raise
            self._lenient = True
            self._transformer = Transformer(lenient_adapters())
            self._look_at(self._rows, first=True)
            return self._load(start, end)
        return _with_iso_times(rows, self._times) if rows and self._times else rows

    def _look_at(self, result: PGresult, *, first: bool) -> None:
        """Let the transformer load from this chunk; at the first one it learns how. Times are loaded as text."""
        self._transformer.set_pgresult(result, set_loaders=first)
        if first and self._times:
            types = [result.ftype(i) for i in range(result.nfields)]
            self._transformer.set_loader_types([TEXT_OID if oid in TIMES_BY_OID else oid for oid in types], pq.Format.TEXT)

    def _look_ahead(self) -> bool:
        """A chunk that is not full is the last one: read the end behind it, and keep an error for when its turn comes.
        True when the server has nothing more to send."""
        if self._ended or self._rows is None or self._rows.ntuples >= self._chunk:
            return self._ended
        rows, position = self._rows, self._position
        try:
            self._receive()
        except DatabaseMcpError as error:
            self._error = error
        self._rows, self._position = rows, position
        self._transformer.set_pgresult(rows, set_loaders=False)
        return self._ended


def ask_names(wire: Wire, names: TypeNames) -> None:
    """Ask the server, which must be idle, for the names of the types that are wanted."""
    if names.wanted and wire.usable and not wire.in_error:
        wanted = list(names.wanted)
        names.learn(wire.rows(NAMES_OF_TYPES, [[oid for oid, _ in wanted], [modifier for _, modifier in wanted]]))


def _with_iso_times(rows: Sequence[Row], times: Sequence[tuple[int, Callable[[Texts], Texts]]]) -> list[Row]:
    """The rows with their columns of times, text so far, as ISO 8601."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, iso in times:
        columns[place] = iso(columns[place])
    return list(zip(*columns, strict=True))


def _shape(result: PGresult) -> list[tuple[str, TypeKey]]:
    return [
        ((result.fname(i) or b"").decode("utf-8", "backslashreplace"), (result.ftype(i), result.fmod(i)))
        for i in range(result.nfields)
    ]
