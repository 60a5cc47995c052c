"""Every command that README tells to type, typed: in a copy of the project, in a virtual environment of its own, with an empty
home. What README prints as an answer is what comes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.demo.shop import CLERK, DATABASE, ensure_shop
from tests.databases import ROOT
from tests.readme import Command, blocks, commands, tool_calls, without_what_varies

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(420),
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
    pytest.mark.skipif(sys.platform != "linux", reason="README's commands are for a shell, its answers those of Linux"),
]

README = ROOT / "README.md"
SUITE = "make test"
CHOSEN = "tests/unit/test_names.py tests/integration/test_test_databases.py::test_each_module_has_an_empty_database_of_its_own"
"""What of the suite ``make test`` runs here: all of it would run this test, too, and so on without end. The choice comes by the
environment, so the command is typed as README has it; it installs, lints, checks types and starts a database as ever."""
FEWEST_COMMANDS, FEWEST_CALLS, FEWEST_ANSWERS = 10, 5, 5
PORT_IN_README = "8000"
ENOUGH_SECONDS = 400
NOT_COPIED = (".git", ".venv", "__pycache__", "node_modules", "site", "dist", "build", ".env", "*.egg-info", ".*_cache")


@dataclass(frozen=True)
class Reader:
    """Somebody who has just cloned the project."""

    folder: Path
    environment: dict[str, str]

    def type(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as a shell would, and end what it left in the background."""
        chosen = {"ARGS": CHOSEN} if script == SUITE else {}
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            shell = subprocess.Popen(
                ["/bin/bash", "-eu", "-c", script],
                cwd=self.folder,
                env={**self.environment, **chosen},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                code = shell.wait(ENOUGH_SECONDS)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGTERM)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(script, code, out.read(), err.read())


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """The sample shop, for the commands that need a database."""
    with (
        tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-tests-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer(Path(folder) / "pg", keep=False, settings={"fsync": "off"}) as server,
    ):
        ensure_shop(server)
        yield server.url(DATABASE, user=CLERK)


@pytest.fixture(scope="module")
def reader(database_url: str) -> Iterator[Reader]:
    """A copy of the project and an empty home; nothing of this run's own environment but where packages come from."""
    with tempfile.TemporaryDirectory(prefix="mcp-readme-", ignore_cleanup_errors=True) as place:
        folder, home = Path(place) / "project", Path(place) / "home"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        home.mkdir()
        environment = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG"))}
        environment |= {
            "HOME": str(home),
            "PATH": f"{folder / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "BASE_PYTHON": getattr(sys, "_base_executable", sys.executable),
            "DATABASE_URL": database_url,
            "COLUMNS": "110",
        }
        yield Reader(folder, environment)


def test_readme_has_something_to_run() -> None:
    """At least ten commands for a shell, of which several have their answers printed, and calls of tools besides."""
    found = commands(README)
    assert len(found) >= FEWEST_COMMANDS
    assert len([one for one in found if one.shown]) >= FEWEST_ANSWERS
    assert len(tool_calls(README)) >= FEWEST_CALLS
    assert {"make demo", SUITE} <= {one.script for one in found}


def test_no_block_of_the_readme_is_passed_over() -> None:
    """Each fenced block is typed, called, or in a language that is shown only: an example of settings, SQL, an answer."""
    known = {"bash", "console", "json", "text", "sql"}
    assert {language for language, _ in blocks(README)} == known
    fences = re.findall(r"^```", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(README))


def test_every_command_of_the_readme_works_and_answers_as_it_says(reader: Reader) -> None:
    """In their order, the first one makes the virtual environment."""
    for command in commands(README):
        began = time.monotonic()
        _type_and_compare(reader, command)
        print(f"{time.monotonic() - began:5.1f} s  {command.name}")


def _type_and_compare(reader: Reader, command: Command) -> None:
    done = reader.type(command.script.replace(PORT_IN_README, str(_free_port())))
    told = f"$ {command.script}\nexit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    expected_code = 1 if command.shown and "\n!! " in command.shown else 0
    assert done.returncode == expected_code, told
    if command.shown is not None:
        assert without_what_varies(done.stdout, reader.folder) == without_what_varies(command.shown), told
    if command.script == SUITE:
        assert re.search(r"\b\d+ passed\b", done.stdout), told
    if "curl" in command.script:
        assert '"name":"orders"' in done.stdout.replace(" ", ""), told


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def test_every_call_of_the_readme_is_answered_by_the_demo(reader: Reader) -> None:
    """As a client of the command that README has it start. The call of a procedure on SQL Server has a test of its own."""
    program = reader.folder / ".venv" / "bin" / "mssqlclient-mcp"
    server = StdioServerParameters(command=str(program), args=["--demo"], env={**reader.environment, "DATABASE_URL": ""})
    async with Client(server) as client:
        for call in tool_calls(README):
            result = await client.call_tool(call.tool, call.arguments)
            assert not result.is_error, (call, result.content)
