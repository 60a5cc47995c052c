"""What a token must grant for a request: 403 with ``WWW-Authenticate`` (RFC 6750), by which an OAuth client asks for more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..scopes import READ, SCOPES

LOOKING = frozenset({"resources/read", "prompts/get", "completion/complete"})
"""Methods that read the database and are no tool."""


class ScopeCheck:
    """ASGI middleware behind the check of the token itself: 403 when it does not grant what is asked for. The dispatcher checks
    scopes again; an answer of its own comes with HTTP 200, from which no OAuth client learns what to ask for."""

    def __init__(self, app: ASGIApp, needed_scopes: Mapping[str, str], metadata_url: str | None = None) -> None:
        self._app = app
        self._scope_of = needed_scopes
        self._metadata_url = metadata_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        user = scope.get("user")
        if isinstance(user, AuthenticatedUser) and scope["method"] == "POST" and not set(SCOPES) <= set(user.scopes):
            messages = await _whole_body(receive)
            receive = _replaying(messages, receive)
            needed = self._needed(messages)
            if needed is not None and needed not in user.scopes:
                await self._refusal(needed, user.scopes)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _needed(self, messages: Iterable[Message]) -> str | None:
        """The scope that the request in a body needs; None when it needs none, or is none: the SDK says what is wrong then."""
        try:
            asked = json.loads(b"".join(message.get("body", b"") for message in messages))
        except (ValueError, RecursionError):
            return None
        method, params = (asked.get("method"), asked.get("params")) if isinstance(asked, dict) else (None, None)
        if isinstance(method, str) and method in LOOKING:
            return READ
        name = params.get("name") if isinstance(params, dict) and method == "tools/call" else None
        return self._scope_of.get(name) if isinstance(name, str) else None

    def _refusal(self, needed: str, granted: Iterable[str]) -> Response:
        body = {"error": "insufficient_scope", "error_description": f"The token does not grant {needed}"}
        wanted = " ".join(one for one in SCOPES if one == needed or one in granted)  # what it has, and what it lacks
        parts = {**body, "scope": wanted, **({"resource_metadata": self._metadata_url} if self._metadata_url else {})}
        told = ", ".join(f'{name}="{value}"' for name, value in parts.items())
        return JSONResponse(body, 403, {"WWW-Authenticate": f"Bearer {told}"})


async def _whole_body(receive: Receive) -> list[Message]:
    """The messages of a body, which has a bounded size (see ``door``); ends when the client goes."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _replaying(messages: Iterable[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replay() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return replay
