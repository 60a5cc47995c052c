"""The word to clients that a resource changed: a session ended, so its rows are there."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

from ..database_service import DatabaseService
from .resources import SESSION_CSV
from .surroundings import Caller

MOST_SUBSCRIPTIONS = 1000
MOST_OF_ONE = 100
MOST_LISTENING = 100

_SESSION = re.compile(re.escape(SESSION_CSV).replace(r"\{sessionId\}", "[^/]{1,100}"))

Context = ServerRequestContext[DatabaseService, Any]


class SessionUpdates:
    """Tells clients that subscribed to a session's resource when the session ends: by ``resources/updated`` to those that
    speak the protocol with a handshake, by ``subscriptions/listen`` to the others."""

    def __init__(self, identify: Callable[[Context], Caller]) -> None:
        self._identify = identify
        self._bus = InMemorySubscriptionBus()
        self._streams = ListenHandler(self._bus)
        self._listening: Counter[str] = Counter()  # streams by client
        self._subscribed: dict[tuple[int, str], Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, service: DatabaseService) -> Callable[[], None]:
        """Begin to watch the sessions of ``service``; the answer stops it."""
        loop = asyncio.get_running_loop()

        def ended(session_id: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(self._start_telling, SESSION_CSV.format(sessionId=session_id))

        return service.sessions.when_any_over(ended)

    async def listen(self, ctx: Context, params: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenResult:
        """subscriptions/listen, until the client closes the stream; raises MCPError when it has too many."""
        client = self._identify(ctx).counted_as
        if self._listening[client] >= MOST_LISTENING:
            raise MCPError(types.INVALID_REQUEST, f"You listen on {MOST_LISTENING} streams already: close one first.")
        self._listening[client] += 1
        wanted = [uri for uri in params.notifications.resource_subscriptions or () if _can_change(uri)][:MOST_OF_ONE]
        notifications = params.notifications.model_copy(update={"resource_subscriptions": wanted})
        try:
            return await self._streams(ctx, params.model_copy(update={"notifications": notifications}))
        finally:
            self._listening[client] -= 1
            if not self._listening[client]:
                del self._listening[client]

    async def subscribe(self, ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """resources/subscribe."""
        if not _can_change(str(params.uri)):
            return types.EmptyResult()
        mine = [key for key in self._subscribed if key[0] == id(ctx.session)]
        if len(mine) >= MOST_OF_ONE:
            del self._subscribed[mine[0]]
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


def _can_change(uri: str) -> bool:
    """Whether anybody will ever be told of this resource; what clients ask beyond that is not kept."""
    return _SESSION.fullmatch(uri) is not None
