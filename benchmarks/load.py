"""Many things at once over one stdio connection: slow queries, sessions that fetch, and quick calls beside them."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

from .figures import Figure, Judged
from .pipe import ServerProcess, our_server
from .places import Place

TEN = 10
SECONDS = 2.0
LOOKS = 200
WRITES = {"ENABLE_WRITE_QUERIES": "true"}  # the read-only gate takes no query that only sleeps
ENDLESS = 100_000_000


def measure(place: Place) -> Iterator[Figure]:
    """Slow queries, then sessions."""
    yield from slow_queries(place)
    yield from sessions(place)


def slow_queries(place: Place) -> Iterator[Figure]:
    """Wall time until ten sleeping queries are answered, and a status call while they hold all connections."""
    with our_server({**place.environment, **WRITES}) as server:
        server.initialize()
        if json.loads(server.call("execute_query", {"query": place.sleep(0.01)}))["result"].get("isError"):
            return  # an endpoint that cannot sleep
        began = time.perf_counter()
        send_ten(server, place.sleep(SECONDS))
        for _ in range(TEN):
            assert not json.loads(server.receive())["result"].get("isError")
        seconds = time.perf_counter() - began
        send_ten(server, place.sleep(SECONDS))
        status = server.timed_call("list_sessions", {})
        for _ in range(TEN):
            server.receive()
    yield Figure(f"{TEN} parallel {SECONDS:g} s queries", seconds, "s", 2.3, Judged.VALUE, SECONDS, "one of them")
    yield Figure("status while they hold all connections", status, "ms", 100, Judged.VALUE)


def sessions(place: Place) -> Iterator[Figure]:
    """start_query, and the status of sessions that fetch, each a call over stdio."""
    with our_server({**place.environment, "SESSIONS_MAX_MEMORY_MB": "1024"}) as server:
        server.initialize()
        server.result("execute_query", {"query": place.one})
        idle = [server.timed_call("list_sessions", {}) for _ in range(LOOKS)]
        starts = [server.timed_call("start_query", {"query": place.rows(ENDLESS)}) for _ in range(TEN)]
        while not all(one["rowCount"] for one in running(server)):
            time.sleep(0.02)
        busy: list[float] = []
        while len(busy) < LOOKS and len(running(server)) == TEN:
            busy += [server.timed_call("list_sessions", {"status": "running"}) for _ in range(10)]
    calm = statistics.median(idle)
    yield Figure("start_query answered, slowest of ten", max(starts), "ms", 100, Judged.VALUE, calm, "idle status call")
    if not busy:
        return  # an endpoint on which they do not last
    p95 = statistics.quantiles(busy, n=20)[-1]
    yield Figure(f"status beside {TEN} fetching sessions, p95", p95, "ms", 100, Judged.VALUE, calm, "idle status call")


def running(server: ServerProcess) -> list[dict[str, Any]]:
    """The sessions that run."""
    sessions: list[dict[str, Any]] = server.result("list_sessions", {"status": "running"})["structuredContent"]["sessions"]
    return sessions


def send_ten(server: ServerProcess, sql: str) -> None:
    """Ten calls at once."""
    for _ in range(TEN):
        server.send("tools/call", {"name": "execute_query", "arguments": {"query": sql}})
