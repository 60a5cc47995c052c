"""What a start imports: over stdio nothing of HTTP beyond what the SDK brings, over HTTP nothing of OAuth unless it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.databases import ROOT, server_environment

OURS = "mssqlclient_mcp.http"


def loaded(code: str) -> set[str]:
    """The modules that are there after a piece of code."""
    program = f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=server_environment({}), timeout=60
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("package", [OURS, "jwt", "limits", "prometheus_client", "opentelemetry.sdk"])
def test_a_server_over_stdio_imports_nothing_of_http(package: str) -> None:
    """A start over stdio stays as quick as it was."""
    modules = loaded("import mssqlclient_mcp.cli, mssqlclient_mcp.server, mssqlclient_mcp.database_service")
    assert not {name for name in modules if name == package or name.startswith(package + ".")}


def test_a_server_over_http_without_oauth_imports_no_jwt() -> None:
    """Named tokens need none of it."""
    modules = loaded("import mssqlclient_mcp.http.serving")
    assert f"{OURS}.serving" in modules
    assert "jwt" not in modules
