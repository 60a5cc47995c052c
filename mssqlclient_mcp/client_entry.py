"""``mssqlclient-mcp config``: the entry by which a client starts this server, ready to paste.

On stdout stands the JSON and nothing else; where it belongs, and what is left to fill in, goes to stderr. What is configured
in the environment is carried over, secrets never: placeholders like ``<password>`` stand for them, in VS Code inputs.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .config import SETTINGS, Config, load_config
from .connection_settings import ConnectionSettings
from .connection_text import connection_text
from .errors import ConfigInvalid
from .formatters.errors import NEXT_STEP
from .platforms import System, for_system, this_system
from .settings import Kind

VARIABLES = {"sqlserver": "MSSQL_CONNECTIONSTRING", "postgresql": "DATABASE_URL"}
SAMPLES = {
    "sqlserver": "Server=<host>,1433;Database=<database>;User Id=<user>;Password='<password>';Encrypt=True",
    "postgresql": "postgresql://<user>:<password>@<host>:5432/<database>",
}
NOTHING = "No database is configured"  # how the error begins that is none here
OF_SERVING = ("TRANSPORT", "HTTP_", "OAUTH_", "HEALTH_", "RATE_LIMIT_")
"""Settings of a server that runs by itself: the one that a client starts speaks stdio."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_MACOS, _WINDOWS, _LINUX = System.MACOS, System.WINDOWS, System.LINUX


@dataclass(frozen=True)
class Entry:
    """How a client starts the server. ``inputs`` are what it asks the person for: (id, description)."""

    name: str
    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    inputs: tuple[tuple[str, str], ...] = ()

    @property
    def server(self) -> dict[str, object]:
        """Command, arguments and environment."""
        return {"command": self.command, "args": list(self.args), "env": dict(self.env)}


def _mcp_servers(entry: Entry) -> dict[str, object]:
    return {"mcpServers": {entry.name: entry.server}}


def _typed_mcp_servers(entry: Entry) -> dict[str, object]:
    return {"mcpServers": {entry.name: {"type": "stdio", **entry.server}}}


def _alone(entry: Entry) -> dict[str, object]:
    return {"type": "stdio", **entry.server}


def _servers_and_inputs(entry: Entry) -> dict[str, object]:
    inputs = [{"type": "promptString", "id": name, "description": told, "password": True} for name, told in entry.inputs]
    return {"inputs": inputs, "servers": {entry.name: {"type": "stdio", **entry.server}}}


@dataclass(frozen=True)
class Client:
    """A client: the shape of its entry, the file that holds it on each system, and what to do there."""

    title: str
    shape: Callable[[Entry], dict[str, object]]
    files: str | Mapping[System, str]
    advice: str
    asks: bool = False  # whether it asks for secrets itself


CLIENTS = {
    "claude-desktop": Client(
        "Claude Desktop",
        _mcp_servers,
        {
            _MACOS: "~/Library/Application Support/Claude/claude_desktop_config.json",
            _WINDOWS: r"%APPDATA%\Claude\claude_desktop_config.json",
            _LINUX: "~/.config/Claude/claude_desktop_config.json",
        },
        "Settings, Developer, Edit Config opens it. Quit Claude Desktop and start it again.",
    ),
    "claude-code": Client(
        "Claude Code",
        _alone,
        '~/.claude.json, which the command writes; or .mcp.json in a project, inside {"mcpServers": {"NAME": ...}}',
        "Add it with the command below; `claude mcp list` shows whether it starts.",
    ),
    "vscode": Client(
        "Visual Studio Code",
        _servers_and_inputs,
        {
            _MACOS: "~/Library/Application Support/Code/User/mcp.json, or .vscode/mcp.json in a workspace",
            _WINDOWS: r"%APPDATA%\Code\User\mcp.json, or .vscode\mcp.json in a workspace",
            _LINUX: "~/.config/Code/User/mcp.json, or .vscode/mcp.json in a workspace",
        },
        "The command `MCP: Open User Configuration` opens it; VS Code asks for the secret once and keeps it.",
        asks=True,
    ),
    "cursor": Client(
        "Cursor",
        _typed_mcp_servers,
        {_WINDOWS: r"%USERPROFILE%\.cursor\mcp.json, or .cursor\mcp.json in a project",
         _LINUX: "~/.cursor/mcp.json, or .cursor/mcp.json in a project"},
        "Then switch it on under Customize, MCPs.",
    ),
}  # fmt: skip
"""Sources: the clients' own pages on MCP servers (modelcontextprotocol.io, code.claude.com, code.visualstudio.com,
cursor.com)."""


def main(arguments: Sequence[str]) -> int:
    """Print the entry; 0 well, 2 when the configuration or an argument cannot be used."""
    options = _parser().parse_args(arguments)
    client = CLIENTS[options.client]
    try:
        entry = _entry(options.name, options.dialect, demo=options.demo, asks=client.asks)
    except ConfigInvalid as error:
        sys.stderr.write(f"{error.message}\n{error.next_step or NEXT_STEP[error.code]}\n")
        return 2
    sys.stdout.write(json.dumps(client.shape(entry), indent=2) + "\n")
    sys.stdout.flush()
    sys.stderr.write("\n".join(_advice(options.client, entry, this_system())) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mssqlclient-mcp config",
        description="Print the entry for a client's configuration: JSON on stdout, where it belongs on stderr. What the "
        "environment (or .env) configures is carried over, without secrets.",
    )
    parser.add_argument("--client", required=True, choices=tuple(CLIENTS))
    parser.add_argument("--name", type=_name, help="what the client calls the server (default: the database's name)")
    parser.add_argument("--dialect", choices=tuple(VARIABLES), help="default: what is configured, else sqlserver")
    parser.add_argument("--demo", action="store_true", help="serve the sample database")
    return parser


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("letters, digits, - and _, 64 at most")
    return text


def server_command() -> tuple[str, tuple[str, ...]]:
    """The absolute path of the program and its first arguments, as this Python would start it."""
    script = Path(sys.executable).with_name("mssqlclient-mcp.exe" if sys.platform == "win32" else "mssqlclient-mcp")
    return (str(script), ()) if script.exists() else (sys.executable, ("-m", "mssqlclient_mcp"))


def _entry(name: str | None, dialect: str | None, *, demo: bool, asks: bool) -> Entry:
    command, args = server_command()
    if demo:
        return Entry(name or "shop-demo", command, (*args, "--demo"), {})
    config, configured = _config(dialect)
    settings = config.connection
    name = name or (_fitting(settings.database) if configured else None) or "database"
    inputs: list[tuple[str, str]] = []

    def hide(what: str, _: str) -> str:
        if not asks:
            return f"<{what}>"
        encoded = " (percent-encoded)" if settings.dialect == "postgresql" else ""
        inputs.append((f"{name}-{what}", f"{what} of {settings.user or name}{encoded}"))
        return f"${{input:{name}-{what}}}"

    variable = VARIABLES[settings.dialect]
    if configured:
        text = connection_text(_written(config), hide)
    elif asks:
        text = f"${{input:{name}-connection}}"
        inputs.append((f"{name}-connection", f"{variable}, for example {SAMPLES[settings.dialect]}"))
    else:
        text = SAMPLES[settings.dialect]
    return Entry(name, command, args, {variable: text, **_carried(config)}, tuple(dict.fromkeys(inputs)))


def _config(dialect: str | None) -> tuple[Config, bool]:
    """What the environment configures, and whether that includes a database of the dialect that is wanted. Raises ConfigInvalid
    for other settings that cannot be used."""
    try:
        config = load_config()
    except ConfigInvalid as error:
        wanted = dialect or "sqlserver"
        found = load_config(overrides={VARIABLES[wanted]: SAMPLES[wanted]})
        if not error.message.startswith(NOTHING):
            sys.stderr.write(f"The connection is not carried over: {error.message}\n")
        elif dialect is None:
            sys.stderr.write(f"{NOTHING} here: this is the form for SQL Server. For PostgreSQL: --dialect postgresql\n")
        return found, False
    else:
        if dialect in (None, config.connection.dialect):
            return config, True
        wanted = dialect
    return load_config(overrides={VARIABLES[wanted]: SAMPLES[wanted]}), False


def _fitting(database: str | None) -> str | None:
    return database if database and _NAME.fullmatch(database) else None


def _written(config: Config) -> ConnectionSettings:
    """The connection as it was written: without the timeout that the setting gave it."""
    settings = config.connection
    same = settings.connect_timeout == config.connection_timeout_seconds
    return replace(settings, connect_timeout=None) if same else settings


def _carried(config: Config) -> dict[str, str]:
    """The settings that are not at their defaults, but for secrets, the connection and what a server by itself needs."""
    found = {}
    for setting in SETTINGS:
        value = getattr(config, setting.attribute)
        changed = value != getattr(Config, setting.attribute, None)
        if changed and setting.kind is not Kind.SECRET and not setting.name.startswith(OF_SERVING):
            found[setting.name] = _text(value)
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):
        return str(value.absolute())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _advice(client_name: str, entry: Entry, system: System) -> list[str]:
    client = CLIENTS[client_name]
    where = for_system(client.files, system)
    home = str(Path.home())
    lines = [
        f"{client.title}, on {system.value}: {where.replace('~', home, 1) if where.startswith('~') else where}",
        client.advice,
    ]
    left = sorted(set(re.findall(r"<[a-z_ ]+>", " ".join(entry.env.values()))))
    if left:
        lines.append(f"To fill in: {', '.join(left)}" + _encoding_note(entry))
    if client_name == "claude-code":
        lines.append(claude_command(entry, system))
    return lines


def _encoding_note(entry: Entry) -> str:
    return " (in a URL the characters @ : / ? # % are percent-encoded)" if "DATABASE_URL" in entry.env else ""


def claude_command(entry: Entry, system: System) -> str:
    """What to type so that Claude Code takes the entry."""
    compact = json.dumps(_alone(entry), separators=(",", ":"))
    words = ["claude", "mcp", "add-json", "--scope", "user", entry.name, compact]
    return subprocess.list2cmdline(words) if system is System.WINDOWS else shlex.join(words)
