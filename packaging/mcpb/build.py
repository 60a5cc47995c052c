"""Put an MCP bundle (.mcpb) together: the manifest, the package, and what ``uv`` needs to install it.

    python packaging/mcpb/build.py [FOLDER]      (default: dist)

A bundle is a zip file. Where the ``mcpb`` tool is at hand, ``mcpb validate`` and ``mcpb pack`` take the same folder that
``collect`` makes; tests compare.
"""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = Path(__file__).with_name("manifest.json")
PARTS = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "mssqlclient_mcp")
_FIXED_DATE = (2026, 1, 1, 0, 0, 0)  # the same content makes the same file


def collect(folder: Path) -> Path:
    """Copy what belongs into the bundle to ``folder``, which must not exist yet, and return it."""
    folder.mkdir(parents=True)
    shutil.copy2(MANIFEST, folder / "manifest.json")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy2(ROOT / part, folder / part)
    return folder


def pack(folder: Path, bundle: Path) -> Path:
    """Zip what ``collect`` made into ``bundle``."""
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _FIXED_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return bundle


def main(arguments: list[str]) -> int:
    """Build the bundle into the folder given and print its path."""
    target = Path(arguments[0] if arguments else ROOT / "dist").resolve()
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    work = target / "mcpb"
    shutil.rmtree(work, ignore_errors=True)
    bundle = pack(collect(work), target / f"{manifest['name']}-{manifest['version']}.mcpb")
    shutil.rmtree(work)
    print(bundle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
