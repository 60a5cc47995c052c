"""How time and memory grow over steps of ten: rows, columns, tables, sessions. Nothing may grow faster than they do."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.formatters import metadata as lists

from .call import timed
from .figures import Growth
from .load import WRITES
from .metadata import make_tables
from .pipe import ServerProcess, our_server
from .places import Place, PostgresPlace
from .sessions import ROOMY, ended

ROUNDS = 15
ROWS = (10, 100, 1_000, 10_000)
SESSION_ROWS = (1_000, 10_000, 100_000, 1_000_000)
COLUMNS = (1, 10, 100, 1_000)
TABLES = (10, 100, 1_000, 10_000)
SESSIONS = (1, 10, 100)
LOOKS = 100
WIDE_LIMITS = {"MAX_RESPONSE_CHARS": "10000000"}
DATABASE = "growth"


def measure(place: Place) -> Iterator[Growth]:
    """Each with all else as it is; the quickest of some runs, which is what others on the machine disturb least."""
    yield rows(place)
    yield from results(place)
    if isinstance(place, PostgresPlace):
        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        yield columns(place.beside(DATABASE))
        yield from catalogue(place.beside(DATABASE))
        yield sessions(place)


def rows(place: Place) -> Growth:
    """execute_query over stdio with more and more rows."""
    with our_server({**place.environment, **WIDE_LIMITS}) as server:
        server.initialize()
        return Growth("execute_query", "rows of 8 columns", "ms", [(n, call_ms(server, place.rows(n), n)) for n in ROWS])


def columns(place: PostgresPlace) -> Growth:
    """The same with a hundred rows of ever wider tables."""
    with psycopg.connect(place.url, autocommit=True) as connection:
        for count in COLUMNS:
            listed = ", ".join(f"n + {column} AS c{column}" for column in range(count))
            connection.execute(f"CREATE TABLE wide_{count} AS SELECT {listed} FROM generate_series(1, 100) AS n".encode())
    with our_server({**place.environment, **WIDE_LIMITS}) as server:
        server.initialize()
        taken = [(count, call_ms(server, f"SELECT * FROM wide_{count}", 100)) for count in COLUMNS]
    return Growth("execute_query, 100 rows", "columns", "ms", taken)


def call_ms(server: ServerProcess, sql: str, count: int) -> float:
    """Milliseconds of a call of execute_query that answers with this many rows."""
    arguments = {"query": sql, "maxRows": count}
    assert len(server.result("execute_query", arguments)["structuredContent"]["rows"]) == count
    return min(server.timed_call("execute_query", arguments) for _ in range(ROUNDS))


def results(place: Place) -> Iterator[Growth]:
    """A session from start to end, the memory its rows take, and a page from its middle."""
    times, sizes, pages = [], [], []
    with place.service(**ROOMY) as service:
        for rows in (SESSION_ROWS[0], *SESSION_ROWS):  # the first warms up
            began = time.perf_counter()
            told = ended(service, service.start_query("local", None, place.rows(rows)))
            times.append((rows, (time.perf_counter() - began) * 1000))
            sizes.append((rows, told.result_bytes / (1 << 20)))
            store = service.sessions.get_session("local", told.session_id).store
            pages.append((rows, min(timed(lambda: store.page(0, rows // 2, 100)) for _ in range(ROUNDS))))  # noqa: B023 - called at once
    yield Growth("a session, start to end", "rows of 8 columns", "ms", times[1:])
    yield Growth("a session's memory", "rows of 8 columns", "MB", sizes[1:])
    yield Growth("a page of a session's rows", "rows of 8 columns", "ms", pages[1:])


def catalogue(place: PostgresPlace) -> Iterator[Growth]:
    """Ten lines of list_tables, and one table, in a database of ever more tables."""
    pages, schemas, made = [], [], 0
    for tables in TABLES:
        make_tables(place.url, made + 1, tables)
        made = tables
        with place.service() as service, service.call(600):
            pages.append((tables, warm_ms(partial(list_ten, service))))
            schemas.append((tables, warm_ms(partial(one_table, service))))
    yield Growth("list_tables, ten lines", "tables in the database", "ms", pages)
    yield Growth("get_table_schema", "tables in the database", "ms", schemas)


def list_ten(service: DatabaseService) -> object:
    """A page of ten tables."""
    return lists.tables(service.metadata.list_tables(max_rows=10))


def one_table(service: DatabaseService) -> object:
    """One table in full."""
    return lists.table_schema(service.metadata.table_schema(None, "big.table_1"))


def warm_ms(work: Callable[[], object]) -> float:
    """Milliseconds of some work that was done once before."""
    work()
    return min(timed(work) for _ in range(ROUNDS))


def sessions(place: Place) -> Growth:
    """The status of all sessions over stdio while all of them run."""
    taken = []
    for count in SESSIONS:
        with our_server({**place.environment, **WRITES, "MAX_CONCURRENT_SESSIONS": str(count)}) as server:
            server.initialize()
            for _ in range(count):
                server.result("start_query", {"query": place.sleep(20)})
            taken.append((count, statistics.median(server.timed_call("list_sessions", {}) for _ in range(LOOKS))))
    return Growth("list_sessions", "running sessions", "ms", taken)
