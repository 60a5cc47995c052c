"""The page on errors: every code with its meaning, its next step, its usual causes, and a real answer where there is one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from mssqlclient_mcp import errors
from mssqlclient_mcp.errors import DatabaseMcpError, ErrorCode
from mssqlclient_mcp.formatters.errors import NEXT_STEP

from .causes import CAUSES
from .examples import EXAMPLES
from .tables import markdown_table
from .tool_pages import MADE

HEAD = """\
# When something goes wrong

A tool's error is an answer with `isError`: `{code, message, retryable, details}` as data, and the same in words, ending with what to do
next. `retryable` answers "may the very same call be sent again and work?". The database's own message stays whole; passwords never
stand in it. `details.requestId` is in the log's line for the call, too.

It does not connect at all? `mssqlclient-mcp check` takes one step after the other and says what to do: see
[Connecting](connecting.md#when-it-does-not-connect). The client does not list the server? See [below](#the-client-shows-no-tools).

"""

TAIL = """\
## The client shows no tools

- Look into the client's log of the server (Claude Desktop: Settings, Developer, Open Logs Folder; Claude Code: `claude mcp list`; VS Code
  and Cursor: the output panel of MCP). A configuration that cannot be used ends the server at its start with exit code 2 and a sentence on stderr.
- `command` must be an absolute path: clients do not know your shell's PATH. `mssqlclient-mcp config --client ...` prints the right one.
- Run the command of the entry by hand, with its environment: it must start and wait in silence. `mssqlclient-mcp check` with the
  same environment tells about the database.
- A tool is missing: tools that run statements are listed only when their setting is on ([settings](settings.md)).

## What `details` can hold

"""

DETAILS = {
    "sqlstate": "the SQLSTATE of the database or driver",
    "nativeError": "SQL Server's error number",
    "state": "SQL Server's error state",
    "line": "the line in the statement or procedure",
    "position": "the character in the statement, from 1",
    "procedure": "the procedure in which it happened",
    "retryAfterSeconds": "when to come back",
    "expected": "what would have fitted",
    "nearest": "the nearest names there are",
    "outcome": "what became of the statement: `not_started`, `rolled_back`, `committed` or `unknown`; with `unknown`, look before "
    "you send it again",
    "setting": "the setting to change",
    "stoppedAtDatabase": "whether the database has confirmed that it stopped",
    "sessionIds": "the sessions that run",
    "problems": "all that is wrong with the arguments",
    "requestId": "the same as in the log",
}


def page(answers: list[dict[str, Any]]) -> str:
    """``docs/troubleshooting.md``."""
    shown = {example.error: answer for example, answer in zip(EXAMPLES, answers, strict=True) if example.error}
    rows = [(f"[`{code.value}`](#{code.value.lower()})", _meaning(code), _may_retry(code)) for code in ErrorCode]
    parts = [MADE + HEAD + markdown_table(("Code", "Meaning", "Retry?"), rows) + "\n"]
    for code in ErrorCode:
        parts += _section(code, shown.get(code.value))
    details = markdown_table(("Key", "What it says"), ((f"`{key}`", DETAILS[key]) for key in errors.DETAIL_KEYS))
    return "\n".join([*parts, TAIL + details]) + "\n"


def _section(code: ErrorCode, answer: dict[str, Any] | None) -> Iterator[str]:
    yield f"## {code.value}\n"
    yield _meaning(code) + "\n"
    yield f"**Next:** {NEXT_STEP[code]}\n"
    yield "\n".join(f"- {cause}" for cause in CAUSES[code]) + "\n"
    if answer:
        yield f'```text title="{answer["tool"]}"\n{answer["text"]}\n```\n'


def _meaning(code: ErrorCode) -> str:
    text = inspect.getdoc(_class_of(code)) or ""
    return text.replace("``", "`")


def _may_retry(code: ErrorCode) -> str:
    return "usually" if _class_of(code).default_retryable else "no"


def _class_of(code: ErrorCode) -> type[DatabaseMcpError]:
    for _, one in inspect.getmembers(errors, inspect.isclass):
        if issubclass(one, DatabaseMcpError) and "code" in vars(one) and one.code is code and one is not DatabaseMcpError:
            return one
    raise LookupError(code)
