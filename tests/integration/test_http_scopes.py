"""What a token may do where the server lets queries write: one without db:write reads, as if writes were off, and is told
which scope a write would need. Over real HTTP, on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import psycopg
import pytest
from mcp import Client

from tests.http_servers import INITIALIZE, JSON, HttpServerProcess, client_of, serving_over_http
from tests.issuer import Issuer, issuing
from tests.oauth_settings import oauth

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

WRITES = {"ENABLE_WRITE_QUERIES": "true", "QUERY_HANDOFF_SECONDS": "0"}
ERAS = ["auto", "legacy"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Whose tokens the server accepts."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def written_to(make_postgres_database: Any) -> str:
    """A database with a table, and functions that change it under the look of a read."""
    url = str(make_postgres_database())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (n int)")
        connection.execute("INSERT INTO notes VALUES (1)")
        connection.execute("CREATE FUNCTION sly() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM notes; RETURN 1; END $$")
        connection.execute(
            "CREATE FUNCTION slow_and_sly() RETURNS int LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(2.5); DELETE FROM notes; RETURN 1; END $$"
        )
    return url


@pytest.fixture(scope="module")
def server(issuer: Issuer, written_to: str) -> Iterator[HttpServerProcess]:
    """A server whose owner lets queries write."""
    with serving_over_http(oauth(issuer, written_to, **WRITES)) as server:
        yield server


@pytest.fixture(params=ERAS)
def reading(request: pytest.FixtureRequest, server: HttpServerProcess, issuer: Issuer) -> Any:
    """A client whose token grants db:read alone, in either era."""
    return lambda: client_of(server.url, token=issuer.token(sub="reader", scope="db:read"), mode=request.param)


@pytest.fixture(params=ERAS)
def writing(request: pytest.FixtureRequest, server: HttpServerProcess, issuer: Issuer) -> Any:
    """A client whose token grants both scopes."""
    return lambda: client_of(server.url, token=issuer.token(sub="writer"), mode=request.param)


def notes(url: str) -> int:
    """How many rows the table has."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM notes").fetchone()
    return int(row[0]) if row else 0


async def told(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    """The structured answer of a call, be it an error."""
    return (await client.call_tool(tool, arguments)).structured_content or {}


async def over(client: Client, session_id: str) -> dict[str, Any]:
    """A session's status at its end."""
    return await told(client, "get_session_status", sessionId=session_id, waitSeconds=10)


async def test_a_token_for_reading_reads_by_query_text(reading: Any) -> None:
    """As if writes were off."""
    async with reading() as client:
        assert (await told(client, "execute_query", query="SELECT count(*) AS c FROM notes"))["rows"] == [[1]]
        assert (await told(client, "explain_query", query="SELECT * FROM notes"))["operators"]


@pytest.mark.parametrize("tool", ["execute_query", "start_query", "start_query_in_database"])
async def test_a_write_without_the_scope_for_it_is_refused_by_the_scopes_name(reading: Any, written_to: str, tool: str) -> None:
    """Nothing is sent to the database; the error says what a token must grant, to a program and in words."""
    async with reading() as client:
        for query in ("DELETE FROM notes", "SELECT 1; DELETE FROM notes", "CREATE TABLE more (n int)", "VACUUM"):
            result = await client.call_tool(tool, {"query": query})
            answer = result.structured_content
            assert answer["code"] == "READ_ONLY_VIOLATION"
            assert answer["details"]["scope"] == "db:write"
            assert "ENABLE_WRITE_QUERIES" not in result.content[0].text
            assert "db:write" in result.content[0].text.splitlines()[-1]
    assert notes(written_to) == 1


async def test_a_plan_of_a_write_needs_the_scope_for_it(reading: Any) -> None:
    """Planning a change is refused by the scope's name; what has no plan for anybody is refused as ever."""
    async with reading() as client:
        change = await told(client, "explain_query", query="DELETE FROM notes")
        other = await told(client, "explain_query", query="CREATE TABLE more (n int)")
    assert (change["code"], change["details"]["scope"]) == ("READ_ONLY_VIOLATION", "db:write")
    assert other["code"] == "READ_ONLY_VIOLATION"
    assert "scope" not in other["details"]


async def test_a_write_inside_a_function_is_stopped_by_the_transaction(reading: Any, written_to: str) -> None:
    """The gate sees a SELECT; it runs READ ONLY because of whose call it is, at once and in the background."""
    async with reading() as client:
        refused = await told(client, "execute_query", query="SELECT sly()")
        assert refused["code"] == "READ_ONLY_VIOLATION"
        started = await told(client, "start_query", query="SELECT sly()")
        ended = await over(client, started["sessionId"])
        assert (ended["status"], ended["error"]["code"]) == ("failed", "READ_ONLY_VIOLATION")
    assert notes(written_to) == 1


async def test_a_read_that_becomes_a_session_stays_a_read(issuer: Issuer, written_to: str) -> None:
    """Handed over after a second, it is in the same transaction as before."""
    with serving_over_http(oauth(issuer, written_to, **{**WRITES, "QUERY_HANDOFF_SECONDS": "1"})) as server:
        async with client_of(server.url, token=issuer.token(scope="db:read")) as client:
            handed = await told(client, "execute_query", query="SELECT slow_and_sly()")
            ended = await over(client, handed["sessionId"])
        assert (ended["status"], ended["error"]["code"]) == ("failed", "READ_ONLY_VIOLATION")
    assert notes(written_to) == 1


async def test_a_token_for_reading_reads_in_the_background(reading: Any) -> None:
    """A session of its own, with its rows."""
    async with reading() as client:
        started = await told(client, "start_query", query="SELECT n FROM generate_series(1, 3) AS g(n)")
        assert (await over(client, started["sessionId"]))["status"] == "completed"
        assert (await told(client, "get_session_result", sessionId=started["sessionId"]))["rows"] == [[1], [2], [3]]


async def test_each_token_is_told_what_its_calls_can_do(reading: Any, writing: Any) -> None:
    """A client asks its user before what may destroy: for a token that only reads, query text does not."""
    for client_for, reads in ((reading, True), (writing, False)):
        async with client_for() as client:
            tools = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
        for name in ("execute_query", "start_query"):
            assert tools[name].read_only_hint is reads
            assert tools[name].destructive_hint is not reads
        assert tools["execute_stored_procedure"].destructive_hint
        assert tools["list_tables"].read_only_hint


async def test_a_token_for_both_writes(writing: Any, written_to: str) -> None:
    """At once and in the background."""
    async with writing() as client:
        for query in ("INSERT INTO notes VALUES (2)", "DELETE FROM notes WHERE n = 2"):
            assert "code" not in await told(client, "execute_query", query=query)
        for query in ("INSERT INTO notes VALUES (2)", "DELETE FROM notes WHERE n = 2"):
            started = await told(client, "start_query", query=query)
            assert (await over(client, started["sessionId"]))["status"] == "completed"
        assert "operators" in await told(client, "explain_query", query="DELETE FROM notes")
    assert notes(written_to) == 1


CALLED = '"name": "execute_stored_procedure"'
LOOKS = '"name": "list_tables"'
TELL = '"arguments": {"procedureName": "sly"}'


def body_of(params: str, method: str = '"method": "tools/call"') -> str:
    """A request, with its parts as they are written."""
    return f'{{"jsonrpc": "2.0", "id": 1, {method}, "params": {{{params}, {TELL}}}}}'


BODIES = {
    "plainly": body_of(CALLED),
    "two names": body_of(f"{LOOKS}, {CALLED}"),
    "two names, turned": body_of(f"{CALLED}, {LOOKS}"),
    "two methods": body_of(CALLED, '"method": "tools/list", "method": "tools/call"'),
    "two params": body_of(CALLED, f'"method": "tools/call", "params": {{{LOOKS}}}'),
    "an escaped name": body_of('"name": "execute\\u005fstored_procedure"'),
    "an escaped key": body_of('"\\u006eame": "execute_stored_procedure"', '"\\u006dethod": "tools/call"'),
    "an older name": body_of('"name": "execute_stored_procedure_in_database"'),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("era", ["legacy", "stateless"])
def test_however_a_body_is_written_the_scope_is_that_of_what_would_be_called(
    server: HttpServerProcess, issuer: Issuer, written_to: str, what: str, encoding: str, era: str
) -> None:
    """The door and whoever calls the tool may read a body differently; what may not be called is not called."""
    bearer = {"authorization": f"Bearer {issuer.token(sub='reader', scope='db:read')}"}
    if era == "legacy":
        opened = httpx2.post(server.url, json=INITIALIZE, headers={**JSON, **bearer})
        headers = {"mcp-session-id": opened.headers["mcp-session-id"]}
        body = BODIES[what]
    else:
        headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "execute_stored_procedure"}
        key = "io.modelcontextprotocol"
        meta = f'"_meta": {{"{key}/protocolVersion": "2026-07-28", "{key}/clientCapabilities": {{}}}}'
        body = BODIES[what].replace(TELL, f"{TELL}, {meta}")
    answer = httpx2.post(server.url, content=body.encode(encoding), headers={**JSON, **bearer, **headers})
    if answer.status_code == 200:
        assert "PERMISSION_DENIED" in answer.text or "INVALID_PARAMETER" in answer.text  # the other tool was called
    else:
        assert answer.status_code in (400, 403)
    assert notes(written_to) == 1


def test_the_right_is_that_of_each_request_and_not_of_the_session(
    server: HttpServerProcess, issuer: Issuer, written_to: str
) -> None:
    """A client that comes back with a smaller token (or a larger one) in the same MCP session has the rights of that token."""
    opened = httpx2.post(server.url, json=INITIALIZE, headers={**JSON, "authorization": f"Bearer {issuer.token(sub='ann')}"})
    call = {"name": "execute_query", "arguments": {"query": "UPDATE notes SET n = n"}}
    for scope, refused in (("db:read db:write", False), ("db:read", True), ("db:read db:write", False)):
        bearer = {"authorization": f"Bearer {issuer.token(sub='ann', scope=scope)}"}
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        answer = httpx2.post(
            server.url,
            json={"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
            headers={**JSON, **bearer, **session},
        )
        assert ("READ_ONLY_VIOLATION" in answer.text) is refused, answer.text
    assert notes(written_to) == 1
