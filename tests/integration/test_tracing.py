"""Traces as a collector gets them: a span of the database below each request's, and nothing of what was asked or answered."""

from __future__ import annotations

import gzip
import threading
import timeit
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from mcp import Client

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import ConfigInvalid
from mssqlclient_mcp.execution import run_statement
from mssqlclient_mcp.tracing import begin_tracing, operation_of
from tests.databases import TestDatabase, stdio_parameters
from tests.http_servers import client_of, serving_over_http, wait_until

proto = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="the extra otel is not installed"
)

SECRET = "marker-5ecret-marker"
GATES = {"ENABLE_EXECUTE_QUERY": "true", "ENABLE_START_QUERY": "true", "RATE_LIMIT_PER_MINUTE": "0"}


class Collector:
    """An OTLP endpoint on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    bodies.append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where spans are sent to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def spans(self) -> list[Any]:
        """All spans so far."""
        requests = (proto.ExportTraceServiceRequest.FromString(body) for body in self.bodies)
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resources(self) -> list[dict[str, Any]]:
        """What the sender says of itself."""
        requests = (proto.ExportTraceServiceRequest.FromString(body) for body in self.bodies)
        return [_values(one.resource.attributes) for request in requests for one in request.resource_spans]

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of the test's own."""
    one = Collector()
    yield one
    one.close()


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


async def test_a_statement_has_a_span_below_that_of_its_request(database: TestDatabase, collector: Collector) -> None:
    """The request's span is the SDK's; ours is its child, with the conventions' attributes, from the worker's thread."""
    settings = {**database.environment, **GATES, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    async with Client(stdio_parameters(settings)) as client:
        result = await client.call_tool("execute_query", {"query": f"SELECT 1 AS n, '{SECRET}' AS s"})
        assert not result.is_error
        failed = await client.call_tool("execute_query", {"query": f"SELECT '{SECRET}' AS s FROM no_such_table"})
        code = (failed.structured_content or {})["code"]
    spans = collector.spans()
    requests = {span.span_id: span for span in spans if span.name == "tools/call execute_query"}
    ours = [span for span in spans if span.parent_span_id in requests and "db.system.name" in _values(span.attributes)]
    named = [span for span in ours if _values(span.attributes).get("db.operation.name") == "SELECT"]
    good = [_values(span.attributes) for span in named if span.status.code == 0]
    system = {"postgresql": "postgresql", "sqlserver": "microsoft.sql_server"}[database.dialect]
    assert any(one["db.response.returned_rows"] == 1 and one["db.system.name"] == system for one in good)
    assert all(one["server.address"] and one["server.port"] for one in good)
    assert all(one["db.namespace"].endswith(database.name) for one in good)
    bad = [span for span in named if span.status.code == 2]
    assert code in [_values(span.attributes)["error.type"] for span in bad]
    assert not any(span.status.message or span.events for span in bad)
    assert all(span.trace_id == requests[span.parent_span_id].trace_id for span in named)
    assert SECRET.encode() not in b"".join(collector.bodies)
    assert collector.resources()[0]["service.name"] == "mssqlclient-mcp"


async def test_a_plan_has_a_span_below_that_of_its_request(postgres_url: str, collector: Collector) -> None:
    """Asking for a plan is work of the database, too: told by its own word, as a good one and as one that failed."""
    settings = {"DATABASE_URL": postgres_url, **GATES, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    async with Client(stdio_parameters(settings)) as client:
        assert not (await client.call_tool("explain_query", {"query": f"SELECT '{SECRET}' AS s"})).is_error
        assert (await client.call_tool("explain_query", {"query": f"SELECT '{SECRET}' FROM no_such_table"})).is_error
    requests = {span.span_id for span in collector.spans() if span.name == "tools/call explain_query"}
    plans = [
        (span.status.code, _values(span.attributes))
        for span in collector.spans()
        if span.parent_span_id in requests and span.name.startswith("EXPLAIN ")
    ]
    [good] = [told for code, told in plans if code == 0]
    [bad] = [told for code, told in plans if code == 2]
    assert (good["db.system.name"], good["db.operation.name"]) == ("postgresql", "EXPLAIN")
    assert good["server.address"]
    assert good["db.namespace"]
    assert (bad["error.type"], bad["db.response.status_code"]) == ("OBJECT_NOT_FOUND", "42P01")
    assert SECRET.encode() not in b"".join(collector.bodies)


async def test_a_session_belongs_to_the_request_that_began_it(postgres_url: str, collector: Collector) -> None:
    """A statement in the background is told as part of the trace of its start_query; over HTTP, when the process is ended."""
    settings = {"DATABASE_URL": postgres_url, **GATES, "OTEL_EXPORTER_OTLP_ENDPOINT": f"{collector.url}/"}
    with serving_over_http(settings) as server:
        async with client_of(server.url) as client:
            started = await client.call_tool("start_query", {"query": "SELECT n FROM generate_series(1, 500) AS g(n)"})
            mine = {"sessionId": (started.structured_content or {})["sessionId"], "waitSeconds": 5}
            await client.call_tool("get_session_status", mine)
    [request] = [span for span in collector.spans() if span.name == "tools/call start_query"]
    ours = [span for span in collector.spans() if span.parent_span_id == request.span_id]
    assert any(_values(span.attributes).get("db.response.returned_rows") == 500 for span in ours)


async def test_a_collector_that_is_away_disturbs_nobody(postgres_url: str) -> None:
    """Calls are answered as ever, and the process ends in time."""
    settings = {"DATABASE_URL": postgres_url, **GATES, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with serving_over_http(settings) as server:
        async with client_of(server.url) as client:
            for _ in range(5):
                assert not (await client.call_tool("execute_query", {"query": "SELECT 1"})).is_error
        server.signal()
        assert wait_until(lambda: server.process.poll() is not None, 8)


def test_it_costs_nothing_while_it_is_off(postgres_url: str) -> None:
    """No wrapper stands around statements: the call costs what a call through an attribute costs."""
    config = load_config({"DATABASE_URL": postgres_url})
    with DatabaseService(config) as service:
        begin_tracing(config, service)
        assert service.run_statement is run_statement

        def direct() -> object:
            return run_statement

        def through() -> object:
            return service.run_statement

        rounds = 20_000
        cost = (min(timeit.repeat(through, number=rounds)) - min(timeit.repeat(direct, number=rounds))) / rounds
        assert cost < 5e-6


@pytest.mark.parametrize(
    ("sql", "operation"),
    [
        ("SELECT 1", "SELECT"),
        (" \n select(1)", "SELECT"),
        ("WITH a AS (SELECT 1) SELECT 2", "WITH"),
        ("/* SELECT */ x", None),
        ("SELECTED secrets", None),
        ("EXECUTE p", "EXECUTE"),
        ("password is hunter2", None),
        ("", None),
    ],
)
def test_the_operation_is_a_word_of_a_list(sql: str, operation: str | None) -> None:
    """Nothing else of a statement is ever told."""
    assert operation_of(sql) == operation


def test_an_endpoint_that_is_no_url_is_refused() -> None:
    """What cannot be meant is said at the start."""
    with pytest.raises(ConfigInvalid, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        load_config({"DATABASE_URL": "postgresql://h/d", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"})
