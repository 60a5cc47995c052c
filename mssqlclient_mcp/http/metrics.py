"""What Prometheus is told: calls by tool and code, durations, rows, and how pool, sessions and database stand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, Info
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from .. import __version__
from ..config import Config
from ..database_service import DatabaseService
from ..errors import ErrorCode
from ..tools.surroundings import CallTold
from .probe import Standing

OTHER = "other"
PREFIX = "mssqlclient_mcp"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counts calls as a watcher, and asks the service for the rest when it is read. Labels hold names from our own tables
    only: what a client makes up becomes ``other``."""

    def __init__(
        self, config: Config, service: DatabaseService, names: Iterable[str], standing: Callable[[], Standing]
    ) -> None:
        self._names = frozenset(names)
        self._registry = CollectorRegistry()
        self._calls = Counter(
            f"{PREFIX}_calls", "Calls by tool and code (ok, or the error's).", ["tool", "code"], registry=self._registry
        )
        self._seconds = Histogram(
            f"{PREFIX}_call_duration_seconds", "How long calls took.", ["tool"], buckets=BUCKETS, registry=self._registry
        )
        self._rows = Counter(f"{PREFIX}_rows", "Rows in answers.", ["tool"], registry=self._registry)
        self._limited = Counter(f"{PREFIX}_rate_limited", "Calls that the rate limit refused.", registry=self._registry)
        self._cancelled = Counter(
            f"{PREFIX}_cancelled",
            "Calls that ended because their client cancelled or left, or the server stopped.",
            registry=self._registry,
        )
        info = Info(PREFIX, "The server.", registry=self._registry)
        info.info({"version": __version__, "transport": config.transport, "dialect": service.dialect.name})
        self._registry.register(_State(service, standing))

    def watch(self, told: CallTold) -> None:
        """Count a call; the request's id travels as an exemplar."""
        tool = told.tool if told.tool in self._names else OTHER
        exemplar = {"request_id": told.request_id}
        self._calls.labels(tool, told.code).inc(1, exemplar)
        self._seconds.labels(tool).observe(told.seconds, exemplar)
        if told.rows:
            self._rows.labels(tool).inc(told.rows)
        if told.code == ErrorCode.RATE_LIMITED.value:
            self._limited.inc(1, exemplar)
        elif told.code == ErrorCode.CANCELLED.value:
            self._cancelled.inc(1, exemplar)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All of it, and its media type: OpenMetrics (which has the exemplars) when it is accepted, else Prometheus' text."""
        try:
            encode, content_type = choose_encoder(accept)
        except (ValueError, TypeError, LookupError):  # a version or a form that there is not
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type


class _State(Collector):
    """Gauges that are read when they are asked for."""

    def __init__(self, service: DatabaseService, standing: Callable[[], Standing]) -> None:
        self._service = service
        self._standing = standing
        self._began = time.time()

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead: registering must not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges as they stand."""
        pool, sessions, standing = self._service.pool, self._service.sessions, self._standing()
        yield _gauge("pool_connections_max", "Connections there may be.", pool.max_connections)
        yield _gauge("pool_connections_in_use", "Connections lent to calls.", pool.active_connections)
        yield _gauge("pool_connections_idle", "Connections kept for the next call.", pool.idle_connections)
        yield _gauge("pool_waiting", "Calls that wait for a connection.", pool.queue)
        yield _gauge("pool_waiting_max", "Calls that may wait.", pool.max_waiting)
        yield _gauge("pool_connections_abandoned", "Connections whose driver never came back.", pool.abandoned_connections)
        yield _gauge("sessions_running", "Background sessions that run.", sessions.running_count)
        yield _gauge("sessions_finished", "Background sessions whose result is kept.", sessions.finished_count)
        yield _gauge("sessions_result_bytes", "Memory of their results.", sessions.memory.used_bytes)
        yield _gauge("session_workers_abandoned", "Session workers whose driver never came back.", sessions.abandoned_workers)
        yield _gauge("database_up", "Whether the database answers.", int(standing.reachable))
        if standing.latency_seconds is not None:
            yield _gauge("database_latency_seconds", "How long its last answer took.", standing.latency_seconds)
        yield _gauge("start_time_seconds", "When the server started, since 1970.", self._began)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", told, value=value)
