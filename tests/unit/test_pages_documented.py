"""The pages that are made from the code, and from answers of the demo, are those of today; every link leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mssqlclient_mcp.errors import ErrorCode
from mssqlclient_mcp.tools.table import TOOLS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
AGAIN = "run: python docs/generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generated_page_is_up_to_date(generate: ModuleType) -> None:
    """Tools, contracts, settings, clients, errors and the navigation say what the code says."""
    stale = [path for path, text in generate.files().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], AGAIN


def test_the_files_for_language_models_are_up_to_date(generate: ModuleType) -> None:
    """llms.txt leads to every page of the navigation, llms-full.txt holds each one whole."""
    made = generate.summaries()
    stale = [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], AGAIN
    whole = made[DOCS / "llms-full.txt"]
    assert all(f"<!-- tools/{tool.name}.md -->" in whole for tool in TOOLS)
    assert "--8<--" not in whole


def test_no_page_or_contract_is_left_of_a_tool_that_is_no_more(generate: ModuleType) -> None:
    """What lies in the generated folders is what is generated."""
    made = set(generate.files())
    assert [path for folder in ("tools", "contracts") for path in (DOCS / folder).iterdir() if path not in made] == []


def test_the_answers_shown_are_those_of_today(generate: ModuleType) -> None:
    """Each call of the documents, made again on a fresh copy of the demo's shop, is answered as the pages show."""
    if sys.platform != "linux":
        pytest.skip("the answers were recorded on Linux; sizes and collations differ elsewhere")
    recorded, kept = generate.recording.record(), generate.recording.kept()
    different = [one["tool"] for one, other in zip(recorded, kept, strict=True) if one != other]
    assert different == [], AGAIN


def test_every_error_code_has_its_causes_and_its_section(generate: ModuleType) -> None:
    """A new code needs words on what is behind it."""
    from _generate.causes import CAUSES

    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    assert set(CAUSES) == set(ErrorCode)
    assert all(CAUSES.values())
    assert all(f"\n## {code.value}\n" in page for code in ErrorCode)


def test_contracts_are_json_schemas_of_what_tools_take_and_answer() -> None:
    """Each file can be read, names its tool and holds both schemas."""
    for tool in TOOLS:
        contract = json.loads((DOCS / "contracts" / f"{tool.name}.json").read_text(encoding="utf-8"))
        assert contract["name"] == tool.name
        assert contract["outputSchema"]["type"] == "object"
        takes = contract.get("inputSchema") or contract["inputSchemaInServerMode"]
        assert takes["type"] == "object"


def test_no_link_between_documents_is_dead() -> None:
    """Files that pages link to are there, README's included."""
    dead = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            if not (page.parent / link).exists():
                dead.append(f"{page.name}: {link}")
    assert dead == []


def test_the_documents_build_without_a_warning(tmp_path: Path) -> None:
    """mkdocs in strict mode: links, anchors and the navigation are right, and files for language models are on the site."""
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    for name in ("index.html", "tools/execute_query.html", "contracts/execute_query.json", "llms.txt", "llms-full.txt"):
        assert (tmp_path / "site" / name).is_file()
    assert not (tmp_path / "site" / "generate.py").exists()
