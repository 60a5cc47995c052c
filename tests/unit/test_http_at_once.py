"""A client that keeps many requests open keeps no other client out."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

from mssqlclient_mcp.http.at_once import AtOnce
from mssqlclient_mcp.http.identity import Identity

MOST = 3


class Stream:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.broken = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.over.wait()
        if self.broken:
            raise ConnectionError
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def status(app: AtOnce, address: str) -> int:
    """What a request from an address is answered."""
    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/mcp", "query_string": b"", "headers": [], "client": (address, 1)}
    await app(scope, receive, send)
    return int(told[0]["status"])


async def test_a_request_too_many_of_one_client_is_refused_and_another_clients_is_not() -> None:
    """429 at once; when the others are over, whichever way they end, there is room again."""
    for broken in (False, True):
        stream = Stream()
        stream.broken = broken
        app = AtOnce(stream, Identity(), most=MOST)
        open_ones = [asyncio.create_task(status(app, "203.0.113.9")) for _ in range(MOST)]
        await asyncio.sleep(0)
        assert await status(app, "203.0.113.9") == 429
        other = asyncio.create_task(status(app, "198.51.100.1"))
        await asyncio.sleep(0)
        assert not other.done()
        stream.over.set()
        ended = await asyncio.gather(*open_ones, other, return_exceptions=True)
        assert all(isinstance(one, ConnectionError) if broken else one == 200 for one in ended)
        stream.broken = False
        assert await status(app, "203.0.113.9") == 200
        assert not app._under_way


async def test_a_network_of_64_bits_is_one_client() -> None:
    """A host has all addresses of it."""
    stream = Stream()
    app = AtOnce(stream, Identity(), most=MOST)
    open_ones = [asyncio.create_task(status(app, f"2001:db8::{number}")) for number in range(MOST)]
    await asyncio.sleep(0)
    assert await status(app, "2001:db8::ffff") == 429
    stream.over.set()
    assert await asyncio.gather(*open_ones) == [200] * MOST
