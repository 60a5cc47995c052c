"""How many requests of one client may be under way: streams and waiting calls last as long as a client likes, and all clients
share the connections that there are."""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from .calls import refuse
from .identity import Identity, counted_key

MOST_AT_ONCE = 500
RETRY_AFTER_SECONDS = 5


class AtOnce:
    """ASGI middleware behind the check of the token: 429 for a request too many of a token, or of an address."""

    def __init__(self, app: ASGIApp, identity: Identity, *, most: int = MOST_AT_ONCE) -> None:
        self._app = app
        self._identity = identity
        self._most = most
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        client = counted_key(self._identity.caller_of(Request(scope)))
        if self._under_way[client] >= self._most:
            told = f"{self._most} requests of yours are under way: end some of them first."
            await refuse(send, 429, told, {"retry-after": str(RETRY_AFTER_SECONDS)})
            return
        self._under_way[client] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]
