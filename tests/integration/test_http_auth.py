"""Who is let in over HTTP: named tokens, Host and Origin, and what must be set before others can reach the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.errors import ConfigInvalid
from mssqlclient_mcp.http.auth import NamedTokens, named_tokens
from mssqlclient_mcp.http.exposure import check_exposure
from mssqlclient_mcp.http.session_quota import MOST_OF_ONE
from tests.databases import server_environment
from tests.http_servers import INITIALIZE, HttpServerProcess, client_of, serving_over_http

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

ANNA = "annas-token-0123456789"
BERT = "berts-token-0123456789=="
URL = {"DATABASE_URL": "postgresql://h/d", "TRANSPORT": "http"}
SLOW = "SELECT count(*) FROM generate_series(1, 100000000000) AS g(n)"
REQUEST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[HttpServerProcess]:
    """A server for Anna and Bert."""
    settings = {
        "DATABASE_URL": postgres_url,
        "HTTP_BEARER_TOKEN": f"anna={ANNA}, bert={BERT}",
        "ENABLE_START_QUERY": "true",
        "RATE_LIMIT_PER_MINUTE": "0",
    }
    with serving_over_http(settings) as running:
        yield running


def posted(url: str, **headers: str) -> httpx2.Response:
    """What a request with these headers gets."""
    return httpx2.post(url, json=REQUEST, headers={**HEADERS, **headers})


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("token", [ANNA, BERT])
async def test_each_token_lets_its_client_in(server: HttpServerProcess, token: str, mode: str) -> None:
    """In both protocol eras."""
    async with client_of(server.url, token=token, mode=mode) as client:
        assert not (await client.call_tool("list_tables", {})).is_error


@pytest.mark.parametrize(
    "given", ["", "Bearer wrong-token-0123456789", f"Basic {ANNA}", "Bearer", f"Bearer {ANNA}x", "Bearer ä"]
)
def test_a_wrong_token_or_none_is_refused(server: HttpServerProcess, given: str) -> None:
    """401 with the scheme to use (RFC 6750)."""
    headers = {"Authorization": given} if given else {}
    answer = httpx2.post(server.url, json=REQUEST, headers={**HEADERS, **{k: v.encode() for k, v in headers.items()}})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_sessions_belong_to_the_name_of_the_token(server: HttpServerProcess) -> None:
    """A client that comes back, or comes by the stateless era, finds its sessions; another name does not."""
    async with client_of(server.url, token=ANNA, mode="legacy") as client:
        started = await client.call_tool("start_query", {"query": "SELECT 1 AS n"})
        session = started.structured_content["sessionId"]
    async with client_of(server.url, token=ANNA, mode="auto") as client:
        again = await client.call_tool("get_session_status", {"sessionId": session, "waitSeconds": 5})
    async with client_of(server.url, token=BERT, mode="auto") as client:
        foreign = await client.call_tool("get_session_status", {"sessionId": session})
    assert again.structured_content["status"] == "completed"
    assert foreign.structured_content["code"] == "SESSION_NOT_FOUND"


def test_no_token_is_ever_in_the_log(server: HttpServerProcess) -> None:
    """Neither a right nor a wrong one."""
    posted(server.url, Authorization=f"Bearer {ANNA}")
    posted(server.url, Authorization="Bearer wrong-token-0123456789")
    for token in (ANNA, BERT, "wrong-token-0123456789"):
        assert token not in server.log


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "evil.example:8000"])
def test_a_foreign_host_is_refused_before_its_token_is_looked_at(server: HttpServerProcess, host: str) -> None:
    """DNS rebinding: the browser of somebody on this machine asks for a name that is not ours."""
    assert posted(server.url, Host=host).status_code == 421
    assert httpx2.get(server.base + "/anything", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null"])
def test_a_foreign_origin_is_refused(server: HttpServerProcess, origin: str) -> None:
    """A page of another site may not speak to the server."""
    assert posted(server.url, Origin=origin, Authorization=f"Bearer {ANNA}").status_code == 403


def test_hosts_and_origins_of_the_settings_are_accepted(postgres_url: str) -> None:
    """Beside those of loopback."""
    settings = {
        "DATABASE_URL": postgres_url,
        "HTTP_ALLOWED_HOSTS": "db.example.com, other.example:*",
        "HTTP_ALLOWED_ORIGINS": "https://app.example.com",
    }
    with serving_over_http(settings) as server:
        for headers in (
            {"Host": "db.example.com"},
            {"Host": "other.example:9"},
            {"Origin": "https://app.example.com"},
            {"Origin": "http://localhost:3000"},
        ):
            answer = httpx2.post(server.url, json=INITIALIZE, headers={**HEADERS, **headers})
            assert answer.status_code == 200, headers
        assert httpx2.post(server.url, json=INITIALIZE, headers={**HEADERS, "Host": "db.example.com:1"}).status_code == 421


async def test_without_tokens_on_loopback_anybody_there_is_let_in(postgres_url: str) -> None:
    """As over stdio: who is on this machine as this user could read the settings as well."""
    with serving_over_http({"DATABASE_URL": postgres_url}) as server:
        async with Client(server.url) as client:
            assert not (await client.call_tool("list_tables", {})).is_error


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"HTTP_HOST": "0.0.0.0"}, "HTTP_BEARER_TOKEN"),
        ({"HTTP_HOST": "::", "HTTP_ALLOWED_HOSTS": "db.example.com"}, "HTTP_BEARER_TOKEN"),
        ({"HTTP_HOST": "0.0.0.0", "HTTP_BEARER_TOKEN": ANNA}, "HTTP_ALLOWED_HOSTS"),
        ({"HTTP_HOST": "db.example.com", "HTTP_BEARER_TOKEN": ANNA}, "HTTP_ALLOWED_HOSTS"),
        ({"HTTP_BEARER_TOKEN": "short"}, "HTTP_BEARER_TOKEN"),
        ({"HTTP_BEARER_TOKEN": "anna=has blanks in its token"}, "HTTP_BEARER_TOKEN"),
        ({"HTTP_PORT": "70000"}, "HTTP_PORT"),
        ({"HTTP_TLS_CERT": __file__}, "HTTP_TLS_KEY"),
    ],
)
def test_a_server_that_would_be_open_to_others_does_not_start(settings: dict[str, str], missing: str) -> None:
    """Exit code 2, and the setting that is missing by its name; the token is not shown."""
    ended = subprocess.run(
        [sys.executable, "-m", "mssqlclient_mcp"],
        env=server_environment({**URL, "HTTP_PORT": "0", **settings}),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert ended.returncode == 2
    assert missing in ended.stderr
    assert ANNA not in ended.stderr
    assert "has blanks" not in ended.stderr


def test_with_tokens_and_hosts_the_server_may_be_reached_by_others() -> None:
    """Nothing to refuse."""
    tokens = check_exposure(
        load_config({**URL, "HTTP_HOST": "0.0.0.0", "HTTP_BEARER_TOKEN": ANNA, "HTTP_ALLOWED_HOSTS": "db:1"})
    )
    assert tokens == {ANNA: "token"}


def test_two_ways_to_sign_in_are_one_too_many() -> None:
    """Whose session is whose must have one answer."""
    oauth = {
        "OAUTH_ISSUER": "https://login.example.com/",
        "OAUTH_AUDIENCE": "us",
        "OAUTH_JWKS_URL": "https://login.example.com/jwks",
    }
    with pytest.raises(ConfigInvalid, match="OAUTH_ISSUER"):
        check_exposure(load_config({**URL, **oauth, "HTTP_BEARER_TOKEN": ANNA}))


def test_a_port_that_is_taken_is_said_with_exit_code_two(server: HttpServerProcess) -> None:
    """And in JSON when asked for."""
    ended = subprocess.run(
        [sys.executable, "-m", "mssqlclient_mcp", "--format", "json", "--port", server.base.rpartition(":")[2]],
        env=server_environment(URL),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert ended.returncode == 2
    assert '"code": "CONFIG_INVALID"' in ended.stderr
    assert "HTTP_PORT" in ended.stderr


def test_a_file_of_tokens_is_read_line_by_line(tmp_path: Path) -> None:
    """Comments and empty lines aside; names may repeat, for a token that replaces another."""
    path = tmp_path / "tokens"
    path.write_text(f"# ours\n\nanna={ANNA}\n bert = {BERT} \nanna=annas-second-token-1\n", encoding="utf-8")
    path.chmod(0o600)
    tokens = named_tokens(load_config({**URL, "HTTP_TOKENS_FILE": str(path)}))
    assert tokens == {ANNA: "anna", BERT: "bert", "annas-second-token-1": "anna"}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_of_tokens_that_others_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not refused: a container may mount it so."""
    path = tmp_path / "tokens"
    path.write_text(f"anna={ANNA}\n", encoding="utf-8")
    path.chmod(0o644)
    named_tokens(load_config({**URL, "HTTP_TOKENS_FILE": str(path)}))
    assert "chmod 600" in caplog.text


async def test_a_token_alone_may_end_like_base64() -> None:
    """Its = is not that of name=token."""
    verifier = NamedTokens(named_tokens(load_config({**URL, "HTTP_BEARER_TOKEN": BERT})))
    found = await verifier.verify_token(BERT)
    assert found is not None
    assert found.client_id == "token"
    assert await verifier.verify_token(BERT.rstrip("=")) is None


async def test_a_session_that_a_stateless_request_makes_up_is_nobodys(postgres_url: str) -> None:
    """Its background session belongs to its address: it goes on when the request is answered, and is found again."""
    settings = {"DATABASE_URL": postgres_url, "ENABLE_START_QUERY": "true", "RATE_LIMIT_PER_MINUTE": "0"}
    with serving_over_http(settings) as server:
        async with (
            httpx2.AsyncClient(headers={"mcp-session-id": "made-up"}, timeout=30) as http,
            Client(streamable_http_client(server.url, http_client=http)) as client,
        ):
            told = (await client.call_tool("start_query", {"query": SLOW})).structured_content
        async with client_of(server.url) as client:
            mine = {"sessionId": told["sessionId"]}
            again = (await client.call_tool("get_session_status", {**mine, "waitSeconds": 0.5})).structured_content
            assert again.get("status") == "running"
            await client.call_tool("cancel_session", mine)


@pytest.mark.slow
def test_a_client_that_opens_sessions_without_end_takes_no_room_from_others(server: HttpServerProcess) -> None:
    """It loses the one that it used the longest ago; what it uses stays, and so does what another has."""

    def opened(http: httpx2.Client) -> str:
        return str(http.post(server.url, json=INITIALIZE, headers=HEADERS).headers["mcp-session-id"])

    def stands(http: httpx2.Client, session: str) -> bool:
        answer = http.post(server.url, json=REQUEST, headers={**HEADERS, "mcp-session-id": session})
        return answer.status_code == 200

    with (
        httpx2.Client(headers={"Authorization": f"Bearer {ANNA}"}, timeout=30) as anna,
        httpx2.Client(headers={"Authorization": f"Bearer {BERT}"}, timeout=30) as bert,
    ):
        berts, first, second = opened(bert), opened(anna), opened(anna)
        for number in range(MOST_OF_ONE - 1):
            if number % 100 == 0:
                assert stands(anna, first)
            last = opened(anna)
        assert stands(bert, berts)
        assert stands(anna, first)
        assert stands(anna, last)
        assert not stands(anna, second)
