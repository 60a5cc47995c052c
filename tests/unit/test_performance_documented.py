"""The page on performance says what was measured, and nothing else."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """``docs/performance.py``."""
    spec = importlib.util.spec_from_file_location("performance", DOCS / "performance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_measurement_says(writer: ModuleType) -> None:
    """Made by ``python docs/performance.py`` from the JSON beside it."""
    measured = json.loads((DOCS / "performance.json").read_text(encoding="utf-8"))
    assert (DOCS / "performance.md").read_text(encoding="utf-8") == writer.page(measured)


def test_a_missed_target_shows(writer: ModuleType) -> None:
    """What is not met stands there as such."""
    figure = {
        "name": "x",
        "ours": 2.0,
        "unit": "ms",
        "floor": 1.0,
        "floor_is": "the floor",
        "ratio": 2.0,
        "target": "<= 1.3x",
        "met": False,
    }
    assert "**missed**" in writer._figure(figure)
    assert "**missed**" not in writer._figure({**figure, "met": True})
    assert writer._figure({**figure, "met": True, "target": ""}).endswith("|  |  |")
