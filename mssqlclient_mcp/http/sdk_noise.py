"""What the SDK reports as an error when a client goes in the middle of something, and is none; and what it should not quote."""

from __future__ import annotations

import logging

import anyio
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ENDED = (anyio.ClosedResourceError, anyio.BrokenResourceError)


class EndedSessions(logging.Filter):
    """Leaves out the tracebacks of messages to a session that ended meanwhile, such as a notification just before a DELETE."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is told."""
        return not (record.exc_info and isinstance(record.exc_info[1], _ENDED))


class UnreadableMessages(logging.Filter):
    """Tells that a message could not be read, without the traceback: it quotes the message, and values in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets everything pass, without what must not."""
        if record.exc_info and isinstance(record.exc_info[1], ValidationError):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class AnsweredOnce:
    """ASGI middleware: an answer that is sent after the answer goes nowhere. The SDK sends a second one, an error, when a
    notification that it had accepted met the end of its session."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        answered = False

        async def send_once(message: Message) -> None:
            nonlocal answered
            if answered:
                return
            answered = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        try:
            await self._app(scope, receive, send_once if scope["type"] == "http" else send)
        except _ENDED:
            if not answered:
                raise


def quiet_the_sdk() -> None:
    """Let the log of this process be without them; harmless twice."""
    for name in ("mcp.server.streamable_http", "mcp.server.sse"):
        logger = logging.getLogger(name)
        for kind in (EndedSessions, UnreadableMessages):
            if not any(isinstance(one, kind) for one in logger.filters):
                logger.addFilter(kind())
