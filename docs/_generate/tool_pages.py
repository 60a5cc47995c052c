"""A page a tool: what it is for, its arguments, and real calls with their answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mssqlclient_mcp.scopes import WRITE
from mssqlclient_mcp.tools.base import Database, Effect, Tool
from mssqlclient_mcp.tools.listing import input_schema
from mssqlclient_mcp.tools.table import TOOLS

from .examples import EXAMPLES, Example
from .tables import escaped, gates, markdown_table, tools_markdown, type_of

MADE = "<!-- Made by docs/generate.py from the code and from calls on the demo's database: change those, not this. -->\n"
LONGEST_TEXT_LINES = 40
LONGEST_STRING = 300
MOST_ITEMS = 3

INDEX = """\
# Tools

Tools that run statements of the caller's are off until their setting is on. Each answer comes as a compact text and as data
(`structuredContent`); a client may show either. Rows travel as arrays beside their `columns`. What is cut says so, and how to get the
rest. Text that comes from the database stands between delimiters that it cannot forge, and is to be read as data.

In **server mode** (no database in the connection string) tools take `databaseName` as first parameter, and some have a name of their own:
the second one in this table.

The answers on these pages are real: they were given by the demo's sample shop. Ids, times and durations are replaced by others that
do not change. The [contracts](../contracts/index.md) hold the schemas as JSON.

"""

WORDS = {
    Effect.LOOK: "only reads",
    Effect.QUERY: "only reads, unless `ENABLE_WRITE_QUERIES` is on",
    Effect.CALL: "may change data: whatever the procedure does",
    Effect.SETTING: "changes this server's memory of you, not the database",
    Effect.STOP: "ends a session of the caller's own",
}


def pages(answers: list[dict[str, Any]]) -> dict[str, str]:
    """The pages under ``docs/tools`` by their file names. ``answers`` are those to ``EXAMPLES``, in their order."""
    found = {"index.md": MADE + INDEX + tools_markdown(folder="") + "\n"}
    told = [(example, answer) for example, answer in zip(EXAMPLES, answers, strict=True) if not example.error]
    for tool in TOOLS:
        mine = [(example, answer) for example, answer in told if example.tool == tool.name]
        if not mine:
            raise LookupError(f"{tool.name} has no example: add one to docs/_generate/examples.py")
        found[f"{tool.name}.md"] = MADE + "\n".join(_page(tool, mine)) + "\n"
    return found


def navigation() -> str:
    """The lines of mkdocs.yml that list the pages."""
    return "\n".join(f"      - {tool.name}: tools/{tool.name}.md" for tool in TOOLS)


def _page(tool: Tool, told: list[tuple[Example, dict[str, Any]]]) -> Iterator[str]:
    yield f"# {tool.name}\n"
    yield tool.description + "\n"
    yield markdown_table(("", ""), _facts(tool)) + "\n"
    yield "## Arguments\n"
    yield _arguments(tool) + "\n"
    yield "## Calls\n"
    for example, answer in told:
        yield from call(example, answer)
    yield f"The schemas of arguments and answer: [contracts/{tool.name}.json](../contracts/{tool.name}.json)."


def _facts(tool: Tool) -> Iterator[tuple[str, str]]:
    if tool.server_name:
        yield "In server mode", f"`{tool.server_name}`"
    if tool.server_mode_only:
        yield "There", "in server mode only"
    yield "Opened by", gates(tool)
    yield "What a call can do", WORDS[tool.effect]
    yield "Scope of a token", f"`{tool.scope}`" + (f"; changing data: `{WRITE}`" if tool.effect is Effect.QUERY else "")
    if not tool.counted:
        yield "Rate limit", "never counts"
    if tool.aliases:
        yield "Older names that answer, too", ", ".join(f"`{name}`" for name in tool.aliases)


def _arguments(tool: Tool) -> str:
    schema = input_schema(tool, server_mode=tool.database is not Database.NONE)
    required = schema.get("required", [])
    if not schema["properties"]:
        return "None."
    rows = []
    for name, one in schema["properties"].items():
        rows.append((f"`{name}`", type_of(one), _need(name, one, required), escaped(one.get("description", ""))))
    return markdown_table(("Argument", "Takes", "", ""), rows)


def _need(name: str, schema: dict[str, Any], required: list[str]) -> str:
    if name == "databaseName":
        return "server mode: " + ("required" if name in required else "may be left out")
    if name in required:
        return "required"
    return f"default `{json.dumps(schema['default'])}`" if "default" in schema else "may be left out"


def call(example: Example, answer: dict[str, Any]) -> Iterator[str]:
    """A call and its answer, as text and (folded) as data."""
    yield f"### {example.title}\n"
    arguments = json.dumps(answer["arguments"], indent=2, ensure_ascii=False)
    yield f'```json title="{answer["tool"]}"\n{arguments}\n```\n'
    yield f'```text title="The answer"\n{_shortened_text(answer["text"])}\n```\n'
    data = json.dumps(shortened(answer["structured"]), indent=2, ensure_ascii=False)
    note = "" if shortened(answer["structured"]) == answer["structured"] else f", lists shortened to {MOST_ITEMS}"
    block = f"```json\n{data}\n```"
    yield f'??? note "The same as data{note}"\n'
    yield "\n".join(f"    {line}" if line else "" for line in block.splitlines()) + "\n"


def _shortened_text(text: str) -> str:
    lines = [line if len(line) <= 2 * LONGEST_STRING else line[: 2 * LONGEST_STRING] + " ..." for line in text.splitlines()]
    if len(lines) > LONGEST_TEXT_LINES:
        lines = [*lines[:LONGEST_TEXT_LINES], f"... and {len(lines) - LONGEST_TEXT_LINES} lines more"]
    return "\n".join(lines)


def shortened(value: Any) -> Any:
    """The same data with long lists and texts cut."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value[:MOST_ITEMS]]
    if isinstance(value, str) and len(value) > LONGEST_STRING:
        return value[:LONGEST_STRING] + " ..."
    return value
