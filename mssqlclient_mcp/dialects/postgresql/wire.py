"""The one place that talks to libpq: sends a text, brings its results one bounded chunk at a time, cancels, cuts.

psycopg's ``Cursor.execute`` reads a whole result before it returns, and its ``Cursor.stream`` does not show the columns of an
empty result or the count of a statement without rows. So a statement is sent here through psycopg's public ``pq`` layer, always
by the extended protocol (which takes one statement only), with libpq's chunked rows mode.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import generators, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.conninfo import make_conninfo

from ...errors import ConnectionFailed, DatabaseFault, DatabaseMcpError, InvalidParameter
from ...models import Message
from .errors import connecting, translated, translating
from .values import ADAPTERS, bindable, lenient_adapters

if TYPE_CHECKING:
    from psycopg import abc
    from psycopg.pq.abc import PGresult

CANCEL_TIMEOUT_SECONDS = 5.0
CANCELS_BEFORE_CLOSING = 5
MAX_MESSAGES = 1000

_CHUNKED = psycopg.capabilities.has_stream_chunked()
_CANCEL_SAFE = psycopg.capabilities.has_cancel_safe()
_PIPELINE = psycopg.capabilities.has_pipeline()
_COPY = (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH)
_IN_TRANSACTION = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR, pq.TransactionStatus.ACTIVE)


class Wire:
    """A connection's line to its server. Belongs to one thread; only ``cancel`` and ``cut`` may come from another."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        self.encoding = "SQL_ASCII" if self.setting("server_encoding") == "SQL_ASCII" else "UTF8"
        self._lost = False
        self._messages: list[Message] = []
        self._messages_dropped = 0
        self._piped = False  # a pipeline is under way: its end is one more answer
        self._using = threading.RLock()  # held by the thread that is inside libpq
        self._cancelling = threading.Lock()
        self._close_wanted = False
        self._socket = _second_handle(driver.pgconn.socket)
        driver.add_notice_handler(self._hear)
        driver.add_notify_handler(lambda _: None)  # else psycopg keeps what comes, without bound

    @property
    def usable(self) -> bool:
        """False once the line is known to be cut or closed."""
        return not self._lost and not self.driver.closed

    @property
    def in_transaction(self) -> bool:
        """True while the server has a transaction open for us, failed or not."""
        return self.driver.pgconn.transaction_status in _IN_TRANSACTION

    @property
    def in_error(self) -> bool:
        """True in a transaction that has failed: the server takes nothing but its end."""
        return self.driver.pgconn.transaction_status == pq.TransactionStatus.INERROR

    def guarded(self, sql: str | None = None) -> _Guard:
        """A block in which psycopg's errors are translated and a lost connection is remembered."""
        return _Guard(self, sql)

    def _in_use(self) -> _InUse:
        """A block in which a close from another thread cuts the line and leaves the rest to this thread."""
        return _InUse(self)

    def setting(self, name: str) -> str:
        """A setting that the server reports on its own (DateStyle, client_encoding); no round trip."""
        value = self.driver.pgconn.parameter_status(name.encode())
        return "" if value is None else value.decode("utf-8", "replace")

    def loading(self) -> abc.Transformer:
        """What makes Python values of results. The bytes of a SQL_ASCII database have no known encoding."""
        return Transformer(lenient_adapters()) if self.encoding == "SQL_ASCII" else Transformer(self.driver)

    def send(
        self,
        sql: str,
        parameters: Sequence[object],
        chunk: int,
        *,
        around: tuple[Sequence[str], Sequence[str]] = ((), ()),
    ) -> int:
        """Send one statement with its values; its results come from ``receive`` in chunks of at most ``chunk`` rows.
        Statements of ours ``around`` it, which begin and end its transaction, go with it without a round trip of their own:
        an error of those ahead is raised here, and those behind are skipped after an error. Returns how many rows a full
        chunk has: before libpq 17 it is one."""
        opening, closing = around
        text = _encoded(sql)
        with _binding():
            transformer = Transformer(self.driver)
            values = bindable(parameters)
            bound: Sequence[abc.Buffer | None] = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        if opening and not _PIPELINE:
            self.run("; ".join(opening))
        pgconn = self.driver.pgconn
        with self.guarded(sql):
            if opening and _PIPELINE:
                self._open_pipeline(opening)
            pgconn.send_query_params(text, bound, transformer.types, transformer.formats)
            if self._piped:
                for ending in closing:
                    pgconn.send_query_params(ending.encode(), None)
                pgconn.pipeline_sync()
                self.driver.wait(generators.send(pgconn))
                self._pass_opening(len(opening))
            return self._begin_chunks(chunk)

    def receive(self, sql: str | None = None) -> PGresult | None:
        """The next chunk, count or end of what was sent; None when there is no more. Raises what the server reports."""
        with self.guarded(sql):
            result = self._next_result()
            if result is None:
                return None
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(result, "utf-8")
                self._finish_after_error()
                raise error
            if result.status in _COPY:
                self._refuse_copy(result)
            return result

    def _open_pipeline(self, opening: Sequence[str]) -> None:
        pgconn = self.driver.pgconn
        pgconn.enter_pipeline_mode()
        self._piped = True
        for text in opening:
            pgconn.send_query_params(text.encode(), None)

    def _pass_opening(self, statements: int) -> None:
        """Take the answers of the statements that were sent ahead; each ends with None."""
        for _ in range(statements):
            while (result := self._next_answer()) is not None:
                if result.status == pq.ExecStatus.FATAL_ERROR:
                    error = psycopg.errors.error_from_result(result, "utf-8")
                    self._finish_after_error()
                    raise error

    def _next_result(self) -> PGresult | None:
        result = self._next_answer()
        if result is None and self._piped:
            self._leave_pipeline()
        return result

    def _next_answer(self) -> PGresult | None:
        pgconn = self.driver.pgconn
        if not pgconn.is_busy():  # libpq has it already
            return pgconn.get_result()
        result: PGresult | None = self.driver.wait(generators.fetch(pgconn))
        return result

    def _leave_pipeline(self) -> None:
        """Read on to the end of the pipeline, past the statements behind; after an error the server has skipped them."""
        while (result := self._next_answer()) is None or result.status != pq.ExecStatus.PIPELINE_SYNC:
            if self.driver.closed:
                raise psycopg.OperationalError("the connection was lost")
        self._end_pipeline()

    def _end_pipeline(self) -> None:
        self.driver.pgconn.exit_pipeline_mode()
        self._piped = False

    def run(self, sql: str) -> str:
        """Run text of ours, which may hold several statements (the simple protocol), drop the few rows it brings, and return
        the last command tag."""
        text = _encoded(sql)
        with self.guarded(sql):
            self.driver.pgconn.send_query(text)
            results: list[PGresult] = self.driver.wait(generators.execute(self.driver.pgconn))
            for result in results:
                if result.status == pq.ExecStatus.FATAL_ERROR:
                    raise psycopg.errors.error_from_result(result, "utf-8")
                if result.status in _COPY:
                    self._refuse_copy(result)
        return (results[-1].command_status or b"").decode("utf-8", "replace") if results else ""

    def rows(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a small query of ours."""
        self.send(sql, parameters, 1000)
        transformer = self.loading()
        found: list[tuple[Any, ...]] = []
        while (result := self.receive(sql)) is not None:
            transformer.set_pgresult(result)
            found += transformer.load_rows(0, result.ntuples, tuple)
        return found

    def stop(self) -> None:
        """Let go of a statement whose results are not wanted: read on for a moment, else cancel, else close the line."""
        with suppress(psycopg.Error, OSError), self._in_use():
            if self._read_off(0.003):
                return
            for _ in range(CANCELS_BEFORE_CLOSING):
                with suppress(DatabaseMcpError):
                    self.cancel()
                if self._read_off(1.0):
                    return
        self.close()

    def quiet(self) -> bool:
        """True when the idle line is in order; what the server said meanwhile is read without waiting."""
        if not self.usable:
            return False
        pgconn = self.driver.pgconn
        with suppress(psycopg.Error, OSError), self._in_use():
            for _ in range(2):  # what was said, and then, perhaps, that the line is closed
                pgconn.consume_input()  # takes what is there, and never waits
                pgconn.is_busy()  # parses, and so hears notices
            return not self._lost and pgconn.status == pq.ConnStatus.OK
        self._lost = True
        return False

    def cancel(self) -> None:
        """Ask the server, over a line of its own, to stop what runs. From any thread; returns within some seconds."""
        with self._cancelling:
            if not self.driver.closed:
                with translating():
                    self._send_cancel()

    def cut(self) -> None:
        """Shut the socket from any thread: whoever waits on it gets an error at once. Frees nothing."""
        self._lost = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the line; harmless twice; never raises. While another thread is inside libpq, the line is cut and that
        thread closes it on its way out: a handle in use is never freed."""
        self._lost = True
        self._close_wanted = True
        if not self._using.acquire(blocking=False):
            self.cut()
            return
        try:
            with self._cancelling, suppress(psycopg.Error, OSError):
                self._close_wanted = False
                self.driver.close()
                self._socket.close()
        finally:
            self._using.release()

    def take_messages(self) -> tuple[Message, ...]:
        """What the server said since the last call."""
        taken = self._messages
        if self._messages_dropped:
            taken.append(Message(f"{self._messages_dropped} further messages were left out."))
        self._messages, self._messages_dropped = [], 0
        return tuple(taken)

    def _hear(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        severity = diagnostic.severity_nonlocalized or diagnostic.severity or ""
        if severity in ("FATAL", "PANIC"):
            self._lost = True
        if len(self._messages) >= MAX_MESSAGES:
            self._messages_dropped += 1
            return
        lines = [diagnostic.message_primary or ""]
        lines += [f"DETAIL: {diagnostic.message_detail}"] if diagnostic.message_detail else []
        lines += [f"HINT: {diagnostic.message_hint}"] if diagnostic.message_hint else []
        self._messages.append(Message("\n".join(lines), severity, diagnostic.sqlstate or ""))

    def _begin_chunks(self, chunk: int) -> int:
        pgconn = self.driver.pgconn
        if _CHUNKED and chunk > 1:
            pgconn.set_chunked_rows_mode(chunk)
        else:
            chunk = 1
            pgconn.set_single_row_mode()
        self.driver.wait(generators.send(pgconn))
        return chunk

    def _send_cancel(self) -> None:
        if _CANCEL_SAFE:
            self.driver.cancel_safe(timeout=CANCEL_TIMEOUT_SECONDS)
            return
        cancel = self.driver.pgconn.get_cancel()  # a copy of what it needs, good beyond the connection
        sender = threading.Thread(target=_quietly(cancel.cancel), name="cancel", daemon=True)
        sender.start()
        sender.join(CANCEL_TIMEOUT_SECONDS)  # before libpq 17 it has no time limit of its own

    def _finish_after_error(self) -> None:
        with suppress(psycopg.Error):
            if self._piped:
                self._leave_pipeline()
            else:
                self.driver.wait(generators.fetch_many(self.driver.pgconn))

    def _refuse_copy(self, result: PGresult) -> None:
        pgconn = self.driver.pgconn
        if result.status == pq.ExecStatus.COPY_IN:
            with suppress(psycopg.Error):
                self.driver.wait(generators.copy_end(pgconn, b"no client stream"))
        else:
            self.cancel()
            with suppress(psycopg.Error):
                while isinstance(self.driver.wait(generators.copy_from(pgconn)), memoryview):
                    pass
        raise DatabaseFault("COPY from or to the client is not supported.", next_step="Use SELECT or INSERT instead.")

    def _read_off(self, seconds: float) -> bool:
        """Read and drop results for at most ``seconds``; True when the server is done with the statement."""
        pgconn = self.driver.pgconn
        deadline = time.monotonic() + seconds
        while True:
            while pgconn.is_busy():
                if not self._readable(max(0.0, deadline - time.monotonic())):
                    return False
                pgconn.consume_input()
                if time.monotonic() >= deadline:
                    break
            else:
                result = pgconn.get_result()
                if self._piped and result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
                    self._end_pipeline()
                    return True
                if result is None and (not self._piped or self.driver.closed):
                    return True
            if time.monotonic() >= deadline:
                return False

    def _readable(self, seconds: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self.driver.pgconn.socket, selectors.EVENT_READ)
            return bool(selector.select(seconds))


class _InUse:
    """See ``Wire._in_use``. A class, as each chunk of a result passes here, and a generator takes three times as long."""

    __slots__ = ("_wire",)

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __enter__(self) -> None:
        self._wire._using.acquire()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._wire._using.release()
        if self._wire._close_wanted:
            self._wire.close()


class _Guard(_InUse):
    """See ``Wire.guarded``."""

    __slots__ = ("_sql",)

    def __init__(self, wire: Wire, sql: str | None) -> None:
        super().__init__(wire)
        self._sql = sql

    def __enter__(self) -> None:
        if not self._wire.usable:
            raise ConnectionFailed("The connection is closed.")
        super().__enter__()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        told = translated(error, self._sql) if isinstance(error, psycopg.Error) else error
        if isinstance(told, ConnectionFailed):
            self._wire._lost = True
        if told is not error and told is not None:
            raise told from error


def _second_handle(handle: int) -> socket.socket:
    """A handle of our own on libpq's socket: libpq may close its own at any moment, and the number may then be another's."""
    line = socket.socket(fileno=handle)
    try:
        second = line.dup()
        second.setblocking(False)  # both handles share the mode, and libpq needs this one
        return second
    finally:
        line.detach()


def _quietly(call: Callable[[], None]) -> Callable[[], None]:
    def called() -> None:
        with suppress(psycopg.Error):
            call()

    return called


def _encoded(sql: str) -> bytes:
    """The text as bytes; a NUL would end it early for libpq, after the gate has read all of it."""
    if "\0" in sql:
        raise InvalidParameter("The SQL text holds a NUL character.")
    try:
        return sql.encode()
    except UnicodeEncodeError as error:
        raise InvalidParameter(f"The SQL text is not valid Unicode: {error.reason}.") from error


@contextmanager
def _binding() -> Iterator[None]:
    """What cannot be bound is the caller's mistake, told before anything is sent."""
    try:
        yield
    except (psycopg.Error, UnicodeEncodeError, OverflowError, TypeError, ValueError) as error:
        raise InvalidParameter(f"A parameter cannot be sent to PostgreSQL: {error}") from error


def open_wire(parameters: dict[str, str]) -> Wire:
    """Connect with libpq parameters. Raises the errors of a connection that cannot be made."""
    with connecting():
        conninfo = make_conninfo(**parameters)
        return Wire(psycopg.Connection.connect(conninfo, autocommit=True, prepare_threshold=None, context=ADAPTERS))
