"""Where the time goes in what stands furthest from its floor: a session that reads many rows, and a short page of a list."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Iterator
from pathlib import Path

from mssqlclient_mcp.background import BackgroundWork
from mssqlclient_mcp.formatters import metadata as lists

from .figures import Profile
from .places import Place
from .sessions import ROOMY, ended

ROWS = 50_000
ROUNDS = 20
LINES = 10
PACKAGE = "mssqlclient_mcp"


def measure(place: Place) -> Iterator[Profile]:
    """By own time; what is written in C and called from a function of ours counts as that function's own."""
    with place.service(**ROOMY) as service:
        taken = cProfile.Profile()
        query = BackgroundWork.query
        ended(service, service.start_query("local", None, place.rows(ROWS)))
        BackgroundWork.query = lambda *args, **more: taken.runcall(query, *args, **more)  # type: ignore[method-assign]
        try:
            ended(service, service.start_query("local", None, place.rows(ROWS)))
        finally:
            BackgroundWork.query = query  # type: ignore[method-assign]
        yield Profile(f"{ROWS:,} rows x 8 columns through a session", top(taken, 1))

        def page() -> None:
            with service.call():
                lists.procedures(service.metadata.list_procedures())

        yield Profile("list_stored_procedures, a page", top(profiled(page), ROUNDS))


def profiled(work: Callable[[], object]) -> cProfile.Profile:
    """A profile of some warm work, done ROUNDS times."""
    work()
    taken = cProfile.Profile()
    for _ in range(ROUNDS):
        taken.runcall(work)
    return taken


def top(taken: cProfile.Profile, rounds: int) -> list[tuple[float, str]]:
    """Milliseconds of each round that the functions with most own time take, the whole first."""
    stats = pstats.Stats(taken)
    rows = [(entry[2] * 1000 / rounds, _name(place)) for place, entry in stats.stats.items()]  # type: ignore[attr-defined]
    whole = sum(ms for ms, _ in rows)
    return [(whole, "all, the profiler's own cost included"), *sorted(rows, reverse=True)[:LINES]]


def _name(place: tuple[str, int, str]) -> str:
    path, _, function = place
    parts = Path(path).parts
    if PACKAGE in parts:
        return f"{'/'.join(parts[parts.index(PACKAGE) + 1 :])} {function}"
    return function if path == "~" else f"{Path(path).parent.name}/{Path(path).name} {function}"
