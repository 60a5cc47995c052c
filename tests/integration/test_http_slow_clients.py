"""Clients that take a place and send nothing, or not all of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mssqlclient_mcp.http.door import BodyLimit
from mssqlclient_mcp.http.protocol import ImpatientProtocol

LIMIT_SECONDS = 0.4
LARGE = 16 << 20


class Quick(ImpatientProtocol):
    """The protocol with a limit that a test can wait for."""

    header_seconds = LIMIT_SECONDS
    taking_seconds = LIMIT_SECONDS


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body's length."""
    if scope["path"] == "/large":
        await PlainTextResponse("x" * LARGE)(scope, receive, send)
        return
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A server with short limits on a free port."""
    app = BodyLimit(echo, most_bytes=1000, seconds=LIMIT_SECONDS)
    config = uvicorn.Config(app, http=Quick, log_config=None, lifespan="off", ws="none", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HTTP/1.1\r\nHost: h\r\nContent-", b"P"], ids=["nothing", "half a header", "a byte"]
)
async def test_a_connection_without_a_whole_header_is_closed(sent: bytes) -> None:
    """Nothing, a byte or half a header holds a place for a bounded time only."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(sent)
        await writing.drain()
        assert await asyncio.wait_for(reading.read(), LIMIT_SECONDS + 2) == b""
        writing.close()


async def test_bytes_that_trickle_in_do_not_prolong_the_time() -> None:
    """The limit is for the header as a whole, not for the next byte of it."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        began = asyncio.get_running_loop().time()
        writing.write(b"POST / HTTP/1.1\r\nX-Slow: ")
        while not reading.at_eof() and asyncio.get_running_loop().time() - began < 3:
            writing.write(b"x")
            with_timeout = asyncio.wait_for(reading.read(1), 0.1)
            try:
                await with_timeout
            except asyncio.TimeoutError:
                continue
            except ConnectionError:
                break
        assert asyncio.get_running_loop().time() - began < LIMIT_SECONDS + 1
        writing.close()


@pytest.mark.parametrize("method", [b"POST", b"GET", b"DELETE", b"OPTIONS"])
async def test_a_body_that_does_not_come_is_answered_with_408(method: bytes) -> None:
    """The client is told, and the connection is closed; also where a body is unusual."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(method + b" / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this")
        await writing.drain()
        answer = await asyncio.wait_for(reading.read(), LIMIT_SECONDS + 2)
        assert answer.startswith(b"HTTP/1.1 408 ")
        writing.close()


async def test_a_second_request_on_a_connection_has_its_own_time() -> None:
    """A client that comes back within the keep-alive time is served; half a second header then ends it."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writing.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
            head = await asyncio.wait_for(reading.readuntil(b"\r\n\r\n"), 2)
            assert head.startswith(b"HTTP/1.1 200 ")
            assert await reading.readexactly(1) == b"4"
            await asyncio.sleep(LIMIT_SECONDS + 0.1)
        writing.write(b"POST / HT")
        assert await asyncio.wait_for(reading.read(), LIMIT_SECONDS + 2) == b""
        writing.close()


async def test_a_large_body_is_refused_while_it_still_comes_and_the_client_reads_the_answer() -> None:
    """The answer is there before the client is done sending, and is not lost with the connection."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n")
        answer = await asyncio.wait_for(reading.readuntil(b"\r\n\r\n"), 2)
        assert answer.startswith(b"HTTP/1.1 413 ")
        for _ in range(40):
            writing.write(b"x" * 10_000)
            await writing.drain()
        assert b"too large" in await asyncio.wait_for(reading.read(), 2)
        writing.close()


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    """It would lie in memory for as long as the client likes, and the client could ask for many."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writing.write(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.sleep(LIMIT_SECONDS * 4)
        taken = 0
        with suppress(ConnectionError):
            while part := await asyncio.wait_for(reading.read(1 << 20), 2):
                taken += len(part)
        assert taken < LARGE
        writing.close()


async def test_a_client_that_takes_an_answer_slowly_gets_it_whole() -> None:
    """The limit is for a client that takes nothing, not for a slow line."""
    async with serving() as port:
        reading, writing = await asyncio.open_connection("127.0.0.1", port)
        writing.write(b"GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        taken = 0
        while part := await asyncio.wait_for(reading.read(1 << 20), 2):
            taken += len(part)
            await asyncio.sleep(LIMIT_SECONDS / 20)
        assert taken > LARGE
        writing.close()
