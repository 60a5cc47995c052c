"""``mssqlclient-mcp config``: what it prints is read as a client reads it, and the server is started with it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from mssqlclient_mcp.client_entry import CLIENTS, Entry, _advice
from mssqlclient_mcp.platforms import System
from tests.databases import TestDatabase, server_environment

PASSWORD = "hush-hush;of mine"
URL = "postgresql://reader:hush-hush%3Bof%20mine@db.example.com/shop"


def run(settings: Mapping[str, str], *arguments: str, cwd: str | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "mssqlclient_mcp", "config", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=server_environment(settings),
        cwd=cwd or tempfile.gettempdir(),
        encoding="utf-8",
    )
    return done.returncode, done.stdout, done.stderr


def printed(settings: Mapping[str, str], *arguments: str) -> Any:
    """What stands on stdout, which is JSON and nothing else."""
    code, out, err = run(settings, *arguments)
    assert code == 0, err
    return json.loads(out)


def server_of(client: str, told: Any, name: str) -> dict[str, Any]:
    """The server's entry, found as the client finds it."""
    if client == "claude-code":
        return dict(told)
    return dict(told["servers" if client == "vscode" else "mcpServers"][name])


def filled_in(server: dict[str, Any], answers: Mapping[str, str]) -> dict[str, str]:
    """The environment with what a person fills in."""
    env = {name: str(value) for name, value in server["env"].items()}
    for placeholder, answer in answers.items():
        env = {name: value.replace(placeholder, answer) for name, value in env.items()}
    assert not re.search(r"<\w+>|\$\{", " ".join(env.values()))
    return env


@pytest.mark.parametrize("client", CLIENTS)
async def test_the_entry_starts_the_server(client: str, database: TestDatabase) -> None:
    """Every client, every database at hand: with the secrets filled in, the command answers as an MCP server, with the gates
    that were open."""
    told = printed(
        {**database.environment, "ENABLE_EXECUTE_QUERY": "yes", "MAX_ROWS": "500"}, "--client", client, "--name", "shop"
    )
    server = server_of(client, told, "shop")
    settings = database.config().connection
    answers = {"<password>": settings.password.reveal() if settings.password else ""}
    answers["${input:shop-password}"] = answers["<password>"]
    env = filled_in(server, answers)
    assert (env["ENABLE_EXECUTE_QUERY"], env["MAX_ROWS"]) == ("true", "500")
    assert Path(server["command"]).is_absolute()
    parameters = StdioServerParameters(
        command=server["command"], args=server["args"], env=server_environment(env), cwd=tempfile.gettempdir()
    )
    async with Client(parameters) as session:
        tools = {tool.name for tool in (await session.list_tools()).tools}
        name = "execute_query" if settings.database else "execute_query_in_database"
        assert name in tools
        assert "start_query" not in tools
        arguments = {"query": "SELECT 1 AS one", **({} if settings.database else {"databaseName": database.name})}
        answer = await session.call_tool(name, arguments)
    assert not answer.is_error


@pytest.mark.parametrize("client", CLIENTS)
def test_no_secret_is_printed_anywhere(client: str) -> None:
    """Neither the password nor the tokens of a server that serves HTTP; and its settings stay where they are."""
    settings = {"DATABASE_URL": URL, "HTTP_BEARER_TOKEN": "bearer-of-mine", "HTTP_PORT": "9000", "TRANSPORT": "http"}
    code, out, err = run({**settings, "RATE_LIMIT_STORAGE_URI": "redis://:redis-word@h/0"}, "--client", client)
    assert code == 0
    for secret in (PASSWORD, "hush-hush", "bearer-of-mine", "redis-word", "9000", "TRANSPORT"):
        assert secret not in out + err
    assert "db.example.com/shop" in out


def test_vscode_asks_for_the_password() -> None:
    """An input of the kind that VS Code keeps for itself, named in the environment."""
    told = printed({"DATABASE_URL": URL}, "--client", "vscode")
    [asked] = told["inputs"]
    assert (asked["type"], asked["id"], asked["password"]) == ("promptString", "shop-password", True)
    assert "${input:shop-password}" in told["servers"]["shop"]["env"]["DATABASE_URL"]
    assert told["servers"]["shop"]["type"] == "stdio"


@pytest.mark.parametrize("dialect", ["sqlserver", "postgresql"])
def test_without_a_configuration_there_is_a_sample_to_fill_in(dialect: str) -> None:
    """The right variable, and every blank is named on stderr."""
    variable = {"sqlserver": "MSSQL_CONNECTIONSTRING", "postgresql": "DATABASE_URL"}[dialect]
    code, out, err = run({"ENABLE_START_QUERY": "1"}, "--client", "cursor", "--dialect", dialect, "--name", "crm")
    server = json.loads(out)["mcpServers"]["crm"]
    assert code == 0
    assert set(server["env"]) == {variable, "ENABLE_START_QUERY"}
    for blank in ("<host>", "<database>", "<user>", "<password>"):
        assert blank in server["env"][variable]
        assert blank in err
    assert printed({}, "--client", "vscode", "--dialect", dialect)["inputs"][0]["id"] == "database-connection"


def test_without_a_configuration_it_says_which_database_the_sample_is_for() -> None:
    """And how to get the other's."""
    _, _, err = run({}, "--client", "cursor")
    assert "this is the form for SQL Server. For PostgreSQL: --dialect postgresql" in err


def test_another_dialect_than_the_configured_one_is_a_sample() -> None:
    """Nothing of the configured database is in it."""
    told = printed({"DATABASE_URL": URL}, "--client", "claude-desktop", "--dialect", "sqlserver")
    assert "db.example.com" not in json.dumps(told)
    assert "MSSQL_CONNECTIONSTRING" in told["mcpServers"]["database"]["env"]


def test_the_settings_of_a_dotenv_file_are_carried_over(tmp_path: Path) -> None:
    """A client starts the server elsewhere, where that file is not."""
    (tmp_path / ".env").write_text(f"DATABASE_URL='{URL}'\nENABLE_WRITE_QUERIES=true\n")
    code, out, _ = run({}, "--client", "claude-desktop", cwd=str(tmp_path))
    assert code == 0
    env = json.loads(out)["mcpServers"]["shop"]["env"]
    assert env["ENABLE_WRITE_QUERIES"] == "true"
    assert env["DATABASE_URL"] == "postgresql://reader:<password>@db.example.com/shop"


def test_a_connection_that_cannot_be_read_is_said_and_a_sample_printed() -> None:
    """What else is configured is carried over."""
    code, out, err = run({"DATABASE_URL": "postgresql://u:hush-hush@h/d?sslmod=x", "MAX_ROWS": "7"}, "--client", "cursor")
    assert code == 0
    assert "sslmod" in err
    assert "hush-hush" not in out + err
    assert json.loads(out)["mcpServers"]["database"]["env"]["MAX_ROWS"] == "7"


@pytest.mark.parametrize("arguments", [("--client", "emacs"), (), ("--client", "cursor", "--name", "a b")])
def test_arguments_that_cannot_be_meant_end_with_2(arguments: tuple[str, ...]) -> None:
    """With nothing on stdout."""
    code, out, _ = run({}, *arguments)
    assert (code, out) == (2, "")


def test_a_setting_that_cannot_be_meant_ends_with_2() -> None:
    """A value that the server would refuse is not handed on."""
    code, out, err = run({"MAX_ROWS": "many"}, "--client", "cursor")
    assert (code, out) == (2, "")
    assert "MAX_ROWS" in err


def test_the_command_for_claude_code_is_one_that_a_shell_reads_back() -> None:
    """``claude mcp add-json``, with the JSON as one word."""
    code, out, err = run({"DATABASE_URL": URL}, "--client", "claude-code")
    assert code == 0
    if os.name != "posix":
        pytest.skip("another shell")
    words = shlex.split(err.strip().splitlines()[-1])
    assert words[:6] == ["claude", "mcp", "add-json", "--scope", "user", "shop"]
    assert json.loads(words[6]) == json.loads(out)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("system", System)
def test_every_client_has_its_file_on_every_system(client: str, system: System) -> None:
    """And Windows' paths are Windows'."""
    where = _advice(client, Entry("shop", "python", (), {}), system)[0]
    assert ".json" in where
    if client != "claude-code":
        assert ("\\" in where) is (system is System.WINDOWS)


def test_the_demo_has_an_entry_without_settings() -> None:
    """It needs none."""
    server = printed({}, "--client", "claude-desktop", "--demo")["mcpServers"]["shop-demo"]
    assert server["args"][-1] == "--demo"
    assert server["env"] == {}
