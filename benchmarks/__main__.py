"""``python -m benchmarks [NAME ...] [--json FILE]``: run all benchmarks, or the named ones; fails when a target is missed.

A benchmark is a module with ``measure(place)``, which yields its figures, or how something grows, as it finds them.
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

from .figures import Figure, Growth, Profile, as_table
from .places import Place, places

NAMES = ("start", "call", "length", "load", "sessions", "metadata", "clients", "crowds", "growth", "profile")


Found = list["Figure | Growth | Profile"]


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write."""
    options = _parser().parse_args(arguments)
    found: list[tuple[Place, Found]] = []
    with places() as all_places:
        for place in all_places:
            found.append((place, []))
            for name in options.names or NAMES:
                found[-1][1].extend(_measured(name, place))
    _print(found)
    if options.json:
        options.json.write_text(json.dumps(_document(found), indent=1) + "\n", encoding="utf-8")
    return int(not all(one.met for _, ones in found for one in ones))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Each figure beside its floor, taken in turns.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    return parser


def _measured(name: str, place: Place) -> Found:
    found: Found = []
    print(f"== {name}, {place.label}", flush=True)
    for one in importlib.import_module(f"benchmarks.{name}").measure(place):
        print(as_table([one]).splitlines()[1] if isinstance(one, Figure) else one, flush=True)
        found.append(one)
    return found


def _print(found: Sequence[tuple[Place, Found]]) -> None:
    for place, ones in found:
        print(f"\n{place.label}\n{as_table(one for one in ones if isinstance(one, Figure))}")
        print(*(one for one in ones if isinstance(one, Growth)), sep="\n")
    missed = [one.name.strip() for _, ones in found for one in ones if not one.met]
    print(f"\nmissed: {'; '.join(missed)}" if missed else "\nall targets met")


def _document(found: Sequence[tuple[Place, Found]]) -> dict[str, object]:
    """What is written as JSON."""
    return {
        "taken": datetime.now(timezone.utc).isoformat(timespec="minutes"),
        "machine": {"processors": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "places": [
            {
                "database": place.label,
                "figures": [one.as_json() for one in ones if isinstance(one, Figure)],
                "growth": [one.as_json() for one in ones if isinstance(one, Growth)],
                "profiles": [one.as_json() for one in ones if isinstance(one, Profile)],
            }
            for place, ones in found
        ],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
