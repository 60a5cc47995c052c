"""What every request must pass before it is looked at: Host and Origin, and a body of bounded size that comes in time."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..config import Config
from .calls import refuse
from .names import ANY, AllowedNames, read_place

log = logging.getLogger(__name__)

BODY_SECONDS = 30.0
MOST_BODY_BYTES = DEFAULT_MAX_REQUEST_BODY_SIZE
LINGER_SECONDS = 5.0
MOST_READ_AWAY_BYTES = 8 * MOST_BODY_BYTES
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
CLOSE = {"connection": "close"}
SHOWN = 200


def allowed_names(config: Config) -> AllowedNames:
    """The Host and Origin headers to accept: those of the settings, and on loopback its own names with any port."""
    hosts = list(config.http_allowed_hosts)
    origins = list(config.http_allowed_origins)
    if is_loopback(config.http_host):
        hosts += [f"{name}:{ANY}" for name in LOOPBACK_NAMES]
        origins += [f"{scheme}://{name}:{ANY}" for scheme in ("http", "https") for name in LOOPBACK_NAMES]
    return AllowedNames(hosts, origins)


def cross_origin(origins: Sequence[str]) -> list[Middleware]:
    """The answers (CORS) without which a browser keeps a page of an allowed origin from calling. For origins of the settings
    only: no page that another program on this machine serves can then call a server that asks for no token."""
    if not origins:
        return []
    places = (read_place(one.rstrip("/")) for one in origins)
    patterns = [place.pattern() for place in places if place is not None]
    return [
        Middleware(
            CORSMiddleware,
            allow_origin_regex="|".join(patterns),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
        )
    ]


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HostCheck:
    """ASGI middleware: 421 for a Host, 403 for an Origin that is not accepted; against DNS rebinding, on every path. The SDK's
    own check takes whatever stands behind the colon for a port."""

    def __init__(self, app: ASGIApp, names: AllowedNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            hosts, origins = headers.getlist("host"), headers.getlist("origin")
            if len(hosts) != 1 or not self._names.host(hosts[0]):
                log.warning("a request for another host is refused: %s", ", ".join(hosts)[:SHOWN])
                await refuse(send, 421, "The Host header is none of HTTP_ALLOWED_HOSTS.", CLOSE)
                return
            if not all(map(self._names.origin, origins)):
                log.warning("a page of another origin is refused: %s", ", ".join(origins)[:SHOWN])
                await refuse(send, 403, "The Origin header is none of HTTP_ALLOWED_ORIGINS.", CLOSE)
                return
        await self._app(scope, receive, send)


class BodyLimit:
    """ASGI middleware: reads a body whole before anything else does; 413 when it is too large, 408 when it takes too long."""

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BODY_BYTES, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and "content-length" in headers:  # RFC 9112, 6.3: may be an attempt at smuggling
            await refuse(send, 400, "A body has one length.", CLOSE)
            return
        try:
            body = await asyncio.wait_for(self._read(scope, receive), self._seconds)
        except asyncio.TimeoutError:
            await refuse(send, 408, "The request took too long to arrive.", CLOSE)
            return
        if body is None:
            await self._refuse_large(receive, send)
            return
        await self._app(scope, _replaying(body, receive), send)

    async def _refuse_large(self, receive: Receive, send: Send) -> None:
        """Say so at once, and let the client send on for a while: closed upon, it would see a lost connection only."""

        async def hold_back_the_end(message: Message) -> None:
            await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

        await refuse(hold_back_the_end, 413, "The request body is too large.", CLOSE)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._read_away(receive), LINGER_SECONDS)
        await send({"type": "http.response.body", "body": b""})

    async def _read_away(self, receive: Receive) -> None:
        left = MOST_READ_AWAY_BYTES
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body"):
                return

    async def _read(self, scope: Scope, receive: Receive) -> list[Message] | None:
        """The messages that make the body; None when it is too large. A client that goes meanwhile ends them."""
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._most_bytes:
            return None
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self._most_bytes:
                return None
            if message["type"] != "http.request" or not message.get("more_body"):
                return messages


def _replaying(messages: list[Message], receive: Receive) -> Receive:
    waiting = deque(messages)

    async def replay() -> Message:
        return waiting.popleft() if waiting else await receive()

    return replay
