"""Make the calls of ``examples`` on a fresh copy of the demo's shop, and keep the answers in ``answers.json``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.demo.embedded import OPEN_GATES, EmbeddedServer
from mssqlclient_mcp.demo.shop import CLERK, DATABASE, ensure_shop
from mssqlclient_mcp.server import build_server

from .examples import EXAMPLES, Example
from .normal import Normal

ANSWERS = Path(__file__).with_name("answers.json")
_THROW_AWAY = {"fsync": "off", "autovacuum": "off"}


def record() -> list[dict[str, Any]]:
    """The answers, in the order of the examples: ``{tool, arguments, isError, text, structured}``, normalised."""
    import anyio

    with (
        tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-docs-", ignore_cleanup_errors=True) as folder,
        EmbeddedServer(Path(folder) / "pg", keep=False, settings=_THROW_AWAY) as server,
    ):
        ensure_shop(server)
        answers: list[dict[str, Any]] = anyio.run(_record_all, server.url(DATABASE, user=CLERK))
        return answers


def write(answers: Iterable[dict[str, Any]]) -> None:
    """Keep the answers."""
    text = json.dumps(list(answers), indent=1, ensure_ascii=False)
    ANSWERS.write_text(text + "\n", encoding="utf-8", newline="\n")


def kept() -> list[dict[str, Any]]:
    """The answers that were kept."""
    answers: list[dict[str, Any]] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return answers


async def _record_all(url: str) -> list[dict[str, Any]]:
    from mcp import Client

    open_gates = dict.fromkeys(OPEN_GATES, "true")
    without_database = url.replace(f"/{DATABASE}?", "/?")
    normal, memory = Normal(), dict[str, object]()
    async with (
        Client(build_server(load_config({"DATABASE_URL": url, **open_gates}))) as usual,
        Client(build_server(load_config({"DATABASE_URL": without_database, **open_gates}))) as server_mode,
        Client(build_server(load_config({"DATABASE_URL": url}))) as closed,
    ):
        answers = []
        for example in EXAMPLES:
            client = server_mode if example.server_mode else closed if example.closed else usual
            answers.append(await _one(client, example, memory, normal))
        return answers


async def _one(client: Any, example: Example, memory: dict[str, object], normal: Normal) -> dict[str, Any]:
    arguments = example.filled(memory)
    result = await client.call_tool(_name(example), arguments)
    structured = result.structured_content or {}
    code = structured.get("code", "") if result.is_error else ""
    if code != example.error:
        raise RuntimeError(f"{example.tool} was to end with {example.error or 'an answer'}: {result.content[0].text}")
    memory.update({name: structured[name] for name in example.remember})
    return {
        "tool": _name(example),
        "arguments": normal.of(arguments),
        "isError": bool(result.is_error),
        "text": normal.of(result.content[0].text),
        "structured": normal.of(structured),
    }


def _name(example: Example) -> str:
    from mssqlclient_mcp.tools.table import TOOLS

    server_name = next(tool.server_name for tool in TOOLS if tool.name == example.tool)
    return server_name if example.server_mode and server_name else example.tool
