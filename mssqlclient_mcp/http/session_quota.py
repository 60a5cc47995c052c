"""How many MCP sessions one client may hold: opening them is not counted as calls, and all clients share the room for them."""

from __future__ import annotations

import logging
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .door import BodyLimit
from .identity import SESSION_HEADER, Identity, counted_key, is_stateless

log = logging.getLogger(__name__)

MOST_OF_ONE = 1000
MOST_REMEMBERED = 20_000
MOST_OPENING_BYTES = 64 << 10
"""Of a request that opens a session: what it tells of the client is kept as long as the session."""
REFUSED = 400


class SessionQuota:
    """ASGI middleware around the streamable transport. A client (a token, or an address) that opens one session too many loses
    the one that it used the longest ago; no other client's is touched. It is ended as the client would end it, by DELETE."""

    def __init__(self, app: ASGIApp, identity: Identity, *, most: int = MOST_OF_ONE) -> None:
        self._app = app
        self._opening = BodyLimit(app, most_bytes=MOST_OPENING_BYTES)
        self._identity = identity
        self._most = most
        self._open: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()  # by client, the latest used last
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        request = Request(scope)
        client = counted_key(self._identity.caller_of(request))
        session = request.headers.get(SESSION_HEADER)
        if session is not None:
            self._used(client, session)

        async def watched_send(message: Message) -> None:
            if session is None and message["type"] == "http.response.start" and message["status"] < REFUSED:
                opened = Headers(raw=message.get("headers", [])).get(SESSION_HEADER)
                if opened is not None:
                    await self._opened(client, opened, scope)
            await send(message)

        opening = session is None and not is_stateless(request)
        await (self._opening if opening else self._app)(scope, receive, watched_send)
        if session is not None and request.method == "DELETE":
            self._forget(client, session)

    def _used(self, client: str, session: str) -> None:
        sessions = self._open.get(client)
        if sessions is not None and session in sessions:
            sessions.move_to_end(session)
            self._open.move_to_end(client)

    async def _opened(self, client: str, session: str, scope: Scope) -> None:
        sessions = self._open.setdefault(client, OrderedDict())
        sessions[session] = None
        self._open.move_to_end(client)
        self._count += 1
        if len(sessions) > self._most:
            oldest = next(iter(sessions))
            self._forget(client, oldest)
            log.warning("a client opened more than %d MCP sessions: its oldest ends", self._most, extra={"client": client})
            await self._end(scope, oldest)
        while self._count > MOST_REMEMBERED:  # of clients that are gone: their sessions ended by themselves
            forgotten = next(iter(self._open))
            self._forget(forgotten, next(iter(self._open[forgotten])))

    def _forget(self, client: str, session: str) -> None:
        sessions = self._open.get(client, OrderedDict())
        if session in sessions:
            del sessions[session]
            self._count -= 1
            if not sessions:
                del self._open[client]

    async def _end(self, scope: Scope, session: str) -> None:
        """The DELETE that the client could have sent, with the credential of its present request."""
        kept = [(name, value) for name, value in scope["headers"] if name in (b"host", b"mcp-protocol-version")]
        headers = [*kept, (SESSION_HEADER.encode(), session.encode("latin-1"))]

        async def no_body() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def nowhere(_: Message) -> None:
            """Nobody waits for the answer."""

        await self._app({**scope, "method": "DELETE", "headers": headers}, no_body, nowhere)
