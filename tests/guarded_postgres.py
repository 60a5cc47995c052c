"""A PostgreSQL server with a role that must show its password; the embedded one trusts everybody otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from mssqlclient_mcp.demo.embedded import EmbeddedServer
from tests.databases import LEFTOVER_PREFIX
from tests.live_postgres import Relay

PASSWORD = "s3cret-of-guarded"


@dataclass(frozen=True)
class Guarded:
    """A server that asks ``guarded`` for a password, and how to reach it."""

    url: str
    relay: Relay

    def through(self, password: str, *, database: str = "postgres", port: int | None = None, host: str = "127.0.0.1") -> str:
        """A URL over TCP."""
        reached = port or self.relay.settings.port
        return f"postgresql://guarded:{quote(password)}@{host}:{reached}/{database}"


@contextmanager
def guarded_server() -> Iterator[Guarded]:
    """A server of the caller's own, since who must show a password is the whole server's business."""
    folder = Path(tempfile.mkdtemp(prefix=LEFTOVER_PREFIX)) / "pg"
    with EmbeddedServer(folder, keep=False) as server:
        rules = folder / "pg_hba.conf"
        rules.write_text(f"local all guarded scram-sha-256\nhost all guarded all scram-sha-256\n{rules.read_text()}")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("SELECT pg_reload_conf()")
        with closing(Relay(server.url())) as relay:
            yield Guarded(server.url(), relay)
    folder.parent.rmdir()
