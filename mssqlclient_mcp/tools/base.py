"""What a tool is: its name, its arguments, its handler and its gate, as data that ``server.TOOLS`` lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from ..scopes import READ

if TYPE_CHECKING:
    import anyio
    from mcp.server.context import ServerRequestContext

    from ..database_service import DatabaseService

T = TypeVar("T")


class Arguments(BaseModel):
    """Base of all tools' arguments: camelCase names, and an unknown argument is an error."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=False)


class NoArguments(Arguments):
    """For tools without parameters."""


class Database(str, Enum):
    """What a tool has to do with ``databaseName`` in server mode."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Effect(str, Enum):
    """What a call can do, for the annotations."""

    LOOK = "look"  # our own catalogue SQL and builder: only reads
    QUERY = "query"  # query text: reads, or anything when writes are on
    CALL = "call"  # procedures: anything
    SETTING = "setting"  # changes this server's memory, not the database
    STOP = "stop"  # ends something of the caller's own


Reply = tuple[str, dict[str, object]]
"""The text and the structured content of an answer: the same data twice."""


@dataclass(frozen=True)
class Call:
    """One call of a tool: what a handler needs to know and to reach."""

    service: DatabaseService
    client: str
    database: str | None
    context: ServerRequestContext[Any, Any]
    limiter: anyio.CapacityLimiter
    may_write: bool = False  # by what the caller was granted; whether the owner lets queries write is another question

    def command_timeout(self) -> float:
        """Seconds that a statement of this client may take."""
        return self.service.clients.command_timeout(self.client)

    async def run(self, work: Callable[[], T], *, seconds: float | None = None) -> T:
        """Run blocking ``work`` on a worker thread; see ``run.run``."""
        from .run import run

        return await run(self, work, seconds=seconds)


Handler = Callable[[Call, Any], Awaitable[Reply]]


@dataclass(frozen=True)
class Tool:
    """A row of the TOOLS table. ``gates``: settings of which any one opens it; none: always open."""

    name: str
    description: str
    arguments: type[Arguments]
    handler: Handler
    output: dict[str, object]
    effect: Effect = Effect.LOOK
    gates: tuple[str, ...] = ()
    server_name: str | None = None  # its name in server mode, where it differs
    server_mode_only: bool = False
    database: Database = Database.REQUIRED
    scope: str = READ  # at least: query text that changes data needs WRITE on top, see ``query_gate``
    counted: bool = True  # counts against the rate limit
    aliases: tuple[str, ...] = field(default=())
