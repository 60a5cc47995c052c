"""OAuth over real HTTP: where a client learns who gives out tokens, who comes in, what a token grants, and whose is what."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.certificates import issue
from tests.databases import spawn_server
from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, client_of, serving_over_http
from tests.issuer import ISSUER, Issuer, issuing
from tests.oauth_settings import oauth

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Whose tokens the servers accept."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def server(issuer: Issuer, postgres_url: str) -> Iterator[HttpServerProcess]:
    """A server over streamable HTTP for holders of tokens."""
    with serving_over_http(oauth(issuer, postgres_url)) as server:
        yield server


def call(tool: str, **arguments: object) -> dict[str, object]:
    """A tools/call of the handshake era, which is checked before any session is looked for."""
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def post(server: HttpServerProcess, token: str | None, body: object, **headers: str) -> httpx2.Response:
    """One POST with a token."""
    bearer = {"authorization": f"Bearer {token}"} if token is not None else {}
    return httpx2.post(server.url, json=body, headers={**JSON, **bearer, **headers}, timeout=10)


async def test_without_a_token_a_client_learns_where_to_get_one(server: HttpServerProcess) -> None:
    """401 names the document (RFC 9728), and the document the issuer, the resource and the scopes."""
    answer = post(server, None, call("list_tables"))
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    address = challenge.partition('resource_metadata="')[2].partition('"')[0]
    assert address.endswith("/.well-known/oauth-protected-resource/mcp")
    document = httpx2.get(address).json()
    assert document["authorization_servers"] == [ISSUER]
    assert document["resource"] == server.url
    assert document["scopes_supported"] == ["db:read", "db:write"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer nothing",
        "Basic dXNlcjpwYXNz",
        "Bearer a b",
        "Bearer " + "x" * 20_000,
        "bearer eyJhbGciOiJub25lIn0.e30.",
    ],
    ids=lambda header: str(header)[:24],
)
async def test_what_is_no_token_is_401(server: HttpServerProcess, header: str) -> None:
    """Whatever stands in the header, nobody comes in and nothing breaks."""
    answer = httpx2.post(server.url, json=call("list_tables"), headers={**JSON, "authorization": header})
    assert answer.status_code == 401
    assert "Traceback" not in server.log


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_token_of_the_issuer_comes_in(server: HttpServerProcess, issuer: Issuer, mode: str) -> None:
    """Both eras, by an RSA and by an EC key."""
    for token in (issuer.token(), issuer.token("ES256", kid="ec-1", key=issuer.ec)):
        async with client_of(server.url, token=token, mode=mode) as client:
            told = await client.call_tool("execute_query", {"query": "SELECT 1 AS one"})
        assert told.structured_content["rows"] == [[1]]


async def test_a_wrong_or_expired_token_is_401(server: HttpServerProcess, issuer: Issuer) -> None:
    """Another audience, another issuer, a time that is over."""
    now = int(time.time())
    for claims in ({"aud": "other"}, {"iss": "https://other.example/"}, {"exp": now - 60}):
        answer = post(server, issuer.token(**claims), call("list_tables"))  # type: ignore[arg-type]
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_token_without_the_scope_of_a_tool_is_403_and_names_it(server: HttpServerProcess, issuer: Issuer) -> None:
    """So an OAuth client can ask its user for more; the names of tools that are old count as the new ones do."""
    reader = issuer.token(scope="db:read")
    for tool in ("execute_stored_procedure", "execute_stored_procedure_in_database"):
        answer = post(server, reader, call(tool, procedureName="p"))
        assert answer.status_code == 403
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert 'scope="db:read db:write"' in challenge
        assert 'resource_metadata="' in challenge
    stranger = issuer.token(scope="openid")
    assert post(server, stranger, call("list_tables")).status_code == 403
    async with client_of(server.url, token=reader) as client:
        assert not (await client.call_tool("list_tables", {})).is_error


async def test_sessions_belong_to_issuer_and_subject(server: HttpServerProcess, issuer: Issuer) -> None:
    """The same subject finds its sessions from any connection and with any of its tokens; another finds none of them."""

    async def sessions(subject: str, mode: str) -> list[str]:
        async with client_of(server.url, token=issuer.token(sub=subject, jti=str(time.time())), mode=mode) as client:
            told = await client.call_tool("list_sessions", {})
            return [one["sessionId"] for one in told.structured_content["sessions"]]

    async with client_of(server.url, token=issuer.token(sub="bob")) as client:
        started = await client.call_tool("start_query", {"query": "SELECT 1"})
        session_id = started.structured_content["sessionId"]
    assert session_id in await sessions("bob", "auto")
    assert session_id in await sessions("bob", "legacy")
    assert await sessions("eve", "auto") == []
    async with client_of(server.url, token=issuer.token(sub="eve")) as client:
        told = await client.call_tool("get_session_result", {"sessionId": session_id})
    assert told.structured_content["code"] == "SESSION_NOT_FOUND"


async def test_an_mcp_session_cannot_be_used_with_another_token(server: HttpServerProcess, issuer: Issuer) -> None:
    """Its id alone is worth nothing: to another subject it is as if it were not there."""
    opened = post(server, issuer.token(sub="ann"), INITIALIZE)
    session = {"mcp-session-id": opened.headers["mcp-session-id"]}
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    assert post(server, issuer.token(sub="eve"), listing, **session).status_code == 404
    assert post(server, issuer.token(sub="ann"), listing, **session).status_code == 200


async def test_the_older_transport_asks_for_tokens_and_scopes_as_well(issuer: Issuer, postgres_url: str) -> None:
    """/sse and /messages/ alike."""
    with serving_over_http(oauth(issuer, postgres_url, TRANSPORT="sse")) as server:
        assert httpx2.get(server.url).status_code == 401
        messages = f"{server.base}/messages/?session_id=0123456789abcdef0123456789abcdef"
        assert httpx2.post(messages, json=call("list_tables"), headers=JSON).status_code == 401
        bearer = {"authorization": f"Bearer {issuer.token(scope='db:read')}"}
        refused = httpx2.post(messages, json=call("execute_stored_procedure"), headers={**JSON, **bearer})
        assert refused.status_code == 403
        async with client_of(server.url, token=issuer.token(), mode="legacy") as client:
            assert not (await client.call_tool("list_tables", {})).is_error


async def test_a_token_never_appears_in_the_log(issuer: Issuer, postgres_url: str) -> None:
    """Not when it is right, not when it is wrong, at the most talkative level."""
    right, wrong = issuer.token(), issuer.token(aud="other")
    with serving_over_http(oauth(issuer, postgres_url, LOG_LEVEL="debug")) as server:
        async with client_of(server.url, token=right) as client:
            await client.call_tool("list_tables", {})
        assert post(server, wrong, call("list_tables")).status_code == 401
    for token in (right, wrong):
        assert token.split(".")[1] not in server.log
        assert token.split(".")[2] not in server.log


def test_two_ways_to_sign_in_are_refused(issuer: Issuer, postgres_url: str) -> None:
    """Named tokens and an issuer together: the server does not start, and says what to remove."""
    settings = oauth(issuer, postgres_url, TRANSPORT="http", HTTP_PORT="0", HTTP_BEARER_TOKEN="a-token-of-some-length")
    process = spawn_server(settings)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "OAUTH_ISSUER" in told
    assert "HTTP_BEARER_TOKEN" in told


# -- TLS -----------------------------------------------------------------------------------------------------------------


async def test_certificate_files_make_it_https(tmp_path: Path, issuer: Issuer, postgres_url: str) -> None:
    """A client that trusts the authority connects; one that does not, does not."""
    authority = issue(tmp_path, "authority", authority=True)
    certificate = issue(tmp_path, "server", hosts=("localhost", "127.0.0.1"), by=authority)
    files = {"HTTP_TLS_CERT": str(certificate.certificate_file), "HTTP_TLS_KEY": str(certificate.key_file)}
    with serving_over_http(oauth(issuer, postgres_url, **files)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(authority.certificate_file))
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        async with (
            httpx2.AsyncClient(verify=trusting, headers=headers) as http,
            Client(streamable_http_client(server.url, http_client=http)) as client,
        ):
            told: Any = (await client.call_tool("execute_query", {"query": "SELECT 1 AS one"})).structured_content
        assert told["rows"] == [[1]]
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(server.url)


@pytest.mark.parametrize("wrong", ["no certificate", "another's key", "a key with a password"])
def test_files_that_are_no_certificate_and_key_keep_the_server_from_starting(
    tmp_path: Path, postgres_url: str, wrong: str
) -> None:
    """Exit code 2 and the setting's name, before anything listens, and without asking a person for a password."""
    from cryptography.hazmat.primitives import serialization

    certificate, other = issue(tmp_path, "server"), issue(tmp_path, "other")
    cert_file, key_file = certificate.certificate_file, certificate.key_file
    if wrong == "no certificate":
        cert_file.write_text("nothing", encoding="utf-8")
    elif wrong == "another's key":
        key_file = other.key_file
    else:
        locked = serialization.BestAvailableEncryption(b"secret")
        key_file.write_bytes(
            certificate.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        )
    settings = {"DATABASE_URL": postgres_url, "TRANSPORT": "http", "HTTP_PORT": "0"}
    process = spawn_server({**settings, "HTTP_TLS_CERT": str(cert_file), "HTTP_TLS_KEY": str(key_file)})
    _, told = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "HTTP_TLS_CERT" in told
    assert "serving at" not in told
