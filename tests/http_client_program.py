"""A client as a program, which a test kills in the middle of a call: python -m tests.http_client_program URL MODE SQL"""

from __future__ import annotations

import asyncio
import signal
import sys

from tests.http_servers import client_of


async def main(url: str, mode: str, query: str) -> None:
    """One call of execute_query."""
    async with client_of(url, mode=mode) as client:
        print("connected", flush=True)
        result = await client.call_tool("execute_query", {"query": query, "timeoutSeconds": 60})
        print(result.structured_content, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts tests in the background passes on that it is ignored
    asyncio.run(main(*sys.argv[1:]))
