"""What one warm ``SELECT 1`` costs through the server, with gate, transaction, timeout and all layers on, against its floor: a
call of the bare SDK plus the same statement by the bare driver. Both in memory and on the same event loop, taken in turns."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import psycopg
from mcp import Client
from mcp.server.lowlevel import Server

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.server import build_server

ROUNDS = 600
WARM_UP = 60
MOST_ADDED_MS = 1.0
QUERY = {"query": "SELECT 1 AS n"}


def bare_server() -> Server[Any]:
    """The SDK's server with one tool that does nothing, and answers in the shape of ours."""
    tool = types.Tool(name="execute_query", input_schema={"type": "object"}, output_schema={"type": "object"})
    answer = types.CallToolResult(
        content=[types.TextContent(type="text", text="1 row\nn\n1")],
        structured_content={"columns": [{"name": "n", "type": "integer"}], "rows": [[1]], "rowCount": 1, "truncated": False},
    )

    async def list_tools(*_: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool])

    async def call_tool(*_: object) -> types.CallToolResult:
        return answer

    return Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)


async def measure(url: str) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of our calls, of the bare SDK's calls, and of the bare driver's statements."""
    ours: list[float] = []
    sdk: list[float] = []
    driver: list[float] = []
    server = build_server(load_config({"DATABASE_URL": url, "ENABLE_EXECUTE_QUERY": "true"}))
    async with Client(server) as client, Client(bare_server()) as bare:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:

            async def statement() -> None:
                connection.execute("SELECT 1 AS n").fetchall()

            for number in range(ROUNDS + WARM_UP):
                taken = [
                    await timed(lambda: client.call_tool("execute_query", QUERY)),
                    await timed(lambda: bare.call_tool("execute_query", QUERY)),
                    await timed(statement),
                ]
                if number >= WARM_UP:
                    for values, value in zip((ours, sdk, driver), taken, strict=True):
                        values.append(value)
    return ours, sdk, driver


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds that one call takes."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """Measure and print; 1 when more is added than allowed."""
    with (
        tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-bench-") as folder,
        EmbeddedServer(Path(folder) / "pg", keep=False) as database,
    ):
        ours, sdk, driver = anyio.run(measure, database.url())
    added = statistics.median(ours) - statistics.median(sdk) - statistics.median(driver)
    print(f"{'':34}{'median':>9}{'p95':>9}   (ms, {ROUNDS} calls each)")
    for label, values in (("SELECT 1 through the server", ours), ("bare SDK call", sdk), ("bare driver statement", driver)):
        print(f"{label:34}{statistics.median(values):>9.2f}{statistics.quantiles(values, n=20)[-1]:>9.2f}")
    print(f"{'added by the server':34}{added:>9.2f}          (limit {MOST_ADDED_MS:.2f})")
    return int(added > MOST_ADDED_MS)


if __name__ == "__main__":
    sys.exit(main())
