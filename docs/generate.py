"""Write what the documents take from the code: the tables of settings and tools in README.md, ``.env.example``, and
the list of features.

Run it from the project's root after changing a setting or a tool: ``python docs/generate.py``. Tests hold the files equal.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from feature_list import features_markdown  # noqa: E402 - the path must be set before

from mssqlclient_mcp.config import SECTIONS, SETTINGS, settings_table  # noqa: E402 - the path must be set before
from mssqlclient_mcp.settings import Setting  # noqa: E402
from mssqlclient_mcp.tools.base import Tool  # noqa: E402
from mssqlclient_mcp.tools.listing import input_schema  # noqa: E402
from mssqlclient_mcp.tools.table import TOOLS  # noqa: E402

BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
ENV_HEADER = """\
# Settings of mssqlclient-mcp. Copy this file to .env beside where the server starts, and remove the # of what you set.
# A variable of the real environment goes before this file; an empty value counts as not set.
# A value with a # or with quotes in it stands in single quotes.
"""


def settings_markdown() -> str:
    """The table of settings as markdown."""
    rows = [f"| `{name}` | {_cell(default)} | {_escaped(help)} |" for name, default, help in settings_table()]
    return "\n".join(("| Setting | Default | Meaning |", "|---|---|---|", *rows))


def _cell(default: str) -> str:
    return f"`{default}`" if default and " " not in default else _escaped(default)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def env_example() -> str:
    """``.env.example``: every setting with its help and default, all commented out."""
    return ENV_HEADER + "".join(_section(setting) + _entry(setting) for setting in SETTINGS)


def _section(setting: Setting) -> str:
    return f"\n# --- {SECTIONS[setting.name]}\n" if setting.name in SECTIONS else ""


def _entry(setting: Setting) -> str:
    plain_default = setting.default if " " not in setting.default else ""
    value = setting.example or plain_default
    quoted = f"'{value}'" if " " in value else value
    shown = f" Default: {setting.default}." if setting.default and setting.default != value else ""
    comment = "\n".join(textwrap.wrap(setting.help + shown, 118, initial_indent="# ", subsequent_indent="# "))
    return f"\n{comment}\n# {setting.name}={quoted}\n"


def tools_markdown() -> str:
    """The table of tools as markdown: name (and that of server mode), parameters, purpose, and the settings of which any one
    opens it."""
    return "\n".join(("| Tool | Parameters | What it is for | Opened by |", "|---|---|---|---|", *map(_tool_row, TOOLS)))


def _tool_row(tool: Tool) -> str:
    name = f"`{tool.name}`" + (f"<br>`{tool.server_name}`" if tool.server_name else "")
    name += "<br>(server mode)" if tool.server_mode_only else ""
    schema = input_schema(tool, server_mode=False)
    required = schema.get("required", [])
    parameters = ", ".join(f"{one}" if one in required else f"{one}?" for one in schema["properties"])
    return f"| {name} | {parameters} | {_escaped(tool.description)} | {_gates(tool)} |"


def _gates(tool: Tool) -> str:
    if len(tool.gates) > 2:
        return "any `ENABLE_EXECUTE_...` or `ENABLE_START_...`"
    on = {setting.name for setting in SETTINGS if setting.default == "true"}
    names = [gate.upper() for gate in tool.gates]
    return " or ".join(f"`{name}`" + (", which is on" if name in on else "") for name in names) or "always there"


def with_table(markdown: str, name: str, table: str) -> str:
    """A document with the table between its two markers brought up to date; without markers it stays as it is."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = markdown.partition(begin)
    _, found_end, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}" if found and found_end else markdown


def with_settings_table(markdown: str) -> str:
    """A document with the table of settings brought up to date."""
    return with_table(markdown, "settings", settings_markdown())


def with_tables(markdown: str) -> str:
    """A document with all tables brought up to date."""
    return with_table(with_settings_table(markdown), "tools", tools_markdown())


def main() -> None:
    """Rewrite the files whose content changed."""
    readme = ROOT / "README.md"
    files = {ROOT / ".env.example": env_example(), ROOT / "docs" / "features.md": features_markdown()}
    if readme.exists():
        files[readme] = with_tables(readme.read_text(encoding="utf-8"))
    for path, content in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - a script talks to who runs it


if __name__ == "__main__":
    main()
