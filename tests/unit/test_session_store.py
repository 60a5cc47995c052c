"""The packed rows of sessions: what goes in comes out, limits hold to the byte, and the right result makes room."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.messages import LAST_KEPT, MOST_MESSAGES, MOST_RESULT_SETS
from mssqlclient_mcp.models import Column, Message, ObjectName, OutputValue, QueryResult, ResultSet, Row
from mssqlclient_mcp.procedure_models import ProcedureResult
from mssqlclient_mcp.session_store import ResultMemory, ResultStore

MB = 1 << 20
COLUMNS = (Column("n", "integer"), Column("t", "text"))


def store_of(limit: int = 64 * MB, *, total: int = 256 * MB, keep_last: bool = False) -> ResultStore:
    """A store with a memory of its own."""
    return ResultStore(ResultMemory(total), limit, keep_last=keep_last)


def fill(store: ResultStore, count: int, width: int = 10) -> None:
    """Feed rows as a worker does, until the store wants no more."""
    store.begin(COLUMNS)
    fed = 0
    while fed < count and (wanted := min(store.wants(), count - fed)):
        store.add([(number, "x" * width) for number in range(fed, fed + wanted)])
        fed += wanted
    store.end(None)


def test_every_value_comes_out_as_it_went_in() -> None:
    """All types that a cursor may yield survive the packing."""
    row: Row = (
        None, True, 2**70, 1.5, Decimal("1.10"), "é\x00\ud800", b"\xff", uuid.UUID(int=7), [1, [None]],
        date(2026, 2, 3), datetime(2026, 2, 3, tzinfo=timezone.utc),
    )  # fmt: skip
    store = store_of()
    store.begin(tuple(Column(str(n), "t") for n in range(len(row))))
    store.add([row])
    assert store.page(0, 0, 10) == [row]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 90), max_size=12), st.integers(0, 400), st.integers(0, 400))
def test_a_page_is_a_slice_of_the_rows(batches: list[int], offset: int, most: int) -> None:
    """Whatever the blocks, paging equals slicing a list."""
    store = store_of()
    store.begin(COLUMNS)
    whole: list[Row] = []
    for size in batches:
        rows: Sequence[Row] = [(len(whole) + n, "r") for n in range(size)]
        store.add(rows)
        whole += rows
    assert store.page(0, offset, most) == whole[offset : offset + most]
    [part] = store.result_sets()
    assert (len(part.rows), list(part.rows)) == (len(whole), whole)


def test_a_result_stops_at_its_limit_and_says_so() -> None:
    """The counted bytes never pass the limit, and the rows before it stay."""
    store = store_of(MB)
    fill(store, 1_000_000)
    [part] = store.summary()
    assert part.truncated
    assert 0.95 * MB < store.held_bytes <= MB
    assert store.wants() == 0
    assert store.page(0, part.rows - 1, 5) == [(part.rows - 1, "x" * 10)]


def test_one_row_too_large_for_the_limit_is_a_cut_result_without_rows() -> None:
    """No single value may break the limit."""
    store = store_of(MB)
    store.begin(COLUMNS)
    store.add([(1, "x" * (2 * MB))])
    assert store.summary()[0].truncated
    assert store.held_bytes == 0


def test_the_outputs_of_a_procedure_are_kept_behind_a_cut_result() -> None:
    """They come last, in a result set of one row."""
    store = store_of(MB, keep_last=True)
    fill(store, 100_000)
    store.begin((Column("out", "integer"),))
    assert store.wants() == 1
    store.add([(42,)])
    store.end(None)

    def collect(sets: tuple[ResultSet, ...]) -> ProcedureResult:
        [value] = sets[-1].rows[0]
        return ProcedureResult(ObjectName("s", "p"), QueryResult(sets[:-1], 0.0), (OutputValue("out", "integer", value),))

    assert store.told_apart(collect).outputs[0].value == 42
    assert [one.truncated for one in store.summary()] == [True]


def test_the_oldest_finished_result_makes_room_first() -> None:
    """A finished result is worth less than one that is still read; the others stay."""
    memory = ResultMemory(3 * MB)
    stores = [ResultStore(memory, 2 * MB) for _ in range(3)]
    for store in stores[:2]:
        fill(store, 10_000, width=90)
        store.seal()
    fill(stores[2], 12_000, width=90)
    assert [store.dropped for store in stores] == [True, False, False]
    assert not stores[2].cut
    assert memory.used_bytes <= memory.total_bytes
    assert stores[0].summary()[0].rows == 10_000


def test_with_nothing_finished_the_largest_running_result_is_cut() -> None:
    """The small one goes on once the large one has ended."""
    memory = ResultMemory(2 * MB)
    large, small = ResultStore(memory, 4 * MB), ResultStore(memory, 4 * MB)
    fill(large, 18_000, width=90)
    ender = threading.Timer(0.2, large.seal)
    ender.start()
    fill(small, 5_000, width=90)
    ender.join()
    assert large.cut
    assert not small.cut
    assert small.summary()[0].rows == 5_000


def test_bytes_come_back_when_a_result_is_forgotten() -> None:
    """Nothing is counted for ever."""
    memory = ResultMemory(4 * MB)
    for _ in range(20):
        store = ResultStore(memory, 2 * MB)
        fill(store, 5_000)
        store.seal()
        store.forget()
    assert memory.used_bytes == 0


def test_a_sealed_result_takes_nothing_more() -> None:
    """A worker that comes back late changes nothing."""
    store = store_of()
    fill(store, 10)
    store.seal()
    store.add([(11, "late")])
    assert store.wants() == 0
    assert store.summary()[0].rows == 10


def test_result_sets_and_messages_are_bounded() -> None:
    """A loop that prints or selects for ever fills no memory; what is left out is said."""
    store = store_of()
    for number in range(MOST_RESULT_SETS + 50):
        store.begin(COLUMNS)
        store.end(None)
        store.say([Message(f"{number}")])
    assert len(store.summary()) == MOST_RESULT_SETS
    messages = [message.text for message in store.messages()]
    assert len(messages) == MOST_MESSAGES + 1 + LAST_KEPT + 1
    assert messages[MOST_MESSAGES] == f"[{50 - LAST_KEPT} messages are left out here]"
    assert messages[-1] == "50 results were left out: the first 999 and the last are kept."


def test_a_page_costs_the_same_wherever_it_begins() -> None:
    """The last page of 50,000 rows takes no longer than the first: its blocks are found, not searched."""
    store = store_of()
    fill(store, 50_000, width=40)

    def seconds(offset: int) -> float:
        began = time.perf_counter()
        for _ in range(50):
            assert len(store.page(0, offset, 100)) == 100
        return time.perf_counter() - began

    first = min(seconds(0) for _ in range(5))
    last = min(seconds(49_900) for _ in range(5))
    assert last < 4 * first


@pytest.mark.parametrize("width", [1, 100, 20_000])
def test_counted_bytes_are_the_bytes_held(width: int) -> None:
    """What is counted lies within a tenth of what Python holds, for tiny and wide rows."""
    import tracemalloc

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        store = store_of(8 * MB)
        fill(store, 10_000_000 if width < 1000 else 1_000, width)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held <= 1.1 * store.held_bytes
    assert store.held_bytes <= 8 * MB
