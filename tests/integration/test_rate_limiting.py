"""The rate limit as clients meet it: over HTTP and stdio, in memory and in a Redis that several servers share."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.connection_settings import Secret
from mssqlclient_mcp.errors import RateLimited
from mssqlclient_mcp.http.rate_limit import RateLimiter
from mssqlclient_mcp.http.watch import Watch
from mssqlclient_mcp.server import build_server
from mssqlclient_mcp.tools.surroundings import Caller, Surroundings
from tests.databases import spawn_server, stdio_parameters
from tests.http_servers import client_of, serving_over_http
from tests.redis_servers import NO_REDIS, REDIS, RedisProcess, redis_process

needs_redis = pytest.mark.skipif(REDIS is None, reason=NO_REDIS)
ALICE = Caller("alice", "token:alice")
TOKENS = "alice=alice-alice-alice-alice,bob=bob-bob-bob-bob-bob"


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    """A Redis of the test's own."""
    with redis_process() as server:
        yield server


async def codes(client: Client, count: int, tool: str = "get_command_timeout", **arguments: Any) -> list[str]:
    """Call a tool so often; "ok" or the error's code of each."""
    results = [await client.call_tool(tool, arguments) for _ in range(count)]
    return ["ok" if not one.is_error else (one.structured_content or {})["code"] for one in results]


async def test_ten_calls_a_minute_is_the_limit_over_http_unless_something_else_is_set(postgres_url: str) -> None:
    """Without a setting the eleventh call is refused, with the seconds after which the first leaves the window."""
    settings = {"DATABASE_URL": postgres_url, "ENABLE_START_QUERY": "true"}
    with serving_over_http(settings) as server:
        async with client_of(server.url) as client:
            began = time.monotonic()
            assert await codes(client, 10) == ["ok"] * 10
            result = await client.call_tool("get_command_timeout")
            told = result.structured_content or {}
            assert (told["code"], told["retryable"]) == ("RATE_LIMITED", True)
            passed = time.monotonic() - began
            assert 60 - passed - 1 < told["details"]["retryAfterSeconds"] <= 60
            assert "Wait retryAfterSeconds" in result.content[0].text  # type: ignore[union-attr]


@pytest.mark.slow
async def test_a_client_that_waits_as_long_as_it_was_told_gets_through(postgres_url: str) -> None:
    """For real, over a window of three seconds: refused, waited, admitted."""
    config = load_config({"DATABASE_URL": postgres_url, "ENABLE_EXECUTE_QUERY": "true"})
    limiter = RateLimiter(2, window_seconds=3)
    async with Client(build_server(config, surroundings=Surroundings(admit=limiter.admit))) as client:
        assert await codes(client, 2) == ["ok", "ok"]
        for _ in range(2):
            refused = (await client.call_tool("get_command_timeout")).structured_content or {}
            await asyncio.sleep(refused["details"]["retryAfterSeconds"])
            assert await codes(client, 3) == ["ok", "ok", "RATE_LIMITED"]


async def test_looking_at_a_session_and_cancelling_it_never_count(postgres_url: str) -> None:
    """Who waits for a session must not use up its calls by asking; reading a result and unknown tools count."""
    config = load_config(
        {"DATABASE_URL": postgres_url, "ENABLE_START_QUERY": "true", "RATE_LIMIT_PER_MINUTE": "3", "TRANSPORT": "stdio"}
    )
    limiter = RateLimiter(config.rate_limit_per_minute)
    async with Client(build_server(config, surroundings=Surroundings(admit=limiter.admit))) as client:
        started = (await client.call_tool("start_query", {"query": "SELECT 1"})).structured_content or {}
        mine = {"sessionId": started["sessionId"]}
        assert await codes(client, 20, "get_session_status", **mine, waitSeconds=0) == ["ok"] * 20
        assert await codes(client, 20, "cancel_session", **mine) == ["ok"] * 20
        assert await codes(client, 20, "stop_session", **mine) == ["ok"] * 20  # by its old name
        assert await codes(client, 2, "get_session_result", **mine) == ["ok", "ok"]
        assert await codes(client, 1, "get_session_result", **mine) == ["RATE_LIMITED"]
        assert await codes(client, 1, "no_such_tool") == ["RATE_LIMITED"]


async def test_tokens_are_counted_apart_and_mcp_sessions_are_not(postgres_url: str) -> None:
    """A new connection gives nobody a new count; another token has one of its own."""
    settings = {"DATABASE_URL": postgres_url, "ENABLE_EXECUTE_QUERY": "true", "RATE_LIMIT_PER_MINUTE": "4"}
    with serving_over_http({**settings, "HTTP_BEARER_TOKEN": TOKENS}) as server:
        alice, bob = "alice-alice-alice-alice", "bob-bob-bob-bob-bob"
        async with client_of(server.url, token=alice) as client:
            assert await codes(client, 3) == ["ok"] * 3
        async with client_of(server.url, token=alice, mode="legacy") as client:
            assert await codes(client, 3) == ["ok", "RATE_LIMITED", "RATE_LIMITED"]
        async with client_of(server.url, token=bob) as client:
            assert await codes(client, 5) == ["ok"] * 4 + ["RATE_LIMITED"]


async def test_addresses_are_counted_where_nobody_signs_in(postgres_url: str) -> None:
    """Two anonymous clients of one address share its count, whatever forwarded address they claim."""
    settings = {"DATABASE_URL": postgres_url, "ENABLE_EXECUTE_QUERY": "true", "RATE_LIMIT_PER_MINUTE": "4"}
    with serving_over_http(settings) as server:
        async with client_of(server.url) as one, client_of(server.url, mode="legacy") as other:
            assert await codes(one, 2) == ["ok"] * 2
            assert await codes(other, 3) == ["ok", "ok", "RATE_LIMITED"]
            assert await codes(one, 1) == ["RATE_LIMITED"]


async def test_stdio_has_no_limit_until_one_is_set(postgres_url: str) -> None:
    """The one local client is not limited by default, and is when the owner says so."""
    settings = {"DATABASE_URL": postgres_url, "ENABLE_EXECUTE_QUERY": "true"}
    async with Client(stdio_parameters(settings)) as client:
        assert await codes(client, 30) == ["ok"] * 30
    async with Client(stdio_parameters({**settings, "RATE_LIMIT_PER_MINUTE": "2"})) as client:
        assert await codes(client, 3) == ["ok", "ok", "RATE_LIMITED"]


async def test_many_at_once_pass_no_more_than_the_limit(postgres_url: str) -> None:
    """Fifty calls at once of a limit of ten: ten answers, forty refusals."""
    config = load_config({"DATABASE_URL": postgres_url, "RATE_LIMIT_PER_MINUTE": "10", "ENABLE_EXECUTE_QUERY": "true"})
    limiter = RateLimiter(10)
    found: list[str] = []
    async with Client(build_server(config, surroundings=Surroundings(admit=limiter.admit))) as client:

        async def one() -> None:
            found.extend(await codes(client, 1))

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(one)
    assert sorted(found) == ["RATE_LIMITED"] * 40 + ["ok"] * 10


@needs_redis
async def test_two_servers_that_share_a_redis_count_together(redis: RedisProcess) -> None:
    """What one has admitted the other knows, and both say the same time to wait."""
    one, other = (RateLimiter(3, Secret(redis.url)) for _ in range(2))
    try:
        await one.admit(ALICE)
        await other.admit(ALICE)
        await one.admit(ALICE)
        for limiter in (one, other):
            with pytest.raises(RateLimited) as raised:
                await limiter.admit(ALICE)
            assert 58 <= int(str(raised.value.details["retryAfterSeconds"])) <= 60
            assert (await limiter.session(ALICE)).request_count == 3
        await other.admit(Caller("bob", "token:bob"))
    finally:
        await one.aclose()
        await other.aclose()


@needs_redis
@pytest.mark.slow
async def test_who_waits_for_a_shared_count_gets_through(redis: RedisProcess) -> None:
    """The seconds are exact in Redis too, over a window of two seconds."""
    limiter = RateLimiter(2, Secret(redis.url), window_seconds=2)
    try:
        for _ in range(3):
            await limiter.admit(ALICE)
            await limiter.admit(ALICE)
            with pytest.raises(RateLimited) as raised:
                await limiter.admit(ALICE)
            await asyncio.sleep(int(str(raised.value.details["retryAfterSeconds"])))
    finally:
        await limiter.aclose()


@needs_redis
async def test_two_server_processes_share_their_counts(redis: RedisProcess, postgres_url: str) -> None:
    """The same by the setting, over HTTP."""
    settings = {
        "DATABASE_URL": postgres_url,
        "ENABLE_EXECUTE_QUERY": "true",
        "RATE_LIMIT_PER_MINUTE": "4",
        "RATE_LIMIT_STORAGE_URI": redis.url,
    }
    with serving_over_http(settings) as one, serving_over_http(settings) as other:
        async with client_of(one.url) as first, client_of(other.url) as second:
            assert await codes(first, 2) == ["ok", "ok"]
            assert await codes(second, 3) == ["ok", "ok", "RATE_LIMITED"]
            assert await codes(first, 1) == ["RATE_LIMITED"]


@needs_redis
async def test_a_server_whose_redis_is_away_counts_by_itself_and_says_so_once(
    redis: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """No call hangs and none is let through beyond the limit; one warning, without the URL; and back when it is back."""
    now = [0.0]
    limiter = RateLimiter(3, Secret(redis.url), clock=lambda: now[0])
    try:
        await limiter.admit(ALICE)
        redis.stop()
        began = time.monotonic()
        for _ in range(3):
            await limiter.admit(ALICE)
        with pytest.raises(RateLimited):
            await limiter.admit(ALICE)
        assert time.monotonic() - began < 2
        warnings = [one for one in caplog.records if one.levelname == "WARNING"]
        assert len(warnings) == 1
        assert str(redis.port) not in warnings[0].getMessage()
        redis.start()
        now[0] += 6
        await limiter.admit(ALICE)  # Redis begins empty, and counts again
        assert (await limiter.session(ALICE)).request_count == 1
    finally:
        await limiter.aclose()


async def test_a_redis_that_accepts_and_never_answers_holds_no_call_up() -> None:
    """A socket timeout, and a deadline above it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system accepts, and nobody reads
        limiter = RateLimiter(2, Secret(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        began = time.monotonic()
        await limiter.admit(ALICE)
        await limiter.admit(ALICE)
        with pytest.raises(RateLimited):
            await limiter.admit(ALICE)
        assert time.monotonic() - began < 1.5
        await limiter.aclose()


def test_the_limit_needs_its_package_only_where_it_is_on(postgres_url: str) -> None:
    """Off means nothing is imported; the settings decide."""
    config = load_config({"DATABASE_URL": postgres_url})
    watch = Watch(config, None)  # type: ignore[arg-type]
    assert watch.admit is None
    assert watch.watchers == ()


@pytest.mark.parametrize(
    ("package", "settings", "named"),
    [
        ("limits", {"TRANSPORT": "http", "HTTP_PORT": "0"}, "RATE_LIMIT_PER_MINUTE"),
        ("limits", {"RATE_LIMIT_PER_MINUTE": "5"}, "RATE_LIMIT_PER_MINUTE"),
        ("prometheus_client", {"HEALTH_PORT": "1"}, "HEALTH_PORT"),
    ],
)
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    package: str, settings: dict[str, str], named: str, tmp_path: Path
) -> None:
    """Without the extra the server does not start where it is needed, and says what to do."""
    (tmp_path / package).mkdir()
    missing = f'raise ModuleNotFoundError("No module named {package}", name="{package}")'
    (tmp_path / package / "__init__.py").write_text(missing, encoding="utf-8")
    process = spawn_server({"DATABASE_URL": "postgresql://h/d", **settings, "PYTHONPATH": str(tmp_path)})
    _, log = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"CONFIG_INVALID: {named} needs the package {package}" in log
    assert 'pip install "mssqlclient-mcp[http]"' in log
