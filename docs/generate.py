"""Write what the documents take from the code: the table of settings in README.md, and ``.env.example``.

Run it from the project's root after changing a setting: ``python docs/generate.py``. Tests hold the files equal to it.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mssqlclient_mcp.config import SECTIONS, SETTINGS, settings_table  # noqa: E402 - the path must be set before
from mssqlclient_mcp.settings import Setting  # noqa: E402

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


def with_settings_table(markdown: str) -> str:
    """A document with the table between its two markers brought up to date; without markers it stays as it is."""
    before, begin, rest = markdown.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{BEGIN}\n{settings_markdown()}\n{END}{after}" if begin and end else markdown


def main() -> None:
    """Rewrite the files whose content changed."""
    readme = ROOT / "README.md"
    files = {ROOT / ".env.example": env_example()}
    if readme.exists():
        files[readme] = with_settings_table(readme.read_text(encoding="utf-8"))
    for path, content in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - a script talks to who runs it


if __name__ == "__main__":
    main()
