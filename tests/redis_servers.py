"""A Redis for tests: a process on a free loopback port, where redis-server or valkey-server is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

REDIS = shutil.which("redis-server") or shutil.which("valkey-server")
NO_REDIS = "redis-server is not installed"


class RedisProcess:
    """A Redis that keeps nothing, and can be stopped and started again on its port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Begin, and wait until it answers."""
        assert REDIS is not None, NO_REDIS
        quiet = ["--save", "", "--appendonly", "no", "--loglevel", "warning", "--bind", "127.0.0.1"]
        self._process = subprocess.Popen(
            [REDIS, "--port", str(self.port), *quiet], cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL
        )
        for _ in range(250):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(b"PING\r\n")
                if line.recv(16).startswith(b"+PONG"):
                    return
            time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    def stop(self) -> None:
        """End the process; harmless twice."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@contextmanager
def redis_process() -> Iterator[RedisProcess]:
    """A Redis for the length of a block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = RedisProcess(port)
    try:
        yield server
    finally:
        server.stop()
