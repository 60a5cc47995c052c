"""The moving window by itself: what is counted, how long to wait, and how much memory it takes."""

from __future__ import annotations

import sys

import pytest

from mssqlclient_mcp.connection_settings import Secret
from mssqlclient_mcp.errors import ConfigInvalid, RateLimited
from mssqlclient_mcp.http.rate_limit import MOST_CLIENTS, BoundedMemory, RateLimiter
from mssqlclient_mcp.tools.surroundings import Caller

ALICE, BOB = Caller("alice", "token:alice"), Caller("bob", "address:192.0.2.7")


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def refused(limiter: RateLimiter, caller: Caller = ALICE) -> int | None:
    """The seconds that a call was told to wait; None when it was admitted."""
    try:
        await limiter.admit(caller)
    except RateLimited as error:
        seconds = error.details["retryAfterSeconds"]
        return seconds if error.retryable and isinstance(seconds, int) else -1
    return None


async def test_so_many_calls_pass_and_the_next_is_told_how_long_to_wait() -> None:
    """Ten of ten pass, and the eleventh hears when the first one leaves the window."""
    clock = Clock()
    limiter = RateLimiter(10, clock=clock)
    for _ in range(10):
        assert await refused(limiter) is None
        clock.now += 1
    assert await refused(limiter) == 50  # the first was ten seconds ago


@pytest.mark.parametrize("offset", [0.0, 0.001, 0.25, 0.5, 0.999, 7.3])
async def test_who_waits_exactly_so_long_gets_through_and_a_second_less_is_too_early(offset: float) -> None:
    """``retryAfterSeconds`` is neither too short nor more than a second too long."""
    clock = Clock()
    limiter = RateLimiter(3, clock=clock)
    for _ in range(3):
        assert await refused(limiter) is None
    clock.now += offset
    seconds = await refused(limiter)
    assert seconds is not None
    clock.now += seconds - 1
    assert await refused(limiter) is not None or seconds == 1
    clock.now += 1
    assert await refused(limiter) is None


async def test_refused_calls_do_not_count() -> None:
    """A client that calls all the time still gets its share."""
    clock = Clock()
    limiter = RateLimiter(2, clock=clock)
    passed = 0
    for _ in range(1200):
        passed += await refused(limiter) is None
        clock.now += 0.1
    assert passed == 4  # two in each of two minutes


async def test_the_window_moves_and_is_no_calendar_minute() -> None:
    """Never more than the limit in any sixty seconds: no burst at the turn of a minute."""
    clock = Clock()
    limiter = RateLimiter(10, clock=clock)
    passed = []
    for _ in range(2000):
        if await refused(limiter) is None:
            passed.append(clock.now)
        clock.now += 0.13
    assert all(later - sooner >= 60 for sooner, later in zip(passed, passed[10:], strict=False))


async def test_each_client_has_a_count_of_its_own() -> None:
    """One client's calls take nothing from another's; what counts is ``counted_as``, not the owner of sessions."""
    limiter = RateLimiter(1, clock=Clock())
    assert await refused(limiter, ALICE) is None
    assert await refused(limiter, BOB) is None
    assert await refused(limiter, Caller("another session", ALICE.counted_as)) is not None


async def test_what_is_counted_can_be_looked_at() -> None:
    """A client's window as a model."""
    limiter = RateLimiter(10, clock=Clock())
    await limiter.admit(ALICE)
    await limiter.admit(ALICE)
    session = await limiter.session(ALICE)
    assert (session.client_id, session.request_count) == ("token:alice", 2)
    assert (await limiter.session(BOB)).request_count == 0


async def test_a_hundred_thousand_addresses_fill_no_memory() -> None:
    """The clients that called last are remembered; the others are forgotten, which costs them nothing."""
    clock = Clock()
    memory = BoundedMemory(clock)
    limiter = RateLimiter(10, clock=clock)
    limiter._own = type(limiter._own)(memory, clock)
    for number in range(100_000):
        await limiter.admit(Caller("x", f"address:10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
    held = sys.getsizeof(memory._calls) + sum(sys.getsizeof(key) + sys.getsizeof(calls) for key, calls in memory._calls.items())
    assert len(memory) == MOST_CLIENTS
    assert held < 20 << 20
    clock.now += 61
    await limiter.admit(ALICE)
    assert len(memory) == 1  # what left the window is gone
    assert sys.getsizeof(memory._calls) < 2 << 20


async def test_the_addresses_of_one_network_are_one_client() -> None:
    """A host has 2 to the power of 64 IPv6 addresses; an IPv4 address is one."""
    limiter = RateLimiter(1, clock=Clock())
    assert await refused(limiter, Caller("a", "address:2001:db8::1")) is None
    assert await refused(limiter, Caller("b", "address:2001:db8::2:3")) is not None
    assert await refused(limiter, Caller("c", "address:2001:db8:0:1::1")) is None
    assert await refused(limiter, Caller("d", "address:192.0.2.1")) is None
    assert await refused(limiter, Caller("e", "address:192.0.2.2")) is None
    assert await refused(limiter, Caller("f", "address:unknown")) is None
    assert await refused(limiter, Caller("g", "address:fe80::1%eth0")) is None


@pytest.mark.parametrize("uri", ["memcached://localhost:11211", "mongodb://localhost", "redis", "https://example.com"])
def test_a_storage_that_cannot_count_a_moving_window_is_refused_at_the_start(uri: str) -> None:
    """What cannot be meant is said by the name of the setting."""
    with pytest.raises(ConfigInvalid, match="RATE_LIMIT_STORAGE_URI"):
        RateLimiter(10, Secret(uri))


@pytest.mark.parametrize("uri", ["memory", "memory://"])
async def test_memory_can_be_named(uri: str) -> None:
    """The default in words."""
    limiter = RateLimiter(1, Secret(uri))
    assert await refused(limiter) is None
    assert await refused(limiter) is not None
    await limiter.aclose()
