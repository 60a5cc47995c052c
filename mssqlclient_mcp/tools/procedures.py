"""Tools around stored procedures and functions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..errors import DatabaseMcpError, StatementTimeout
from ..formatters import procedures as show
from ..formatters import sessions as session_answers
from ..procedure_models import ProcedureResult
from ..session import Session
from .base import Arguments, Call, Reply
from .queries import with_timeout_advice


class ProcedureParameters(Arguments):
    """Arguments of get_stored_procedure_parameters."""

    procedure_name: str
    format: Literal["table", "json"] = Field("table", description="json: a JSON Schema of the call.")


class ExecuteProcedure(Arguments):
    """Arguments of execute_stored_procedure."""

    procedure_name: str
    parameters: dict[str, Any] | str | None = Field(None, description="Values by parameter name; or the same as a JSON string.")
    timeout_seconds: int | None = Field(None, ge=1, le=3600)


async def get_stored_procedure_parameters(call: Call, args: ProcedureParameters) -> Reply:
    """What a procedure takes and gives back."""
    service = call.service
    found = await call.run(lambda: service.get_sp_parameters(call.database, args.procedure_name))
    if args.format == "table":
        return show.sp_parameters(found)
    return show.sp_call_schemas(found, [service.procedures.call_schema(one) for one in found])


async def execute_stored_procedure(call: Call, args: ExecuteProcedure) -> Reply:
    """Call a procedure and answer with everything it brought back."""
    config = call.service.config
    seconds = min(args.timeout_seconds or call.command_timeout(), config.total_tool_call_timeout_seconds)
    offer = call.service.offer(call.client, args.timeout_seconds, procedure=True)

    def work() -> ProcedureResult | Session:
        return call.service.execute_stored_procedure(call.database, args.procedure_name, args.parameters, offer=offer)

    try:
        result = await call.run(work, seconds=seconds)
    except DatabaseMcpError as error:
        if isinstance(error, StatementTimeout):
            with_timeout_advice(error, seconds, config, config.enable_start_stored_procedure and "start_stored_procedure")
        raise show.with_what_arrived(error, max_chars=config.max_response_chars) from error
    if isinstance(result, Session):
        return session_answers.session_status(result.snapshot())
    background = "start_stored_procedure" if config.enable_start_stored_procedure else ""
    return show.procedure_result(result, max_chars=config.max_response_chars, background=background)
