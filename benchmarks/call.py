"""Calls over stdio, with gate, transaction and all layers on: a warm ``SELECT 1``, and a thousand rows of eight columns.

The floor is a call of the bare SDK server that has the same answer ready, plus the same statement by the bare driver. All three
are taken in turns, from the request to the last byte of the answer.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .figures import Figure, Judged
from .pipe import bare_server, our_server
from .places import Place

ROUNDS = 1500
ROUNDS_OF_ROWS = 150
WARM_UP = 50
MANY = 1000
ROOMY = {"MAX_RESPONSE_CHARS": "1000000"}


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each round: our call, the bare SDK's, the bare driver's statement."""

    ours: list[float]
    sdk: list[float]
    driver: list[float]

    @property
    def floor(self) -> float:
        """SDK and driver together, medians."""
        return statistics.median(self.sdk) + statistics.median(self.driver)


def measure(place: Place) -> Iterator[Figure]:
    """``SELECT 1``, then the rows."""
    one = take(place, {"query": place.one}, ROUNDS)
    middle, worst = statistics.median(one.ours), p99(one.ours)
    floor_is = "SDK call {:.2f} + driver {:.2f}"
    told = floor_is.format(statistics.median(one.sdk), statistics.median(one.driver))
    yield Figure("warm SELECT 1 over stdio, p50", middle, "ms", 1.0, Judged.ADDED, one.floor, told)
    yield Figure(
        "warm SELECT 1 over stdio, p99",
        worst,
        "ms",
        3.0,
        Judged.RATIO,
        middle,
        f"its p50; the SDK alone: {p99(one.sdk) / statistics.median(one.sdk):.1f}x",
    )
    rows = take(place, {"query": place.rows(MANY), "maxRows": MANY}, ROUNDS_OF_ROWS)
    told = floor_is.format(statistics.median(rows.sdk), statistics.median(rows.driver))
    yield Figure(
        f"{MANY:,} rows x 8 columns over stdio", statistics.median(rows.ours), "ms", 2.0, floor=rows.floor, floor_is=told
    )


def take(place: Place, arguments: Mapping[str, object], rounds: int) -> Taken:
    """Call our server, the bare server that answers the same, and the driver, in turns."""
    taken = Taken([], [], [])
    driver = place.driver()
    with tempfile.TemporaryDirectory() as folder, our_server({**place.environment, **ROOMY}) as ours:
        ours.initialize()
        answer = ours.result("execute_query", arguments)
        with bare_server(answer, Path(folder)) as bare:
            bare.initialize()
            for number in range(rounds + WARM_UP):
                found = (
                    ours.timed_call("execute_query", arguments),
                    bare.timed_call("bare", {}),
                    timed(lambda: driver.fetch(str(arguments["query"]))),
                )
                if number >= WARM_UP:
                    for values, value in zip((taken.ours, taken.sdk, taken.driver), found, strict=True):
                        values.append(value)
    driver.close()
    return taken


def p99(values: list[float]) -> float:
    """What one in a hundred exceeds."""
    return statistics.quantiles(values, n=100)[-1]


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that some work takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
