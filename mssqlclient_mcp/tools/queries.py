"""execute_query and the command timeout."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..formatters import plans, server_info
from ..formatters import queries as show
from .base import Arguments, Call, Reply


class ExecuteQuery(Arguments):
    """Arguments of execute_query."""

    query: str = Field(description="One SQL statement.")
    parameters: list[Any] | None = Field(None, description="Values for the markers: ? on SQL Server, $1 on PostgreSQL.")
    timeout_seconds: int | None = Field(None, ge=1, le=3600)
    max_rows: int | None = Field(None, ge=1, description="Default 200.")


class ExplainQuery(Arguments):
    """Arguments of explain_query."""

    query: str = Field(description="One query; it is not run.")


class SetCommandTimeout(Arguments):
    """Arguments of set_command_timeout."""

    timeout_seconds: int = Field(ge=1, le=3600)


async def execute_query(call: Call, args: ExecuteQuery) -> Reply:
    """Run one statement and answer with its rows."""
    config = call.service.config
    seconds = min(args.timeout_seconds or call.command_timeout(), config.total_tool_call_timeout_seconds)
    result = await call.run(
        lambda: call.service.execute_query(call.database, args.query, args.parameters or (), max_rows=args.max_rows),
        seconds=seconds,
    )
    return show.query_result(result, max_chars=config.max_response_chars, most_rows=config.max_rows)


async def explain_query(call: Call, args: ExplainQuery) -> Reply:
    """The estimated plan of one statement."""
    config = call.service.config
    seconds = min(call.command_timeout(), config.total_tool_call_timeout_seconds)
    plan = await call.run(lambda: call.service.explain_query(call.database, args.query), seconds=seconds)
    return plans.plan_report(plan, max_chars=config.max_response_chars)


async def get_command_timeout(call: Call, args: Arguments) -> Reply:  # noqa: ARG001 - all handlers are called alike
    """How long this client's statements may take."""
    return server_info.command_timeout(call.command_timeout(), before=None)


async def set_command_timeout(call: Call, args: SetCommandTimeout) -> Reply:
    """Change how long this client's later statements may take."""
    before = call.service.clients.set_command_timeout(call.client, args.timeout_seconds)
    return server_info.command_timeout(args.timeout_seconds, before=before)
