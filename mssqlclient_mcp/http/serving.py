"""Listening: the socket, TLS, uvicorn, and an end that lets running calls finish."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import uvicorn

from ..config import Config
from ..connection_settings import Secret
from ..database_service import DatabaseService
from ..errors import ConfigInvalid
from ..server import build_server
from ..tools.surroundings import Caller, Context, Surroundings
from ..tools.table import scopes_by_name
from .app import MCP_PATH, SSE_PATH, build_app
from .auth import token_secrets
from .calls import CallsUnderWay
from .exposure import check_exposure, verifier
from .identity import Identity
from .protocol import ImpatientProtocol
from .sdk_noise import quiet_the_sdk
from .session_ends import watch_session_end
from .watch import Watch

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
CANCELLED_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 30
MOST_CONNECTIONS = 2000


class HttpServer:
    """Serves one database over HTTP until ``stop``. Made before anything listens: what is wrong with the settings, a port that
    is taken included, is raised here as ConfigInvalid."""

    def __init__(self, config: Config, service: DatabaseService) -> None:
        tokens = check_exposure(config)
        _check_certificate(config)
        self.secrets: list[Secret] = token_secrets(tokens)
        self.calls = CallsUnderWay()
        self._config = config
        self._identity = Identity(config.http_trusted_proxies)
        self._watch = Watch(config, service, draining=lambda: self.calls.draining)
        self._socket = _listen(config)
        self.port: int = self._socket.getsockname()[1]
        server = build_server(config, service, self._surroundings())
        app = build_app(
            config,
            server,
            self.calls,
            self._identity,
            verifier=verifier(config, tokens),
            needed_scopes=scopes_by_name(),
            port=self.port,
        )
        self._uvicorn = _Uvicorn(_uvicorn_config(config, app))

    @property
    def url(self) -> str:
        """Where clients connect to."""
        scheme = "https" if self._config.http_tls_cert else "http"
        host = f"[{self._config.http_host}]" if ":" in self._config.http_host else self._config.http_host
        return f"{scheme}://{host}:{self.port}{SSE_PATH if self._config.transport == 'sse' else MCP_PATH}"

    def run(self) -> None:
        """Serve until ``stop``."""
        quiet_the_sdk()
        self._uvicorn.url = self.url
        self._watch.start()
        try:
            anyio.run(self._uvicorn.serve, [self._socket])
        finally:
            self._socket.close()
            self._watch.close()

    def drain(self) -> None:
        """From the thread that ends the process: nothing new, and ten seconds for what runs."""
        self.calls.drain(DRAIN_SECONDS)

    def finish(self) -> None:
        """After the database service cancelled what was left: its answers go out, then nothing more is served."""
        self.calls.wait(CANCELLED_SECONDS)
        self._uvicorn.should_exit = self._uvicorn.force_exit = True

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            identify=self._identify, admit=self._watch.admit, around=self.calls.around, watchers=self._watch.watchers
        )

    def _identify(self, context: Context) -> Caller:
        caller = self._identity.caller(context)
        watch_session_end(context, caller)
        return caller


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the process's own end, and says where it listens once it does."""

    url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """From here on clients can connect."""
        await super().startup(sockets)
        if self.started:
            log.info("serving at %s", self.url)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def _uvicorn_config(config: Config, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=ImpatientProtocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # forwarded addresses are judged in identity.py
        server_header=False,
        date_header=False,
        lifespan="on",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
        ssl_certfile=config.http_tls_cert,
        ssl_keyfile=config.http_tls_key,
    )


def _check_certificate(config: Config) -> None:
    """Raises ConfigInvalid for files that are no certificate and key, or do not belong together."""
    if config.http_tls_cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(config.http_tls_cert, config.http_tls_key, password="")
    except (OSError, ValueError) as error:  # SSLError is an OSError; an encrypted key is a ValueError
        raise ConfigInvalid(
            f"HTTP_TLS_CERT and HTTP_TLS_KEY cannot be used: {error}",
            details={"setting": "HTTP_TLS_CERT"},
            next_step="They are a certificate chain and its private key, in PEM form and without a password.",
        ) from None


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.http_host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what is accepted; else each short answer waits 40 ms for an ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.http_host, config.http_port))
    except OSError as error:
        listening.close()
        raise ConfigInvalid(
            f"The server cannot listen on {config.http_host}:{config.http_port}: {error.strerror or error}",
            details={"setting": "HTTP_PORT"},
            next_step="Set HTTP_HOST and HTTP_PORT to an address of this machine and a free port; 0 takes any.",
        ) from None
    return listening
