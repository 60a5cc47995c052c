"""README shows exactly the tools there are, and what it says about the project's files is true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from mssqlclient_mcp.server import TOOLS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
AGAIN = "run: python docs/generate.py"


def test_the_readme_shows_every_tool_as_it_is() -> None:
    """Names, purpose and gate come from the TOOLS table."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    up_to_date = generate.with_tables(README) == README
    assert up_to_date, AGAIN
    assert all(f"| [`{tool.name}`](docs/tools/{tool.name}.md)" in README for tool in TOOLS)


def test_every_file_that_the_readme_links_to_is_there() -> None:
    """No dead link inside the project."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_runtime_requirements_are_those_of_the_package() -> None:
    """requirements.txt and pyproject.toml say the same."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert declared is not None
    assert listed == re.findall(r'"([^"]+)"', declared[1])
