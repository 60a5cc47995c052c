"""Node and its packages, where they are at hand: ``TEST_NODE_MODULES`` names a folder that ``npm install`` filled."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

VARIABLE = "TEST_NODE_MODULES"
WAIT_SECONDS = 90


def node_folder(package: str) -> tuple[str, Path]:
    """The node program and the folder in which ``package`` is installed; skips the test when either is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not at hand")
    folder = Path(os.environ.get(VARIABLE) or "node_modules").resolve()
    folder = folder.parent if folder.name == "node_modules" else folder
    if not (folder / "node_modules" / package).is_dir():
        pytest.skip(f"the npm package {package} is not at hand: install it and name its folder in {VARIABLE}")
    return node, folder
