"""``llms.txt``, a map of the documents for language models, and ``llms-full.txt``, all of them in one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HEAD = """\
# mssqlclient_mcp

> An MCP server that lets an assistant work with a SQL Server or PostgreSQL database: look at the schema, read data, run long queries in
> the background, call stored procedures, and learn what the server can do. Safe by default: query text passes a read-only gate, every
> statement has a deadline, results are cut visibly.

Install from a clone with `pip install ".[postgres]"` (PostgreSQL) or `pip install ".[driver]"` (SQL Server, with Microsoft's ODBC driver), set
`DATABASE_URL` or `MSSQL_CONNECTIONSTRING`, and let `mssqlclient-mcp config --client ...` print the client's entry. `mssqlclient-mcp check`
says why it does not connect; `mssqlclient-mcp demo` shows it at work on an embedded database. All pages in one file: llms-full.txt
"""
_SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)
_MADE = re.compile(r"^<!-- Made by .*-->\n", re.MULTILINE)


def outline() -> str:
    """``llms.txt``."""
    parts = [HEAD]
    for section, entries in _sections():
        parts.append(f"\n## {section}\n")
        parts += [f"- [{title}]({path}): {_first_words(path)}" for title, path in entries]
    return "\n".join(parts) + "\n"


def whole() -> str:
    """``llms-full.txt``."""
    pages = (f"<!-- {path} -->\n\n{text_of(path)}" for _, entries in _sections() for _, path in entries)
    return HEAD + "\n" + "\n".join(pages)


def text_of(path: str) -> str:
    """A page's text with what it takes in from other files."""
    text = (DOCS / path).read_text(encoding="utf-8")
    text = _SNIPPET.sub(lambda found: (ROOT / found[1]).read_text(encoding="utf-8"), text)
    return _MADE.sub("", text)


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The pages by the sections of the navigation: (title, path)."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    navigation = yaml.safe_load(re.sub(r"!!python/name:\S+", "''", text))["nav"]
    for entry in navigation:
        ((section, inside),) = entry.items()
        yield section, list(_pages(section, inside))


def _pages(title: str, inside: Any) -> Iterator[tuple[str, str]]:
    if isinstance(inside, str):
        yield title, inside
        return
    for entry in inside:
        if isinstance(entry, str):
            yield _title(entry), entry
            continue
        ((name, deeper),) = entry.items()
        yield from _pages(name, deeper)


def _title(path: str) -> str:
    found = re.search(r"^# (.+)$", text_of(path), re.MULTILINE)
    return found[1] if found else path


def _first_words(path: str) -> str:
    """The first sentence of a page, as plain text."""
    body = re.split(r"^# .+$", text_of(path), maxsplit=1, flags=re.MULTILINE)[-1]
    paragraphs = (part.strip() for part in body.split("\n\n"))
    first = next((part for part in paragraphs if part and not part.startswith(("<!--", "#", "|", "```", "!!!"))), "")
    plain = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", " ".join(first.split())).replace("**", "").replace("`", "")
    return re.split(r"(?<=[.!?]) |: ", plain)[0].rstrip(":")
