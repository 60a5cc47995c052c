"""The server as a process that serves over HTTP on a free loopback port, with what it wrote to its log."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from tests.databases import spawn_server

JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
"""The headers of a request that is sent by hand."""
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}
"""The first request of the handshake era."""

START_SECONDS = 60.0
END_SECONDS = 17.0
_URL = re.compile(r"serving at (https?://[^\s\"]+)")


class HttpServerProcess:
    """A running server. ``url`` is where clients connect to."""

    def __init__(self, settings: Mapping[str, str], *arguments: str, module: str = "mssqlclient_mcp") -> None:
        given = {"TRANSPORT": "http", "HTTP_PORT": "0", **settings}
        self.process: subprocess.Popen[str] = spawn_server(given, *arguments, module=module)
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self._announced()
        except BaseException:
            self.close()
            raise

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        return self.url.rpartition("/")[0]

    @property
    def log(self) -> str:
        """What the server wrote to stderr so far."""
        return "".join(self._lines)

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Ask the process to end."""
        self.process.send_signal(number)

    def ended_within(self, seconds: float) -> bool:
        """Whether the process is gone in time."""
        return wait_until(lambda: self.process.poll() is not None, seconds)

    def close(self) -> None:
        """End it, and wait for that."""
        if self.process.poll() is None:
            self.process.terminate()
            if not self.ended_within(END_SECONDS):
                self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)

    def _announced(self) -> str:
        wait_until(lambda: _URL.search(self.log) is not None or self.process.poll() is not None, START_SECONDS)
        if self.process.poll() is not None:
            self._reader.join(5)  # what it had to say
        found = _URL.search(self.log)
        assert found is not None, f"the server does not serve (exit code {self.process.poll()}):\n{self.log}"
        return found.group(1)


@contextmanager
def serving_over_http(
    settings: Mapping[str, str], *arguments: str, module: str = "mssqlclient_mcp"
) -> Iterator[HttpServerProcess]:
    """``python -m mssqlclient_mcp`` with TRANSPORT=http (or as the settings say) on a free port."""
    server = HttpServerProcess(settings, *arguments, module=module)
    try:
        yield server
    finally:
        server.close()


@asynccontextmanager
async def client_of(url: str, *, token: str | None = None, mode: str = "auto") -> AsyncIterator[Client]:
    """A client of either HTTP transport, by the end of the URL; with a bearer token, if one is given."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with AsyncExitStack() as stack:
        if url.endswith("/sse"):
            transport = sse_client(url, headers=headers)
        else:
            client = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30, read=300)))
            transport = streamable_http_client(url, http_client=client)
        yield await stack.enter_async_context(Client(transport, mode=mode))


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
