"""The server: the TOOLS table, and the MCP server that serves it. A tool is missing? Add a row here."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from . import __version__
from .config import Config
from .database_service import DatabaseService
from .tools.base import Tool
from .tools.completions import Completions
from .tools.dispatch import Dispatcher
from .tools.instructions import instructions
from .tools.prompts import Prompts
from .tools.resource_updates import SessionUpdates
from .tools.resources import Resources, session_gates_open
from .tools.surroundings import Surroundings
from .tools.table import TOOLS
from .tools.warm_up import WarmUp

__all__ = ["TOOLS", "Tool", "build_server", "serve_stdio"]

log = logging.getLogger(__name__)

NAME = "mssqlclient_mcp"


def build_server(
    config: Config, service: DatabaseService | None = None, surroundings: Surroundings | None = None
) -> Server[DatabaseService]:
    """An MCP server over one database. Without ``service`` its lifespan makes one, and closes it at the end;
    ``surroundings`` tell callers apart and limit them (default: one local client who may do everything)."""
    dispatcher = Dispatcher(config, TOOLS, surroundings)
    resources, prompts = Resources(config, dispatcher), Prompts(config, dispatcher)
    completions = Completions(dispatcher, resources, prompts)
    updates = SessionUpdates(dispatcher.caller) if session_gates_open(config) else None

    @asynccontextmanager
    async def lifespan(_: Server[DatabaseService]) -> AsyncIterator[DatabaseService]:
        own = service or DatabaseService(config)
        unfollow = updates.follow(own) if updates is not None else None
        try:
            yield own
        finally:
            if unfollow is not None:
                unfollow()
            if service is None:
                own.close()

    warm_up = WarmUp()

    async def list_tools(
        ctx: ServerRequestContext[DatabaseService], _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        warm_up.soon(ctx.lifespan_context)
        return types.ListToolsResult(tools=dispatcher.listed(dispatcher.caller(ctx)))

    async def call_tool(
        ctx: ServerRequestContext[DatabaseService], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await dispatcher.call(ctx, params.name, params.arguments or {})

    return Server(
        NAME,
        version=__version__,
        title="SQL Server and PostgreSQL",
        instructions=instructions(config, dispatcher.open_names()),
        lifespan=lifespan,
        get_tool_input_schema=dispatcher.input_schema,  # else the SDK lists all tools for each call of the stateless era
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=resources.list_resources,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read,
        on_subscribe_resource=updates.subscribe if updates is not None else None,
        on_unsubscribe_resource=updates.unsubscribe if updates is not None else None,
        on_subscriptions_listen=updates.listen if updates is not None else None,
        on_list_prompts=prompts.list_prompts,
        on_get_prompt=prompts.get,
        on_completion=completions.complete,
    )


async def serve_stdio(server: Server[DatabaseService]) -> None:
    """Serve one client over stdin and stdout, until stdin ends."""
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
