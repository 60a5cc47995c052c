"""How much work a call is, counted instead of timed: statements, round trips, thread hops and function calls.

Counts do not depend on the machine or on what else it does. The limits stand a little above what was counted when they were
written; a change that goes over one makes calls slower and wants a reason.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

import anyio.to_thread
import psycopg
import pytest

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from mssqlclient_mcp.dialects.postgresql.wire import Wire
from mssqlclient_mcp.formatters import metadata as lists
from mssqlclient_mcp.formatters import queries, rows, table_details
from mssqlclient_mcp.schema_models import Page
from mssqlclient_mcp.server import build_server
from mssqlclient_mcp.session import Session
from tests.clients import connected

OPEN = {"ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true", "MAX_RESPONSE_CHARS": "10000000"}
METADATA_CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("list_tables", {}),
    ("get_table_schema", {"tableName": "work.t1"}),
    ("get_table_indexes", {"tableName": "work.t1"}),
    ("get_table_foreign_keys", {"tableName": "work.t1"}),
    ("get_table_statistics", {"tableName": "work.t1"}),
    ("get_metadata", {}),
    ("search_objects", {"pattern": "t1"}),
    ("list_stored_procedures", {}),
    ("get_stored_procedure_definition", {"procedureName": "work.f1"}),
)
EIGHT = (
    "SELECT n, n * 7 AS m, n::float8 / 3 AS f, 'name ' || n AS a, n::numeric AS b, n % 2 = 0 AS e, "
    "timestamp '2026-01-01' + n * interval '1 minute' AS t, NULL::int AS z FROM generate_series(1, {}) n"
)


MAKE_SCHEMA = """
DROP SCHEMA IF EXISTS work CASCADE;
CREATE SCHEMA work;
DO $$ BEGIN
  FOR n IN 1..40 LOOP
    EXECUTE format('CREATE TABLE work.t%s (id int PRIMARY KEY, a text DEFAULT ''x'', b numeric(10,2), c date, d int, e int,
      f int, g text, h timestamptz, up int REFERENCES work.t%s)', n, greatest(1, n - 1));
    EXECUTE format('CREATE FUNCTION work.f%s(a int) RETURNS int LANGUAGE sql AS ''SELECT 1''', n);
  END LOOP;
END $$
"""


@pytest.fixture
def service(postgres_url: str) -> Iterator[DatabaseService]:
    """A warm service on a schema of forty tables, with a function for each."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(MAKE_SCHEMA)
    with DatabaseService(load_config({"DATABASE_URL": postgres_url, **OPEN})) as made:
        with made.call():
            made.execute_query(None, "SELECT 1")
        yield made


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch, *places: tuple[Any, str]) -> Iterator[Counter[str]]:
    """How often methods are called meanwhile, by name."""
    counts: Counter[str] = Counter()
    with monkeypatch.context() as patch:
        for owner, name in places:
            patch.setattr(owner, name, _counted(getattr(owner, name), counts, name))
        yield counts


def _counted(real: Callable[..., Any], counts: Counter[str], name: str) -> Callable[..., Any]:
    def counted(*args: Any, **options: Any) -> Any:
        counts[name] += 1
        return real(*args, **options)

    return counted


def python_calls(work: Callable[[], object]) -> int:
    """Functions written in Python that are called by ``work`` on this thread."""
    calls = 0

    def note(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


async def test_a_metadata_tool_asks_one_statement(service: DatabaseService, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tables there are: what belongs together comes in one answer."""
    async with connected(build_server(service.config, service)) as client:
        for tool, arguments in METADATA_CALLS:
            await client.call_tool(tool, arguments)
            with counting(monkeypatch, (PostgresConnection, "execute")) as counts:
                assert not (await client.call_tool(tool, arguments)).is_error
            assert (tool, counts["execute"]) == (tool, 1)


async def test_a_warm_query_is_one_hop_and_two_round_trips(service: DatabaseService, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread for the whole call; the query with the begin and the end of its transaction, and DISCARD ALL."""
    async with connected(build_server(service.config, service)) as client:
        await client.call_tool("execute_query", {"query": "SELECT 1"})
        places = ((anyio.to_thread, "run_sync"), (Wire, "send"), (Wire, "run"), (PostgresConnection, "execute"))
        with counting(monkeypatch, *places) as counts:
            await client.call_tool("execute_query", {"query": "SELECT 1"})
    assert counts == {"run_sync": 1, "send": 1, "run": 1, "execute": 1}


def test_our_own_catalogue_sql_is_one_round_trip_and_leaves_nothing(
    service: DatabaseService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement goes with the begin and the end of its transaction: no setting, no transaction and no lock stays behind."""
    held = "SELECT count(*) AS n FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid'"
    with service.call(), counting(monkeypatch, (Wire, "send"), (Wire, "run")) as counts:
        service.metadata.list_procedures()
    assert counts == {"send": 1}
    [[kept]] = service.pool._idle.values()
    connection = cast("PostgresConnection", kept[0])
    assert not connection.in_transaction()
    settings = ", ".join(
        f"current_setting('{name}')" for name in ("statement_timeout", "lock_timeout", "transaction_read_only")
    )
    assert connection._wire.rows(f"SELECT {settings}", ()) == [("0", "0", "off")]
    assert connection._wire.rows(held, ()) == [(1,)]  # pg_locks itself


async def test_an_answer_is_rendered_once_and_serialised_by_the_sdk_alone(
    service: DatabaseService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text and structured content come of one pass over the rows, and nothing of ours writes JSON of them."""
    seen: list[int] = []
    rendered = rows._rendered

    def watched(batch: Any) -> Any:
        seen.append(len(batch))
        return rendered(batch)

    monkeypatch.setattr(rows, "_rendered", watched)
    async with connected(build_server(service.config, service)) as client:
        with counting(monkeypatch, (json, "dumps"), (json.JSONEncoder, "encode")) as counts:
            result = await client.call_tool("execute_query", {"query": EIGHT.format(1000), "maxRows": 1000})
    assert len(result.structured_content["rows"]) == 1000
    assert sum(seen) == 1000
    assert sum(counts.values()) <= 6  # the fields of the log's line


def test_rows_cost_a_few_calls_each(service: DatabaseService) -> None:
    """From the driver to text and structured content: the loops over rows and values are the interpreter's own."""

    def answer(count: int) -> Callable[[], object]:
        def work() -> None:
            with service.call():
                result = service.execute_query(None, EIGHT.format(count), max_rows=count)
            queries.query_result(result, max_chars=10_000_000, most_rows=count)

        work()
        return work

    few, many = python_calls(answer(1000)), python_calls(answer(6000))
    per_row = (many - few) / 5000
    print(f"\n{per_row:.2f} calls a row of eight values, {few} for the first thousand")
    assert per_row < 3.5  # one of them makes the time ISO 8601


def test_a_sessions_rows_cost_less_than_two_calls_each(service: DatabaseService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing goes by blocks of rows."""
    calls: list[int] = []
    query = type(service.sessions._work).query

    def profiled(*args: Any, **options: Any) -> None:
        calls.append(python_calls(lambda: query(*args, **options)))

    monkeypatch.setattr(type(service.sessions._work), "query", profiled)
    for count in (1000, 6000):
        told = service.start_query("local", None, EIGHT.format(count))
        wait_for_end(service.sessions.get_session("local", told.session_id))
    per_row = (calls[1] - calls[0]) / 5000
    print(f"\n{per_row:.2f} calls a row of eight values")
    assert per_row < 2


def wait_for_end(session: Session) -> None:
    """Until its worker is done."""
    ended = asyncio.run(_ended(session))
    assert ended


async def _ended(session: Session) -> bool:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    session.when_over(lambda: loop.call_soon_threadsafe(over.set))
    await asyncio.wait_for(over.wait(), 30)
    return True


Pages = Callable[..., Page[Any]]


def calls_for_one_more(service: DatabaseService, ask: Pages, show: Callable[..., object]) -> float:
    """Functions that another item of a page of the schema costs."""

    def page(count: int) -> int:
        def work() -> None:
            with service.call():
                found = ask(None, "work", max_rows=count)
            show(found, max_chars=10_000_000)

        work()
        return python_calls(work)

    return (page(40) - page(20)) / 20


def test_a_table_more_costs_few_calls(service: DatabaseService) -> None:
    """Ten columns and a foreign key in get_metadata, a line in list_tables: shaped without a function for each field."""
    outline = calls_for_one_more(service, service.metadata.tables_with_columns, table_details.outlines)
    line = calls_for_one_more(service, service.metadata.list_tables, lists.tables)
    print(f"\n{outline:.0f} calls for a table with ten columns, {line:.0f} for a line of a list")
    assert outline < 200
    assert line < 20


def test_a_procedure_more_costs_a_few_calls(service: DatabaseService) -> None:
    """A line of list_stored_procedures: the rows that the driver gave are shown as they are, column by column."""
    line = calls_for_one_more(service, service.metadata.list_procedures, lists.procedures)
    print(f"\n{line:.1f} calls for a line")
    assert line < 3
