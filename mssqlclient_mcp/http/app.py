"""The ASGI app: one of the two HTTP transports of the SDK behind the door, the tokens and the scopes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ..config import Config
from ..database_service import DatabaseService
from ..scopes import READ, SCOPES
from .at_once import AtOnce
from .calls import CallsUnderWay, Doorman
from .door import BodyLimit, HostCheck, allowed_names, cross_origin
from .exposure import public_url
from .identity import MESSAGES_PATH, Identity
from .scopes import ScopeCheck
from .sdk_noise import AnsweredOnce
from .session_quota import SessionQuota

MCP_PATH = "/mcp"
SSE_PATH = "/sse"

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(
    config: Config,
    server: Server[DatabaseService],
    calls: CallsUnderWay,
    identity: Identity,
    *,
    verifier: TokenVerifier | None = None,
    needed_scopes: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Starlette:
    """The app that serves ``server`` by the configured transport. ``verifier`` None: nobody has to sign in.
    ``needed_scopes``: scope by tool name. ``port``: the real one, where the configured one is 0."""
    metadata = None if config.oauth_issuer is None else AnyHttpUrl(public_url(config, port or config.http_port))
    metadata_url = None if metadata is None else build_resource_metadata_url(metadata)
    middleware = [
        Middleware(AnsweredOnce),
        Middleware(Doorman, calls=calls),
        Middleware(HostCheck, names=allowed_names(config)),
        *cross_origin(config.http_allowed_origins),
        Middleware(BodyLimit),
    ]

    def guarded(transport: ASGIApp) -> ASGIApp:
        app = AtOnce(transport, identity)
        if verifier is None:
            return app
        checked = ScopeCheck(app, needed_scopes or {}, None if metadata_url is None else str(metadata_url))
        return RequireAuthMiddleware(checked, [READ], metadata_url)

    if verifier is not None:
        middleware += [
            Middleware(AuthenticationMiddleware, backend=BearerAuthBackend(verifier)),
            Middleware(AuthContextMiddleware),
        ]
    routes, lifespan = (_sse if config.transport == "sse" else _streamable)(server, guarded, identity)
    if metadata is not None:
        issuer = AnyHttpUrl(str(config.oauth_issuer))
        routes += create_protected_resource_routes(
            resource_url=metadata, authorization_servers=[issuer], scopes_supported=list(SCOPES)
        )
    app = Starlette(routes=routes, middleware=middleware, lifespan=lifespan)
    app.router.redirect_slashes = False  # a redirect would be to http://, also behind a proxy that ends TLS
    return app


def _streamable(
    server: Server[DatabaseService], guarded: Callable[[ASGIApp], ASGIApp], identity: Identity
) -> tuple[list[Any], Lifespan]:
    manager = StreamableHTTPSessionManager(app=server)
    endpoint = _AsgiEndpoint(guarded(SessionQuota(StreamableHTTPASGIApp(manager), identity)))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    return [Route(path, endpoint=endpoint) for path in (MCP_PATH, f"{MCP_PATH}/")], lifespan


def _sse(server: Server[DatabaseService], guarded: Callable[[ASGIApp], ASGIApp], _: Identity) -> tuple[list[Any], Lifespan]:
    transport = SseServerTransport(MESSAGES_PATH)

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "GET":
            await Response(status_code=405, headers={"Allow": "GET"})(scope, receive, send)
            return
        async with transport.connect_sse(scope, receive, send) as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    @asynccontextmanager
    async def lifespan(__: Starlette) -> AsyncIterator[None]:
        yield

    routes = [
        *(Route(path, endpoint=_AsgiEndpoint(guarded(stream))) for path in (SSE_PATH, f"{SSE_PATH}/")),
        Mount(MESSAGES_PATH, app=guarded(transport.handle_post_message)),
    ]
    return routes, lifespan


class _AsgiEndpoint:
    """A class instance is what Starlette's Route takes for an ASGI app; a function it would call with a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)
