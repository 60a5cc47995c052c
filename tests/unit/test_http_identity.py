"""Which address a request came from, and whose it is: forwarded headers are believed from known proxies alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.requests import Request

from mssqlclient_mcp.http.identity import Identity
from mssqlclient_mcp.tools.surroundings import LOCAL


def request(
    peer: str | None,
    headers: dict[str, str] | None = None,
    *,
    path: str = "/mcp",
    query: str = "",
    user: AuthenticatedUser | None = None,
) -> Request:
    """A request from ``peer``."""
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": (peer, 1234) if peer else None,
            **({"user": user} if user else {}),
        }
    )


def context(of: Request | None) -> Any:
    """What a handler gets with a request."""
    return SimpleNamespace(request=of)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        ((), "203.0.113.9", None, "203.0.113.9"),
        ((), "203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody is trusted
        (("10.0.0.0/8",), "203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a proxy of ours
        (("10.0.0.0/8",), "10.1.2.3", "198.51.100.1", "198.51.100.1"),
        (("10.0.0.0/8",), "10.1.2.3", None, "10.1.2.3"),
        (("10.0.0.0/8",), "10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left one is the client's own word
        (("10.0.0.0/8",), "10.1.2.3", "198.51.100.1, 10.9.9.9", "198.51.100.1"),  # through two of ours
        (("10.0.0.0/8",), "10.1.2.3", "10.9.9.9", "10.9.9.9"),
        (("10.0.0.0/8",), "10.1.2.3", "198.51.100.1, rubbish", "10.1.2.3"),
        (("10.0.0.0/8",), "10.1.2.3", "", "10.1.2.3"),
        (("::1/128", "2001:db8::/32"), "::1", "2001:db8::5, 2001:db8::1", "2001:db8::5"),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),  # a listener of both families shows it so
        (("10.0.0.0/8",), "10.1.2.3", "198.51.100.1:5678", "198.51.100.1"),  # with the port, as some proxies write it
        (("10.0.0.0/8",), "10.1.2.3", "[2001:DB8::5]:443", "2001:db8::5"),
        (("10.0.0.0/8",), "10.1.2.3", "2001:0db8:0::5", "2001:db8::5"),  # one address has one form
        (("10.0.0.0/8",), "10.1.2.3", "::ffff:198.51.100.1", "198.51.100.1"),
        (("10.0.0.0/8",), None, "198.51.100.1", "unknown"),
    ],
)
def test_an_address_is_the_last_one_that_no_proxy_of_ours_has(
    trusted: tuple[str, ...], peer: str | None, forwarded: str | None, address: str
) -> None:
    """A client can write into X-Forwarded-For what it likes; our proxies append to its right."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert Identity(trusted).address(request(peer, headers)) == address


def test_an_anonymous_client_is_its_mcp_session_and_counts_by_its_address() -> None:
    """Sessions are made at will, addresses are not."""
    one, again, other = (
        Identity().caller(context(request("203.0.113.9", {"Mcp-Session-Id": session}))) for session in ("abc", "abc", "abd")
    )
    assert one.owner.startswith("session:")
    assert one.owner == again.owner != other.owner
    assert "abc" not in one.owner  # who knows a session's id can use it, so it must not stand in logs
    assert (one.counted_as, one.scopes) == ("address:203.0.113.9", None)


def test_in_the_older_form_the_session_stands_in_the_query() -> None:
    """POST /messages/?session_id=...; in each form, what stands in the place of the other is nobody's."""
    older = Identity().caller(
        context(request("203.0.113.9", {"Mcp-Session-Id": "x"}, path="/messages/", query="session_id=abc"))
    )
    newer = Identity().caller(context(request("203.0.113.9", {"Mcp-Session-Id": "abc"}, query="session_id=x")))
    assert older.owner == newer.owner


def test_the_stateless_era_has_no_session_whatever_a_request_says() -> None:
    """Nothing checks such an id, so anybody could be whoever they like."""
    headers = {"Mcp-Session-Id": "abc", "MCP-Protocol-Version": "2026-07-28"}
    assert Identity().caller(context(request("203.0.113.9", headers))).owner == "address:203.0.113.9"
    headers["MCP-Protocol-Version"] = "2025-06-18"
    assert Identity().caller(context(request("203.0.113.9", headers))).owner.startswith("session:")


def test_without_a_session_the_address_is_whose() -> None:
    """The stateless era has neither session nor name."""
    assert Identity().caller(context(request("203.0.113.9"))).owner == "address:203.0.113.9"


def test_a_static_token_is_its_name() -> None:
    """Whatever session the request came with."""
    user = AuthenticatedUser(AccessToken(token="", client_id="anna", scopes=["db:read"]))
    caller = Identity().caller(context(request("203.0.113.9", {"Mcp-Session-Id": "abc"}, user=user)))
    assert (caller.owner, caller.counted_as, caller.scopes) == ("anna", "token:anna", frozenset({"db:read"}))


def test_an_oauth_token_is_issuer_and_subject() -> None:
    """A subject is unique with its issuer only (RFC 7519); the client it used is not who it is."""
    token = AccessToken(token="", client_id="app", subject="42", claims={"iss": "https://login.example.com"}, scopes=[])
    caller = Identity().caller(context(request("203.0.113.9", user=AuthenticatedUser(token))))
    assert caller.owner == "https://login.example.com 42"


def test_a_client_without_a_subject_is_nobodys_subject() -> None:
    """Its id may be one that it chose."""
    owners = [
        Identity().caller(context(request("203.0.113.9", user=AuthenticatedUser(token)))).owner
        for token in (
            AccessToken(token="", client_id="app", subject="42", claims={"iss": "i"}, scopes=[]),
            AccessToken(token="", client_id="42", claims={"iss": "i"}, scopes=[]),
        )
    ]
    assert owners[0] != owners[1]


def test_no_request_is_the_local_client() -> None:
    """stdio."""
    assert Identity().caller(context(None)) is LOCAL
