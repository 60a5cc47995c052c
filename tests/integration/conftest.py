"""Connections to the real databases of the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from mssqlclient_mcp.dialects.postgresql.psycopg_connection import PostgresConnection
from tests.live_postgres import connect


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[PostgresConnection]:
    """A fresh connection of the PostgreSQL dialect, closed afterwards."""
    with closing(connect(postgres_url)) as made:
        yield made


@pytest.fixture
def postgres_admin(postgres_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A plain psycopg connection in autocommit, to look at the same database from outside."""
    with psycopg.connect(postgres_url, autocommit=True) as made:
        yield made
