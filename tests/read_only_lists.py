"""The lists of statements for the read-only gate, from ``tests/data/security``.

Each entry has a ``name`` (its family) and the ``sql``; ``*_more.json`` are this project's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data" / "security"
DIALECTS = {"tsql": "sqlserver", "postgresql": "postgresql"}
ONLY_THE_PARSER = "structure"  # the family that the rules leave to the second parser


class Case(NamedTuple):
    """One statement of a list."""

    dialect: str
    family: str
    sql: str
    id: str


def cases(kind: str, dialect: str | None = None) -> list[Case]:
    """Every statement of the ``allow`` or ``refuse`` lists, of one dialect or of both."""
    found: list[Case] = []
    for short, name in DIALECTS.items():
        if dialect not in (None, name):
            continue
        for path in sorted(DATA.glob(f"{kind}_{short}*.json")):
            for number, entry in enumerate(json.loads(path.read_text("utf-8"))):
                found.append(Case(name, entry["name"], entry["sql"], f"{path.stem}-{number}-{entry['name']}"))
    return found
