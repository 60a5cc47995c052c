"""The sample shop: loaded into an embedded server once, and again when its definition has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..connection_string import parse
from ..dialects.base import Access, dialect_for

if TYPE_CHECKING:
    from ..dialects.base import Connection
    from .embedded import EmbeddedServer

DATABASE = "shop"
CLERK = "clerk"
"""The role that the demo works as: it reads and changes rows, and is no administrator."""

_SCRIPT = Path(__file__).with_name("shop.sql")
_LOADING = f"{DATABASE}_loading"
_LOCK = 7_204_011  # any number: processes that load at the same time wait for each other
_LONGEST_LOAD_SECONDS = 300
_MARK = "SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = $1"


def ensure_shop(server: EmbeddedServer) -> bool:
    """See to it that the shop is there; True when it had to be loaded. Safe to call from several processes at once."""
    with _connected(server, "postgres") as administrator:
        administrator.execute_script(f"SELECT pg_advisory_lock({_LOCK})")
        if _mark(administrator) == _expected_mark():
            return False
        administrator.execute_script(f"DROP DATABASE IF EXISTS {_LOADING} WITH (FORCE)")
        administrator.execute_script(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        administrator.execute_script(f"CREATE DATABASE {_LOADING} TEMPLATE template0 ENCODING 'UTF8'")
        with _connected(server, _LOADING) as loading:
            loading.execute_script(_script())
        administrator.execute_script(f"ALTER DATABASE {_LOADING} RENAME TO {DATABASE}")
        administrator.execute_script(f"COMMENT ON DATABASE {DATABASE} IS '{_expected_mark()}'")
    return True


@contextmanager
def _connected(server: EmbeddedServer, database: str) -> Iterator[Connection]:
    dialect = dialect_for("postgresql", odbc_driver=None)
    settings = parse(server.url(database))
    connection = dialect.connect(settings, database=database, application_name="mssqlclient_mcp demo")
    try:
        connection.begin(Access.AUTOCOMMIT, net_seconds=_LONGEST_LOAD_SECONDS, lock_seconds=_LONGEST_LOAD_SECONDS)
        yield connection
    finally:
        connection.close()


def _mark(administrator: Connection) -> str | None:
    cursor = administrator.execute(_MARK, [DATABASE])
    rows = cursor.fetch(1)
    cursor.close()
    return str(rows[0][0]) if rows else None


@cache
def _script() -> str:
    return _SCRIPT.read_text(encoding="utf-8")


def _expected_mark() -> str:
    return "Sample shop " + hashlib.sha256(_script().encode()).hexdigest()[:16]
