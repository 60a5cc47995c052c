"""The sockets of the HTTP parts: an answer is sent when it is there."""

from __future__ import annotations

import asyncio
import socket

import pytest

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.http import health, serving

CONFIG = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "TRANSPORT": "http", "HTTP_PORT": "0"}


@pytest.mark.parametrize("listen", [lambda: serving._listen(load_config(CONFIG)), lambda: health._listen("127.0.0.1", 0)])
async def test_a_short_answer_does_not_wait_for_the_clients_acknowledgement(listen: object) -> None:
    """asyncio switches Nagle's algorithm off on sockets whose protocol is named; on others the second small piece of an answer,
    such as the body after its headers, would wait 40 ms and more."""
    assert callable(listen)
    no_delay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        no_delay.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
        await writer.wait_closed()

    with listen() as listening:
        listening.listen(1)
        async with await asyncio.start_server(accepted, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname()[:2])
            assert await asyncio.wait_for(no_delay, 5)
            writer.close()
            await writer.wait_closed()
