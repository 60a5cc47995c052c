"""Resources: the rows of a session as a file, and the word to subscribers that a session ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

from ..config import Config
from ..database_service import DatabaseService
from ..errors import DatabaseMcpError, InvalidParameter, ResultExpired, SessionRunning
from ..formatters.errors import format_error
from ..formatters.sessions import csv_lines
from ..session import Session

SESSION_CSV = "db://sessions/{sessionId}/results.csv"
MOST_SUBSCRIPTIONS = 1000

_SESSION_URI = re.compile(r"db://sessions/([^/]+)/results\.csv")

Context = ServerRequestContext[DatabaseService, Any]


def session_gates_open(config: Config) -> bool:
    """Whether sessions can come about at all."""
    return config.enable_start_query or config.enable_start_stored_procedure


def templates(config: Config) -> list[types.ResourceTemplate]:
    """The resources/templates/list answer."""
    if not session_gates_open(config):
        return []
    return [
        types.ResourceTemplate(
            uri_template=SESSION_CSV,
            name="session_results",
            title="Rows of a background session",
            description="The first result set of a session that has ended, as CSV (RFC 4180); NULL is an empty field.",
            mime_type="text/csv",
        )
    ]


async def read(service: DatabaseService, client: str, uri: str) -> types.ReadResourceResult:
    """The resources/read answer. An error of ours becomes a protocol error with the same words and data."""
    try:
        return await _read(service, client, uri)
    except DatabaseMcpError as error:
        text, data = format_error(error)
        raise MCPError(types.INVALID_PARAMS, text, data) from error


async def _read(service: DatabaseService, client: str, uri: str) -> types.ReadResourceResult:
    found = _SESSION_URI.fullmatch(uri)
    if found is None or not session_gates_open(service.config):
        raise InvalidParameter(f"There is no resource {uri!r}.", details={"expected": SESSION_CSV})
    session = service.sessions.get_session(client, found[1])
    text = await anyio.to_thread.run_sync(_csv, session)
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type="text/csv", text=text)])


def _csv(session: Session) -> str:
    told = session.snapshot()
    if told.end_time is None:
        raise SessionRunning(f"The session {session.id} still runs; its file is there when it has ended.")
    if told.result_expired:
        raise ResultExpired("The rows of this session were given up to make room for other results.")
    if not told.result_sets:
        return ""
    return "".join(csv_lines(told.result_sets[0].columns, session.store.read(0)))


class SessionUpdates:
    """Tells clients that subscribed to a session's resource when the session ends: by ``resources/updated`` to those that
    speak the protocol with a handshake, by ``subscriptions/listen`` to the others."""

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self.listen = ListenHandler(self._bus)
        self._subscribed: dict[tuple[int, str], Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, service: DatabaseService) -> Callable[[], None]:
        """Begin to watch the sessions of ``service``; the answer stops it."""
        loop = asyncio.get_running_loop()

        def ended(session_id: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(self._start_telling, SESSION_CSV.format(sessionId=session_id))

        return service.sessions.when_any_over(ended)

    async def subscribe(self, ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """resources/subscribe."""
        while len(self._subscribed) >= MOST_SUBSCRIPTIONS:
            del self._subscribed[next(iter(self._subscribed))]  # the oldest: nobody may be there any more
        self._subscribed[(id(ctx.session), str(params.uri))] = ctx.session
        return types.EmptyResult()

    async def unsubscribe(self, ctx: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """resources/unsubscribe."""
        self._subscribed.pop((id(ctx.session), str(params.uri)), None)
        return types.EmptyResult()

    def _start_telling(self, uri: str) -> None:
        task = asyncio.get_running_loop().create_task(self._tell(uri))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri=uri))
        for key in [key for key in self._subscribed if key[1] == uri]:
            session = self._subscribed.pop(key)
            with suppress(Exception):  # the client is gone: nobody to tell
                await session.send_resource_updated(uri)
