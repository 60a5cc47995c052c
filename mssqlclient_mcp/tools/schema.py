"""Tools that look at the schema. ``databaseName`` is handled by the dispatcher; ``call.database`` is what it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from pydantic import Field

from ..formatters import metadata as show
from ..formatters import table_details
from ..metadata import DEFAULT_OUTLINES, DEFAULT_PAGE, PLACES, Search
from .base import Arguments, Call, NoArguments, Reply

T = TypeVar("T")
PATTERN_HELP = "* stands for any characters; without one, found anywhere."
ObjectType = Literal["table", "view", "materialized_view", "procedure", "function", "trigger", "sequence", "type", "synonym"]
OBJECT_TYPE_KINDS = {
    "table": ("table", "partitioned", "external", "temporal", "history"),
    "function": ("function", "aggregate"),
}


class Listed(Arguments):
    """Arguments of the lists."""

    schema_name: str | None = Field(None, alias="schema")
    name_pattern: str | None = Field(None, description=PATTERN_HELP)
    offset: int = Field(0, ge=0)
    max_rows: int = Field(DEFAULT_PAGE, ge=1)


class Table(Arguments):
    """Arguments of the tools over one table or view."""

    table_name: str


class Procedure(Arguments):
    """Arguments of get_stored_procedure_definition."""

    procedure_name: str


class Outlines(Arguments):
    """Arguments of get_metadata."""

    schema_name: str | None = Field(None, alias="schema")
    table_name: str | None = None
    offset: int = Field(0, ge=0)
    max_rows: int = Field(DEFAULT_OUTLINES, ge=1)


class SearchFor(Arguments):
    """Arguments of search_objects."""

    pattern: str = Field(min_length=1, description=PATTERN_HELP)
    look_in: Literal["names", "columns", "definitions", "descriptions", "all"] = "all"
    object_types: list[ObjectType] | None = None
    schema_name: str | None = Field(None, alias="schema")
    offset: int = Field(0, ge=0)
    max_rows: int = Field(DEFAULT_OUTLINES, ge=1)


async def list_databases(call: Call, args: NoArguments) -> Reply:  # noqa: ARG001 - all handlers are called alike
    """The databases of the server."""
    return show.databases(await call.run(call.service.metadata.list_databases), max_chars=_budget(call))


async def list_tables(call: Call, args: Listed) -> Reply:
    """A page of tables and views."""
    page = await call.run(
        lambda: call.service.metadata.list_tables(
            call.database, args.schema_name, args.name_pattern, args.offset, _rows(call, args.max_rows)
        )
    )
    return show.tables(page, max_chars=_budget(call))


async def get_table_schema(call: Call, args: Table) -> Reply:
    """A table or view in full."""
    schema = await call.run(lambda: call.service.metadata.table_schema(call.database, args.table_name))
    return show.table_schema(schema, max_chars=_budget(call))


async def get_table_indexes(call: Call, args: Table) -> Reply:
    """The indexes of a table."""
    found = await _of_table(call, args, call.service.get_table_indexes)
    return table_details.indexes(found, max_chars=_budget(call))


async def get_table_foreign_keys(call: Call, args: Table) -> Reply:
    """The foreign keys of and to a table."""
    found = await _of_table(call, args, call.service.get_table_foreign_keys)
    return table_details.foreign_keys(found, max_chars=_budget(call))


async def get_table_statistics(call: Call, args: Table) -> Reply:
    """Rows, sizes, partitions and statistics of a table."""
    found = await _of_table(call, args, call.service.get_table_statistics)
    return table_details.statistics(found, max_chars=_budget(call))


async def list_stored_procedures(call: Call, args: Listed) -> Reply:
    """A page of procedures."""
    page = await call.run(
        lambda: call.service.metadata.list_procedures(
            call.database, args.schema_name, args.name_pattern, args.offset, _rows(call, args.max_rows)
        )
    )
    return show.procedures(page, max_chars=_budget(call))


async def get_stored_procedure_definition(call: Call, args: Procedure) -> Reply:
    """The text of a procedure."""
    found = await call.run(lambda: call.service.metadata.procedure_definition(call.database, args.procedure_name))
    return show.procedure_definition(found, max_chars=_budget(call))


async def get_metadata(call: Call, args: Outlines) -> Reply:
    """Many tables with their columns and keys."""
    page = await call.run(
        lambda: call.service.metadata.tables_with_columns(
            call.database, args.schema_name, args.table_name, args.offset, _rows(call, args.max_rows)
        )
    )
    return table_details.outlines(page, max_chars=_budget(call))


async def search_objects(call: Call, args: SearchFor) -> Reply:
    """Where a pattern occurs."""
    kinds = tuple(kind for name in args.object_types or () for kind in OBJECT_TYPE_KINDS.get(name, (name,)))
    search = Search(
        pattern=args.pattern,
        places=PLACES if args.look_in == "all" else (args.look_in,),
        kinds=kinds,
        schema=args.schema_name,
        offset=args.offset,
        max_rows=_rows(call, args.max_rows),
    )
    page = await call.run(lambda: call.service.metadata.search_objects(call.database, search))
    return table_details.search_hits(page, max_chars=_budget(call))


async def _of_table(call: Call, args: Table, ask: Callable[[str | None, str], T]) -> T:
    return await call.run(lambda: ask(call.database, args.table_name))


def _rows(call: Call, asked: int) -> int:
    return min(asked, call.service.config.max_rows)


def _budget(call: Call) -> int:
    return call.service.config.max_response_chars
