"""The page on settings."""

from __future__ import annotations

from .tables import settings_by_section
from .tool_pages import MADE

HEAD = """\
# Settings

They are read from the environment, or from a `.env` file in the folder where the server is started (`.env.example` in the project has
them all); the command line goes before both (`--transport`, `--host`, `--port`, `--demo`). An empty value counts as not set.

- A value that cannot be meant is an error that names the setting (`treu` is not `false`), and the server ends with exit code 2.
- A setting of ours that is misspelt is named in a warning, with the nearest right name.
- The names of the .NET server for the same purpose (`DatabaseConfiguration__ConnectionString` and its kin) are read as well.
- Secrets never stand in a log, an error or the output of `check` and `config`.
- Where a limit would contradict another (a command's timeout above that of the whole call), a default gives way; a value that
  you set yourself is an error.
"""


def page() -> str:
    """``docs/settings.md``."""
    return MADE + HEAD + settings_by_section() + "\n"
