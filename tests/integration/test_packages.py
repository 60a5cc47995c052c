"""The packages as they are shipped: what is in them, and that an MCP bundle is one. ``.ci/run`` installs the wheel that the
source distribution makes in a clean environment of each Python, and runs its command."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path
from types import ModuleType

import pytest

from mssqlclient_mcp import __version__
from tests.databases import ROOT
from tests.nodes import node_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SDIST_HAS = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "server.json", "mkdocs.yml", "Dockerfile",
             "requirements-dev.txt", "tests/conftest.py", "tests/data", "docs/generate.py", "scripts/venv.sh",
             "packaging/mcpb/manifest.json", "mssqlclient_mcp/demo/shop.sql")  # fmt: skip


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """A command's output; its exit code is 0."""
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder for what is made here."""
    with tempfile.TemporaryDirectory(prefix="mcp-packages-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def packages(place: Path) -> tuple[Path, Path]:
    """(source distribution, the wheel that is built from it)."""
    run(sys.executable, "-m", "build", "--outdir", place / "dist", ROOT)
    (sdist,) = (place / "dist").glob("*.tar.gz")
    (wheel,) = (place / "dist").glob("*.whl")
    return sdist, wheel


def test_the_source_distribution_has_what_builds_and_tests_the_package(packages: tuple[Path, Path]) -> None:
    """Who packages this for a system can run the tests; nothing of a developer's machine is in it."""
    with tarfile.open(packages[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert [name for name in SDIST_HAS if name not in names] == []
    assert [name for name in names if "__pycache__" in name or name.startswith((".venv", "site/")) or name == ".env"] == []


def test_the_wheel_has_the_package_and_nothing_else(packages: tuple[Path, Path]) -> None:
    """Every module, the marker of types, the sample's SQL, and one command."""
    with zipfile.ZipFile(packages[1]) as archive:
        names = archive.namelist()
        commands = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
        metadata = message_from_string(archive.read(next(name for name in names if name.endswith("METADATA"))).decode())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"mssqlclient_mcp", f"mssqlclient_mcp-{__version__}.dist-info"}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "mssqlclient_mcp").rglob("*.py")}
    assert modules | {"mssqlclient_mcp/py.typed", "mssqlclient_mcp/demo/shop.sql"} <= set(names)
    assert commands.split() == ["[console_scripts]", "mssqlclient-mcp", "=", "mssqlclient_mcp.cli:main"]
    assert metadata["Version"] == __version__
    assert "<!-- mcp-name: " in str(metadata.get_payload())


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """packaging/mcpb/build.py as a module."""
    spec = importlib.util.spec_from_file_location("mcpb_build", ROOT / "packaging" / "mcpb" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_bundle_holds_what_its_command_installs(builder: ModuleType, place: Path) -> None:
    """The manifest at the top, the package with its entry point, and what pyproject.toml refers to; always the same bytes."""
    folder = builder.collect(place / "bundle")
    first = builder.pack(folder, place / "one.mcpb")
    assert first.read_bytes() == builder.pack(folder, place / "two.mcpb").read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert {"pyproject.toml", "README.md", "LICENSE", manifest["server"]["entry_point"]} <= names
    assert [name for name in names if "__pycache__" in name] == []


def test_the_bundle_tool_accepts_the_bundle(builder: ModuleType, place: Path) -> None:
    """mcpb, the tool of the format, validates the manifest, packs the folder and reads our file."""
    node, folder = node_folder("@anthropic-ai/mcpb")
    mcpb = folder / "node_modules" / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js"
    content = builder.collect(place / "for-the-tool")
    assert "passes" in run(node, mcpb, "validate", content / "manifest.json")
    run(node, mcpb, "pack", content, place / "theirs.mcpb")
    ours = builder.pack(content, place / "ours.mcpb")
    run(node, mcpb, "unpack", ours, place / "unpacked")
    with zipfile.ZipFile(ours) as one, zipfile.ZipFile(place / "theirs.mcpb") as other:
        assert set(one.namelist()) == set(other.namelist())
