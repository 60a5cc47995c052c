"""The guided tour: an MCP client that starts this server over stdio, as any client does, and shows what it answers."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from ..client_entry import server_command
from ..errors import DatabaseMcpError
from .embedded import INSTALL, data_folder, demo_environment, remove_demo
from .steps import CHAPTERS, Step

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult, Tool

    from .screen import Screen

CONFIGURATION_FILES = (
    ("macOS", "~/Library/Application Support/Claude/claude_desktop_config.json"),
    ("Windows", r"%APPDATA%\Claude\claude_desktop_config.json"),
    ("Linux", "~/.config/Claude/claude_desktop_config.json"),
)
SERVER = ("-m", "mssqlclient_mcp")
"""Arguments of Python that start the server."""
LONGEST_ANSWER_SECONDS = 60.0


def main(argv: Sequence[str] = ()) -> int:
    """Show the tour; 0 when every step was as expected, 1 when not, 2 when it cannot begin."""
    arguments = _parser().parse_args(argv)
    try:
        from .screen import Screen
    except ImportError:
        sys.stderr.write(f"The tour needs the package rich. Install it with: {INSTALL}\n")
        return 2
    screen = Screen()
    try:
        if arguments.remove or arguments.reset:
            screen.note(f"Removed {remove_demo()}")
        return 0 if arguments.remove else _show(screen)
    except DatabaseMcpError as error:
        sys.stderr.write(f"{error.message}\n{error.next_step}\n")
        return 2


def client_entry() -> dict[str, object]:
    """The Claude Desktop entry that serves this demo, with the absolute path of the program."""
    command, arguments = server_command()
    return {"mcpServers": {"shop-demo": {"command": command, "args": [*arguments, "--demo"]}}}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mssqlclient-mcp demo", description="A guided tour on a sample database.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--reset", action="store_true", help="begin with a new sample database")
    choice.add_argument("--remove", action="store_true", help="remove the sample database, and show nothing")
    return parser


def _show(screen: Screen) -> int:
    import anyio

    screen.title(
        "mssqlclient_mcp",
        "An MCP server for SQL Server and PostgreSQL. This tour is a client of it: it starts the server as Claude Desktop "
        "would, calls its tools, and shows each call with its answer.",
    )
    began = time.monotonic()
    with screen.console.status("Starting an embedded PostgreSQL with a sample shop (the first time takes a little longer) ..."):
        environment = demo_environment()
    screen.note(f"PostgreSQL with a shop of 100,000 rows is up, {time.monotonic() - began:.1f} s. Kept in {data_folder()}")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        try:
            return anyio.run(_tour, screen, environment, log)
        except Exception as error:  # noqa: BLE001 - the server broke off; Python 3.10 has no name for a group of errors
            log.seek(0)
            screen.wrong(f"the server broke off: {_innermost(error)}\n{log.read()[-2000:]}")
            return 1


def _innermost(error: BaseException) -> BaseException:
    """The first error inside groups of errors."""
    inside = getattr(error, "exceptions", ())
    return _innermost(inside[0]) if inside else error


async def _tour(screen: Screen, environment: Mapping[str, str], log: TextIO) -> int:
    from mcp import Client, StdioServerParameters, stdio_client

    server = StdioServerParameters(
        command=sys.executable,
        args=list(SERVER),
        env={**environment, "LOG_LEVEL": "warning", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=data_folder().parent,
    )
    began = time.monotonic()
    async with Client(stdio_client(server, errlog=log), read_timeout_seconds=LONGEST_ANSWER_SECONDS) as client:
        tools = await _introduce(screen, client, time.monotonic() - began)
        problems = await Tour(screen, client, {tool.name for tool in tools}).run()
    screen.end(client_entry(), CONFIGURATION_FILES, problems)
    return 1 if problems else 0


async def _introduce(screen: Screen, client: Client, seconds: float) -> list[Tool]:
    """The first two things any client asks: who are you, and what can you do?"""
    screen.step("Who is there?", "The client starts the server and greets it.")
    info = client.server_info
    about = [
        ("name", f"{info.name} {info.version}" if info else "it did not say"),
        ("protocol", client.protocol_version),
        ("answered in", f"{seconds:.2f} s, from starting the process"),
        ("instructions", client.instructions or ""),
    ]
    screen.table(("", ""), about)
    screen.step("What can it do?", "The list of tools that an assistant chooses from.")
    tools = (await client.list_tools()).tools
    screen.table(("tool", "what it is for"), [(tool.name, _first_sentence(tool.description or "")) for tool in tools])
    return tools


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".") + "."


class Tour:
    """Walks through the chapters, remembering what later steps need."""

    def __init__(self, screen: Screen, client: Client, tools: set[str]) -> None:
        self._screen = screen
        self._client = client
        self._tools = tools
        self._memory: dict[str, object] = {}

    async def run(self) -> int:
        """All steps; the number of those that were not as expected."""
        problems = 0
        for chapter in CHAPTERS:
            self._screen.chapter(chapter)
            for step in chapter.steps:
                problems += not await self._take(step)
        return problems

    async def _take(self, step: Step) -> bool:
        missing = [tool for tool in (step.tool, step.after) if tool and tool not in self._tools]
        if missing:
            self._screen.skipped(step, missing[0])
            return True
        arguments = step.filled(self._memory)
        self._screen.step(step.title, step.why)
        self._screen.call(step.tool, arguments)
        began = time.monotonic()
        result = await self._client.call_tool(step.tool, arguments)
        self._screen.answer(_text(result), step, seconds=time.monotonic() - began, is_error=bool(result.is_error))
        structured = result.structured_content or {}
        self._memory.update({name: structured[name] for name in step.remember if name in structured})
        problem = problem_with(step, result)
        if problem:
            self._screen.wrong(problem)
        return not problem


def problem_with(step: Step, result: CallToolResult) -> str | None:
    """What is not as the step expects; None when all is well."""
    structured = result.structured_content or {}
    code = structured.get("code") if result.is_error else None
    if code != step.error:
        return f"{step.tool} was to end with {step.error or 'an answer'}, but it ended with {code or 'an answer'}"
    missing = [name for name in step.remember if name not in structured]
    if missing:
        return f"the answer has no {missing[0]}"
    for name, value in step.expect.items():
        if structured.get(name) != value:
            return f"{name} was to be {value!r}, but is {structured.get(name)!r}"
    return None


def _text(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
