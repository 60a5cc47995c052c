"""README's fenced blocks as what a reader would run: shell commands, sessions with their answers, calls of tools."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BACKGROUND = re.compile(r"&\s*$", re.MULTILINE)
_COMMENT = re.compile(r"\s+# .*$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """Something to run in a shell; ``shown`` is the answer that README prints, None when it prints none."""

    script: str
    shown: str | None = None

    @property
    def name(self) -> str:
        """The first words, for a test's id."""
        return " ".join(self.script.split()[:5])


@dataclass(frozen=True)
class ToolCall:
    """A call as README writes it."""

    tool: str
    arguments: dict[str, Any]


def blocks(readme: Path) -> list[tuple[str, str]]:
    """(language, text) of every fenced block, in their order."""
    return _BLOCK.findall(readme.read_text(encoding="utf-8"))


def commands(readme: Path) -> list[Command]:
    """What README tells to type: each line of a ``bash`` block (whole, when something runs in the background), and each
    command of a ``console`` block with its answer."""
    found: list[Command] = []
    for language, text in blocks(readme):
        if language == "bash":
            whole = [text] if _BACKGROUND.search(text) else re.sub(r"\\\n", " ", text).splitlines()
            found += [Command(_COMMENT.sub("", one).strip()) for one in whole if one.strip()]
        elif language == "console":
            found += [Command(*_typed_and_shown(part)) for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    return found


def _typed_and_shown(text: str) -> tuple[str, str]:
    """What is typed behind a prompt (a here-document to its end), and what is shown for it."""
    here = re.match(r"[^\n]*<<'(\w+)'\n.*?^\1\n", text, re.DOTALL | re.MULTILINE)
    end = here.end() if here else text.index("\n") + 1
    return text[:end].rstrip(), text[end:]


def tool_calls(readme: Path) -> list[ToolCall]:
    """The ``json`` blocks that are calls of tools."""
    read = [json.loads(text) for language, text in blocks(readme) if language == "json"]
    return [ToolCall(one["tool"], one["arguments"]) for one in read if "tool" in one]


def without_what_varies(text: str, *folders: Path) -> str:
    """An answer without paths, versions, times and the names of systems."""
    for folder in folders:
        text = text.replace(str(folder), "/path/to")
    stand_ins = (
        (r"\n {17}(?=\S)", " "),  # where a line of check is wrapped depends on what varies
        (r"mssqlclient-mcp \d+\.\d+\.\d+ on .*, Python .*", "mssqlclient-mcp on a system"),
        (r"PostgreSQL at [^,]+, database", "PostgreSQL at a place, database"),
        (r"\bpsycopg [\d.]+ \(\w+\), libpq [\d.]+", "psycopg and libpq"),
        (r"\bPostgreSQL [\d.]+", "PostgreSQL"),
        (r"\b[\d.]+ ms\b", "some ms"),
        (r"\(\d+\.\d+ s\)", "(some s)"),
    )
    for pattern, stand_in in stand_ins:
        text = re.sub(pattern, stand_in, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
