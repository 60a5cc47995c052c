"""The CI workflow names the versions that are supported and the variables that tests read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.databases import POSTGRES_VARIABLE, SQLSERVER_VARIABLE
from tests.nodes import VARIABLE as NODE_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    """The jobs of the workflow."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    read: dict[str, Any] = workflow["jobs"]
    return read


def commands(job: dict[str, Any]) -> str:
    """All that a job runs."""
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)


def test_the_live_suite_runs_on_every_version_of_both_databases(jobs: dict[str, Any]) -> None:
    """SQL Server 2017 to 2025 and PostgreSQL 13 to 18, each on each Python."""
    sqlserver, postgresql = jobs["sqlserver"], jobs["postgresql"]
    assert sqlserver["strategy"]["matrix"] == {"sqlserver": ["2017", "2019", "2022", "2025"], "python": PYTHONS}
    assert postgresql["strategy"]["matrix"] == {"postgresql": [str(n) for n in range(13, 19)], "python": PYTHONS}
    assert "${{ matrix.sqlserver }}" in sqlserver["services"]["sqlserver"]["image"]
    assert "${{ matrix.postgresql }}" in postgresql["services"]["postgresql"]["image"]


def test_the_live_suite_is_told_of_its_database_by_the_variables_that_tests_read(jobs: dict[str, Any]) -> None:
    """A misspelt variable would skip the suite without a word; the password is the service's."""
    for job, variable, service, password in (
        ("sqlserver", SQLSERVER_VARIABLE, "sqlserver", "MSSQL_SA_PASSWORD"),
        ("postgresql", POSTGRES_VARIABLE, "postgresql", "POSTGRES_PASSWORD"),
    ):
        assert jobs[job]["services"][service]["env"][password] in jobs[job]["env"][variable]
        assert "python -m pytest" in commands(jobs[job])
    assert NODE_VARIABLE in str(jobs["tests"]["steps"])


def test_the_rest_of_the_suite_runs_on_three_systems(jobs: dict[str, Any]) -> None:
    """Linux, macOS and Windows on each Python."""
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == PYTHONS


def test_what_the_workflow_runs_is_there(jobs: dict[str, Any]) -> None:
    """Files, make targets, extras and markers that it names exist."""
    told = "\n".join(commands(job) for job in jobs.values())
    for path in re.findall(r"(?<![\w@/])((?:\.ci|packaging|scripts|tests)/[\w./-]+|requirements[\w-]*\.txt)", told):
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", told, re.MULTILINE):
        assert f"\n{target}:" in makefile
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r"\.\[(\w+)\]", told):
        assert f"\n{extra} = [" in project
    for marker in re.findall(r"pytest -m (\w+)", told):
        assert f'"{marker}:' in project


def test_every_job_ends_by_itself_and_may_only_read() -> None:
    """A limit of time for each job, and no rights to write for the token."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 30 for job in workflow["jobs"].values())


@pytest.mark.parametrize("name", ["bug", "refused_read", "idea"])
def test_issue_templates_are_forms_with_a_required_question(name: str) -> None:
    """They can be read as forms, and do not let an empty report through."""
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in asked}) == len(asked)
    assert any(part.get("validations", {}).get("required") for part in asked)
