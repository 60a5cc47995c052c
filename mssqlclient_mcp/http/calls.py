"""Calls under way over HTTP: how many there are, whether their client is still there, and the wait for them at the end.

Everything here runs on the event loop, ``drain`` aside.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..tools.surroundings import Context

log = logging.getLogger(__name__)

PRESENCE = "mssqlclient_mcp.presence"
RETRY_AFTER_SECONDS = 15


class Presence:
    """Whether the client of one request is still there."""

    def __init__(self) -> None:
        self.gone = False
        self._leave: list[Callable[[], object]] = []

    def leave(self) -> None:
        """The connection is gone; harmless twice."""
        self.gone = True
        listeners, self._leave = self._leave, []
        for listener in listeners:
            listener()

    def when_gone(self, listener: Callable[[], object]) -> None:
        """Call ``listener`` when the connection goes, now if it is gone already."""
        self._leave.append(listener)
        if self.gone:
            self.leave()


class CallsUnderWay:
    """Counts calls, ends one whose client is gone, and waits for all when the process is to end."""

    def __init__(self) -> None:
        self.count = 0
        self.draining = False
        self._idle = threading.Event()
        self._idle.set()

    @asynccontextmanager
    async def around(self, context: Context) -> AsyncIterator[None]:
        """One call. When its client goes, what it does is cancelled: nobody is there to take the answer."""
        presence = context.request.scope.get(PRESENCE) if context.request is not None else None
        self.count += 1
        self._idle.clear()
        try:
            with anyio.CancelScope() as scope:
                if isinstance(presence, Presence):
                    presence.when_gone(scope.cancel)
                yield
        finally:
            self.count -= 1
            if not self.count:
                self._idle.set()

    def drain(self, seconds: float) -> None:
        """From the thread that ends the process: let nothing new in and wait, ``seconds`` at the most, for what runs."""
        self.draining = True
        began = time.monotonic()
        if self.count:
            log.info("waiting for %d calls", self.count)
        if self._idle.wait(seconds):
            time.sleep(min(0.1, seconds))  # the last answer is on its way
        else:
            log.warning("%d calls still run after %.0f s and are cancelled", self.count, time.monotonic() - began)

    def wait(self, seconds: float) -> None:
        """Wait for what was cancelled to be answered."""
        if self._idle.wait(seconds):
            time.sleep(0.1)


class Doorman:
    """ASGI middleware: refuses new requests while the process ends, and notes when a client goes."""

    def __init__(self, app: ASGIApp, calls: CallsUnderWay) -> None:
        self._app = app
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._calls.draining:
            await refuse(send, 503, "The server is shutting down.", {"retry-after": str(RETRY_AFTER_SECONDS)})
            return
        presence = scope[PRESENCE] = Presence()
        answered = False

        async def watched_receive() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not answered:
                presence.leave()
            return message

        async def watched_send(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered = True
            await send(message)

        await self._app(scope, watched_receive, watched_send)


async def refuse(send: Send, status: int, message: str, headers: dict[str, str] | None = None) -> None:
    """Answer a request with a line of text instead of handling it."""
    body = message.encode()
    told = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), **(headers or {})}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
