"""What happens when an anonymous MCP session ends: its statements are cancelled, and what was kept for it is forgotten."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import Any

import anyio.to_thread

from ..database_service import DatabaseService
from ..tools.surroundings import Caller, Context
from .identity import SESSION_PREFIX

log = logging.getLogger(__name__)

_KEY = "mssqlclient_mcp.session_end"


def watch_session_end(context: Context, caller: Caller) -> None:
    """Once per MCP session, ask to be called when it ends: by DELETE, after idle time, or with its stream."""
    if not caller.owner.startswith(SESSION_PREFIX):
        return
    # the SDK tears a connection down through this stack, but shows it to handlers on a private attribute only
    connection: Any = getattr(context.session, "_connection", None)
    stack, state = getattr(connection, "exit_stack", None), getattr(connection, "state", None)
    if not isinstance(stack, AsyncExitStack) or not isinstance(state, dict) or _KEY in state:
        return
    state[_KEY] = caller.owner
    stack.push_async_callback(_ended, context.lifespan_context, caller.owner)


async def _ended(service: DatabaseService, owner: str) -> None:
    log.info("an anonymous client is gone", extra={"client": owner})
    await anyio.to_thread.run_sync(service.sessions.cancel_all_of, owner)
    service.clients.forget(owner)
