"""Metadata tools on a schema of 10,000 tables and 100,000 columns, against the same statements sent by the raw driver.

``python -m benchmarks.metadata`` starts an embedded PostgreSQL (or takes TEST_DATABASE_URL), makes the schema and prints
a table.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.formatters import metadata as lists
from mssqlclient_mcp.formatters import table_details as details
from mssqlclient_mcp.formatters.capabilities import format_capabilities_report
from mssqlclient_mcp.metadata import Search

TABLES = 10_000
COLUMNS = 10
ROUNDS = 15
FAST = {"fsync": "off", "max_locks_per_transaction": "4096", "full_page_writes": "off"}

MAKE_TABLES = """
DO $$ BEGIN
  CREATE SCHEMA IF NOT EXISTS big;
  FOR n IN {first}..{last} LOOP
    EXECUTE format('CREATE TABLE big.table_%s (id int PRIMARY KEY, customer_id int, name_%s text NOT NULL DEFAULT ''x'',
      price numeric(10,2) CHECK (price >= 0), placed date, note text, c7 int, c8 int, c9 text, c10 timestamptz)', n, n % 100);
    EXECUTE format('CREATE INDEX table_%s_placed ON big.table_%s (placed, customer_id)', n, n);
    IF n % 10 = 0 THEN
      EXECUTE format('COMMENT ON TABLE big.table_%s IS ''Orders of region %s''', n, n);
      EXECUTE format('ALTER TABLE big.table_%s ADD CONSTRAINT t%s_parent
        FOREIGN KEY (customer_id) REFERENCES big.table_1', n, n);
    END IF;
  END LOOP;
END $$"""
MAKE_ROUTINES = """
DO $$ BEGIN
  FOR n IN 1..500 LOOP
    EXECUTE format('CREATE FUNCTION big.function_%s(a int) RETURNS int LANGUAGE sql
      AS ''SELECT count(*)::int FROM big.table_%s''', n, n);
    EXECUTE format('CREATE VIEW big.view_%s AS SELECT id, customer_id FROM big.table_%s WHERE price > 5', n, n);
  END LOOP;
END $$"""


@dataclass(frozen=True)
class Case:
    """A question, and how fast its answer must be."""

    name: str
    ask: Callable[[DatabaseService], object]
    limit_ms: float


def _search(service: DatabaseService, pattern: str, *places: str) -> object:
    return service.metadata.search_objects(None, Search(pattern, places=places) if places else Search(pattern))


def _capabilities(service: DatabaseService, *, refresh: bool = False) -> object:
    return service.capabilities.get_capabilities(refresh=refresh)


CASES = (
    Case("list_tables, first page", lambda s: lists.tables(s.metadata.list_tables()), 1000),
    Case("list_tables, last page", lambda s: lists.tables(s.metadata.list_tables(offset=TABLES - 200)), 1000),
    Case("list_tables, by pattern", lambda s: lists.tables(s.metadata.list_tables(name_pattern="table_77*")), 1000),
    Case("get_table_schema", lambda s: lists.table_schema(s.metadata.table_schema(None, "big.table_5000")), 200),
    Case("get_table_indexes", lambda s: details.indexes(s.get_table_indexes(None, "big.table_5000")), 200),
    Case("get_table_foreign_keys", lambda s: details.foreign_keys(s.get_table_foreign_keys(None, "big.table_5000")), 200),
    Case("  of a table that 1000 others point to", lambda s: s.get_table_foreign_keys(None, "big.table_1"), 200),
    Case("get_table_statistics", lambda s: details.statistics(s.get_table_statistics(None, "big.table_5000")), 200),
    Case("get_metadata, a page", lambda s: details.outlines(s.metadata.tables_with_columns()), 2000),
    Case("get_metadata, 200 tables", lambda s: details.outlines(s.metadata.tables_with_columns(max_rows=200)), 2000),
    Case("search_objects, everywhere", lambda s: details.search_hits(_search(s, "customer")), 500),
    Case("search_objects, rare name", lambda s: details.search_hits(_search(s, "table_7777")), 500),
    Case("search_objects, definitions", lambda s: details.search_hits(_search(s, "from*table_33", "definitions")), 500),
    Case("list_stored_procedures", lambda s: lists.procedures(s.metadata.list_procedures()), 1000),
    Case("get_server_capabilities, cold", lambda s: format_capabilities_report(_capabilities(s, refresh=True)), 500),
    Case("get_server_capabilities, cached", _capabilities, 5),
)


class Recorder:
    """Remembers which statements an answer took, to send the same ones by the raw driver."""

    def __init__(self, service: DatabaseService) -> None:
        self.sent: list[tuple[str, Sequence[object]]] = []
        self._read = service.read_catalog
        service.metadata._read = self
        service.capabilities._read = self

    def __call__(self, database: str | None, sql: str, values: Sequence[object]) -> list[dict[str, object]]:
        self.sent.append((sql, values))
        return self._read(database, sql, values)


@contextmanager
def database() -> Iterator[str]:
    """The URL of a server for this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-bench-") as folder:
        server = EmbeddedServer(Path(folder) / "pg", keep=False, settings=FAST)
        try:
            yield server.url()
        finally:
            server.close()


def make_schema(url: str) -> None:
    """10,000 tables of ten columns with an index, a check and a comment here and there; 500 views and functions."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS big CASCADE")
        for first in range(1, TABLES + 1, 500):
            connection.execute(MAKE_TABLES.format(first=first, last=first + 499).encode())
        connection.execute(MAKE_ROUTINES.encode())
        connection.execute("VACUUM ANALYZE pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_constraint")


def seconds_of(work: Callable[[], object]) -> list[float]:
    """How long each of ROUNDS runs takes, after one to warm up."""
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return taken


def raw(url: str, sent: Sequence[tuple[str, Sequence[object]]]) -> list[float]:
    """The floor: the same statements by the bare driver on an open connection."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:

        def send() -> None:
            for sql, values in sent:
                with psycopg.RawCursor(connection) as cursor:
                    cursor.execute(sql.encode(), values).fetchall()

        return seconds_of(send) if sent else [0.0]


def run(url: str) -> bool:
    """Print the table; True when every answer kept its limit."""
    kept = True
    print(f"{'':42}{'ours':>9}{'worst':>9}{'driver':>9}{'added':>9}{'limit':>9}   (ms, median of {ROUNDS})")
    with DatabaseService(load_config({"DATABASE_URL": url})) as service:
        recorder = Recorder(service)
        for case in CASES:
            with service.call(600):
                recorder.sent.clear()
                case.ask(service)
                sent = list(recorder.sent)
                ours = seconds_of(lambda case=case: case.ask(service))  # type: ignore[misc]
            floor = statistics.median(raw(url, sent))
            middle = statistics.median(ours)
            good = max(ours) * 1000 < case.limit_ms
            kept = kept and good
            numbers = (middle, max(ours), floor, middle - floor)
            shown = "".join(f"{number * 1000:9.2f}" for number in numbers)
            print(f"{case.name:42}{shown}{case.limit_ms:9.0f}{'' if good else '   TOO SLOW'}")
    return kept


def main() -> int:
    """Make the schema, measure, print."""
    with database() as url:
        started = time.perf_counter()
        make_schema(url)
        print(f"{TABLES} tables, {TABLES * COLUMNS} columns made in {time.perf_counter() - started:.0f} s")
        return 0 if run(url) else 1


if __name__ == "__main__":
    sys.exit(main())
