"""How long an answer is: the text part of 200 rows against the same rows as CSV, which is about the least that can be read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from .figures import Figure
from .pipe import our_server
from .places import Place

ROWS = 200


def measure(place: Place) -> Iterator[Figure]:
    """Characters of both."""
    with our_server(place.environment) as server:
        server.initialize()
        result = server.result("execute_query", {"query": place.rows(ROWS), "maxRows": ROWS})
    text = result["content"][0]["text"]
    structured = result["structuredContent"]
    assert len(structured["rows"]) == ROWS
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(column["name"] for column in structured["columns"])
    writer.writerows(structured["rows"])
    plain = len(sheet.getvalue())
    yield Figure(
        f"text part of {ROWS} rows", float(len(text)), "characters", 1.3, floor=float(plain), floor_is="the same as CSV"
    )
    whole = len(json.dumps(structured, separators=(",", ":")))
    print(f"   (structured content of the same answer: {whole:,} characters)")
