"""Background sessions: fetch speed against the raw driver, memory of the process, paging, and answers under load.

Run ``python -m benchmarks.sessions``. Every figure of speed stands beside a floor measured in the same run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import psycopg

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.models import QuerySession

MB = 1 << 20
ROWS = 50_000
EIGHT_COLUMNS = (
    "SELECT n, n * 7 AS m, n::float8 / 3 AS f, 'name ' || n AS a, 'some text ' || n AS b, n % 2 = 0 AS e, "
    f"(n * 1.25)::text AS t, NULL::int AS z FROM generate_series(1, {ROWS}) n"
)
WITH_TIMES = EIGHT_COLUMNS.replace("(n * 1.25)::text", "now()")
STREAMS = {
    "1,000,000 tiny rows": "SELECT generate_series(1, 1000000) AS n",
    "1,000,000 rows of 8 values": EIGHT_COLUMNS.replace(str(ROWS), "1000000"),
    "endless rows of 10 kB": "SELECT generate_series(1, 100000000) AS n, repeat('x', 10000) AS t",
}
LEAST_SPEED = 0.8
ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"


def service_on(url: str, **settings: str) -> DatabaseService:
    """A service with sessions."""
    return DatabaseService(load_config({"DATABASE_URL": url, "ENABLE_START_QUERY": "true", **settings}))


def ended(service: DatabaseService, told: QuerySession) -> QuerySession:
    """The session when it is over."""
    session = service.sessions.get_session("local", told.session_id)
    over = threading.Event()
    session.when_over(over.set)
    over.wait()
    return session.snapshot()


def raw_fetch(url: str, sql: str, *, keep: bool) -> float:
    """Seconds in which the bare driver reads all rows a bounded chunk at a time, connecting included; they are kept in a list
    or dropped."""
    began = time.perf_counter()
    with psycopg.connect(url) as connection, psycopg.RawCursor(connection) as cursor:
        stream = cursor.stream(sql, size=1000)
        rows = len(list(stream)) if keep else sum(1 for _ in stream)
    assert rows == ROWS
    return time.perf_counter() - began


def session_fetch(service: DatabaseService, sql: str) -> float:
    """Seconds from the start of a session to its end."""
    began = time.perf_counter()
    told = ended(service, service.start_query("local", None, sql))
    seconds = time.perf_counter() - began
    assert told.row_count == ROWS, told
    return seconds


def speed(url: str) -> bool:
    """The fetch of 50,000 rows against the raw driver's; alternating, the best of nine."""
    ratios = []
    for label, sql in (("numbers and text", EIGHT_COLUMNS), ("one a timestamp", WITH_TIMES)):
        with service_on(url, SESSIONS_MAX_MEMORY_MB="2000") as service:
            session_fetch(service, sql)
            dropped, kept, ours = [], [], []
            for _ in range(9):
                dropped.append(raw_fetch(url, sql, keep=False))
                kept.append(raw_fetch(url, sql, keep=True))
                ours.append(session_fetch(service, sql))
        ratios.append(min(kept) / min(ours))
        print(
            f"50,000 rows of 8 values, {label}: session {min(ours):.3f} s; raw driver {min(kept):.3f} s keeping them "
            f"({ratios[-1]:.2f}x, least {LEAST_SPEED}), {min(dropped):.3f} s dropping them ({min(dropped) / min(ours):.2f}x)"
        )
    return ratios[0] >= LEAST_SPEED


def memory(url: str) -> bool:
    """What the process grows by while a session reads more than it may keep."""
    process = psutil.Process()
    fits = True
    for label, sql in STREAMS.items():
        with service_on(url) as service:
            ended(service, service.start_query("local", None, "SELECT 1"))
            before = most = process.memory_info().rss
            told = service.start_query("local", None, sql)
            while service.sessions.running_count:
                most = max(most, process.memory_info().rss)
                time.sleep(0.005)
            over = ended(service, told)
        grown = (max(most, process.memory_info().rss) - before) / MB
        fits &= grown < 64 * 1.25
        print(
            f"{label}: {over.row_count:,} rows kept, {over.result_bytes / MB:.1f} MB counted, process +{grown:.1f} MB"
            f"{', cut' if over.truncated else ''} (limit 64 MB)"
        )
    return fits


def total_memory(url: str) -> bool:
    """Ten sessions that would each fill 64 MB, within the total of 256 MB."""
    process = psutil.Process()
    with service_on(url) as service:
        before = most = process.memory_info().rss
        for _ in range(10):
            service.start_query("local", None, STREAMS["endless rows of 10 kB"])
        while service.sessions.running_count:
            most = max(most, process.memory_info().rss)
            time.sleep(0.01)
        told = service.sessions.list_sessions("local")
    grown = (most - before) / MB
    kept = sum(not one.result_expired for one in told)
    print(f"ten sessions of 64 MB in 256 MB: process +{grown:.1f} MB, {kept} results kept, {10 - kept} gave way")
    return grown < 256 * 1.25


def paging(url: str) -> None:
    """Microseconds for a page of 100 rows at the beginning, in the middle and at the end."""
    with service_on(url) as service:
        told = ended(service, service.start_query("local", None, EIGHT_COLUMNS))
        store = service.sessions.get_session("local", told.session_id).store
        for offset in (0, 25_000, 49_900):
            taken = []
            for _ in range(200):
                began = time.perf_counter()
                store.page(0, offset, 100)
                taken.append((time.perf_counter() - began) * 1e6)
            print(f"page of 100 rows at {offset:>6,}: {statistics.median(taken):.0f} us")


def answers(url: str) -> bool:
    """start_query and the status while ten sessions run."""
    with service_on(url) as service:
        starts, looks = [], []
        for _ in range(10):
            began = time.perf_counter()
            service.start_query("local", None, ENDLESS)
            starts.append((time.perf_counter() - began) * 1000)
        for _ in range(500):
            began = time.perf_counter()
            service.sessions.list_sessions("local")
            looks.append((time.perf_counter() - began) * 1000)
            time.sleep(0.002)
        p95 = statistics.quantiles(looks, n=20)[-1]
        print(f"start_query: first {starts[0]:.1f} ms, others at most {max(starts[1:]):.1f} ms")
        print(f"status of all ten running sessions: median {statistics.median(looks):.2f} ms, p95 {p95:.2f} ms")
    return p95 < 100 and max(starts[1:]) < 100


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-bench-") as folder,
        EmbeddedServer(Path(folder) / "pg", keep=False) as database,
    ):
        url = database.url()
        good = [memory(url), total_memory(url), speed(url), answers(url)]
        paging(url)
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
