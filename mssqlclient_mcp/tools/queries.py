"""execute_query and the command timeout."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..config import Config
from ..errors import StatementTimeout
from ..formatters import plans, server_info
from ..formatters import queries as show
from ..formatters import sessions as session_answers
from ..models import QueryResult
from ..plan_models import Plan
from ..session import Session
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
    offer = call.service.offer(call.client, args.timeout_seconds)

    def work() -> QueryResult | Session:
        parameters = args.parameters or ()
        return call.service.execute_query(
            call.database, args.query, parameters, max_rows=args.max_rows, offer=offer, may_write=call.may_write
        )

    try:
        result = await call.run(work, seconds=seconds)
    except StatementTimeout as error:
        raise with_timeout_advice(error, seconds, config, config.enable_start_query and "start_query") from error
    if isinstance(result, Session):
        return session_answers.session_status(result.snapshot())
    background = "start_query" if config.enable_start_query else ""
    return show.query_result(result, max_chars=config.max_response_chars, most_rows=config.max_rows, background=background)


def with_timeout_advice(
    error: StatementTimeout, seconds: float, config: Config, start: str | Literal[False]
) -> StatementTimeout:
    """The error with only that advice that would help: ``start`` is the tool whose gate is open."""
    most = config.total_tool_call_timeout_seconds
    ways = ["narrow the query"]
    if seconds < most:
        ways.append(f"raise timeoutSeconds (at most {most})")
    if start:
        ways.append(f"run it in the background with {start}")
    advice = ", ".join(ways[:-1]) + (", or " if len(ways) > 1 else "") + ways[-1]
    error.next_step = advice[0].upper() + advice[1:] + "."
    return error


async def explain_query(call: Call, args: ExplainQuery) -> Reply:
    """The estimated plan of one statement."""
    config = call.service.config
    seconds = min(call.command_timeout(), config.total_tool_call_timeout_seconds)

    def work() -> Plan:
        return call.service.explain_query(call.database, args.query, may_write=call.may_write)

    plan = await call.run(work, seconds=seconds)
    return plans.plan_report(plan, max_chars=config.max_response_chars)


async def get_command_timeout(call: Call, args: Arguments) -> Reply:  # noqa: ARG001 - all handlers are called alike
    """How long this client's statements may take."""
    return server_info.command_timeout(call.command_timeout(), before=None)


async def set_command_timeout(call: Call, args: SetCommandTimeout) -> Reply:
    """Change how long this client's later statements may take."""
    before = call.service.clients.set_command_timeout(call.client, args.timeout_seconds)
    return server_info.command_timeout(args.timeout_seconds, before=before)
