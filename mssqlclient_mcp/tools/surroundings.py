"""What surrounds every call: who calls, whether the call is admitted, and who is told how it went.

On stdio there is one caller who may do everything; over HTTP the parts come from ``http``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from mcp.server.context import ServerRequestContext

Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True)
class Caller:
    """Who calls. ``owner`` has the sessions and the command timeout, ``counted_as`` is what the rate limit counts,
    ``scopes`` what the token grants (None: everything)."""

    owner: str
    counted_as: str
    scopes: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        """Whether a tool of this scope is granted."""
        return self.scopes is None or scope in self.scopes


LOCAL = Caller(owner="local", counted_as="local")


@dataclass(frozen=True)
class CallTold:
    """How a call went: ``code`` is "ok" or the error's code, ``seconds`` its duration, ``rows`` those in the answer."""

    tool: str
    caller: Caller
    code: str
    seconds: float
    rows: int | None
    request_id: str


@dataclass(frozen=True)
class Surroundings:
    """The parts; the defaults are those of a single local client."""

    identify: Callable[[Context], Caller] = lambda _: LOCAL
    admit: Callable[[Caller], Awaitable[None]] | None = None  # raises RateLimited
    around: Callable[[Context], AbstractAsyncContextManager[None]] | None = None  # leaves the block early when nobody waits
    watchers: tuple[Callable[[CallTold], None], ...] = ()
