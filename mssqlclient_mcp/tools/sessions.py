"""Tools around background sessions. All but the start answer from memory: they never wait for the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Literal

import anyio
import anyio.to_thread
from pydantic import Field

from ..errors import InvalidParameter, ResultExpired
from ..formatters import sessions as show
from ..models import QuerySession, SessionStatus
from ..session import Session
from ..session_store import GIVEN_UP
from .base import Arguments, Call, Reply
from .run import progress

CANCEL_WAIT_SECONDS = 1.0


class StartQuery(Arguments):
    """Arguments of start_query."""

    query: str = Field(description="One SQL statement.")
    parameters: list[Any] | None = Field(None, description="Values for the markers: ? on SQL Server, $1 on PostgreSQL.")
    timeout_seconds: int | None = Field(None, description="Default 600.")


class StartProcedure(Arguments):
    """Arguments of start_stored_procedure."""

    procedure_name: str
    parameters: dict[str, Any] | str | None = Field(None, description="Values by parameter name; or the same as a JSON string.")
    timeout_seconds: int | None = Field(None, description="Default 600.")


class SessionId(Arguments):
    """Arguments of cancel_session."""

    session_id: str


class SessionStatusOf(SessionId):
    """Arguments of get_session_status."""

    wait_seconds: float = Field(0, ge=0, le=30, description="Answers earlier when the session ends.")


class SessionResult(SessionStatusOf):
    """Arguments of get_session_result."""

    result_set: int = Field(0, ge=0)
    offset: int = Field(0, ge=0)
    max_rows: int = Field(100, ge=1)


class ListSessions(Arguments):
    """Arguments of list_sessions."""

    status: Literal["all", "running", "completed", "failed", "cancelled"] = "all"


async def start_query(call: Call, args: StartQuery) -> Reply:
    """Begin a query in the background."""

    def start() -> QuerySession:
        return call.service.start_query(
            call.client,
            call.database,
            args.query,
            args.parameters or (),
            seconds=args.timeout_seconds,
            may_write=call.may_write,
        )

    return show.session_status(await anyio.to_thread.run_sync(start, limiter=call.limiter))


async def start_stored_procedure(call: Call, args: StartProcedure) -> Reply:
    """Begin a procedure in the background."""
    started = call.service.start_stored_procedure(
        call.client, call.database, args.procedure_name, args.parameters, seconds=args.timeout_seconds
    )
    return show.session_status(started)


async def get_session_status(call: Call, args: SessionStatusOf) -> Reply:
    """How far a session is."""
    session = call.service.sessions.get_session(call.client, args.session_id)
    await wait_for_end(call, session, args.wait_seconds)
    return show.session_status(session.snapshot())


async def get_session_result(call: Call, args: SessionResult) -> Reply:
    """A page of a session's rows; of a running one, those it has so far."""
    session = call.service.sessions.get_session(call.client, args.session_id)
    await wait_for_end(call, session, args.wait_seconds)
    told = session.snapshot()
    check_readable(told, args.result_set)
    config = call.service.config
    most = min(args.max_rows, config.max_rows)

    def page() -> Reply:
        rows = session.store.read(args.result_set, args.offset, most) if told.result_sets else iter(())
        return show.session_page(told, args.result_set, rows, offset=args.offset, max_chars=config.max_response_chars)

    return await anyio.to_thread.run_sync(page, limiter=call.limiter)


async def cancel_session(call: Call, args: SessionId) -> Reply:
    """Stop a session at the database; its rows so far stay readable."""
    session = call.service.sessions.cancel_session(call.client, args.session_id)
    await wait_for_end(call, session, CANCEL_WAIT_SECONDS)
    return show.session_status(session.snapshot())


async def list_sessions(call: Call, args: ListSessions) -> Reply:
    """This client's sessions."""
    status = None if args.status == "all" else SessionStatus(args.status)
    return show.session_list(call.service.sessions.list_sessions(call.client, status))


def check_readable(told: QuerySession, result_set: int) -> None:
    """Raises ResultExpired when the rows are gone, InvalidParameter when there is no such result set."""
    if told.result_expired:
        raise ResultExpired(GIVEN_UP)
    if result_set >= max(1, len(told.result_sets)):
        count = len(told.result_sets)
        raise InvalidParameter(
            f"There is no result set {result_set}: the session has {count}{' so far' if told.end_time is None else ''}.",
            details={"expected": f"resultSet: 0 to {max(0, count - 1)}"},
        )


async def wait_for_end(call: Call, session: Session, seconds: float) -> None:
    """Wait until the session ends, ``seconds`` at the most; holds neither a thread nor a connection meanwhile."""
    if not seconds or session.over:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    session.when_over(tell)
    try:
        with anyio.move_on_after(seconds), progress(call, session.running):
            await ended.wait()
    finally:
        session.no_longer(tell)
