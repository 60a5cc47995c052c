"""An MCP client for fixtures: pytest-asyncio sets a fixture up and clears it away in different tasks, which anyio forbids for
what a client holds; here one task of its own holds the client from beginning to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import Client


@asynccontextmanager
async def connected(server: Any, **options: Any) -> AsyncIterator[Client]:
    """``Client(server, **options)``, opened and closed in one task; usable across a fixture's ``yield``."""
    ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def hold() -> None:
        async with Client(server, **options) as client:
            ready.set_result(client)
            await over.wait()

    holder = asyncio.create_task(hold())
    await asyncio.wait([holder, ready], return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        ready.cancel()
        await holder  # raises what kept it from connecting
    try:
        yield ready.result()
    finally:
        over.set()
        await holder
