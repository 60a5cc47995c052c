"""Requests as an attacker writes them, by hand over real HTTP: names of hosts and origins, framing, paths."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.databases import server_environment
from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, serving_over_http

BODY = json.dumps(INITIALIZE).encode()
PAGE = "https://app.example.com"


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """A server on loopback that is also called by names of its settings."""
    settings = {
        "HTTP_ALLOWED_HOSTS": "MCP.example.com, inner.example.com:8443, any.example.com:*",
        "HTTP_ALLOWED_ORIGINS": f"{PAGE}/, https://Dev.example.com:*",
    }
    with serving_over_http({"DATABASE_URL": postgres_url, **settings}) as server:
        yield server


def sent(server: HttpServerProcess, *headers: str, line: str = "POST /mcp HTTP/1.1", host: str | None = "localhost") -> int:
    """The status of the answer to a request with these header lines."""
    named = [] if host is None else [f"Host: {host}"]
    given = [*named, *(f"{name}: {value}" for name, value in JSON.items()), "Connection: close", *headers]
    if not any(one.lower().startswith(("content-length", "transfer-encoding")) for one in headers):
        given.append(f"Content-Length: {len(BODY)}")
    place = urlsplit(server.url)
    answer = b""
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as connection, suppress(OSError):
        connection.sendall("\r\n".join([line, *given, "", ""]).encode("latin-1") + BODY)
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize(
    "host",
    [
        "LocalHost:80",
        "[::1]:8000",
        "[0:0:0:0:0:0:0:1]",
        "127.0.0.1",
        "mcp.example.com",
        "Mcp.Example.Com",
        "mcp.example.com:443",
        "inner.example.com:8443",
        "any.example.com:1",
        "any.example.com",
    ],
)
def test_a_name_of_ours_is_accepted_as_clients_write_it(server: HttpServerProcess, host: str) -> None:
    """Names have no case, and a port that goes without saying may be said."""
    assert sent(server, host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost.",
        "localhost.evil.example",
        "user@localhost",
        "localhost:80@evil.example",
        "localhost:evil.example",
        "127.0.0.1:80#evil.example",
        "127.0.0.1:99999999",
        "127.0.0.1:",
        "127.1",
        "0.0.0.0",
        "::1",
        "[::1",
        "[::1].evil.example",
        "mcp.example.com:8000",
        "inner.example.com",
        "inner.example.com:8444",
        "evil.example,localhost",
    ],
)
def test_what_only_looks_like_a_name_of_ours_is_refused(server: HttpServerProcess, host: str) -> None:
    """421, whatever stands in front of the name or behind it."""
    assert sent(server, host=host) == 421


def test_a_request_has_one_host(server: HttpServerProcess) -> None:
    """None, an empty one, or two: none of them is served."""
    assert sent(server, host=None) == 400
    assert sent(server, host="") == 421
    assert sent(server, "Host: evil.example") == 400
    assert sent(server, host=None, line="POST /mcp HTTP/1.0") == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://LOCALHOST:3000", 200),
        ("http://[::1]:4", 200),
        (PAGE, 200),
        (f"{PAGE}:443", 200),
        ("https://dev.example.com:5173", 200),
        (f"{PAGE}:8443", 403),
        ("http://app.example.com", 403),
        ("http://localhost:1@evil.example", 403),
        ("http://127.0.0.1:9.evil.example", 403),
        ("http://localhost.", 403),
        ("https://dev.example.com:evil", 403),
        ("null", 403),
        ("file://", 403),
        ("", 403),
    ],
)
def test_an_origin_is_read_whole(server: HttpServerProcess, origin: str, status: int) -> None:
    """Scheme, name and port; nothing may follow."""
    assert sent(server, f"Origin: {origin}") == status


def test_of_two_origins_both_must_be_accepted(server: HttpServerProcess) -> None:
    """Whichever a program in between would have looked at."""
    assert sent(server, "Origin: http://localhost", "Origin: https://evil.example") == 403
    assert sent(server, "Origin: https://evil.example", "Origin: http://localhost") == 403


@pytest.mark.parametrize(
    "headers",
    [
        (f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"),
        (f"Content-Length: {len(BODY)}", "Content-Length: 5"),
        ("Content-Length: -1",),
        ("Content-Length: +5",),
        ("Transfer-Encoding: xchunked",),
        ("X-A : b",),
        ("X-A: b\x00c",),
    ],
    ids=lambda headers: ", ".join(headers)[:50],
)
def test_a_body_whose_length_could_be_read_in_two_ways_is_refused(server: HttpServerProcess, headers: tuple[str, ...]) -> None:
    """So that no proxy in front and this server see two different requests (request smuggling)."""
    assert sent(server, *headers) == 400


def test_no_answer_leads_elsewhere(server: HttpServerProcess) -> None:
    """A redirect from /mcp/ would name http:// behind a proxy that ends TLS, and take the token along in the clear."""
    for address in (server.url, f"{server.url}/"):
        answer = httpx2.post(address, json=INITIALIZE, headers=JSON)
        assert (answer.status_code, answer.headers.get("location")) == (200, None)
    for path in ("/", "/MCP", "//mcp", "/mcp/x", "/x/../mcp"):
        assert sent(server, line=f"POST {path} HTTP/1.1") == 404


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("HTTP_ALLOWED_HOSTS", "https://mcp.example.com"),
        ("HTTP_ALLOWED_HOSTS", "*"),
        ("HTTP_ALLOWED_HOSTS", "mcp.example.com:port"),
        ("HTTP_ALLOWED_ORIGINS", "*"),
        ("HTTP_ALLOWED_ORIGINS", "app.example.com"),
        ("HTTP_ALLOWED_ORIGINS", "https://app.example.com/page"),
    ],
)
def test_a_name_that_no_request_could_have_keeps_the_server_from_starting(setting: str, value: str) -> None:
    """Else every client would be refused, and nothing would say why."""
    ended = subprocess.run(
        [sys.executable, "-m", "mssqlclient_mcp"],
        env=server_environment({"DATABASE_URL": "postgresql://h/d", "TRANSPORT": "http", "HTTP_PORT": "0", setting: value}),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert ended.returncode == 2
    assert setting in ended.stderr
    assert value in ended.stderr


def test_what_opens_a_session_is_short(server: HttpServerProcess) -> None:
    """What a client tells of itself is kept as long as its session; calls may be longer."""
    client = {"name": "x" * 200_000, "version": "1"}
    opening = {**INITIALIZE, "params": {**INITIALIZE["params"], "clientInfo": client}}  # type: ignore[dict-item]
    assert httpx2.post(server.url, json=opening, headers=JSON).status_code == 413
    session = {"mcp-session-id": httpx2.post(server.url, json=INITIALIZE, headers=JSON).headers["mcp-session-id"]}
    call = {"name": "get_table_schema", "arguments": {"tableName": "x" * 200_000}}
    asked = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
    assert httpx2.post(server.url, json=asked, headers={**JSON, **session}).status_code == 200
