"""The schemas of every tool as JSON files."""

from __future__ import annotations

import json
from typing import Any

from mssqlclient_mcp.errors import DETAIL_KEYS, ErrorCode
from mssqlclient_mcp.tools.base import Database, Tool
from mssqlclient_mcp.tools.listing import input_schema, output_schema
from mssqlclient_mcp.tools.table import TOOLS

from .tables import markdown_table

INDEX = """\
# Contracts

What others may build on: the schema of each tool's arguments and of its structured answer, as JSON Schema, made from the code. Names,
arguments, answers and error codes follow [Semantic Versioning](../decisions.md#versioning); the wording of texts does not. In the file of a
tool `inputSchema` is what database mode lists, `inputSchemaInServerMode` what server mode lists. Nothing is `required` in an answer's
schema, since an error's structured content ([error.json](error.json)) is held against it by some clients as well.

"""


def files() -> dict[str, str]:
    """The files under ``docs/contracts`` by their names."""
    found = {f"{tool.name}.json": _json(_contract(tool)) for tool in TOOLS}
    found["error.json"] = _json(_error())
    rows = ((f"`{tool.name}`", f"[{tool.name}.json]({tool.name}.json)") for tool in TOOLS)
    table = markdown_table(("Tool", "Contract"), [*rows, ("any, when it fails", "[error.json](error.json)")])
    found["index.md"] = INDEX + table + "\n"
    return found


def _contract(tool: Tool) -> dict[str, Any]:
    contract: dict[str, Any] = {"name": tool.name, "nameInServerMode": tool.server_name or tool.name}
    contract["otherNames"] = list(tool.aliases)
    contract["description"] = tool.description
    contract["openedByAnyOf"] = [gate.upper() for gate in tool.gates]
    contract["scope"] = tool.scope
    if not tool.server_mode_only:
        contract["inputSchema"] = input_schema(tool, server_mode=False)
    if tool.database is not Database.NONE or tool.server_mode_only:
        contract["inputSchemaInServerMode"] = input_schema(tool, server_mode=True)
    contract["outputSchema"] = output_schema(tool)
    return contract


def _error() -> dict[str, Any]:
    details = {key: {} for key in DETAIL_KEYS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The structured content of an answer with isError",
        "type": "object",
        "required": ["code", "message", "retryable", "details"],
        "properties": {
            "code": {"enum": [code.value for code in ErrorCode]},
            "message": {"type": "string"},
            "retryable": {"type": "boolean"},
            "details": {"type": "object", "properties": details},
        },
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
