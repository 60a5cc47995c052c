"""Pages in a browser: those of an allowed origin may call, those of any other may not, not even on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, serving_over_http

TOKEN = "token-for-the-browser-test"
PAGE = "https://app.example.com"
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name",
}


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """A server that one origin's pages may use, and those of a host with any port."""
    settings = {
        "HTTP_ALLOWED_ORIGINS": f"{PAGE},http://dev.example.com:*,https://Port.example.com:443/",
        "HTTP_BEARER_TOKEN": TOKEN,
    }
    with serving_over_http({"DATABASE_URL": postgres_url, **settings}) as server:
        yield server


@pytest.mark.parametrize("origin", [PAGE, "http://dev.example.com:5173", "http://dev.example.com", "https://port.example.com"])
def test_a_page_of_an_allowed_origin_may_call(server: HttpServerProcess, origin: str) -> None:
    """The browser asks first, without the token; the answers then carry what lets the page read them, 401 included."""
    asked = httpx2.options(server.url, headers={"origin": origin, **PREFLIGHT})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == origin
    assert "mcp-protocol-version" in asked.headers["access-control-allow-headers"]
    refused = httpx2.post(server.url, json=INITIALIZE, headers={**JSON, "origin": origin})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == origin
    opened = httpx2.post(server.url, json=INITIALIZE, headers={**JSON, "origin": origin, "authorization": f"Bearer {TOKEN}"})
    assert opened.status_code == 200
    assert "Mcp-Session-Id" in opened.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://appXexample.com",
        "null",
    ],
)
def test_a_page_of_another_origin_may_not(server: HttpServerProcess, origin: str) -> None:
    """403 for the question as for the call, with the right token too."""
    headers = {**JSON, "origin": origin, "authorization": f"Bearer {TOKEN}"}
    for answer in (
        httpx2.options(server.url, headers={"origin": origin, **PREFLIGHT}),
        httpx2.post(server.url, json=INITIALIZE, headers=headers),
    ):
        assert answer.status_code in (400, 403)
        assert "access-control-allow-origin" not in answer.headers


def test_a_page_served_on_this_machine_is_not_let_in_by_the_browser(server: HttpServerProcess) -> None:
    """Loopback origins are accepted from programs; a browser that asks is not told yes unless the owner allowed it."""
    asked = httpx2.options(server.url, headers={"origin": "http://localhost:3000", **PREFLIGHT})
    assert "access-control-allow-origin" not in asked.headers
