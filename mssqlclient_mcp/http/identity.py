"""Who sent a request: the name of a token, issuer and subject, an MCP session, or the address it came from."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Sequence

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request

from ..tools.surroundings import LOCAL, Caller, Context

SESSION_HEADER = "mcp-session-id"
VERSION_HEADER = "mcp-protocol-version"
MESSAGES_PATH = "/messages/"
SESSION_PREFIX = "session:"
UNKNOWN_PEER = "unknown"

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,200}")
_WITH_PORT = re.compile(r"([0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


class Identity:
    """Tells callers apart. Forwarded addresses are believed only from the ``trusted`` proxies."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = [ipaddress.ip_network(one, strict=False) for one in trusted]

    def caller(self, context: Context) -> Caller:
        """Owner of sessions: the token's, else the MCP session, else the address. The rate limit counts tokens and addresses,
        never MCP sessions: a client makes as many of those as it likes."""
        return self.caller_of(context.request) if isinstance(context.request, Request) else LOCAL

    def caller_of(self, request: Request) -> Caller:
        """The same for a request by itself."""
        user = request.scope.get("user")
        if isinstance(user, AuthenticatedUser):
            name = token_owner(user)
            return Caller(owner=name, counted_as=f"token:{name}", scopes=frozenset(user.scopes))
        address = f"address:{self.address(request)}"
        session = session_of(request)
        return Caller(owner=SESSION_PREFIX + _digest(session) if session else address, counted_as=address)

    def address(self, request: Request) -> str:
        """The peer's address; behind trusted proxies the last one in X-Forwarded-For that is not theirs."""
        peer = request.client.host if request.client else UNKNOWN_PEER
        forwarded = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
        while forwarded and self._is_trusted(peer):
            candidate = _without_port(forwarded.pop())
            if _ip(candidate) is None:
                break  # not an address: whoever wrote it, it tells nothing
            peer = candidate
        known = _ip(peer)
        return peer if known is None else str(known)  # one address has one form, whoever told it

    def _is_trusted(self, peer: str) -> bool:
        address = _ip(peer)
        return address is not None and any(address in network for network in self._trusted)


def counted_key(caller: Caller) -> str:
    """What is counted: a token, or an address; of IPv6 the network of 64 bits, within which a host has as many as it likes."""
    kind, _, text = caller.counted_as.partition(":")
    if kind != "address" or ":" not in text:
        return caller.counted_as
    try:
        return f"address:{ipaddress.IPv6Network((text, 64), strict=False)}"
    except ValueError:
        return caller.counted_as


def token_owner(user: AuthenticatedUser) -> str:
    """A static token's name, or issuer and subject of an OAuth token. Ids of clients that act for themselves have a space of
    their own: some issuers let clients choose them, and one must not be somebody's subject (RFC 9068, 5)."""
    token = user.access_token
    issuer = (token.claims or {}).get("iss")
    return f"{issuer} {token.subject or f'client={token.client_id}'}" if issuer else token.client_id


def is_stateless(request: Request) -> bool:
    """Whether a request is of the era without handshake, by the header that the SDK goes by."""
    version = request.headers.get(VERSION_HEADER)
    return version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS


def session_of(request: Request) -> str | None:
    """The MCP session of a request, where its protocol has one: by header, or in the older form by query. What a request of
    the stateless era says of a session is its own word: nothing has looked whether there is one."""
    if is_stateless(request):
        return None
    older = request.url.path.startswith(MESSAGES_PATH)
    found = request.query_params.get("session_id") if older else request.headers.get(SESSION_HEADER)
    return found if found and _SESSION_ID.fullmatch(found) else None


def _digest(session: str) -> str:
    """Who knows the id of a session may use it: logs and the database see this instead."""
    return hashlib.sha256(session.encode()).hexdigest()[:16]


def _without_port(text: str) -> str:
    """Some proxies write ``address:port`` or ``[address]:port``."""
    found = _WITH_PORT.fullmatch(text)
    return text if found is None else found.group(1)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
