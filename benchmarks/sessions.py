"""Background sessions: rows a second against the driver's own bounded read, and memory against the limits."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator

import psutil

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.models import QuerySession

from .figures import Figure, Judged
from .places import CHUNK, Place

MB = 1 << 20
ROOMY = {"SESSION_MAX_RESULT_MB": "1024", "SESSIONS_MAX_MEMORY_MB": "2048"}
SIZES = ((50_000, 9), (1_000_000, 3))
LEAST_SHARE = 0.8
SESSIONS = 10
LIMIT_MB, TOTAL_MB = 64, 256  # the defaults


def measure(place: Place) -> Iterator[Figure]:
    """Speed first, as memory that was used once stays with the process."""
    for rows, rounds in SIZES:
        yield from speed(place, rows, rounds)
    yield from memory(place)


def speed(place: Place, rows: int, rounds: int) -> Iterator[Figure]:
    """Rows a second through a session, connecting included, against the driver that reads a thousand rows at a time."""
    sql = place.rows(rows)
    kept, dropped, ours = [], [], []
    with place.service(**ROOMY) as service:
        session_seconds(service, sql, rows)
        for _ in range(rounds):
            kept.append(driver_seconds(place, sql, rows, keep=True))
            dropped.append(driver_seconds(place, sql, rows, keep=False))
            ours.append(session_seconds(service, sql, rows))
    speeds = [rows / statistics.median(seconds) / 1000 for seconds in (ours, kept, dropped)]
    name = f"{rows:,} rows x 8 columns through a session"
    told = f"driver, {CHUNK:,} rows at a time, as tuples in a list"
    yield Figure(name, speeds[0], "k rows/s", LEAST_SHARE, Judged.SHARE, speeds[1], told)
    told = f"driver, {CHUNK:,} rows at a time, thrown away"
    yield Figure(
        "  the same beside a driver that drops them", speeds[0], "k rows/s", judged=Judged.TOLD, floor=speeds[2], floor_is=told
    )


def memory(place: Place) -> Iterator[Figure]:
    """What the process grows by while sessions read more than they may keep."""
    for name, sessions, limit in (("one endless session", 1, LIMIT_MB), ("ten endless sessions", SESSIONS, TOTAL_MB)):
        with place.service() as service:
            session_seconds(service, place.one, 1)
            before = most = resident()
            for _ in range(sessions):
                service.start_query("local", None, place.rows(100_000_000))
            while service.sessions.running_count:
                most = max(most, resident())
                time.sleep(0.01)
        yield Figure(f"memory of {name}", most - before, "MB", limit * 1.25, Judged.VALUE, float(limit), "the limit set")


def resident() -> float:
    """Megabytes this process holds."""
    return psutil.Process().memory_info().rss / MB


def session_seconds(service: DatabaseService, sql: str, rows: int) -> float:
    """From the start of a session to its end."""
    began = time.perf_counter()
    told = ended(service, service.start_query("local", None, sql))
    seconds = time.perf_counter() - began
    assert told.row_count == rows, told
    service.sessions.get_session("local", told.session_id).store.forget()
    return seconds


def ended(service: DatabaseService, told: QuerySession) -> QuerySession:
    """The session when it is over."""
    session = service.sessions.get_session("local", told.session_id)
    over = threading.Event()
    session.when_over(over.set)
    over.wait()
    return session.snapshot()


def driver_seconds(place: Place, sql: str, rows: int, *, keep: bool) -> float:
    """From connecting to the last row."""
    began = time.perf_counter()
    driver = place.driver()
    stream = driver.stream(sql)
    found = len(list(stream)) if keep else sum(1 for _ in stream)
    driver.close()
    assert found == rows
    return time.perf_counter() - began
