"""A PostgreSQL of the system's own, which knows TLS (the embedded one does not), for one test: started in a new folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import closed_port


def binaries() -> Path | None:
    """Where the system's newest server is; None when there is none."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    return packaged[-1].parent if packaged else None


def _user() -> str | None:
    """Who the server is to run as, when it cannot be who runs the tests: PostgreSQL refuses to run as root."""
    import pwd  # not on Windows

    if os.geteuid() != 0:
        return None
    if not any(entry.pw_name == "postgres" for entry in pwd.getpwall()):
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    return "postgres"


@contextmanager
def system_postgres(settings: Mapping[str, str], rules: Sequence[str], files: Sequence[Path]) -> Iterator[tuple[Path, int]]:
    """A server with ``settings`` and the lines of pg_hba.conf in ``rules``, and its TCP port; ``files`` are copied beside its
    data. The super user is ``postgres``, by its socket in the folder. Skips where no server is installed."""
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        pytest.skip("no PostgreSQL server of the system's own")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="mssqlclient_mcp-system-pg-"))
    data, port = folder / "data", closed_port()

    def run(program: str, *arguments: str) -> None:
        subprocess.run([str(folder_of_binaries / program), *arguments], check=True, capture_output=True, user=user, cwd=folder)

    if user:
        shutil.chown(folder, user)
    try:
        run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-N")
        for file in files:
            copied = Path(shutil.copy(file, data / file.name))
            copied.chmod(0o600)
            if user:
                shutil.chown(copied, user)
        (data / "pg_hba.conf").write_text("\n".join(["local all postgres trust", *rules, ""]))
        every = {"port": str(port), "unix_socket_directories": str(folder), "listen_addresses": "127.0.0.1", **settings}
        (data / "postgresql.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in every.items()))
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "start")
        try:
            yield folder, port
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
