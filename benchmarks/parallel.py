"""Ten queries of two seconds at once over one stdio connection, and a quick one that comes after them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from .figures import Figure, Judged
from .pipe import our_server
from .places import Place

QUERIES = 10
SECONDS = 2.0
WRITES = {"ENABLE_WRITE_QUERIES": "true"}  # the read-only gate takes no query that only sleeps


def measure(place: Place) -> Iterator[Figure]:
    """Wall time until all are answered; then a status call and a SELECT 1 while ten of them hold all connections."""
    sql = place.sleep(SECONDS)
    with our_server({**place.environment, **WRITES}) as server:
        server.initialize()
        for _ in range(3):
            server.result("execute_query", {"query": place.one})
        began = time.perf_counter()
        for _ in range(QUERIES):
            server.send("tools/call", {"name": "execute_query", "arguments": {"query": sql}})
        for _ in range(QUERIES):
            assert not json.loads(server.receive())["result"].get("isError")
        seconds = time.perf_counter() - began
        for _ in range(QUERIES):
            server.send("tools/call", {"name": "execute_query", "arguments": {"query": sql}})
        status = server.timed_call("list_sessions", {})
        for _ in range(QUERIES):
            server.receive()
    yield Figure(f"{QUERIES} parallel {SECONDS:g} s queries", seconds, "s", 2.3, Judged.VALUE, SECONDS, "one of them")
    yield Figure("status while they hold all connections", status, "ms", 100, Judged.VALUE)
