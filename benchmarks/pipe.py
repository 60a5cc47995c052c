"""An MCP server as a child process, spoken to line by line: the least a client can do, so that the server is what is timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP", "LD_LIBRARY_PATH", "ODBCSYSINI")


class ServerProcess:
    """``python -m module`` with pipes. ``environment`` holds its settings; nothing else of this project's reaches it."""

    def __init__(self, module: str, environment: Mapping[str, str], *arguments: str) -> None:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**inherited, **environment, "PYTHONPATH": str(ROOT)},
            cwd=tempfile.gettempdir(),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._writing, self._reading = self._process.stdin, self._process.stdout
        self._number = 0

    def initialize(self) -> float:
        """Shake hands; seconds from the start of the process to the answer."""
        self.ask("initialize", HANDSHAKE)
        seconds = time.perf_counter() - self.began
        self._write({"method": "notifications/initialized"})
        return seconds

    def send(self, method: str, parameters: Mapping[str, object]) -> int:
        """Send a request; its id."""
        self._number += 1
        self._write({"id": self._number, "method": method, "params": parameters})
        return self._number

    def receive(self) -> bytes:
        """The next line, unread."""
        line = self._reading.readline()
        assert line, "the server is gone"
        return line

    def ask(self, method: str, parameters: Mapping[str, object]) -> bytes:
        """Send a request and wait for the line that answers it."""
        self.send(method, parameters)
        return self.receive()

    def call(self, tool: str, arguments: Mapping[str, object]) -> bytes:
        """Call a tool; the line that answers it."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def result(self, tool: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Call a tool that must do well; its result."""
        result: dict[str, Any] = json.loads(self.call(tool, arguments))["result"]
        assert not result.get("isError"), result
        return result

    def timed_call(self, tool: str, arguments: Mapping[str, object]) -> float:
        """Milliseconds from the request to the last byte of its answer."""
        began = time.perf_counter()
        self.call(tool, arguments)
        return (time.perf_counter() - began) * 1000

    def memory_mb(self) -> float:
        """Memory that this process alone holds, where the platform tells that; else its resident set."""
        info = psutil.Process(self._process.pid).memory_full_info()
        return float(getattr(info, "uss", info.rss)) / (1 << 20)

    def stop(self) -> None:
        """Ask a server that does not read stdin to leave."""
        self._process.terminate()

    def close(self) -> None:
        """End of input: the server leaves."""
        self._writing.close()
        self._process.wait(10)
        self._reading.close()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, message: Mapping[str, object]) -> None:
        self._writing.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._writing.flush()


def our_server(environment: Mapping[str, str]) -> ServerProcess:
    """This project's server, with everything open that only reads."""
    gates = {"ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true"}
    return ServerProcess("mssqlclient_mcp", {**gates, **environment})


def bare_server(answer: Mapping[str, object] | None = None, folder: Path | None = None) -> ServerProcess:
    """The SDK's server with one tool; ``answer`` is the result it has ready (written to a file in ``folder``)."""
    if answer is None or folder is None:
        return ServerProcess("benchmarks.bare_server", {})
    path = folder / "answer.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    return ServerProcess("benchmarks.bare_server", {}, str(path))
