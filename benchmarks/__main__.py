"""``python -m benchmarks [NAME ...]``: run all benchmarks, or the named ones; fails when one is outside its limit.

A benchmark is a module in this folder with ``main() -> int`` (0: within its limits) that prints its table.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def names() -> list[str]:
    """All benchmarks there are."""
    modules = (path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    return sorted(name for name in modules if hasattr(importlib.import_module(f"benchmarks.{name}"), "main"))


def main(wanted: list[str]) -> int:
    """Run benchmarks one after the other."""
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
        return 2
    failed = []
    for name in wanted or known:
        print(f"\n== {name}", flush=True)
        if importlib.import_module(f"benchmarks.{name}").main():
            failed.append(name)
    print(f"\noutside their limits: {', '.join(failed)}" if failed else "\nall within their limits")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
