"""One ODBC connection handle and the rule that keeps it alive: nothing is freed while a call runs on it.

The worker's calls go through ``call``; a cancel from another thread holds the same lock that freeing needs. When somebody
closes the link during a call, the handle is left alone (abandoned, and counted) until the call returns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ...errors import ConnectionFailed, DatabaseMcpError, InvalidParameter
from .errors import translate
from .odbc import OdbcConnection, OdbcCursor
from .values import converters_for

log = logging.getLogger(__name__)

T = TypeVar("T")

CLOSE_WAIT_SECONDS = 5.0  # for a cancel that is under way


class Abandoned:
    """Counts links that were closed under a running call and could not be freed yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @property
    def count(self) -> int:
        """How many there are now."""
        return self._count

    def add(self, change: int) -> None:
        """One more (1) or one less (-1)."""
        with self._lock:
            self._count += change


class Link:
    """The handle with its guard. ``usable`` is False once the connection is known to be lost or closed."""

    def __init__(
        self,
        odbc: OdbcConnection,
        error_type: type[Exception],
        abandoned: Abandoned,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._odbc = odbc
        self._error_type = error_type
        self._abandoned = abandoned
        self._now = now
        self._lock = threading.Lock()
        self._target: OdbcCursor | None = None  # what a cancel goes to
        self._target_cancelled = False
        self._busy = False
        self._closed = False
        self._left_behind = False
        self._converting = False
        self._last_used = now()
        self._broken = False
        self.suspect = False  # an error came since the last good answer

    @property
    def usable(self) -> bool:
        """False once the connection is known to be lost or closed."""
        return not (self._closed or self._broken)

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last call ended."""
        return self._now() - self._last_used

    def limit(self, seconds: int) -> None:
        """The longest a statement of a cursor made from now on may take, as the driver counts."""
        if self._odbc.timeout != seconds:
            with self._call(None):
                self._odbc.timeout = seconds

    def cursor(self, *, cancellable: bool) -> OdbcCursor:
        """A new cursor, its text not searched for ODBC escapes; a cancel goes to it until ``free``."""
        with self._call(None):
            cursor = self._odbc.cursor()
            cursor.noscan = True
        if cancellable:
            with self._lock:
                self._target, self._target_cancelled = cursor, False
        return cursor

    def call(self, cursor: OdbcCursor, function: Callable[[], T]) -> T:
        """One driver call on ``cursor``, its errors translated."""
        with self._call(cursor):
            return function()

    def answer(self, cursor: OdbcCursor, function: Callable[[], T]) -> T:
        """A driver call that may bring a new result: described without converters, for those hide a column's type, and
        then read with those that its columns need."""
        if self._converting:
            self._odbc.clear_output_converters()
            self._converting = False
        result = self.call(cursor, function)
        for code, converter in converters_for(cursor.description or ()).items():
            self._odbc.add_output_converter(code, converter)
            self._converting = True
        return result

    def free(self, cursor: OdbcCursor, *, stop: bool) -> None:
        """Close a cursor, stopping what it still runs; never raises for what the driver says to that."""
        with self._lock:
            if self._target is cursor:
                self._target = None
        if self._closed:
            return
        try:
            with self._call(cursor):
                if stop:
                    self._quietly(cursor.cancel)
                cursor.close()
        except DatabaseMcpError as error:
            log.debug("closing a cursor: %s", error.code.value)

    def was_cancelled(self, cursor: OdbcCursor) -> bool:
        """True when a cancel was sent to ``cursor``."""
        return self._target is cursor and self._target_cancelled

    def cancel(self) -> None:
        """From any thread: the driver's cancel for the cursor that has the floor; nothing without one."""
        with self._lock:
            if self._target is None or self._closed:
                return
            self._target_cancelled = True
            try:
                self._target.cancel()
            except self._error_type as error:
                told = translate(error, cancelled=True)
                if isinstance(told, ConnectionFailed):
                    raise told from error
                log.debug("a cancel found nothing to stop: %s", told.message)

    def close(self) -> None:
        """Free the handle, now or when the call that runs on it returns; harmless twice, never raises."""
        locked = self._lock.acquire(timeout=CLOSE_WAIT_SECONDS)
        try:
            if self._closed:
                return
            self._closed = True
            if self._busy or not locked:
                self._left_behind = True
                self._abandoned.add(1)
                return
        finally:
            if locked:
                self._lock.release()
        self._quietly(self._odbc.close)

    @contextmanager
    def _call(self, cursor: OdbcCursor | None) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise ConnectionFailed("The connection is closed.")
            self._busy = True
        try:
            yield
        except self._error_type as error:
            raise self._told(error, cursor) from error
        except (TypeError, ValueError, OverflowError) as error:  # the driver's words for values it cannot bind
            self.suspect = True
            raise InvalidParameter(f"The driver cannot send a value: {error}") from error
        finally:
            self._end_call()
        if self._closed:
            raise ConnectionFailed("The connection was closed while the call ran.")

    def _told(self, error: Exception, cursor: OdbcCursor | None) -> DatabaseMcpError:
        told = translate(error, cancelled=cursor is not None and self.was_cancelled(cursor))
        self.suspect = True
        if isinstance(told, ConnectionFailed):
            self._broken = True
        return told

    def _end_call(self) -> None:
        with self._lock:
            self._busy = False
            self._last_used = self._now()
            left_behind, self._left_behind = self._left_behind, False
        if left_behind:
            self._abandoned.add(-1)
            self._quietly(self._odbc.close)

    def _quietly(self, function: Callable[[], object]) -> None:
        try:
            function()
        except self._error_type as error:
            log.debug("the driver, on giving up a handle: %s", translate(error).message)
