"""docs/features.md shows exactly the features there are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_feature_list_is_up_to_date() -> None:
    """What the document says is what the tables say today (run: python docs/generate.py)."""
    spec = importlib.util.spec_from_file_location("feature_list", ROOT / "docs" / "feature_list.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "features.md").read_text(encoding="utf-8") == module.features_markdown()
    assert "docs/features.md" in (ROOT / "README.md").read_text(encoding="utf-8")
