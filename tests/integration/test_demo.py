"""The demo as a newcomer meets it: the tour in a terminal, and the server that serves the sample shop."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent

from mssqlclient_mcp.demo.steps import CHAPTERS, FOUNDATION, Step
from mssqlclient_mcp.demo.tour import problem_with
from tests.databases import server_environment, stdio_parameters

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

NO_ODBC = 'raise ImportError("libodbc.so.2: cannot open shared object file")\n'
STEPS = [step for chapter in CHAPTERS for step in chapter.steps]


@pytest.fixture(scope="module")
def newcomer() -> Iterator[dict[str, str]]:
    """The environment of somebody with an empty home, and without any ODBC library."""
    with tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-home-", ignore_cleanup_errors=True) as home:
        (Path(home) / "shadow").mkdir()
        (Path(home) / "shadow" / "pyodbc.py").write_text(NO_ODBC, encoding="utf-8")
        environment = {
            "HOME": home,
            "USERPROFILE": home,
            "LOCALAPPDATA": home,
            "PYTHONPATH": f"{home}/shadow",
            "COLUMNS": "110",
        }
        environment["PYTHONIOENCODING"] = "utf-8"
        yield environment
        run_demo(environment, "--remove")


def run_demo(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """``mssqlclient-mcp demo`` with its output."""
    command = [sys.executable, "-m", "mssqlclient_mcp", "demo", *arguments]
    return subprocess.run(
        command,
        env=server_environment(environment),
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def first_run(newcomer: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The tour in an empty home."""
    return run_demo(newcomer)


def test_the_tour_ends_well_in_an_empty_home(first_run: subprocess.CompletedProcess[str]) -> None:
    """Every step was as expected, nothing was written to stderr, and no ODBC library was needed."""
    assert first_run.returncode == 0, first_run.stdout[-3000:] + first_run.stderr
    assert first_run.stderr == ""
    assert "not as expected" not in first_run.stdout


def test_the_tour_shows_each_call_with_its_answer(first_run: subprocess.CompletedProcess[str]) -> None:
    """The foundation's steps are never left out."""
    for step in STEPS:
        if step.tool in FOUNDATION and step.after is None:
            assert step.title in first_run.stdout
            assert f"left out: {step.title}" not in first_run.stdout
    for expected in ("call  list_tables", "OBJECT_NOT_FOUND", "READ_ONLY_VIOLATION", "sku character varying(12)"):
        assert expected in first_run.stdout


def test_the_tour_ends_with_the_entry_that_serves_the_demo(first_run: subprocess.CompletedProcess[str]) -> None:
    """It can be copied as it stands, and its program exists."""
    text = first_run.stdout[first_run.stdout.index("\n{\n") :]
    entry, _ = json.JSONDecoder().raw_decode(text.strip())
    [server] = entry["mcpServers"].values()
    assert Path(server["command"]).is_absolute()
    assert Path(server["command"]).exists()
    assert server["args"][-1] == "--demo"


def test_a_second_run_starts_from_the_kept_database_in_seconds(
    first_run: subprocess.CompletedProcess[str], newcomer: dict[str, str]
) -> None:
    """The shop is not loaded again, and what was ordered in the first run is still there."""
    assert first_run.returncode == 0
    began = time.monotonic()
    second = run_demo(newcomer)
    assert second.returncode == 0, second.stdout[-3000:] + second.stderr
    assert time.monotonic() - began < 40


async def test_the_demo_is_served_over_stdio_to_any_client(
    first_run: subprocess.CompletedProcess[str], newcomer: dict[str, str]
) -> None:
    """What the Claude Desktop entry starts: the shop, with everything that runs statements open and writes off."""
    assert first_run.returncode == 0
    parameters: StdioServerParameters = stdio_parameters(newcomer, "--demo")
    async with Client(parameters) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        counted = await client.call_tool("execute_query", {"query": "SELECT count(*) AS n FROM sales.customers"})
        refused = await client.call_tool("execute_query", {"query": "DELETE FROM sales.customers"})
    assert set(FOUNDATION) <= names
    assert counted.structured_content is not None
    assert counted.structured_content["rows"] == [[5000]]
    assert refused.is_error


async def test_the_log_of_the_served_demo_is_ours(
    first_run: subprocess.CompletedProcess[str], newcomer: dict[str, str], tmp_path: Path
) -> None:
    """What the embedded database's package says of every command it runs does not reach the client's log."""
    assert first_run.returncode == 0
    with (tmp_path / "log").open("w+", encoding="utf-8") as log:
        async with Client(stdio_client(stdio_parameters(newcomer, "--demo"), errlog=log)) as client:
            assert not (await client.call_tool("list_tables", {})).is_error
        log.seek(0)
        told = log.read()
    assert "mssqlclient_mcp" in told
    assert "pgserver" not in told


async def test_two_clients_share_the_demo_and_the_first_to_leave_does_not_stop_it(
    first_run: subprocess.CompletedProcess[str], newcomer: dict[str, str]
) -> None:
    """A desktop client and the tour may run at the same time."""
    assert first_run.returncode == 0
    query = {"query": "SELECT count(*) AS n FROM sales.orders"}
    async with Client(stdio_parameters(newcomer, "--demo")) as one:
        async with Client(stdio_parameters(newcomer, "--demo")) as other:
            assert not (await other.call_tool("execute_query", query)).is_error
        assert not (await one.call_tool("execute_query", query)).is_error


def test_an_unknown_argument_of_the_demo_is_a_usage_error(newcomer: dict[str, str]) -> None:
    """Exit code 2, as all programs do."""
    assert run_demo(newcomer, "--rest").returncode == 2


def answer(structured: dict[str, object], *, is_error: bool = False) -> CallToolResult:
    """A tool's answer."""
    return CallToolResult(content=[TextContent(type="text", text="")], structured_content=structured, is_error=is_error)


@pytest.mark.parametrize(
    ("step", "result", "problem"),
    [
        (Step("t", "w", "tool"), answer({}), None),
        (Step("t", "w", "tool"), answer({"code": "TIMEOUT"}, is_error=True), "TIMEOUT"),
        (Step("t", "w", "tool", error="TIMEOUT"), answer({}), "an answer"),
        (Step("t", "w", "tool", error="TIMEOUT"), answer({"code": "TIMEOUT"}, is_error=True), None),
        (Step("t", "w", "tool", remember=("sessionId",)), answer({}), "sessionId"),
        (Step("t", "w", "tool", expect={"status": "completed"}), answer({"status": "failed"}), "completed"),
    ],
)
def test_a_step_that_went_otherwise_than_expected_is_noticed(step: Step, result: CallToolResult, problem: str | None) -> None:
    """The tour is a check as well as a show: its exit code can be relied on."""
    found = problem_with(step, result)
    assert (found is None) == (problem is None)
    assert problem is None or problem in (found or "")


def test_what_a_step_remembers_fills_later_steps() -> None:
    """Only arguments that begin with $ are filled in."""
    step = Step("t", "w", "tool", {"sessionId": "$sessionId", "offset": 5, "query": "SELECT $1"})
    assert step.filled({"sessionId": "abc"}) == {"sessionId": "abc", "offset": 5, "query": "SELECT $1"}


def test_removing_the_demo_leaves_no_noise(newcomer: dict[str, str], first_run: subprocess.CompletedProcess[str]) -> None:
    """The last of this module: one line that says what is gone, nothing of how its server was stopped."""
    assert first_run.returncode == 0
    removed = run_demo(newcomer, "--remove")
    assert removed.returncode == 0
    told = (removed.stdout + removed.stderr).split()
    assert told[0] == "Removed"
    assert not Path("".join(told[1:])).exists()
