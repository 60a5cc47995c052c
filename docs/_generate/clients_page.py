"""The entries of the page on clients, as ``mssqlclient-mcp config`` prints them, with a path that stands for any."""

from __future__ import annotations

import json

from mssqlclient_mcp.client_entry import CLIENTS, Entry
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


def page() -> str:
    """``docs/clients.md``."""
    parts = [MADE + HEAD.format(names="|".join(CLIENTS))]
    for name, client in CLIENTS.items():
        env = {"DATABASE_URL": "postgresql://<user>:<password>@<host>:5432/<database>", "ENABLE_EXECUTE_QUERY": "true"}
        inputs: tuple[tuple[str, str], ...] = ()
        if client.asks:
            env["DATABASE_URL"] = "${input:shop-connection}"
            inputs = (("shop-connection", "DATABASE_URL, for example postgresql://<user>:<password>@<host>:5432/<database>"),)
        entry = json.dumps(client.shape(Entry("shop", COMMAND, (), env, inputs)), indent=2)
        places = [(system.value, f"`{for_system(client.files, system)}`") for system in System]
        parts += [
            f"## {client.title}\n",
            f"`mssqlclient-mcp config --client {name}`. {client.advice}\n",
            f"```json\n{entry}\n```\n",
            markdown_table(("System", "Where it belongs"), ((system, escaped(place)) for system, place in places)) + "\n",
        ]
    return "\n".join([*parts, TAIL])
