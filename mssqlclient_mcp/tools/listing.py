"""A row of the TOOLS table as tools/list shows it: lean schemas, and annotations that follow from the gates."""

from __future__ import annotations

from typing import Any

import mcp_types as types

from ..config import Config
from ..models import DatabaseMode
from .base import Arguments, Database, Effect, Tool

DATABASE_NAME = {"type": "string"}


def listed_tool(tool: Tool, name: str, config: Config, *, writes: bool) -> types.Tool:
    """The tool under its name in this mode, with input and output schema and annotations. ``writes``: query text may change
    data when this caller sends it."""
    return types.Tool(
        name=name,
        title=tool.name.replace("_", " ").capitalize(),
        description=tool.description,
        input_schema=input_schema(tool, server_mode=config.mode is DatabaseMode.SERVER),
        output_schema=output_schema(tool),
        annotations=hints(tool.effect, writes=writes),
    )


def output_schema(tool: Tool) -> dict[str, Any]:
    """JSON Schema of the structured answer. Nothing is required in it, for some clients hold an error's structured content
    (code, message, retryable, details) against it, too; and every client pays for it at each start."""
    slim: dict[str, Any] = _shapes(tool.output)
    return slim


def _shapes(schema: Any) -> Any:
    """A schema without ``required``, without items of which only their kind is said, and with one type a branch: clients that
    know a single ``type`` only would refuse a tool for a list of them."""
    if not isinstance(schema, dict):
        return schema
    items = schema.get("items")
    left_out = {"required"} | ({"items"} if isinstance(items, dict) and items.keys() == {"type"} else set())
    slim = {
        key: {name: _shapes(one) for name, one in value.items()} if key == "properties" else _shapes(value)
        for key, value in schema.items()
        if key not in left_out
    }
    kinds = slim.get("type")
    if isinstance(kinds, list) and "items" not in slim and "properties" not in slim:
        del slim["type"]
        slim["anyOf"] = [{"type": kind} for kind in kinds]
    return slim


def input_schema(tool: Tool, *, server_mode: bool) -> dict[str, Any]:
    """JSON Schema of the arguments; in server mode with ``databaseName``, first and (where it is needed) required."""
    schema = lean(tool.arguments)
    if server_mode and tool.database is not Database.NONE:
        schema["properties"] = {"databaseName": DATABASE_NAME, **schema["properties"]}
        if tool.database is Database.REQUIRED:
            schema["required"] = ["databaseName", *schema.get("required", [])]
    return schema


def hints(effect: Effect, *, writes: bool) -> types.ToolAnnotations:
    """What a client may assume of a call, with the gates as they are."""
    looks = effect is Effect.LOOK or (effect is Effect.QUERY and not writes)
    return types.ToolAnnotations(
        read_only_hint=looks,
        destructive_hint=effect is Effect.CALL or (effect is Effect.QUERY and writes),
        idempotent_hint=looks or effect in (Effect.SETTING, Effect.STOP),
        open_world_hint=False,
    )


def lean(model: type[Arguments]) -> dict[str, Any]:
    """The model's schema without what costs tokens and tells nothing: titles, null branches and null defaults."""
    schema = model.model_json_schema()
    slim: dict[str, Any] = _slim(schema)
    slim.setdefault("properties", {})
    slim.pop("description", None)
    return slim


def _slim(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_slim(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    slim = {key: _keep(key, value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    if slim.get("default", 0) is None:
        del slim["default"]
    options = slim.get("anyOf")
    if isinstance(options, list):
        rest = [option for option in options if option != {"type": "null"}]
        if len(rest) == 1:
            del slim["anyOf"]
            slim = {**rest[0], **slim}
    return slim


def _keep(key: str, value: Any) -> Any:
    if key == "properties" and isinstance(value, dict):
        return {name: _slim(one) for name, one in value.items()}
    return _slim(value)
