"""Inspector, the tool with which servers are tried by hand, as a client over stdio."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.databases import ROOT
from tests.nodes import WAIT_SECONDS, node_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * WAIT_SECONDS)]

EVERYTHING_ON = {
    "ENABLE_SELECT_DATA": "true",
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_EXECUTE_STORED_PROCEDURE": "true",
    "ENABLE_START_QUERY": "true",
    "ENABLE_START_STORED_PROCEDURE": "true",
}
NOT_ASKED = {
    "PostgreSQL, one database": {"DATABASE_URL": "postgresql://reader@127.0.0.1:1/shop"},
    "PostgreSQL, the server": {"DATABASE_URL": "postgresql://reader@127.0.0.1:1/"},
    "SQL Server, one database": {"MSSQL_CONNECTIONSTRING": "Server=127.0.0.1,1;Database=shop;User Id=reader;Password=secret"},
    "SQL Server, the server": {"MSSQL_CONNECTIONSTRING": "Server=127.0.0.1,1;User Id=reader;Password=secret"},
}


def inspect(settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """What the Inspector's command line says of a server with these settings."""
    node, folder = node_folder("@modelcontextprotocol/inspector")
    package = folder / "node_modules" / "@modelcontextprotocol" / "inspector"
    program = package / json.loads((package / "package.json").read_text(encoding="utf-8"))["bin"]["mcp-inspector"]
    given = [word for name, value in {**EVERYTHING_ON, **settings}.items() for word in ("-e", f"{name}={value}")]
    return subprocess.run(
        [node, str(program), "--cli", *given, sys.executable, "-m", "mssqlclient_mcp", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    )


@pytest.mark.parametrize("settings", NOT_ASKED.values(), ids=NOT_ASKED.keys())
def test_the_strict_check_finds_no_error_in_the_schemas_of_tools(settings: dict[str, str]) -> None:
    """With every tool there is: 6 would be the exit code for a schema that some client cannot read. No database is asked."""
    done = inspect(settings, "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["tools"]) >= 20


def test_a_tool_can_be_tried_by_hand(postgres_url: str) -> None:
    """A call from the command line: arguments as they are typed, the answer as rows."""
    words = ("--method", "tools/call", "--tool-name", "execute_query", "--tool-arg", "query=SELECT 40 + 2 AS n")
    done = inspect({"DATABASE_URL": postgres_url}, *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["structuredContent"]["rows"] == [[42]]
