"""The health API over real HTTP: what it tells, how fast, with every transport, and while database or server are in trouble."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mssqlclient_mcp.config import Config, load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.http.health import HEADER_SECONDS, MOST_CONNECTIONS, HealthServer
from mssqlclient_mcp.http.watch import Watch, counted_names
from mssqlclient_mcp.server import build_server
from tests.databases import spawn_server, stdio_parameters
from tests.http_servers import client_of, serving_over_http, wait_until
from tests.live_postgres import Relay
from tests.ports import closed_port

SECRET = "marker-5ecret-marker"


def get(port: int, path: str = "/health/ready", accept: str = "*/*") -> tuple[int, str, float]:
    """Status, body and milliseconds of one request on a connection of its own."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept})
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read()
    return status, body.decode(), (time.perf_counter() - began) * 1000


def ready(port: int) -> tuple[int, dict[str, Any]]:
    """Status and body of /health/ready."""
    status, body, _ = get(port)
    return status, json.loads(body)


def becomes(port: int, status: int, seconds: float) -> bool:
    """Whether /health/ready answers with this status in time."""
    return wait_until(lambda: get(port)[0] == status, seconds)


@contextmanager
def health_of(service: DatabaseService, **settings: Any) -> Iterator[int]:
    """The health API of a service in this process."""
    server = HealthServer(service.config, service, counted_names(), **settings)
    assert server.start()
    try:
        assert server.port is not None
        yield server.port
    finally:
        server.close()


def configured(url: str, **settings: str) -> Config:
    """Settings with a free port for health."""
    return load_config({"DATABASE_URL": url, "HEALTH_PORT": str(closed_port()), "ENABLE_EXECUTE_QUERY": "true", **settings})


def test_ready_tells_database_pool_sessions_and_the_server_itself(postgres_url: str) -> None:
    """Everything a person on call asks first, in one answer."""
    with DatabaseService(configured(postgres_url)) as service, health_of(service) as port:
        assert becomes(port, 200, 5)
        status, told = ready(port)
        assert (status, told["status"], told["transport"]) == (200, "ready", "stdio")
        assert told["database"]["reachable"] is True
        assert 0 < told["database"]["latencyMs"] < 1000
        assert 0 <= told["database"]["checkedSecondsAgo"] < 5
        assert told["pool"] == {"size": 10, "inUse": 0, "idle": 0, "waiting": 0, "mostWaiting": 15, "abandoned": 0}
        assert told["sessions"] == {"running": 0, "finished": 0, "resultBytes": 0, "abandonedWorkers": 0}
        assert told["uptimeSeconds"] >= 0
        assert re.fullmatch(r"\d+\.\d+\.\d+.*", told["version"])


def test_live_answers_without_the_database_and_unknown_paths_do_not(postgres_url: str) -> None:
    """Alive is not ready: a database that is away must not have the server restarted."""
    with DatabaseService(configured("postgresql://u:p@127.0.0.1:1/none")) as service, health_of(service) as port:
        assert get(port, "/health/live")[0] == 200
        assert becomes(port, 503, 1)
        assert wait_until(lambda: ready(port)[1]["database"].get("code") == "CONNECTION_FAILED", 5)
        assert get(port, "/")[0] == 404
        assert get(port, "/mcp")[0] == 404


def test_connections_that_ask_nothing_do_not_keep_others_from_asking(postgres_url: str) -> None:
    """Each holds a place for a few seconds; an orchestrator that asks meanwhile must not restart a healthy server for long."""
    with DatabaseService(configured(postgres_url)) as service, health_of(service) as port, ExitStack() as held:
        for sent in (b"", b"GET /health/live HTTP/1.1\r\nX-Slow: "):
            for _ in range(MOST_CONNECTIONS):
                connection = held.enter_context(socket.create_connection(("127.0.0.1", port)))
                with suppress(OSError):  # turned away already
                    connection.sendall(sent)
            assert wait_until(lambda: get(port, "/health/live")[0] == 200, HEADER_SECONDS + 3)


def test_pool_and_sessions_are_told_as_they_stand(postgres_url: str) -> None:
    """Connections in use, idle and waited for, and sessions that run and that are kept."""
    config = configured(postgres_url, POOL_MAX_SIZE="1", POOL_MAX_WAITING="5", ENABLE_START_QUERY="true")
    with DatabaseService(config) as service, health_of(service) as port:
        release = threading.Event()

        def hold() -> None:
            running, place = service.running(30), service.reserve()
            with service.pool.connection(None, running, reservation=place):
                release.wait(20)
            place.release()

        holders = [threading.Thread(target=hold) for _ in range(3)]
        for holder in holders:
            holder.start()
        assert wait_until(lambda: ready(port)[1]["pool"]["waiting"] == 2, 5)
        assert ready(port)[1]["pool"]["inUse"] == 1
        slow = service.start_query("me", None, "SELECT count(*) FROM generate_series(1, 100000000000) AS g(n)")
        service.start_query("me", None, "SELECT n FROM generate_series(1, 1000) AS g(n)")
        assert wait_until(lambda: ready(port)[1]["sessions"]["finished"] == 1, 5)
        sessions = ready(port)[1]["sessions"]
        assert sessions["running"] == 1
        assert sessions["resultBytes"] > 0
        release.set()
        service.sessions.cancel_session("me", slow.session_id)
        for holder in holders:
            holder.join()
        assert wait_until(lambda: ready(port)[1]["sessions"]["running"] == 0, 5)
        assert ready(port)[1]["pool"]["idle"] == 1


def test_ready_answers_fast_while_the_database_hangs_and_recovers(postgres_url: str) -> None:
    """A line on which nothing passes any more, which no driver notices: every answer stays under 200 ms, and it turns 503
    within the probe's deadline; when the line works again, 200."""
    relay = Relay(postgres_url)
    try:
        config = configured(postgres_url)
        service = DatabaseService(load_config({"DATABASE_URL": postgres_url, "HEALTH_PORT": str(config.health_port)}))
        service.settings = relay.settings
        with service, health_of(service) as port:
            assert becomes(port, 200, 5)
            relay.freeze()
            slowest, turned, began = 0.0, False, time.monotonic()
            while time.monotonic() - began < 8:
                status, _, ms = get(port)
                slowest = max(slowest, ms)
                turned = turned or status == 503
                time.sleep(0.05)
            assert turned
            assert get(port)[0] == 503
            assert slowest < 200
            relay.thaw()
            assert becomes(port, 200, 15)
    finally:
        relay.close()


@pytest.mark.slow
def test_ready_goes_false_when_the_database_stops_and_true_when_it_is_back(tmp_path: Path) -> None:
    """A real PostgreSQL that is stopped and started again, under a real server process over HTTP."""
    folder, port = tmp_path / "pg", closed_port()
    database = EmbeddedServer(folder, settings={"fsync": "off"})
    url = database.url()
    try:
        with serving_over_http({"DATABASE_URL": url, "HEALTH_PORT": str(port)}):
            assert becomes(port, 200, 10)
            database.stop()
            assert becomes(port, 503, 10)
            assert ready(port)[1]["database"]["reachable"] is False
            assert get(port, "/health/live")[0] == 200
            database.close()
            database = EmbeddedServer(folder)
            assert database.url() == url
            assert becomes(port, 200, 15)
    finally:
        database.close()


async def test_it_answers_while_the_main_loop_is_busy(postgres_url: str) -> None:
    """The API has a thread and a loop of its own."""
    with DatabaseService(configured(postgres_url)) as service, health_of(service) as port:
        await asyncio.to_thread(becomes, port, 200, 5)
        answers: list[float] = []
        asking = threading.Thread(target=lambda: answers.extend(get(port)[2] for _ in range(5)))
        asking.start()
        time.sleep(1.0)  # the loop of this test stands still
        asking.join()
        assert len(answers) == 5
        assert max(answers) < 200


def test_many_questions_make_no_threads_and_few_probes(postgres_url: str) -> None:
    """Two hundred requests: one probing thread, one serving thread, and the database is asked about once a second."""
    with DatabaseService(configured(postgres_url)) as service:
        asked = 0
        connect = service.dialect.connect
        with health_of(service) as port:
            assert becomes(port, 200, 5)
            before = threading.active_count()
            ages = []
            for _ in range(200):
                ages.append(ready(port)[1]["database"]["checkedSecondsAgo"])
            asked = sum(later < sooner for sooner, later in pairwise(ages))
            assert threading.active_count() <= before + 1
        assert asked < 20
        assert service.dialect.connect == connect


def test_a_port_that_is_taken_is_a_warning_and_no_end(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """The server matters more than its health API."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = load_config({"DATABASE_URL": postgres_url, "HEALTH_PORT": str(taken.getsockname()[1])})
        with DatabaseService(config) as service:
            health = HealthServer(config, service, counted_names())
            assert health.start() is False
            health.close()
    assert "cannot listen" in caplog.text


async def test_stdio_has_it_too(postgres_url: str) -> None:
    """With every transport: over stdio the process serves its client on pipes and health on the port."""
    port = closed_port()
    settings = {"DATABASE_URL": postgres_url, "HEALTH_PORT": str(port), "ENABLE_EXECUTE_QUERY": "true"}
    async with Client(stdio_parameters(settings)) as client:
        result = await client.call_tool("execute_query", {"query": "SELECT 1 AS n"})
        assert not result.is_error
        assert await asyncio.to_thread(becomes, port, 200, 5)
        status, told = await asyncio.to_thread(ready, port)
        assert (status, told["transport"]) == (200, "stdio")
        _, metrics, _ = await asyncio.to_thread(get, port, "/metrics")
        assert 'mssqlclient_mcp_calls_total{code="ok",tool="execute_query"} 1.0' in metrics
    assert await asyncio.to_thread(wait_until, lambda: not _open(port), 5)


def test_nothing_listens_when_no_port_is_set(postgres_url: str) -> None:
    """And nothing of it is imported: the start stays quick."""
    process = spawn_server({"DATABASE_URL": postgres_url})
    try:
        assert process.stdin is not None
        _, log = process.communicate(timeout=20)
        assert "health at" not in log
    finally:
        process.kill()
        process.wait()
    config = load_config({"DATABASE_URL": postgres_url})
    with DatabaseService(config) as service:
        assert Watch(config, service).health is None


@pytest.mark.slow
async def test_ready_is_draining_while_running_calls_are_waited_for(postgres_url: str) -> None:
    """A load balancer stops sending at once when the server was told to end, while a call that runs is answered."""
    port = closed_port()
    settings = {
        "DATABASE_URL": postgres_url,
        "HEALTH_PORT": str(port),
        "ENABLE_EXECUTE_QUERY": "true",
        "ENABLE_WRITE_QUERIES": "true",
    }
    with serving_over_http(settings) as server:
        async with client_of(server.url) as client:
            await client.list_tools()  # the client checks answers by it, and nothing new is let in later
            call = asyncio.create_task(client.call_tool("execute_query", {"query": "SELECT pg_sleep(3)"}))
            await asyncio.to_thread(wait_until, lambda: ready(port)[1]["pool"]["inUse"] == 1, 5)
            server.signal(signal.SIGTERM)
            assert await asyncio.to_thread(becomes, port, 503, 2)
            assert (await asyncio.to_thread(ready, port))[1]["status"] == "draining"
            assert not (await call).is_error
        assert await asyncio.to_thread(server.ended_within, 10)


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=x",
        "application/openmetrics-text; version=1.0.0; escaping=nothing",
        "text/plain; version=x; q=y",
        ";;;,=,",
        "",
    ],
)
def test_metrics_are_told_whatever_a_scraper_accepts(postgres_url: str, accept: str) -> None:
    """Prometheus' text where the form that was asked for is none."""
    with DatabaseService(configured(postgres_url)) as service, health_of(service) as port:
        status, body, _ = get(port, "/metrics", accept)
        assert status == 200
        assert "mssqlclient_mcp_pool_connections_max" in body


async def test_metrics_count_calls_by_tool_and_code_and_nothing_that_a_client_makes_up(postgres_url: str) -> None:
    """Calls, durations, rows, rate limits and gauges; an unknown name is ``other``, and exemplars carry the request's id."""
    config = configured(postgres_url, RATE_LIMIT_PER_MINUTE="6")
    with DatabaseService(config) as service:
        watch = Watch(config, service)
        watch.start()
        port = config.health_port or 0
        try:
            async with Client(build_server(config, service, watch.surroundings())) as client:
                await client.call_tool("execute_query", {"query": "SELECT n FROM generate_series(1, 7) AS g(n)"})
                wrong = await client.call_tool("execute_query", {"query": f"SELECT '{SECRET}' FROM no_such_{SECRET[:6]}"})
                for _ in range(3):
                    await client.call_tool(f"made-up-{SECRET}", {})
                await client.call_tool("list_tables", {"schema": SECRET})
                await client.call_tool("list_tables", {})  # one too many
            assert await asyncio.to_thread(becomes, port, 200, 5)
            _, text, _ = await asyncio.to_thread(get, port, "/metrics")
            _, openmetrics, _ = await asyncio.to_thread(get, port, "/metrics", "application/openmetrics-text; version=1.0.0")
        finally:
            watch.close()
    assert 'mssqlclient_mcp_calls_total{code="ok",tool="execute_query"} 1.0' in text
    assert 'mssqlclient_mcp_calls_total{code="OBJECT_NOT_FOUND",tool="execute_query"} 1.0' in text
    assert 'mssqlclient_mcp_calls_total{code="INVALID_PARAMETER",tool="other"} 3.0' in text
    assert 'mssqlclient_mcp_calls_total{code="RATE_LIMITED",tool="list_tables"} 1.0' in text
    assert "mssqlclient_mcp_rate_limited_total 1.0" in text
    assert 'mssqlclient_mcp_rows_total{tool="execute_query"} 7.0' in text
    assert 'mssqlclient_mcp_call_duration_seconds_count{tool="execute_query"} 2.0' in text
    for gauge in ("pool_connections_in_use 0.0", "pool_waiting 0.0", "sessions_running 0.0", "database_up 1.0"):
        assert f"mssqlclient_mcp_{gauge}" in text
    assert SECRET not in text + openmetrics
    assert "made-up" not in text + openmetrics
    number = (wrong.structured_content or {})["details"]["requestId"]
    assert f'# {{request_id="{number}"}}' in openmetrics
    assert openmetrics.rstrip().endswith("# EOF")


async def test_a_call_that_its_client_cancels_is_counted(postgres_url: str) -> None:
    """The client's own end of a call shows in the metrics as CANCELLED."""
    config = configured(postgres_url)
    with DatabaseService(config) as service:
        watch = Watch(config, service)
        watch.start()
        port = config.health_port or 0
        try:
            async with Client(build_server(config, service, watch.surroundings())) as client:
                slow = "SELECT count(*) FROM generate_series(1, 100000000000) AS g(n)"
                call = asyncio.create_task(client.call_tool("execute_query", {"query": slow}))
                await asyncio.to_thread(wait_until, lambda: service.pool.active_connections == 1, 5)
                call.cancel()
                await asyncio.wait([call])

                def counted() -> bool:
                    return "mssqlclient_mcp_cancelled_total 1.0" in get(port, "/metrics")[1]

                assert await asyncio.to_thread(wait_until, counted, 5)
        finally:
            watch.close()


def test_what_is_told_holds_no_secret_and_no_address(postgres_url: str) -> None:
    """A password that is wrong, a host that is: neither stands in any answer."""
    url = f"postgresql://someone:{SECRET}@127.0.0.1:1/private-name"
    with DatabaseService(configured(url)) as service, health_of(service) as port:
        assert becomes(port, 503, 5)
        answers = "".join(get(port, path)[1] for path in ("/health/live", "/health/ready", "/metrics"))
        assert SECRET not in answers
        assert "someone" not in answers
        assert "private-name" not in answers


def test_a_busy_prober_ends_with_its_server(postgres_url: str) -> None:
    """No thread of the health API outlives ``close``."""
    with DatabaseService(configured(postgres_url)) as service:
        with health_of(service) as port:
            assert becomes(port, 200, 5)
        assert wait_until(lambda: not any(thread.name.startswith("health") for thread in threading.enumerate()), 3)


def _open(port: int) -> bool:
    with closing(socket.socket()) as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
