"""The one bridge from async to threads: a place in the pool, a worker thread, cancel, early answers and progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
import anyio.to_thread

from ..running import EndReason, Running

if TYPE_CHECKING:
    from .base import Call

T = TypeVar("T")

PROGRESS_EVERY_SECONDS = 1.0


async def run(call: Call, work: Callable[[], T], *, seconds: float | None = None) -> T:
    """Run blocking ``work`` in a worker thread with a deadline of ``seconds`` (None: the client's command timeout).

    A cancelled request ends the statement at the database; a statement that cannot be stopped, or that became a session,
    is answered while its worker is still busy. Raises what ``work`` raises, and PoolExhausted before any thread is used.
    """
    service = call.service
    reservation = service.reserve()
    running = service.running(call.command_timeout() if seconds is None else seconds)
    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as scope:
        running.when_early(lambda: loop.call_soon_threadsafe(scope.cancel))
        try:
            with progress(call, running):
                return await anyio.to_thread.run_sync(
                    service.in_call, running, reservation, work, limiter=call.limiter, abandon_on_cancel=True
                )
        except anyio.get_cancelled_exc_class():
            if not running.answered_early:
                running.end(EndReason.CLIENT)
            if not running.taken:
                reservation.release()  # cancelled before a thread took the work
            raise
    if running.early_error is not None:
        raise running.early_error
    return cast("T", running.early_value)


@contextmanager
def progress(call: Call, running: Running) -> Iterator[None]:
    """Tell the client each second how far ``running`` is, when it asked for that."""
    if not (call.context.meta and call.context.meta.get("progress_token") is not None):
        yield
        return
    task = asyncio.get_running_loop().create_task(_report(call, running))
    try:
        yield
    finally:
        task.cancel()


async def _report(call: Call, running: Running) -> None:
    while True:
        await asyncio.sleep(PROGRESS_EVERY_SECONDS)
        seconds = running.elapsed
        await call.context.session.report_progress(seconds, None, f"{seconds:.0f} s, {running.rows} rows so far")
