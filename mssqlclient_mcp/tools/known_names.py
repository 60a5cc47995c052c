"""The names that a database has, remembered for a minute, so that completing a name while it is typed costs no query a key."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import anyio

from ..errors import DatabaseMcpError
from ..names import written_name
from ..schema_models import ObjectNames
from .base import Call

REMEMBER_SECONDS = 60.0
REMEMBER_FAILURE_SECONDS = 5.0
MOST_DATABASES = 64
LONGEST_WAIT_SECONDS = 3.0
MOST_ASKED_A_MINUTE = 20
"""Databases. Completions do not count against the rate limit, and a client may make up one database after the other."""


class Source(Enum):
    """Where values come from. ``NAME``: a table's, as it is; ``TABLE``, ``PROCEDURE``: with schema, as tools take it."""

    DATABASE = "database"
    SCHEMA = "schema"
    NAME = "name"
    TABLE = "table"
    PROCEDURE = "procedure"
    SESSION = "session"


@dataclass(frozen=True)
class Candidate:
    """A value to choose: what is put in, and the texts (in small letters) by which a person may look for it."""

    value: str
    looked_for_as: tuple[str, ...]


@dataclass(frozen=True)
class _Remembered:
    until: float
    names: ObjectNames | tuple[str, ...]


class KnownNames:
    """The names of each database, asked for when first needed. Never raises for a database that does not answer, and never
    takes longer than ``LONGEST_WAIT_SECONDS``: there is nothing to choose from then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._remembered: dict[str | None, _Remembered] = {}
        self._asking: dict[str | None, anyio.Lock] = {}
        self._asked: deque[float] = deque(maxlen=MOST_ASKED_A_MINUTE)  # when databases were asked

    async def candidates(self, call: Call, source: Source, given: Mapping[str, str]) -> list[Candidate]:
        """All values of ``source``, in order. ``given``: the other arguments so far (``database``, ``schema``)."""
        if source is Source.SESSION:
            return [_plain(session.session_id) for session in call.service.sessions.list_sessions(call.client)]
        if source is Source.DATABASE:
            names = await self._names(call, None, call.service.metadata.database_names)
            return [_plain(name) for name in names] if isinstance(names, tuple) else []
        try:
            database = call.service.database_for(given.get("database") or None)
        except DatabaseMcpError:
            return []
        found = await self._names(call, database or "", lambda: call.service.metadata.object_names(database))
        return _objects(found, source, given.get("schema")) if isinstance(found, ObjectNames) else []

    async def _names(
        self, call: Call, key: str | None, ask: Callable[[], ObjectNames | tuple[str, ...]]
    ) -> ObjectNames | tuple[str, ...]:
        """What is remembered under ``key`` (None: the databases), else what the database says. One asks, the others wait."""
        with anyio.move_on_after(LONGEST_WAIT_SECONDS + 1):
            async with self._asking.setdefault(key, anyio.Lock()):
                known = self._remembered.get(key)
                if known is None or known.until <= self._clock():
                    if not self._may_ask():
                        self._forget_lock(key)
                        return known.names if known is not None else ()
                    known = await self._ask(call, ask)
                    self._remember(key, known)
                return known.names
        return ()

    def _forget_lock(self, key: str | None) -> None:
        if key not in self._remembered:
            self._asking.pop(key, None)

    def _may_ask(self) -> bool:
        now = self._clock()
        if len(self._asked) == MOST_ASKED_A_MINUTE and self._asked[0] > now - REMEMBER_SECONDS:
            return False
        self._asked.append(now)
        return True

    async def _ask(self, call: Call, ask: Callable[[], ObjectNames | tuple[str, ...]]) -> _Remembered:
        with anyio.move_on_after(LONGEST_WAIT_SECONDS), suppress(DatabaseMcpError):
            names = await call.run(ask, seconds=LONGEST_WAIT_SECONDS)
            return _Remembered(self._clock() + REMEMBER_SECONDS, names)
        return _Remembered(self._clock() + REMEMBER_FAILURE_SECONDS, ())

    def _remember(self, key: str | None, known: _Remembered) -> None:
        self._remembered.pop(key, None)
        self._remembered[key] = known
        while len(self._remembered) > MOST_DATABASES:
            oldest = next(iter(self._remembered))
            del self._remembered[oldest]
            self._asking.pop(oldest, None)


def _plain(name: str) -> Candidate:
    return Candidate(name, (name.casefold(),))


def _objects(names: ObjectNames, source: Source, schema: str | None) -> list[Candidate]:
    if source is Source.SCHEMA:
        return [_plain(name) for name in dict.fromkeys(table.schema for table in names.tables)]
    if source is Source.NAME:
        wanted = [table.name for table in names.tables if not schema or table.schema == schema]
        return [_plain(name) for name in dict.fromkeys(wanted)]
    chosen = names.tables if source is Source.TABLE else names.procedures
    return [_qualified(one.schema, one.name) for one in chosen]


def _qualified(schema: str, name: str) -> Candidate:
    value = written_name(schema, name)
    return Candidate(value, (name.casefold(), f"{schema}.{name}".casefold(), value.casefold()))
