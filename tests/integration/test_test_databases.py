"""The test databases themselves: what other tests lean on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from mssqlclient_mcp.models import DatabaseMode
from tests.databases import LEFTOVER_PREFIX, POSTGRES_VARIABLE, ROOT, TestDatabase, clear_away_leftovers, with_database


def test_each_module_has_an_empty_database_of_its_own(postgres_url: str, postgres_admin_url: str) -> None:
    """Tables of one module never meet those of another."""
    with psycopg.connect(postgres_url) as connection:
        [tables] = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert tables == (0,)
    assert postgres_url != postgres_admin_url


def test_a_configuration_names_the_database_or_not(database: TestDatabase) -> None:
    """Contract tests run in both modes from one fixture."""
    assert database.config().mode is DatabaseMode.DATABASE
    assert database.server_mode_config().mode is DatabaseMode.SERVER
    assert database.config(MAX_ROWS="7", DEFAULT_MAX_ROWS="7").max_rows == 7


def test_a_marker_is_spelt_as_the_database_wants_it(database: TestDatabase) -> None:
    """The same test text binds values on every database."""
    expected = {"postgresql": "CAST($2 AS int)", "sqlserver": "CAST(? AS int)"}
    assert database.marker(2, "int") == expected[database.dialect]


@pytest.mark.parametrize("name", ["with space", "ünïcode", "a/b"])
def test_a_database_name_of_any_kind_fits_into_a_url(postgres_admin_url: str, name: str) -> None:
    """URLs made for tests are quoted as libpq reads them."""
    with psycopg.connect(postgres_admin_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        with psycopg.connect(with_database(postgres_admin_url, name)) as other:
            assert other.info.dbname == name
        connection.execute(f'DROP DATABASE "{name}"')


@pytest.mark.skipif(
    bool(os.environ.get(POSTGRES_VARIABLE)), reason=f"{POSTGRES_VARIABLE} is set: nothing embedded is left over"
)
def test_a_run_that_was_killed_leaves_nothing_behind_for_long() -> None:
    """The next run stops and deletes the server of one that could not do so itself."""
    folder = Path(tempfile.mkdtemp(prefix=LEFTOVER_PREFIX)) / "pg"
    code = f"""
import os
from pathlib import Path
from mssqlclient_mcp.demo.embedded import EmbeddedServer
EmbeddedServer(Path({str(folder)!r}), keep=False)
os._exit(9)
"""
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60)
    assert killed.returncode == 9
    assert (folder / "postmaster.pid").exists()
    clear_away_leftovers()
    assert not folder.parent.exists()
