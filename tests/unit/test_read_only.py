"""The gate's verdicts on the lists of statements: reads pass, everything else is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mssqlclient_mcp.read_only import judge

DATA = Path(__file__).parents[1] / "data" / "security"
DIALECTS = {"tsql": "sqlserver", "postgresql": "postgresql"}


def listed(kind: str) -> list[object]:
    """Every statement of the lists of a kind, named by its family."""
    cases: list[object] = []
    for short, dialect in DIALECTS.items():
        for path in sorted(DATA.glob(f"{kind}_{short}*.json")):
            for number, entry in enumerate(json.loads(path.read_text("utf-8"))):
                cases.append(pytest.param(dialect, entry["sql"], id=f"{path.stem}-{number}-{entry['name']}"))
    return cases


@pytest.mark.parametrize(("dialect", "sql"), listed("refuse"))
def test_every_listed_danger_is_refused_with_a_reason(dialect: str, sql: str) -> None:
    """No statement of the refuse lists passes, and the refusal says why and what to do."""
    verdict = judge(dialect, sql)
    assert not verdict.allowed
    assert verdict.reason


@pytest.mark.parametrize(("dialect", "sql"), listed("allow"))
def test_every_listed_read_is_allowed(dialect: str, sql: str) -> None:
    """A gate that refuses plain reads gets switched off: every statement of the allow lists passes."""
    verdict = judge(dialect, sql)
    assert verdict.allowed, verdict.reason
