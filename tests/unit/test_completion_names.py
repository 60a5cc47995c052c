"""Names for completions: asked for once a minute, never waited for long; and which of them fit what was typed."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.errors import ConnectionFailed, InvalidParameter
from mssqlclient_mcp.models import ObjectName
from mssqlclient_mcp.schema_models import ObjectNames
from mssqlclient_mcp.tools import known_names
from mssqlclient_mcp.tools.completions import LONGEST_TYPED, MOST_VALUES, in_order, matching
from mssqlclient_mcp.tools.known_names import MOST_ASKED_A_MINUTE, REMEMBER_SECONDS, Candidate, KnownNames, Source


class Clock:
    """Time that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class FakeCall:
    """A call whose database has the tables it is given, or fails; counts how often it is asked."""

    def __init__(self, *tables: str, seconds: float = 0.0) -> None:
        self.tables = tables
        self.seconds = seconds
        self.error: Exception | None = None
        self.asked: list[str | None] = []
        self.service: Any = SimpleNamespace(database_for=self._database_for, metadata=self)

    async def run(self, work: Callable[[], Any], *, seconds: float | None = None) -> Any:
        assert seconds is not None
        await anyio.sleep(self.seconds)
        return work()

    def object_names(self, database: str | None) -> ObjectNames:
        self.asked.append(database)
        if self.error is not None:
            raise self.error
        return ObjectNames(tuple(ObjectName("s", name) for name in self.tables))

    def database_names(self) -> tuple[str, ...]:
        self.asked.append(None)
        return ("one", "two")

    @staticmethod
    def _database_for(requested: str | None) -> str:
        if requested is None:
            raise InvalidParameter("databaseName is missing")
        return requested


async def values(names: KnownNames, call: FakeCall, source: Source = Source.NAME, database: str = "d") -> list[str]:
    """What there is to choose from."""
    found = await names.candidates(call, source, {"database": database} if database else {})  # type: ignore[arg-type]
    return [one.value for one in found]


async def test_a_database_is_asked_once_a_minute() -> None:
    """Each key that is pressed asks for a completion; the catalogue is read once."""
    clock, call = Clock(), FakeCall("a", "b")
    names = KnownNames(clock)
    assert await values(names, call) == ["a", "b"]
    clock.now = 59.9
    call.tables = ("c",)
    assert await values(names, call) == ["a", "b"]
    assert await values(names, call, Source.TABLE) == ["s.a", "s.b"]
    assert len(call.asked) == 1
    clock.now = 60.0
    assert await values(names, call) == ["c"]


async def test_each_database_has_its_own_names() -> None:
    """In server mode; the list of databases is remembered beside them."""
    names, call = KnownNames(Clock()), FakeCall("a")
    for _ in range(2):
        await values(names, call, database="one")
        await values(names, call, database="two")
        assert await values(names, call, Source.DATABASE) == ["one", "two"]
    assert call.asked == ["one", "two", None]


async def test_databases_that_a_client_makes_up_are_asked_for_a_few_times_a_minute() -> None:
    """Each would be an attempt to connect, and nothing else counts completions; what is remembered is told all the same."""
    clock, call = Clock(), FakeCall("a")
    names = KnownNames(clock)
    assert await values(names, call, database="shop") == ["a"]
    for number in range(100):
        await values(names, call, database=f"made up {number}")
    assert len(call.asked) == len(names._asking) == MOST_ASKED_A_MINUTE
    assert await values(names, call, database="shop") == ["a"]
    clock.now = 60.0
    assert await values(names, call, database="another") == ["a"]


async def test_without_a_database_nothing_is_asked() -> None:
    """Server mode, and the database is not chosen yet."""
    call = FakeCall("a")
    assert await values(KnownNames(Clock()), call, database="") == []
    assert call.asked == []


async def test_several_at_once_ask_once() -> None:
    """The first asks, the others wait for its answer."""
    names, call = KnownNames(Clock()), FakeCall("a", seconds=0.05)
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(values, names, call)
    assert len(call.asked) == 1


async def test_a_database_that_fails_is_left_alone_for_a_while() -> None:
    """An empty list instead of an error, and not a new attempt a key; then it is asked again."""
    clock, call = Clock(), FakeCall("a")
    names = KnownNames(clock)
    call.error = ConnectionFailed("away")
    assert await values(names, call) == []
    call.error = None
    clock.now = 4.9
    assert await values(names, call) == []
    clock.now = 5.0
    assert await values(names, call) == ["a"]
    assert len(call.asked) == 2


async def test_a_database_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the one that asks nor by those that wait for its answer."""
    monkeypatch.setattr(known_names, "LONGEST_WAIT_SECONDS", 0.1)
    names, call = KnownNames(Clock()), FakeCall("a", seconds=30)
    began = time.monotonic()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(values, names, call)
    assert time.monotonic() - began < 2


async def test_the_number_of_databases_remembered_is_bounded() -> None:
    """Whoever makes names of databases up does not fill the memory."""
    clock, call = Clock(), FakeCall("a")
    names = KnownNames(clock)
    for number in range(500):
        clock.now += REMEMBER_SECONDS / MOST_ASKED_A_MINUTE
        await values(names, call, database=f"d{number}")
    assert len(call.asked) == 500
    assert len(names._remembered) == len(names._asking) == known_names.MOST_DATABASES


def candidates(*names: str) -> list[Candidate]:
    """Plain names."""
    return [Candidate(name, (name.casefold(),)) for name in names]


def test_those_that_begin_as_typed_come_first() -> None:
    """Then those with it inside, then those with its letters in order."""
    names = candidates("reorders", "Orders", "old_reader_s", "customers")
    assert matching("ORDERS", names) == ["Orders", "reorders", "old_reader_s"]
    assert matching("orders", candidates("o_r_d_e_r_s", "orders_2024")) == ["orders_2024", "o_r_d_e_r_s"]
    assert matching("", names) == ["reorders", "Orders", "old_reader_s", "customers"]
    assert matching("xyz", names) == []


def test_letters_in_order_are_only_looked_for_when_little_was_found() -> None:
    """A hundred values are all that is shown."""
    many = candidates(*(f"order{number}" for number in range(MOST_VALUES)), "o_rder")
    assert "o_rder" not in matching("order", many)
    assert "o_rder" in matching("order", many[1:])


@given(st.text(max_size=400), st.lists(st.text(max_size=30), max_size=20))
def test_whatever_is_typed_only_whole_values_are_given(typed: str, names: list[str]) -> None:
    """No value twice, none invented, and a value always completes itself."""
    found = matching(typed, candidates(*dict.fromkeys(names)))
    assert len(found) == len(set(found))
    assert set(found) <= set(names)
    for name in names:
        if name.strip() == name and len(name.casefold()) <= LONGEST_TYPED:
            assert name in matching(name, candidates(*dict.fromkeys(names)))


def test_twenty_thousand_names_are_searched_without_a_pause() -> None:
    """The most that is remembered of a database, with the most that is looked at of what was typed."""
    names = candidates(*(f"table_with_a_rather_long_name_{number:05}" for number in range(20_000)))
    began = time.perf_counter()
    matching("z" * 1000, names)
    matching("tblwthrtrlngnme", names)
    seconds = time.perf_counter() - began
    print(f"two searches through 20,000 names: {seconds * 1000:.0f} ms")
    assert seconds < 1


@pytest.mark.parametrize(("letters", "text", "expected"), [("", "", True), ("ac", "abc", True), ("ca", "abc", False)])
def test_letters_in_order(letters: str, text: str, expected: bool) -> None:
    """Each after the one before."""
    assert in_order(letters, text) is expected
