"""What the documents take from the tables of settings and tools."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from mssqlclient_mcp.config import SECTIONS, SETTINGS, settings_table
from mssqlclient_mcp.dialects.sqlserver.drivers import INSTALL
from mssqlclient_mcp.settings import Kind, Setting
from mssqlclient_mcp.tools.base import Tool
from mssqlclient_mcp.tools.table import TOOLS

ENV_HEADER = """\
# Settings of mssqlclient-mcp. Copy this file to .env beside where the server starts, and remove the # of what you set.
# A variable of the real environment goes before this file; an empty value counts as not set.
# A value with a # or with quotes in it stands in single quotes.
"""


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are markdown already."""
    titles = list(head)
    return "\n".join(_line(cells) for cells in (titles, ["---"] * len(titles), *rows))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def settings_markdown() -> str:
    """All settings in one table, as README's readers know it."""
    rows = ((f"`{name}`", cell(default), escaped(help)) for name, default, help in settings_table())
    return markdown_table(("Setting", "Default", "Meaning"), rows)


def settings_by_section() -> str:
    """All settings with what they take, a table a section."""
    parts: list[str] = []
    rows: list[tuple[str, ...]] = []
    for setting in SETTINGS:
        if setting.name in SECTIONS:
            parts += _section(rows)
            rows = []
            parts.append(f"\n## {SECTIONS[setting.name]}\n")
        rows.append((f"`{setting.name}`", cell(setting.default), _takes(setting), escaped(setting.help)))
    return "\n".join([*parts, *_section(rows)])


def _section(rows: list[tuple[str, ...]]) -> list[str]:
    return [markdown_table(("Setting", "Default", "Takes", "Meaning"), rows)] if rows else []


def _takes(setting: Setting) -> str:
    if setting.kind is Kind.WHOLE:
        return f"{setting.least} to {setting.most}" + (", or off" if setting.off else "")
    if setting.kind is Kind.CHOICE:
        return ", ".join(f"`{one}`" for one in setting.choices)
    kinds = {
        Kind.FLAG: "`true` or `false`",
        Kind.LIST: "words, separated by commas",
        Kind.FILE: "path of a file",
        Kind.SECRET: "text, kept secret",
    }
    return kinds.get(setting.kind, "text")


def cell(default: str) -> str:
    """A default as a cell."""
    return f"`{default}`" if default and " " not in default else escaped(default)


def escaped(text: str) -> str:
    """A text as a cell."""
    return text.replace("|", "\\|")


def env_example() -> str:
    """``.env.example``: every setting with its help and default, all commented out."""
    return ENV_HEADER + "".join(_heading(setting) + _entry(setting) for setting in SETTINGS)


def _heading(setting: Setting) -> str:
    return f"\n# --- {SECTIONS[setting.name]}\n" if setting.name in SECTIONS else ""


def _entry(setting: Setting) -> str:
    plain_default = setting.default if " " not in setting.default else ""
    value = setting.example or plain_default
    quoted = f"'{value}'" if " " in value else value
    shown = f" Default: {setting.default}." if setting.default and setting.default != value else ""
    comment = "\n".join(textwrap.wrap(setting.help + shown, 118, initial_indent="# ", subsequent_indent="# "))
    return f"\n{comment}\n# {setting.name}={quoted}\n"


def drivers_markdown() -> str:
    """What installs an ODBC driver for SQL Server on each system."""
    rows = ((system.value, title, f"`{command}`") for system, ways in INSTALL.items() for title, command in ways)
    return markdown_table(("System", "Driver", "Command"), rows)


def tools_markdown(*, folder: str) -> str:
    """The table of tools: name (linked to its page in ``folder``) and that of server mode, purpose, and what opens it."""
    rows = ((_names(tool, folder), escaped(tool.description), gates(tool)) for tool in TOOLS)
    return markdown_table(("Tool", "What it is for", "Opened by"), rows)


def _names(tool: Tool, folder: str) -> str:
    name = f"[`{tool.name}`]({folder}{tool.name}.md)" + (f"<br>`{tool.server_name}`" if tool.server_name else "")
    return name + ("<br>(server mode)" if tool.server_mode_only else "")


def gates(tool: Tool) -> str:
    """The settings of which any one opens the tool."""
    if len(tool.gates) > 2:
        return "any `ENABLE_EXECUTE_...` or `ENABLE_START_...`"
    on = {setting.name for setting in SETTINGS if setting.default == "true"}
    names = [gate.upper() for gate in tool.gates]
    return " or ".join(f"`{name}`" + (", which is on" if name in on else "") for name in names) or "always there"


def type_of(schema: dict[str, Any]) -> str:
    """What a JSON Schema takes, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_of(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}" if schema.get("items") else "list"
    kind = schema.get("type", "any value")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([kind, *bounds])
