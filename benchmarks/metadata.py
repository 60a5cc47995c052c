"""Metadata tools on a schema of 10,000 tables and 100,000 columns, against the same statements sent by the raw driver.

What is timed is the service's answer, text and structured content included: the way over stdio is measured by ``call``.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.formatters import metadata as lists
from mssqlclient_mcp.formatters import table_details as details
from mssqlclient_mcp.formatters.capabilities import format_capabilities_report
from mssqlclient_mcp.metadata import Search

from .call import timed
from .figures import Figure, Judged
from .places import Driver, Place, PostgresPlace

TABLES = 10_000
COLUMNS = 10
ROUNDS = 25
MOST_RATIO = 1.3

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


ANALYZE = "VACUUM ANALYZE pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_constraint"


@dataclass(frozen=True)
class Case:
    """A question, and what it is held to: a multiple of the driver's own time, or, with ``most_ms``, milliseconds."""

    name: str
    ask: Callable[[DatabaseService], object]
    most_ms: float | None = None


def _search(service: DatabaseService, pattern: str, *places: str) -> object:
    return service.metadata.search_objects(None, Search(pattern, places=places) if places else Search(pattern))


def _capabilities(service: DatabaseService, *, refresh: bool = False) -> object:
    return service.capabilities.get_capabilities(refresh=refresh)


CASES = (
    Case("list_tables, first page", lambda s: lists.tables(s.metadata.list_tables())),
    Case("list_tables, last page", lambda s: lists.tables(s.metadata.list_tables(offset=TABLES - 200))),
    Case("list_tables, by pattern", lambda s: lists.tables(s.metadata.list_tables(name_pattern="table_77*"))),
    Case("get_table_schema", lambda s: lists.table_schema(s.metadata.table_schema(None, "big.table_5000"))),
    Case("get_table_indexes", lambda s: details.indexes(s.get_table_indexes(None, "big.table_5000"))),
    Case("get_table_foreign_keys", lambda s: details.foreign_keys(s.get_table_foreign_keys(None, "big.table_5000"))),
    Case(
        "  of a table that 1000 others point to", lambda s: details.foreign_keys(s.get_table_foreign_keys(None, "big.table_1"))
    ),
    Case("get_table_statistics", lambda s: details.statistics(s.get_table_statistics(None, "big.table_5000"))),
    Case("get_metadata, a page", lambda s: details.outlines(s.metadata.tables_with_columns())),
    Case("get_metadata, 200 tables", lambda s: details.outlines(s.metadata.tables_with_columns(max_rows=200))),
    Case("search_objects, everywhere", lambda s: details.search_hits(_search(s, "customer"))),
    Case("search_objects, rare name", lambda s: details.search_hits(_search(s, "table_7777"))),
    Case("search_objects, definitions", lambda s: details.search_hits(_search(s, "from*table_33", "definitions"))),
    Case("list_stored_procedures", lambda s: lists.procedures(s.metadata.list_procedures())),
    Case("get_server_capabilities, cold", lambda s: format_capabilities_report(_capabilities(s, refresh=True)), 500),
    Case("get_server_capabilities, cached", lambda s: format_capabilities_report(_capabilities(s)), 5),
)


ON_ANY_SCHEMA = ("list_tables, first page", "get_metadata, a page", "search_objects, everywhere", "list_stored_procedures")
ANYWHERE = tuple(case for case in CASES if case.name in ON_ANY_SCHEMA or case.most_ms is not None)


class Recorder:
    """Remembers which statements an answer took, to send the same ones by the raw driver."""

    def __init__(self, service: DatabaseService) -> None:
        self.sent: list[tuple[str, Sequence[object]]] = []
        self._read = service.read_catalog
        service.metadata._read = self
        service.capabilities._read = self

    def __call__(self, database: str | None, sql: str, values: Sequence[object]) -> Sequence[dict[str, object]]:
        rows = self._read(database, sql, values)
        self.sent.append((sql, values))  # one that was refused is not sent again
        return rows


def make_schema(url: str) -> None:
    """10,000 tables of ten columns with an index, a check and a comment here and there; 500 views and functions."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS big CASCADE")
        make_tables(url, 1, TABLES)
        connection.execute(MAKE_ROUTINES.encode())
        connection.execute(ANALYZE)


def make_tables(url: str, first: int, last: int) -> None:
    """Further tables of the schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        for start in range(first, last + 1, 500):
            connection.execute(MAKE_TABLES.format(first=start, last=min(start + 499, last)).encode())
        connection.execute(ANALYZE)


def measure(place: Place) -> Iterator[Figure]:
    """Each question in turns with the driver. A database that is not ours to fill is asked about what is there."""
    if isinstance(place, PostgresPlace):
        make_schema(place.url)
    driver = place.driver()
    with place.service() as service:
        recorder = Recorder(service)
        for case in CASES if isinstance(place, PostgresPlace) else ANYWHERE:
            yield of_case(case, service, recorder, driver)
    driver.close()


def of_case(case: Case, service: DatabaseService, recorder: Recorder, driver: Driver) -> Figure:
    """One question: our answer, formatted, and the same statements by the driver on an open connection."""

    def ask() -> None:
        with service.call(600):
            case.ask(service)

    ask()
    recorder.sent.clear()
    ask()
    sent = list(recorder.sent)
    ours, floor = [], []
    for _ in range(ROUNDS):
        ours.append(timed(ask))
        floor.append(timed(lambda: [driver.fetch(sql, values) for sql, values in sent]))
    middle, driver_ms = statistics.median(ours), statistics.median(floor)
    told = f"driver, {len(sent)} statement{'' if len(sent) == 1 else 's'}"
    if case.most_ms is not None:
        return Figure(case.name, middle, "ms", case.most_ms, Judged.VALUE, driver_ms if sent else None, told)
    return Figure(case.name, middle, "ms", MOST_RATIO, floor=driver_ms, floor_is=told)
