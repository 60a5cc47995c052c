"""The health API: an app, a port and a thread of its own, so that it answers whatever the server does meanwhile."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import __version__
from ..config import Config
from ..database_service import DatabaseService
from ..tools.surroundings import CallTold
from .metrics import Metrics
from .probe import Prober, Standing
from .protocol import ImpatientProtocol

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 100
KEEP_ALIVE_SECONDS = 5
HEADER_SECONDS = 3.0
END_SECONDS = 2.0
NO_STORE = {"Cache-Control": "no-store"}


class _Protocol(ImpatientProtocol):
    """Whoever asks about health asks at once."""

    header_seconds = HEADER_SECONDS


class HealthServer:
    """``/health/live``, ``/health/ready`` and ``/metrics`` on HEALTH_HOST and HEALTH_PORT. Tells numbers and
    names of our own, never SQL or data. ``names``: those that calls are counted by; ``draining``: the server will end soon."""

    def __init__(
        self, config: Config, service: DatabaseService, names: frozenset[str], *, draining: Callable[[], bool] = lambda: False
    ) -> None:
        self._config = config
        self._service = service
        self._draining = draining
        self._prober = Prober(service)
        self._metrics = Metrics(config, service, names, self._prober.standing)
        self._began = time.monotonic()
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port: int | None = None

    def watch(self, told: CallTold) -> None:
        """Count a call."""
        self._metrics.watch(told)

    def start(self) -> bool:
        """Begin to listen; False, with a warning in the log, when that cannot be: the server itself goes on."""
        host, port = self._config.health_host, self._config.health_port or 0
        try:
            listening = _listen(host, port)
        except OSError as error:
            log.warning("the health API cannot listen on %s:%s: %s", host, port, error.strerror or error)
            return False
        self.port = listening.getsockname()[1]
        self._prober.start()
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self.app(),
                http=_Protocol,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                lifespan="off",
                ws="none",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._serve, args=(self._uvicorn, listening), name="health", daemon=True)
        self._thread.start()
        log.info("health at http://%s:%d/health/ready", f"[{host}]" if ":" in host else host, self.port)
        return True

    def close(self) -> None:
        """Stop listening and asking; harmless twice."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
        if self._thread is not None:
            self._prober.close()
            self._thread.join(END_SECONDS)

    def app(self) -> Starlette:
        """The three routes."""
        return Starlette(
            routes=[
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
                Route("/metrics", self._tell_metrics),
            ]
        )

    @staticmethod
    def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
        try:
            asyncio.run(server.serve([listening]))
        except Exception:  # the thread's top: health must not take the server down
            log.exception("the health API ended")
        finally:
            listening.close()

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "alive", "version": __version__}, headers=NO_STORE)

    async def _ready(self, _: Request) -> Response:
        draining = self._draining()
        standing = await self._prober.fresh_standing()
        status = "draining" if draining else "ready" if standing.reachable else "not ready"
        body = {
            "status": status,
            "version": __version__,
            "transport": self._config.transport,
            "uptimeSeconds": round(time.monotonic() - self._began, 1),
            "database": _database(standing),
            "pool": self._pool(),
            "sessions": self._sessions(),
        }
        return JSONResponse(body, 200 if status == "ready" else 503, NO_STORE)

    async def _tell_metrics(self, request: Request) -> Response:
        body, content_type = self._metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={**NO_STORE, "Content-Type": content_type})

    def _pool(self) -> dict[str, int]:
        pool = self._service.pool
        return {
            "size": pool.max_connections,
            "inUse": pool.active_connections,
            "idle": pool.idle_connections,
            "waiting": pool.queue,
            "mostWaiting": pool.max_waiting,
            "abandoned": pool.abandoned_connections,
        }

    def _sessions(self) -> dict[str, int]:
        sessions = self._service.sessions
        return {
            "running": sessions.running_count,
            "finished": sessions.finished_count,
            "resultBytes": sessions.memory.used_bytes,
            "abandonedWorkers": sessions.abandoned_workers,
        }


def _database(standing: Standing) -> dict[str, object]:
    told: dict[str, object] = {"reachable": standing.reachable}
    if standing.latency_seconds is not None:
        told["latencyMs"] = round(standing.latency_seconds * 1000, 2)
    if standing.age_seconds is not None:
        told["checkedSecondsAgo"] = round(standing.age_seconds, 2)
    if standing.code is not None:
        told["code"] = standing.code
    return told


def _listen(host: str, port: int) -> socket.socket:
    # with the protocol named, asyncio sets TCP_NODELAY on what is accepted
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(MOST_CONNECTIONS)
    except OSError:
        listening.close()
        raise
    return listening
