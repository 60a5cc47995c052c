"""What tests of sessions share: a call on a thread of its own, and waiting for what comes about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import DatabaseMcpError
from mssqlclient_mcp.models import QuerySession
from mssqlclient_mcp.session import Session

ME = "local"


class Caller:
    """A tool call on a thread of its own, as ``tools.run`` makes it; ``outcome`` is its answer or its error."""

    def __init__(
        self,
        service: DatabaseService,
        text: str,
        *,
        procedure: bool = False,
        max_rows: int | None = None,
        seconds: float | None = None,
        limit: float = 30,
    ) -> None:
        self.running = service.running(limit)
        self.early = threading.Event()
        self.outcome: list[Any] = []
        self.running.when_early(self.early.set)
        reservation, offer = service.reserve(), service.offer(ME, seconds, procedure=procedure)
        query = partial(service.execute_query, max_rows=max_rows, may_write=True)
        run: Callable[..., object] = service.execute_stored_procedure if procedure else query

        def work() -> None:
            try:
                self.outcome.append(run(None, text, offer=offer))
            except DatabaseMcpError as error:
                self.outcome.append(error)

        self.thread = threading.Thread(target=lambda: service.in_call(self.running, reservation, work))
        self.thread.start()

    @property
    def session(self) -> Session:
        """What the caller was answered with."""
        value = self.running.early_value
        assert isinstance(value, Session)
        return value


def ended(service: DatabaseService, told: QuerySession, seconds: float = 60) -> QuerySession:
    """The session when it is over."""
    session = service.sessions.get_session(ME, told.session_id)
    over = threading.Event()
    session.when_over(over.set)
    assert over.wait(seconds), "the session goes on"
    return session.snapshot()


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about"
        time.sleep(0.01)
