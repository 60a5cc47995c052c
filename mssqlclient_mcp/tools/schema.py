"""Tools that look at the schema."""

from __future__ import annotations

from ..formatters import metadata as show
from .base import Call, NoArguments, Reply


async def list_databases(call: Call, args: NoArguments) -> Reply:  # noqa: ARG001 - all handlers are called alike
    """The databases of the server."""
    return show.databases(await call.run(call.service.metadata.list_databases))
