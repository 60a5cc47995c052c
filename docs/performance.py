"""Write ``docs/performance.md`` and its plot from ``docs/performance.json``.

That file is measured by ``make bench ARGS="--json docs/performance.json"``. Run this from the project's root:
``python docs/performance.py``. The plot needs matplotlib (extra ``bench``).
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
MEASURED = DOCS / "performance.json"
PAGE = DOCS / "performance.md"
PLOT = DOCS / "performance.svg"

HEAD = """\
# Performance

Every figure stands beside its floor, taken in turns with it in the same run: the bare MCP SDK's server, and the bare
driver (psycopg, pyodbc) sending the same statements. Ratios travel from machine to machine; milliseconds do not.
Repeat it with `make bench` (add `ARGS="--json docs/performance.json"`, then `python docs/performance.py`, to write
this page anew; `make bench ARGS=call` runs one part). The databases are an embedded PostgreSQL, or what
`TEST_DATABASE_URL` names, and the SQL Server of `TEST_MSSQL_CONNECTIONSTRING`.
"""

READING = """\
## How to read it

- *Start* and *memory* compare new processes, each from its start to the answer of `initialize`.
- *Over stdio* runs from the request to the last byte of its answer, with gate, transaction, limits, log and all
  layers on. The floor is a call of an SDK server that has the same answer ready-made, plus the same statement by the
  driver.
- *Sessions* count rows a second from the start of a session to its end, connecting included. A session keeps its
  rows, so the floor that is like it is a driver that keeps them, too; the driver that throws them away stands below
  it without a target, for those who ask how far from the wire it is.
- *Metadata* is the service's answer, text and structured content included, in a database of 10,000 tables and 100,000
  columns; the floor is the driver sending the same one statement.
- *Status beside fetching sessions* runs in the server that reads ten results at once, on a machine whose database
  does the same.
"""

DONE = """\
## What keeps it fast

- Nothing is imported before it is needed; driver and parser are loaded once the tools were listed, while nobody
  waits. The garbage collector is off while modules load, and what they made is left out of later collections.
- Rows are rendered column by column: one look at the kind of a column, then loops of the interpreter's own. Text and
  structured content come of the same pass, and the SDK alone writes JSON.
- A call is one hop to a thread. Begin, limits and end of a read's transaction travel with its statement in one pipeline, so
  that a query takes two round trips (the second is `DISCARD ALL`), and a question to the catalogue one. Connections are
  kept; the gate's verdict on a text is remembered.
- A session's rows come in chunks of 96, and each chunk becomes one block of bytes that the collector never looks
  into. Sessions take turns at unpacking, since Python runs one thread at a time: ten of them cost a quick call
  milliseconds, not a tenth of a second.
- Metadata is one set-based statement a question; rows are never counted.

Tests count statements, round trips, thread hops, imported modules and function calls for each row, which do not
depend on the machine.

## Limits, honestly

- The first call that uses a text pays for its verdict: a quarter of a millisecond for a short query, more for a long
  one (the parser reads about 250 characters in a millisecond). The figures above are of texts that came before.
- A list of two hundred short lines costs about four microseconds a line on top of the driver, for text and JSON; a table's
  line of list_tables, which becomes a model first, twice that.
- PostgreSQL's timestamps are passed on as the server wrote them, so that infinity and years before Christ survive; to
  make them ISO 8601 costs a fifth of a microsecond a value, which a driver that makes datetimes in C does not pay.
- The reset of a connection that ran a query is a round trip more than a bare statement needs; on SQL Server it is begin and
  end of the transaction, two.
- Python runs one thread at a time: many clients share one processor for all but the waiting. What waits for the
  database does not add up.
- Four figures of PostgreSQL move from run to run on a machine with other work, and the table shows a quiet run, taken at
  a raised priority: the p99 of SELECT 1 (1.2 to 6.5 times its p50, when the bare SDK's own moved between 1.2 and 7.8), 1,000
  rows over stdio (1.8 to 2.1 times the floor), 50,000 rows through a session (85 to 93 % of the driver), and five HTTP
  clients (4.4 to 5.1 times one).
"""


def page(measured: dict[str, Any]) -> str:
    """The whole page."""
    machine = measured["machine"]
    parts = [
        HEAD,
        f"Measured {measured['taken'][:10]} on {machine['processors']} processors shared with other work, {machine['system']}, "
        f"Python {machine['python']}. Medians, unless a line says otherwise.\n",
        *(_place(place) for place in measured["places"]),
        READING,
        *(_growth(place) for place in measured["places"] if place["growth"]),
        "![Ratios to the floors, and growth](performance.svg)\n",
        *(_profiles(place) for place in measured["places"] if place["profiles"]),
        DONE,
    ]
    return "\n".join(parts)


def _place(place: dict[str, Any]) -> str:
    rows = ["| Measure | Ours | Floor | Ratio | Target | |", "|---|--:|--:|--:|--:|---|", *map(_figure, place["figures"])]
    return f"## {place['database']}\n\n" + "\n".join(rows) + "\n"


def _figure(one: dict[str, Any]) -> str:
    floor = "" if one["floor"] is None else f"{_number(one['floor'])} {one['unit']}".strip() + f"<br>{one['floor_is']}"
    ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}x"
    name = one["name"] if not one["name"].startswith(" ") else f"&nbsp;&nbsp;{one['name'].strip()}"
    ours = f"{_number(one['ours'])} {one['unit']}".strip()
    verdict = "" if not one["target"] else "met" if one["met"] else "**missed**"
    return f"| {name} | {ours} | {floor} | {ratio} | {one['target'].strip()} | {verdict} |"


def _growth(place: dict[str, Any]) -> str:
    rows = ["| | grows with | | each step of ten |", "|---|---|---|---|"]
    for one in place["growth"]:
        told = ", ".join(f"{number:,}: {_number(value)} {one['unit']}" for number, value in one["points"])
        steps = ", ".join(f"{step:.1f}x" for step in one["steps"])
        rows.append(f"| {one['name']} | {one['of']} | {told} | {steps}{'' if one['met'] else ' **faster than linear**'} |")
    return (
        f"## Growth, {place['database']}\n\nTen times as much may take ten times as long; less is better.\n\n"
        + "\n".join(rows)
        + "\n"
    )


def _profiles(place: dict[str, Any]) -> str:
    parts = [f"## Where the time goes, {place['database']}\n\nBy own time; a function's calls into C count as its own.\n"]
    for one in place["profiles"]:
        lines = "\n".join(f"{ms:8.2f} ms  {function}" for ms, function in one["lines"])
        parts.append(f"{one['name']}:\n\n```\n{lines}\n```\n")
    return "\n".join(parts)


def _number(number: float) -> str:
    """Three digits that count."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def plot(measured: dict[str, Any], path: Path) -> None:
    """Ratios as bars, growth as lines on two logarithmic scales."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "performance", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot

    place = measured["places"][0]
    bars = [
        one for one in place["figures"] if one["judged"] in ("ratio", "share") and not one["floor_is"].startswith("its p50")
    ]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5.5), layout="constrained")
    names, places = [one["name"].strip() for one in bars], range(len(bars))
    colours = ["tab:blue" if one["met"] else "tab:red" for one in bars]
    left.barh(names if len(set(names)) == len(names) else list(places), [one["ratio"] for one in bars], color=colours)
    left.set_yticks(list(places), names)
    left.plot([one["limit"] for one in bars], list(places), "k|", markersize=9, label="target")
    left.axvline(1, color="grey", linewidth=0.8)
    left.invert_yaxis()
    left.set_title("ours / floor")
    left.legend(loc="lower right")
    for one in place["growth"]:
        right.loglog(
            *zip(*one["points"], strict=True), marker="o", markersize=3, label=f"{one['name']} ({one['unit']}) by {one['of']}"
        )
    right.set_title("growth, in ms (memory: MB)")
    right.grid(visible=True, which="major", linewidth=0.3)
    right.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=2)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Rewrite the page, and the plot where it can be drawn."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    PAGE.write_text(page(measured), encoding="utf-8", newline="\n")
    if importlib.util.find_spec("matplotlib"):
        plot(measured, PLOT)
    else:
        print('no plot: pip install -e ".[bench]" brings matplotlib')


if __name__ == "__main__":
    main()
