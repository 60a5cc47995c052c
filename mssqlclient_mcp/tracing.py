"""Traces: a span for each statement and each plan at the database, below those that the MCP SDK makes for each request.

Attributes follow OpenTelemetry's conventions for database clients. Neither the text of a statement nor a value of it is told.
Off, and without any cost, unless OTEL_EXPORTER_OTLP_ENDPOINT is set or whoever starts the process has set OpenTelemetry up.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import __version__
from .config import Config
from .connection_settings import ConnectionSettings
from .database_service import DatabaseService
from .dialects.base import Connection
from .errors import DatabaseMcpError
from .execution import Explain, Nets, ResultSink, make_plan, run_statement
from .models import Statement
from .plan_models import Plan
from .running import Running

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

log = logging.getLogger(__name__)

NAME = "mssqlclient-mcp"
FLUSH_MILLISECONDS = 1000
SYSTEMS = {"sqlserver": "microsoft.sql_server", "postgresql": "postgresql"}
PORTS = {"sqlserver": 1433, "postgresql": 5432}
OPERATIONS = re.compile(
    r"\s*(SELECT|WITH|SHOW|VALUES|TABLE|EXPLAIN|INSERT|UPDATE|DELETE|MERGE|CALL|EXECUTE|EXEC|DECLARE|CREATE|ALTER|DROP|TRUNCATE)\b",
    re.IGNORECASE,
)
"""First words that are told as the operation; any other is not."""


def begin_tracing(config: Config, service: DatabaseService) -> Callable[[], object]:
    """Trace the statements of ``service`` where the settings, or the process's own set-up, ask for it. The answer sends what is
    still held back; it is to be called at the end."""
    flush = _export(config.otel_exporter_otlp_endpoint) if config.otel_exporter_otlp_endpoint else _nothing
    if flush is _nothing and not _set_up_already():
        return _nothing
    from opentelemetry import trace

    tracer = trace.get_tracer(NAME, __version__)
    traced = Traced(tracer, service.dialect.name, service.settings)
    service.run_statement, service.make_plan = traced.run_statement, traced.make_plan
    return flush


class Traced:
    """What is done at the database, each inside a span."""

    def __init__(self, tracer: Tracer, dialect: str, settings: ConnectionSettings) -> None:
        from opentelemetry.trace import SpanKind

        self._tracer = tracer
        self._kind = SpanKind.CLIENT
        self._instance = settings.instance
        self._attributes: dict[str, str | int] = {
            "db.system.name": SYSTEMS[dialect],
            "server.address": settings.host,
            "server.port": settings.port or PORTS[dialect],
        }

    def run_statement(
        self,
        connection: Connection,
        statement: Statement,
        running: Running,
        sink: ResultSink,
        nets: Nets,
        *,
        alone: bool = False,
    ) -> None:
        """See ``execution.run_statement``."""
        with self._span(connection, operation_of(statement.sql)) as span:
            before = running.rows
            try:
                run_statement(connection, statement, running, sink, nets, alone=alone)
            finally:
                span.set_attribute("db.response.returned_rows", max(0, running.rows - before))

    def make_plan(self, explain: Explain, connection: Connection, sql: str, running: Running, nets: Nets) -> Plan:
        """See ``execution.make_plan``."""
        with self._span(connection, "EXPLAIN"):
            return make_plan(explain, connection, sql, running, nets)

    @contextmanager
    def _span(self, connection: Connection, operation: str | None) -> Iterator[Span]:
        database = connection.database
        attributes = {**self._attributes, "db.namespace": f"{self._instance}|{database}" if self._instance else database}
        if operation:
            attributes["db.operation.name"] = operation
        with self._tracer.start_as_current_span(
            f"{operation} {database}" if operation else database,
            kind=self._kind,
            attributes=attributes,
            record_exception=False,  # the database's message may hold values
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except DatabaseMcpError as error:
                _tell_error(span, error)
                raise


def operation_of(sql: str) -> str | None:
    """The first word of a statement, when it is one of those that are told."""
    found = OPERATIONS.match(sql)
    return found.group(1).upper() if found else None


def _tell_error(span: Span, error: DatabaseMcpError) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", error.code.value)
    status = error.details.get("sqlstate") or error.details.get("nativeError")
    if status is not None:
        span.set_attribute("db.response.status_code", str(status))
    span.set_status(StatusCode.ERROR)


def _set_up_already() -> bool:
    """Whether a tracer provider stands in this process, by ``opentelemetry-instrument`` or a program that embeds this one."""
    trace = sys.modules.get("opentelemetry.trace")  # the MCP SDK imports it
    return trace is not None and not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _export(endpoint: str) -> Callable[[], object]:
    """Send spans to a collector. Without the packages that takes there is a warning, and no trace."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning('OTEL_EXPORTER_OTLP_ENDPOINT is set, and no trace is sent: pip install "mssqlclient-mcp[otel]"')
        return _nothing
    own = Resource({"service.name": NAME, "service.version": __version__})
    provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()))  # OTEL_SERVICE_NAME goes before ours
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(provider)
    return lambda: provider.force_flush(FLUSH_MILLISECONDS)


def _nothing() -> None:
    """What is to be done at the end when nothing is traced."""
