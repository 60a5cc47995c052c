"""``python -m benchmarks [NAME ...] [--json FILE]``: run all benchmarks, or the named ones; fails when a target is missed.

A benchmark is a module with ``measure(place)``, which yields its figures as it finds them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from .figures import Figure, as_table
from .places import Place, places

NAMES = ("start", "call", "length", "load", "sessions", "metadata")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write."""
    options = _parser().parse_args(arguments)
    found: list[tuple[Place, list[Figure]]] = []
    with places() as all_places:
        for place in all_places:
            found.append((place, []))
            for name in options.names or NAMES:
                found[-1][1].extend(_measured(name, place))
    _print(found)
    if options.json:
        options.json.write_text(json.dumps(_document(found), indent=1) + "\n", encoding="utf-8")
    return int(not all(figure.met for _, figures in found for figure in figures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Each figure beside its floor, taken in turns.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    return parser


def _measured(name: str, place: Place) -> list[Figure]:
    figures = []
    print(f"== {name}, {place.label}", flush=True)
    for figure in importlib.import_module(f"benchmarks.{name}").measure(place):
        print(as_table([figure]).splitlines()[1], flush=True)
        figures.append(figure)
    return figures


def _print(found: Sequence[tuple[Place, Sequence[Figure]]]) -> None:
    for place, figures in found:
        print(f"\n{place.label}\n{as_table(figures)}")
    missed = [figure.name for _, figures in found for figure in figures if not figure.met]
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall targets met")


def _document(found: Sequence[tuple[Place, Sequence[Figure]]]) -> dict[str, object]:
    """What is written as JSON."""
    return {
        "taken": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "machine": {"processors": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "places": [{"database": place.label, "figures": [one.as_json() for one in figures]} for place, figures in found],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
