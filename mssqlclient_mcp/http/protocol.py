"""HTTP/1.1 as uvicorn speaks it, with an end to a connection on which no request comes, or no answer is taken: nothing holds no
place, and no memory."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose request line and header are not there in time, be it the first request or a later one of which
    a part came; and one whose client takes nothing of what it was sent. (uvicorn ends idle connections between requests
    itself; a body's time is limited in ``door``.)"""

    header_seconds: ClassVar[float] = 20.0
    taking_seconds: ClassVar[float] = 30.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_timer: asyncio.TimerHandle | None = None
        self._taking_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Something came; whether a whole header is there tells uvicorn's own cycle of request and response."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes less than it is sent; from now on some of it must go in time."""
        super().pause_writing()
        self._watch_taking(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It has taken nearly all."""
        self._taken()
        super().resume_writing()

    def _watch(self) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting:
            self._stop()
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._too_slow)

    def _stop(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _watch_taking(self, waiting: int) -> None:
        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left < waiting:
                self._watch_taking(left)
            else:
                self.transport.abort()

        self._taking_timer = self.loop.call_later(self.taking_seconds, look)

    def _taken(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None

    def _too_slow(self) -> None:
        self._header_timer = None
        if not self.transport.is_closing():
            self.transport.close()
