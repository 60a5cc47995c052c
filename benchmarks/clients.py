"""Several clients over HTTP, each with an MCP session of its own: what waits for the database must not add up."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from .figures import Figure, Growth, Judged
from .load import WRITES
from .pipe import HANDSHAKE, ServerProcess
from .places import Place

SECONDS = 0.05
CLIENTS = 5
CALLS = 40
ROUNDS = 3
CROWDS = (1, 10, 100)
CALLS_IN_A_CROWD = 10
UNLIMITED = {"RATE_LIMIT_PER_MINUTE": "0", "POOL_MAX_SIZE": "50", "POOL_MAX_WAITING": "100", "LOG_LEVEL": "warning"}


def measure(place: Place) -> Iterator[Figure | Growth]:
    """Queries of 50 ms by one client and by five; then as many quick calls as a crowd sends."""
    with serving(place) as port:
        call = {"query": place.sleep(SECONDS)}
        calls_a_second(port, 1, CALLS, call)
        alone, together = [], []
        for _ in range(ROUNDS):
            alone.append(calls_a_second(port, 1, CALLS, call))
            together.append(calls_a_second(port, CLIENTS, CALLS, call))
        yield Figure(
            f"{CLIENTS} HTTP clients, {SECONDS * 1000:.0f} ms queries",
            statistics.median(together),
            "calls/s",
            0.9 * CLIENTS,
            Judged.SHARE,
            statistics.median(alone),
            "one client",
        )
        quick = {"query": place.one}
        taken = [(crowd, crowd * CALLS_IN_A_CROWD / calls_a_second(port, crowd, CALLS_IN_A_CROWD, quick)) for crowd in CROWDS]
        told = [(crowd, seconds * 1000) for crowd, seconds in taken]
        yield Growth(f"{CALLS_IN_A_CROWD} calls of SELECT 1 by each of them", "HTTP clients", "ms", told)


@contextmanager
def serving(place: Place, **overrides: str) -> Iterator[int]:
    """Our server over HTTP; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**place.environment, **WRITES, **UNLIMITED, "ENABLE_EXECUTE_QUERY": "true", "HTTP_PORT": str(port), **overrides}
    with ServerProcess("mssqlclient_mcp", settings, "--transport", "http") as server:
        give_up = time.monotonic() + 20
        while not _answers(port) and time.monotonic() < give_up:
            time.sleep(0.05)
        yield port
        server.stop()


def _answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


class HttpClient:
    """One MCP session over one connection that is kept."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._number = 0
        self.ask("initialize", HANDSHAKE)
        self._send({"method": "notifications/initialized"})

    def ask(self, method: str, parameters: Mapping[str, object]) -> bytes:
        """Send a request; the body that answers it."""
        self._number += 1
        return self._send({"id": self._number, "method": method, "params": parameters})

    def call(self, arguments: Mapping[str, object]) -> None:
        """Call execute_query, which must do well."""
        body = self.ask("tools/call", {"name": "execute_query", "arguments": arguments})
        assert b'"isError":true' not in body, body
        assert b'"rowCount"' in body or b'"result"' in body, body

    def close(self) -> None:
        """Leave."""
        self._line.close()

    def _send(self, message: Mapping[str, object]) -> bytes:
        self._line.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", **message}), self._headers)
        answer = self._line.getresponse()
        if session := answer.getheader("mcp-session-id"):
            self._headers["mcp-session-id"] = session
        body = answer.read()
        assert answer.status < 300, body
        return body


def calls_a_second(port: int, clients: int, calls: int, arguments: Mapping[str, object]) -> float:
    """How many calls are answered in a second when each client sends one after the other."""
    made = [HttpClient(port) for _ in range(clients)]
    ready = threading.Barrier(clients + 1)

    def work(client: HttpClient) -> Callable[[], None]:
        def run() -> None:
            client.call(arguments)
            ready.wait()
            for _ in range(calls):
                client.call(arguments)

        return run

    threads = [threading.Thread(target=work(client)) for client in made]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for client in made:
        client.close()
    return clients * calls / seconds
