"""Tools that read rows without SQL: conditions, groups, aggregates and order as data."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..data_models import DataPage
from ..errors import StatementTimeout
from ..formatters import data as show
from ..structured_requests import DEFAULT_LIMIT, FUNCTIONS, OPERATORS, StructuredRead
from .base import Arguments, Call, Reply

MOST_OFFSET = 2**53 - 1

_NAME = {"type": "string"}
_NAMES = {"type": "array", "items": _NAME}
_CONDITION: dict[str, Any] = {"column": _NAME, "op": {"enum": list(OPERATORS)}, "value": {}}
_TREE_REFERENCE = {"$ref": "#/$defs/tree"}
_TREES = {"type": "array", "items": _TREE_REFERENCE}
_TREE: dict[str, Any] = {
    "type": "object",
    "description": "column, op, value; or just one of and, or, not",
    "properties": {**_CONDITION, "and": _TREES, "or": _TREES, "not": _TREE_REFERENCE},
}
_CONDITIONS = {"type": "array", "items": {"type": "object", "properties": _CONDITION, "required": ["column", "op"]}}
_AGGREGATES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"function": {"enum": list(FUNCTIONS)}, "column": _NAME, "as": _NAME},
        "required": ["function"],
    },
}
_ORDER = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"column": _NAME, "direction": {"enum": ["asc", "desc"]}},
        "required": ["column"],
    },
}


class _Read(Arguments):
    """What both tools take. Nested arguments are read whole by ``structured_requests``, which tells all problems at once; so
    the schema that clients see is written here."""

    table_name: str
    columns: Any = None
    group_by: Any = None
    aggregates: Any = None
    order_by: Any = None
    limit: int = Field(DEFAULT_LIMIT, ge=1)
    offset: int = Field(0, ge=0, le=MOST_OFFSET)
    cursor: str | None = None


class SelectData(_Read):
    """Arguments of select_data."""

    filters: Any = None

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """The schema, nested arguments included."""
        return _schema("filters", _CONDITIONS, ["tableName"])


class ExecuteFilter(_Read):
    """Arguments of execute_filter."""

    filter: Any

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """The schema, with the tree that contains itself."""
        return {**_schema("filter", _TREE_REFERENCE, ["tableName", "filter"]), "$defs": {"tree": _TREE}}


def _schema(filter_name: str, filter_schema: dict[str, Any], required: list[str]) -> dict[str, Any]:
    properties = {
        "tableName": _NAME,
        "columns": _NAMES,
        filter_name: filter_schema,
        "groupBy": _NAMES,
        "aggregates": _AGGREGATES,
        "orderBy": _ORDER,
        "limit": {"type": "integer", "default": DEFAULT_LIMIT},
        "offset": {"type": "integer"},
        "cursor": _NAME,
    }
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


async def select_data(call: Call, args: SelectData) -> Reply:
    """Rows for which all conditions hold."""
    return await _read(call, _asked(args, filters=args.filters))


async def execute_filter(call: Call, args: ExecuteFilter) -> Reply:
    """Rows that a tree of conditions lets through."""
    return await _read(call, _asked(args, tree={} if args.filter is None else args.filter))


def _asked(args: _Read, *, filters: object = None, tree: object = None) -> StructuredRead:
    return StructuredRead(
        args.table_name,
        columns=args.columns,
        filters=filters,
        tree=tree,
        group_by=args.group_by,
        aggregates=args.aggregates,
        order_by=args.order_by,
        limit=args.limit,
        offset=args.offset,
        cursor=args.cursor,
    )


async def _read(call: Call, asked: StructuredRead) -> Reply:
    config = call.service.config
    seconds = min(call.command_timeout(), config.total_tool_call_timeout_seconds)

    def work() -> DataPage:
        return call.service.data.read(call.database, asked)

    try:
        page = await call.run(work, seconds=seconds)
    except StatementTimeout as error:
        error.next_step = "Add conditions, or order by columns that an index begins with: get_table_indexes shows them."
        raise
    return show.data_page(page, max_chars=config.max_response_chars)
