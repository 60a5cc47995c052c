"""From a tools/call request to a handler and back: names, gates, arguments, database, errors, the answer's shape."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from ..config import Config
from ..database_service import DatabaseService
from ..errors import (
    DatabaseMcpError,
    ErrorCode,
    GateClosed,
    InternalError,
    InvalidParameter,
    PermissionDenied,
    StatementCancelled,
)
from ..formatters.errors import format_error
from ..logs import request_id
from ..models import DatabaseMode
from ..names import MOST_SHOWN, nearest_of, shown
from ..scopes import READ, WRITE
from .arguments import argument_problems, expected_arguments
from .base import Arguments, Call, Database, Reply, Tool
from .listing import listed_tool
from .protocol_errors import protocol_errors
from .surroundings import LOCAL, Caller, CallTold, Surroundings

T = TypeVar("T")

MOST_ARGUMENTS = 100

log = logging.getLogger(__name__)


class Dispatcher:
    """The tools of one configuration: lists those whose gate is open, and calls them by any of their names."""

    def __init__(self, config: Config, tools: Iterable[Tool], surroundings: Surroundings | None = None) -> None:
        self._config = config
        self._surroundings = surroundings or Surroundings()
        self._server_mode = config.mode is DatabaseMode.SERVER
        self._tools = [tool for tool in tools if self._server_mode or not tool.server_mode_only]
        self._by_name = {name: tool for tool in self._tools for name in self._names(tool)}
        self._listed: dict[bool, list[types.Tool]] = {}
        self._limiter: anyio.CapacityLimiter | None = None
        self._one_by_one: anyio.CapacityLimiter | None = None

    def listed(self, caller: Caller = LOCAL) -> list[types.Tool]:
        """The tools/list answer: every tool whose gate is open, by its name in this mode, with what it can do when this caller
        calls it. A tool for which the caller's token is too small is listed, so that a client can ask for a larger one."""
        writes = self._config.enable_write_queries and caller.may(WRITE)
        if writes not in self._listed:
            opened = (tool for tool in self._tools if self._is_open(tool))
            self._listed[writes] = [listed_tool(tool, self._own_name(tool), self._config, writes=writes) for tool in opened]
        return self._listed[writes]

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """The schema of a tool's arguments by the name it is listed under."""
        return next((tool.input_schema for tool in self.listed() if tool.name == name), None)

    async def call(
        self, context: ServerRequestContext[DatabaseService], name: str, arguments: Mapping[str, Any]
    ) -> types.CallToolResult:
        """Call a tool; every failure becomes an answer with ``isError``, none escapes."""
        began = time.monotonic()
        caller = self._surroundings.identify(context)
        code, rows = ErrorCode.CANCELLED.value, None  # until something else is known: the request was cancelled
        with _numbered() as number:
            try:
                reply = await self._surrounded(context, lambda: self._answer(context, caller, name, arguments))
                code, rows = "ok", rows_in(reply[1])
                return _result(reply)
            except DatabaseMcpError as error:
                code = error.code.value
                return _error_result(error, number)
            except Exception:  # the edge: a defect of ours must not take the connection down
                code = ErrorCode.INTERNAL.value
                log.exception("tool %s failed", name, extra={"tool": name})
                return _error_result(InternalError(f"The tool {name} failed."), number)
            finally:
                seconds = round(time.monotonic() - began, 4)
                self._tell(CallTold(name[:MOST_SHOWN], caller, code, seconds, rows, number))

    async def beside(
        self, context: ServerRequestContext[DatabaseService], method: str, work: Callable[[Call], Awaitable[T]]
    ) -> T:
        """Do what is no tool and yet reads the database, such as resources/read: admitted, counted and logged as a call of a
        tool with the scope db:read is. Raises MCPError."""
        began = time.monotonic()
        caller = self._surroundings.identify(context)
        code = ErrorCode.CANCELLED.value
        with _numbered() as number:
            try:
                with protocol_errors(method, number):
                    if self._surroundings.admit is not None:
                        await self._surroundings.admit(caller)
                    done = await self._surrounded(context, lambda: work(self.looking(context)))
                code = "ok"
                return done
            except MCPError as error:
                data = error.error.data
                code = str(data.get("code", code)) if isinstance(data, dict) else code
                raise
            finally:
                self._tell(CallTold(method, caller, code, round(time.monotonic() - began, 4), None, number))

    async def _surrounded(self, context: ServerRequestContext[DatabaseService], work: Callable[[], Awaitable[T]]) -> T:
        """``work`` inside what surrounds a call. Raises StatementCancelled when that was left early: the client is gone."""
        if self._surroundings.around is None:
            return await work()
        async with self._surroundings.around(context):
            return await work()
        raise StatementCancelled("The client is gone.")

    def looking(self, context: ServerRequestContext[DatabaseService]) -> Call:
        """A call that only looks, for what is no tool; raises PermissionDenied without the scope for that."""
        caller = self._surroundings.identify(context)
        if not caller.may(READ):
            raise PermissionDenied(f"The token does not grant {READ}.", details={"scope": READ})
        service = context.lifespan_context
        return Call(service, caller.owner, service.settings.database, context, self._threads())

    def open_names(self) -> dict[str, str]:
        """The open tools: the first name of each with the one it has in this mode."""
        return {tool.name: self._own_name(tool) for tool in self._tools if self._is_open(tool)}

    def caller(self, context: ServerRequestContext[DatabaseService]) -> Caller:
        """Who sent this request."""
        return self._surroundings.identify(context)

    async def _answer(
        self, context: ServerRequestContext[DatabaseService], caller: Caller, name: str, arguments: Mapping[str, Any]
    ) -> Reply:
        known = self._by_name.get(name)
        if self._surroundings.admit is not None and (known is None or known.counted):
            await self._surroundings.admit(caller)
        tool = known or self._find(name)
        if not self._is_open(tool):
            raise self._closed(tool)
        if not caller.may(tool.scope):
            raise PermissionDenied(
                f"The token does not grant {tool.scope}, which {self._own_name(tool)} needs.", details={"scope": tool.scope}
            )
        service = context.lifespan_context
        given = dict(arguments)
        database = self._database(tool, service, given)
        call = Call(service, caller.owner, database, context, self._threads(), may_write=caller.may(WRITE))
        return await tool.handler(call, self._parse(tool, given))

    def _tell(self, told: CallTold) -> None:
        _log_call(told)
        for watcher in self._surroundings.watchers:
            watcher(told)

    def _find(self, name: str) -> Tool:
        tool = self._by_name.get(name)
        if tool is None:
            nearest = nearest_of(name, self._by_name)
            raise InvalidParameter(f"There is no tool {shown(name)} here.", details={"nearest": nearest} if nearest else None)
        return tool

    def _is_open(self, tool: Tool) -> bool:
        return not tool.gates or any(getattr(self._config, gate) for gate in tool.gates)

    def _closed(self, tool: Tool) -> GateClosed:
        settings = " or ".join(gate.upper() for gate in tool.gates)
        return GateClosed(
            f"The tool {self._own_name(tool)} is switched off on this server.",
            details={"setting": settings},
            next_step=f"The owner of the server opens it with {settings}=true.",
        )

    def _database(self, tool: Tool, service: DatabaseService, arguments: dict[str, Any]) -> str | None:
        requested = arguments.pop("databaseName", None)
        if requested is not None and (not isinstance(requested, str) or not requested.strip()):
            raise InvalidParameter("databaseName must be a name.", details={"expected": "databaseName: string"})
        if tool.database is Database.NONE:
            if requested is not None:
                raise InvalidParameter(f"{self._own_name(tool)} takes no databaseName.")
            return service.settings.database
        return service.database_for(requested, required=tool.database is Database.REQUIRED)

    def _parse(self, tool: Tool, arguments: dict[str, Any]) -> Arguments:
        if len(arguments) > MOST_ARGUMENTS:
            raise InvalidParameter(
                f"{self._own_name(tool)} does not take {len(arguments)} arguments.",
                details={"expected": expected_arguments(tool.arguments)},
            )
        try:
            return tool.arguments.model_validate(arguments)
        except ValidationError as error:
            problems = argument_problems(tool.arguments, error)
            raise InvalidParameter(
                f"{len(problems)} argument{'' if len(problems) == 1 else 's'} of {self._own_name(tool)} cannot be used.",
                details={"problems": problems, "expected": expected_arguments(tool.arguments)},
            ) from error

    def _own_name(self, tool: Tool) -> str:
        return tool.server_name if self._server_mode and tool.server_name else tool.name

    def _names(self, tool: Tool) -> list[str]:
        """The name in this mode first; the other mode's name and the old ones answer too."""
        return [name for name in (self._own_name(tool), tool.name, tool.server_name, *tool.aliases) if name]

    def one_by_one(self) -> anyio.CapacityLimiter:
        """For work that is long and all Python: a second of it at the same time would only make both slower, and all others."""
        if self._one_by_one is None:
            self._one_by_one = anyio.CapacityLimiter(1)
        return self._one_by_one

    def _threads(self) -> anyio.CapacityLimiter:
        """Threads are bounded by the reservations; this limit only has to be above them."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._config.pool_max_size + self._config.pool_max_waiting + 16)
        return self._limiter


def _result(reply: Reply, *, is_error: bool = False) -> types.CallToolResult:
    text, structured = reply
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=structured, is_error=is_error
    )


def _error_result(error: DatabaseMcpError, number: str) -> types.CallToolResult:
    return _result(format_error(error.with_details(requestId=number)), is_error=True)


def rows_in(content: Mapping[str, object]) -> int | None:
    """The rows in an answer, those of all its result sets; None where it has none by its kind."""
    sets = [content, *_sets(content, "moreResultSets"), *_sets(content, "resultSets")]
    counts = [one["rowCount"] for one in sets if isinstance(one.get("rows"), list)]
    return sum(count for count in counts if isinstance(count, int)) if counts else None


def _sets(content: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    found = content.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


@contextmanager
def _numbered() -> Iterator[str]:
    """A new id, which stands in the log of all that happens inside, on other threads too."""
    number = uuid.uuid4().hex[:12]
    token = request_id.set(number)
    try:
        yield number
    finally:
        request_id.reset(token)


def _log_call(told: CallTold) -> None:
    extra = {
        "tool": told.tool,
        "client": told.caller.owner,
        "seconds": told.seconds,
        "code": told.code,
        "rows": told.rows,
    }
    log.info("%s: %s in %.3f s", told.tool, told.code, told.seconds, extra=extra)
