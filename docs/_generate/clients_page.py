"""The entries of the page on clients, as ``mssqlclient-mcp config`` prints them, with a path that stands for any."""

from __future__ import annotations

import json
import re

from mssqlclient_mcp.client_entry import CLIENTS, Client, Entry, claude_command
from mssqlclient_mcp.platforms import System, for_system

from .tables import escaped, markdown_table
from .tool_pages import MADE

COMMAND = "/path/to/.venv/bin/mssqlclient-mcp"
HEAD = """\
# Getting started by client

A client starts the server itself, so it needs an entry: the program's absolute path, and the settings. `mssqlclient-mcp config` prints it
for your installation, with what your environment (or `.env`) configures; passwords stay placeholders:

```bash
mssqlclient-mcp config --client {names}
```

On stdout is the JSON alone, on stderr where it belongs and what is left to fill in. `--demo` makes the entry that serves the
[demo](quickstart.md#before-your-own-database-the-demo), `--name` changes what the client calls the server. Your first question can then be
"Which tables are there?"
"""
TAIL = """\
## Any other client

It needs a command, arguments and an environment as above (stdio), or a URL such as `https://mcp.example.com/mcp` with a bearer token
([serving over HTTP](http.md)). The server speaks the protocol's versions up to 2026-07-28 and the older HTTP+SSE pair.

## Docker in place of an installation

```json
{
  "mcpServers": {
    "shop": {
      "command": "docker",
      "args": ["run", "--rm", "-i", "-e", "DATABASE_URL", "mssqlclient-mcp"],
      "env": { "DATABASE_URL": "postgresql://<user>:<password>@<host>:5432/<database>" }
    }
  }
}
```

See [Installing](installing.md#container) for the image; inside it, `localhost` is the container itself.
"""


def _where(client: Client) -> str:
    """The file that takes the entry, by system where it differs."""
    if isinstance(client.files, str):
        return f"Where it belongs: {_marked(client.files)}."
    named = {system.value: for_system(client.files, system) for system in (System.LINUX, System.MACOS, System.WINDOWS)}
    return markdown_table(("System", "Where it belongs"), ((name, escaped(_marked(place))) for name, place in named.items()))


def _marked(places: str) -> str:
    """Paths and JSON in a sentence, as code."""
    return re.sub(r"[~%.]\S*(?: Support\S*)?\.json|\{.*\}", lambda found: f"`{found[0]}`", places)


def page() -> str:
    """``docs/clients.md``."""
    parts = [MADE + HEAD.format(names="|".join(CLIENTS))]
    for name, client in CLIENTS.items():
        env = {"DATABASE_URL": "postgresql://<user>:<password>@<host>:5432/<database>", "ENABLE_EXECUTE_QUERY": "true"}
        inputs: tuple[tuple[str, str], ...] = ()
        if client.asks:
            env["DATABASE_URL"] = "${input:shop-connection}"
            inputs = (("shop-connection", "DATABASE_URL, for example postgresql://<user>:<password>@<host>:5432/<database>"),)
        entry = Entry("shop", COMMAND, (), env, inputs)
        parts += [
            f"## {client.title}\n",
            f"`mssqlclient-mcp config --client {name}`. {client.advice}\n",
            f"```json\n{json.dumps(client.shape(entry), indent=2)}\n```\n",
            *([f"```text\n{claude_command(entry, System.LINUX)}\n```\n"] if name == "claude-code" else []),
            _where(client) + "\n",
        ]
    return "\n".join([*parts, TAIL])
