"""How often one client may call tools: a moving window, counted in this process or in a Redis that several servers share."""

from __future__ import annotations

import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError, StorageError

from ..connection_settings import Secret
from ..errors import ConfigInvalid, RateLimited
from ..models import ClientSession
from ..tools.surroundings import Caller
from .identity import counted_key

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
MOST_CLIENTS = 10_000
STORAGE_SECONDS = 0.5
STORAGE_AGAIN_SECONDS = 5.0
WARN_EVERY_SECONDS = 60.0
SCHEMES = ("redis", "rediss", "redis+unix", "redis+sentinel", "redis+cluster")
MEMORY = ("memory", "memory://")

Clock = Callable[[], float]
T = TypeVar("T")


class BoundedMemory(MemoryStorage):
    """Counts of this process, of the 10,000 clients that called last: who changes addresses endlessly fills no memory. The
    library's own keeps every address and starts a task for each call to look for old ones."""

    STORAGE_SCHEME = ["async+bounded-memory"]  # noqa: RUF012 - the library declares it like this

    def __init__(self, clock: Clock = time.monotonic, *, most_clients: int = MOST_CLIENTS) -> None:
        super().__init__()
        self._clock = clock
        self._most_clients = most_clients
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a call; False when the window is full."""
        now = self._clock()
        calls = self._calls.setdefault(key, deque())
        self._calls.move_to_end(key)
        while calls and calls[0] <= now - expiry:
            calls.popleft()
        if len(calls) + amount > limit:
            return False
        calls.extend([now] * amount)
        self._forget(now - expiry)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """(when the oldest call of the window was, calls in the window)."""
        now = self._clock()
        inside = [when for when in self._calls.get(key, ()) if when > now - expiry][-limit:]
        return (inside[0], len(inside)) if inside else (now, 0)

    def _forget(self, since: float) -> None:
        while self._calls:
            calls = next(iter(self._calls.values()))
            if len(self._calls) <= self._most_clients and calls and calls[-1] > since:
                return
            self._calls.popitem(last=False)


class _Counts:
    """A place where calls are counted, and its clock."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.window = MovingWindowRateLimiter(storage)
        self.clock = clock


class RateLimiter:
    """Admits so many calls of a client per minute. While a shared storage does not answer, this process counts by itself."""

    def __init__(
        self,
        per_minute: int,
        storage_uri: Secret | None = None,
        *,
        window_seconds: int = WINDOW_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._item = RateLimitItemPerSecond(per_minute, window_seconds, namespace="mssqlclient_mcp")
        self._clock = clock
        self._own = _Counts(BoundedMemory(clock), clock)
        self._storage = None if storage_uri is None else _shared_storage(storage_uri)
        self._shared = None if self._storage is None else _Counts(self._storage, time.time)
        self._shared_again = self._warn_again = float("-inf")

    async def admit(self, caller: Caller) -> None:
        """Count a call of this caller. Raises RateLimited with ``retryAfterSeconds``: who waits so long gets through."""
        if not await self._ask(lambda counts: counts.window.hit(self._item, counted_key(caller))):
            session, seconds = await self._standing(caller)
            per = "minute" if self._item.get_expiry() == WINDOW_SECONDS else f"{self._item.get_expiry()} s"
            raise RateLimited(
                f"{session.request_count} calls within a {per}; the limit is {self._item.amount} for each client.",
                details={"retryAfterSeconds": seconds, "expected": f"at most {self._item.amount} calls a {per}"},
            )

    async def session(self, caller: Caller) -> ClientSession:
        """What is counted for this caller right now."""
        return (await self._standing(caller))[0]

    async def aclose(self) -> None:
        """Let go of the shared storage's connections."""
        if self._storage is not None:
            await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    async def _standing(self, caller: Caller) -> tuple[ClientSession, int]:
        """The caller's window, and in how many whole seconds its oldest call leaves it."""
        window = self._item.get_expiry()

        async def ask(counts: _Counts) -> tuple[ClientSession, int]:
            ends, left = await counts.window.get_window_stats(self._item, counted_key(caller))
            now = counts.clock()
            seconds = max(1, math.ceil(ends - now))
            age = now - (ends - window)
            return ClientSession(caller.counted_as, self._item.amount - left, time.time() - age), seconds

        return await self._ask(ask)

    async def _ask(self, question: Callable[[_Counts], Awaitable[T]]) -> T:
        if self._shared is not None and self._clock() >= self._shared_again:
            try:
                with anyio.fail_after(STORAGE_SECONDS):
                    return await question(self._shared)
            except (StorageError, OSError, TimeoutError) as error:
                self._shared_is_away(error)
        return await question(self._own)

    def _shared_is_away(self, error: Exception) -> None:
        now = self._clock()
        self._shared_again = now + STORAGE_AGAIN_SECONDS
        if now >= self._warn_again:
            self._warn_again = now + WARN_EVERY_SECONDS
            log.warning("RATE_LIMIT_STORAGE_URI does not answer (%s): calls are counted in this process", type(error).__name__)


def _shared_storage(uri: Secret) -> RedisStorage | None:
    text = uri.reveal()
    if text in MEMORY:
        return None
    if text.partition("://")[0] not in SCHEMES:
        raise ConfigInvalid(
            "RATE_LIMIT_STORAGE_URI must be memory or a URL of Redis (redis://, rediss://).",
            details={"setting": "RATE_LIMIT_STORAGE_URI"},
        )
    try:
        return RedisStorage(
            f"async+{text}",
            wrap_exceptions=True,
            implementation="redispy",
            socket_timeout=STORAGE_SECONDS,
            socket_connect_timeout=STORAGE_SECONDS,
        )
    except ConfigurationError as error:
        raise ConfigInvalid(
            f"RATE_LIMIT_STORAGE_URI cannot be used: {error}",
            details={"setting": "RATE_LIMIT_STORAGE_URI"},
            next_step='Install it: pip install "mssqlclient-mcp[http,redis]"',
        ) from None
    except ValueError as error:  # of the URL's parts
        raise ConfigInvalid(f"RATE_LIMIT_STORAGE_URI cannot be used: {type(error).__name__}") from None
