"""A bounded pool of connections over all databases of one server, with a bounded queue."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .dialects.base import Connection
from .errors import PoolExhausted
from .running import Running

log = logging.getLogger(__name__)

Opener = Callable[[str | None], Connection]
"""Opens a new connection to a database (None: the one of the settings)."""


class Reservation:
    """A place in the pool or in its queue, taken before any thread is used; given back once."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool: ConnectionPool | None = pool

    def release(self) -> None:
        """Give the place back; harmless twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool._unreserve()


class Lease:
    """A connection lent to one worker until the block of ``ConnectionPool.connection()`` ends."""

    def __init__(self, connection: Connection, *, fresh: bool) -> None:
        self.connection = connection
        self.fresh = fresh
        self.trusted = True  # False once anything but a gated read or our own catalogue SQL ran
        self.clean = False  # True when nothing but our own catalogue SQL ran, and its transaction is over
        self.outside = False  # left the pool: its slot is free, and it will be closed, not kept


class ConnectionPool:
    """At most ``max_connections`` lent or idle connections, and ``max_waiting`` callers in the queue.

    ``connection()`` waits for a free connection, connects when there is room, and takes the room of an idle connection to
    another database when there is none. All waiting ends when the caller's ``Running`` ends.
    """

    def __init__(
        self,
        open_connection: Opener,
        *,
        max_connections: int = 10,
        max_waiting: int = 15,
        idle_seconds: float = 300.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_connections = max_connections
        self.max_waiting = max_waiting
        self._open = open_connection
        self._idle_seconds = idle_seconds
        self._now = now
        self._changed = threading.Condition()
        self._idle: dict[str | None, list[tuple[Connection, float]]] = {}
        self._active = 0
        self._waiting = 0
        self._reserved = 0
        self._abandoned = 0
        self._mean_seconds = 0.1
        self._closed = False

    @property
    def active_connections(self) -> int:
        """Connections lent right now."""
        with self._changed:
            return self._active

    @property
    def idle_connections(self) -> int:
        """Connections kept for the next caller."""
        with self._changed:
            return self._idle_count()

    @property
    def queue(self) -> int:
        """Callers waiting for a connection right now."""
        with self._changed:
            return self._waiting

    @property
    def abandoned_connections(self) -> int:
        """Connections given up because their worker never came back from the driver."""
        with self._changed:
            return self._abandoned

    def reserve(self) -> Reservation:
        """Take a place without waiting, so that a caller too many is turned away before it costs a thread.

        Raises PoolExhausted with ``retryAfterSeconds``.
        """
        with self._changed:
            if self._reserved >= self.max_connections + self.max_waiting:
                raise self._exhausted()
            self._reserved += 1
        return Reservation(self)

    @contextmanager
    def connection(self, database: str | None, running: Running, *, reservation: Reservation | None = None) -> Iterator[Lease]:
        """Lend a connection to ``database``; it goes back in a known state, or is closed. Without a ``reservation`` of the
        caller's (who then gives it back), one is taken for as long as the block.

        Raises PoolExhausted, ConnectionFailed and its siblings, or the error of a call that was ended while it waited.
        """
        place = reservation or self.reserve()
        try:
            lease = self._take(database, running)
            running.when_ended(lambda: self._give_up_if_abandoned(lease, place, running))
            began = self._now()
            try:
                yield lease
            finally:
                self._give_back(database, lease, self._now() - began)
        finally:
            if reservation is None:
                place.release()

    def leave(self, lease: Lease) -> None:
        """The lease goes on outside the pool: its slot is free at once, and its connection is closed at the end."""
        with self._changed:
            if not lease.outside:
                lease.outside = True
                self._active -= 1
                self._changed.notify_all()

    def prune(self) -> None:
        """Close connections that were idle for too long."""
        limit = self._now() - self._idle_seconds
        with self._changed:
            old = [c for kept in self._idle.values() for c, since in kept if since < limit]
            for database, kept in self._idle.items():
                self._idle[database] = [(c, since) for c, since in kept if since >= limit]
        for connection in old:
            connection.close()

    def close(self) -> None:
        """Close what is idle, and let what is lent be closed when it comes back; harmless twice."""
        with self._changed:
            self._closed = True
            idle = [c for kept in self._idle.values() for c, _ in kept]
            self._idle.clear()
            self._changed.notify_all()
        for connection in idle:
            connection.close()

    def _exhausted(self) -> PoolExhausted:
        seconds = max(1, math.ceil(self._mean_seconds * (self._waiting + 1) / self.max_connections))
        return PoolExhausted(
            f"All {self.max_connections} connections are in use and {self.max_waiting} calls are waiting.",
            details={"retryAfterSeconds": min(seconds, 30)},
        )

    def _unreserve(self) -> None:
        with self._changed:
            self._reserved -= 1

    def _idle_count(self) -> int:
        return sum(len(kept) for kept in self._idle.values())

    def _take(self, database: str | None, running: Running) -> Lease:
        """An idle connection that still stands, else a new one, else wait for either."""
        while True:
            idle, evicted = self._wait_for_slot(database, running)
            if evicted is not None:
                evicted.close()
            try:
                if idle is None:
                    running.check()
                    return Lease(self._open(database), fresh=True)
                if idle.usable and idle.alive():
                    return Lease(idle, fresh=False)
            except BaseException:
                self._free_slot()
                raise
            idle.close()
            self._free_slot()

    def _wait_for_slot(self, database: str | None, running: Running) -> tuple[Connection | None, Connection | None]:
        """Take a slot: (an idle connection of this database or None, an idle one of another to close or None)."""
        running.when_ended(self._wake)
        with self._changed:
            self._waiting += 1
            try:
                while self._active >= self.max_connections:
                    running.check()
                    self._changed.wait()
                running.check()
                self._active += 1
            finally:
                self._waiting -= 1
            kept = self._idle.get(database)
            if kept:
                return kept.pop()[0], None
            crowded = self._active + self._idle_count() > self.max_connections
            return None, self._oldest_idle() if crowded else None

    def _oldest_idle(self) -> Connection | None:
        found = [(since, database) for database, kept in self._idle.items() for _, since in kept[:1]]
        if not found:
            return None
        _, database = min(found, key=lambda item: item[0])
        return self._idle[database].pop(0)[0]

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _free_slot(self) -> None:
        with self._changed:
            self._active -= 1
            self._changed.notify()

    def _give_up_if_abandoned(self, lease: Lease, place: Reservation, running: Running) -> None:
        if running.abandoned and not lease.outside:
            with self._changed:
                self._abandoned += 1
            self.leave(lease)
            place.release()

    def _give_back(self, database: str | None, lease: Lease, seconds: float) -> None:
        connection = lease.connection
        keep = not lease.outside and connection.usable and (lease.clean or connection.reset(trusted=lease.trusted))
        with self._changed:
            self._mean_seconds += 0.1 * (seconds - self._mean_seconds)
            keep = keep and not self._closed and not lease.outside
            if keep:
                self._idle.setdefault(database, []).append((connection, self._now()))
            if not lease.outside:
                self._active -= 1
                self._changed.notify()
        if not keep:
            connection.close()
