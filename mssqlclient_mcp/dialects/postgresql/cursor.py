"""What one statement brings back from PostgreSQL, a bounded chunk at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import pq
from psycopg.adapt import Transformer

from ...errors import DatabaseMcpError, InvalidParameter
from ...models import Column, Message, Row
from .types import USER_DEFINED, type_name
from .values import lenient_adapters

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from .wire import Wire

_ROWS = (pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK, pq.ExecStatus.TUPLES_OK)
_COUNTING = ("INSERT", "UPDATE", "DELETE", "MERGE")

TypeNames = dict[tuple[int, int], str]
"""Names of a database's own types by OID and modifier, as far as they were asked for."""

NAME_TYPES = (
    "SELECT u.o, u.m, pg_catalog.format_type(u.o, u.m) FROM pg_catalog.unnest($1::pg_catalog.oid[], $2::pg_catalog.int4[]) "
    "AS u(o, m)"
)


class PostgresCursor:
    """One statement under way: columns are known from its first answer, rows come chunk by chunk."""

    def __init__(self, wire: Wire, names: TypeNames, sql: str, parameters: Sequence[object], chunk: int) -> None:
        self._wire = wire
        self._names = names
        self._sql = sql
        self._chunk = chunk
        self._transformer = Transformer(wire.driver)
        self._lenient = False
        self._position = 0
        self._shape: PGresult | None = None  # the first answer, for the columns
        self._rows: PGresult | None = None  # the chunk under way
        self._error: DatabaseMcpError | None = None  # met while looking ahead
        self._count: int | None = None
        self._ended = False
        wire.send(sql, parameters, chunk)
        self._receive()

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """The columns; None for a statement that only counts."""
        if self._shape is None:
            return None
        shape = [(self._shape.ftype(i), self._shape.fmod(i)) for i in range(self._shape.nfields)]
        own = [key for key in shape if type_name(*key) is None and key not in self._names]
        if own:
            self._ask_names(own)
        types = [type_name(*key) or self._names.get(key, USER_DEFINED) for key in shape]
        names = [(self._shape.fname(i) or b"").decode("utf-8", "backslashreplace") for i in range(len(shape))]
        return tuple(Column(name, type_) for name, type_ in zip(names, types, strict=True))

    @property
    def rows_affected(self) -> int | None:
        """Rows inserted, changed or deleted, once all rows that the statement returns are read."""
        return self._count

    def fetch(self, size: int) -> Sequence[Row]:
        """Up to ``size`` further rows of the chunk at hand, or of the next one."""
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

    def next_part(self) -> bool:
        """False: the extended protocol takes one statement, and one statement has one part."""
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
                self._shape = result
            self._transformer.set_pgresult(result, set_loaders=first)
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
            return self._transformer.load_rows(start, end, tuple)
        except UnicodeDecodeError:
            if self._lenient:
                raise
            self._lenient = True
            self._transformer = Transformer(lenient_adapters())
            self._transformer.set_pgresult(self._rows)
            return self._load(start, end)

    def _ask_names(self, own: Sequence[tuple[int, int]]) -> None:
        """Ask the server for the names of its own types, when it is free to answer."""
        self._look_ahead()
        if not self._ended or self._wire.in_error or not self._wire.usable:
            return
        try:
            found = self._wire.rows(NAME_TYPES, [[key[0] for key in own], [key[1] for key in own]])
        except DatabaseMcpError:
            return
        self._names.update({(oid, modifier): name for oid, modifier, name in found})

    def _look_ahead(self) -> None:
        """A chunk that is not full is the last one: read the end behind it, and keep an error for when its turn comes."""
        if self._ended or self._rows is None or self._rows.ntuples >= self._chunk:
            return
        rows, position = self._rows, self._position
        try:
            self._receive()
        except DatabaseMcpError as error:
            self._error = error
        self._rows, self._position = rows, position
        self._transformer.set_pgresult(rows, set_loaders=False)
