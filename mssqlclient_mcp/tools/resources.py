"""Resources: the schema, a table, the rows of a session; a row of RESOURCES each.

In server mode, what belongs to a database has it as the first segment: ``db://{database}/schema``. Names in a URI are
percent-encoded, so that one with a slash stays one segment.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext

from ..config import Config
from ..database_service import DatabaseService
from ..errors import InvalidParameter, ResultExpired, SessionRunning
from ..formatters.metadata import table_schema
from ..formatters.overview import Overview, overview
from ..formatters.sessions import csv_lines
from ..models import DatabaseMode
from ..names import MAX_LENGTH, QualifiedName, nearest_of, shown
from ..session import Session
from .base import Call
from .dispatch import Dispatcher
from .known_names import Source
from .wording import fields

SESSION_CSV = "db://sessions/{sessionId}/results.csv"
SCHEME = "db://"
MOST_OUTLINES = 200
MOST_NAMES = 2000
MOST_FILE_CHARACTERS = 8 << 20
"""An answer is one JSON text, which protocol and transport hold several times over while nothing else is answered."""

Context = ServerRequestContext[DatabaseService, Any]
Given = Mapping[str, str]


@dataclass(frozen=True)
class Resource:
    """A row of RESOURCES. ``read`` gets the values of the template's fields; ``gates``: settings of which any one opens it."""

    uri: str
    name: str
    title: str
    description: str
    mime_type: str
    read: Callable[[Call, Given, Dispatcher], Awaitable[str]]
    values: Mapping[str, Source] = field(default_factory=dict)
    of_database: bool = True
    gates: tuple[str, ...] = ()


async def read_schema(call: Call, given: Given, dispatcher: Dispatcher) -> str:
    """An overview of the tables: with columns and keys where these fit, else by name."""
    database = call.service.database_for(given.get("database"))
    metadata, budget = call.service.metadata, call.service.config.max_response_chars
    names = dispatcher.open_names()
    tools = {name: names[name] for name in ("list_tables", "get_table_schema", "list_stored_procedures")}

    def look() -> str:
        outlines = metadata.tables_with_columns(database, None, None, 0, MOST_OUTLINES)
        procedures = metadata.list_procedures(database, None, None, 0, MOST_OUTLINES)
        found = Overview(
            database or "", outlines, procedures, lambda: metadata.list_tables(database, None, None, 0, MOST_NAMES)
        )
        return overview(found, tools, max_chars=budget)

    return await call.run(look)


async def read_table(call: Call, given: Given, dispatcher: Dispatcher) -> str:  # noqa: ARG001 - all readers are called alike
    """A table or view in full, as get_table_schema tells it."""
    database = call.service.database_for(given.get("database"))
    name = QualifiedName(given["schema"], given["name"])
    schema = await call.run(lambda: call.service.metadata.table_schema(database, name))
    return table_schema(schema, max_chars=call.service.config.max_response_chars)[0]


async def read_session(call: Call, given: Given, dispatcher: Dispatcher) -> str:
    """The rows of a session that has ended, as CSV; one file after the other, for each keeps the interpreter busy."""
    session = call.service.sessions.get_session(call.client, given["sessionId"])
    return await anyio.to_thread.run_sync(_csv, session, limiter=dispatcher.one_by_one())


def _csv(session: Session) -> str:
    told = session.snapshot()
    if told.end_time is None:
        raise SessionRunning(f"The session {session.id} still runs; its file is there when it has ended.")
    if told.result_expired:
        raise ResultExpired("The rows of this session were given up to make room for other results.")
    if not told.result_sets:
        return ""
    return _whole(csv_lines(told.result_sets[0].columns, session.store.read(0)))


def _whole(lines: Iterable[str]) -> str:
    """The lines as one text; raises InvalidParameter for one that is too long to be told at once."""
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size > MOST_FILE_CHARACTERS:
            raise InvalidParameter(
                f"The rows as a file are longer than {MOST_FILE_CHARACTERS >> 20} Mi characters, the most for one answer.",
                details={"expected": f"at most {MOST_FILE_CHARACTERS:,} characters"},
                next_step="Read them page by page with get_session_result, or let the query bring fewer rows or columns.",
            )
    return "".join(kept)


RESOURCES = (
    Resource(
        "db://schema",
        "schema",
        "Schema of the database",
        "Tables and views with columns and keys (in a large database their names), and the procedures' names.",
        "text/plain",
        read_schema,
        {"database": Source.DATABASE},
    ),
    Resource(
        "db://table/{schema}/{name}",
        "table",
        "A table",
        "A table or view in full: columns, keys, checks, foreign keys, triggers, a view's definition.",
        "text/plain",
        read_table,
        {"database": Source.DATABASE, "schema": Source.SCHEMA, "name": Source.NAME},
    ),
    Resource(
        SESSION_CSV,
        "session_results",
        "Rows of a background session",
        "The first result set of a session that has ended, as CSV (RFC 4180); NULL is an empty field.",
        "text/csv",
        read_session,
        {"sessionId": Source.SESSION},
        of_database=False,
        gates=("enable_start_query", "enable_start_stored_procedure"),
    ),
)


def session_gates_open(config: Config) -> bool:
    """Whether sessions can come about at all."""
    return config.enable_start_query or config.enable_start_stored_procedure


class Resources:
    """The resources of one configuration: lists those whose gate is open, and reads them."""

    def __init__(self, config: Config, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._server_mode = config.mode is DatabaseMode.SERVER
        self._open = {
            self._uri(one): one for one in RESOURCES if not one.gates or any(getattr(config, gate) for gate in one.gates)
        }
        self._patterns = [(_pattern(uri), one) for uri, one in self._open.items()]
        if not self._server_mode:  # as with databaseName: the connected database may be named
            self._patterns += [(_pattern(_with_database(one.uri)), one) for one in self._open.values() if one.of_database]

    async def list_resources(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        """resources/list: those that need no values."""
        found = [
            types.Resource(uri=uri, name=one.name, title=one.title, description=one.description, mime_type=one.mime_type)
            for uri, one in self._open.items()
            if not fields(uri)
        ]
        return types.ListResourcesResult(resources=found)

    async def list_templates(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
        """resources/templates/list: those with values to fill in."""
        found = [
            types.ResourceTemplate(
                uri_template=uri, name=one.name, title=one.title, description=one.description, mime_type=one.mime_type
            )
            for uri, one in self._open.items()
            if fields(uri)
        ]
        return types.ListResourceTemplatesResult(resource_templates=found)

    async def read(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """resources/read; raises MCPError."""
        uri = str(params.uri)

        async def work(call: Call) -> types.ReadResourceResult:
            resource, given = self._find(uri)
            text = await resource.read(call, given, self._dispatcher)
            return types.ReadResourceResult(
                contents=[types.TextResourceContents(uri=uri, mime_type=resource.mime_type, text=text)]
            )

        return await self._dispatcher.beside(ctx, "resources/read", work)

    def source(self, template: str, argument: str) -> Source:
        """Where the values of a template's argument come from. Raises InvalidParameter."""
        resource = self._open.get(template)
        if resource is None:
            raise self._unknown(template)
        if argument not in fields(template):
            nearest = nearest_of(argument, fields(template))
            raise InvalidParameter(
                f"{template} has no {shown(argument)}.", details={"expected": sorted(fields(template)), "nearest": nearest}
            )
        return resource.values[argument]

    def _find(self, uri: str) -> tuple[Resource, Given]:
        for pattern, resource in self._patterns:
            found = pattern.fullmatch(uri)
            if found is not None:
                return resource, {name: self._decoded(value, uri) for name, value in found.groupdict().items()}
        raise self._unknown(uri)

    def _decoded(self, value: str, uri: str) -> str:
        try:
            name = unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise self._unknown(uri) from None
        if len(name) > MAX_LENGTH:
            raise self._unknown(uri)
        return name

    def _unknown(self, uri: str) -> InvalidParameter:
        return InvalidParameter(
            f"There is no resource {shown(uri)}.",
            details={"expected": list(self._open)},
            next_step="Names in a URI are percent-encoded; see resources/list and resources/templates/list.",
        )

    def _uri(self, resource: Resource) -> str:
        return _with_database(resource.uri) if self._server_mode and resource.of_database else resource.uri


def _with_database(uri: str) -> str:
    return f"{SCHEME}{{database}}/{uri[len(SCHEME) :]}"


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)))
