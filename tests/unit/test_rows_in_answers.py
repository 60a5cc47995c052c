"""How many rows an answer has, for the log and the metrics."""

from __future__ import annotations

import pytest

from mssqlclient_mcp.tools.dispatch import rows_in


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ({"rows": [[1], [2]], "rowCount": 2}, 2),
        ({"rows": [], "rowCount": 0, "rowsAffected": 5}, 0),
        ({"rows": [[1]], "rowCount": 1, "moreResultSets": [{"rows": [[1], [2]], "rowCount": 2}]}, 3),
        ({"procedure": "p", "resultSets": [{"rows": [[1]], "rowCount": 1}, {"rows": [[1]], "rowCount": 1}]}, 2),
        ({"procedure": "p", "outputs": []}, None),
        ({"sessionId": "x", "rowCount": 70000, "resultSets": [{"columns": [], "rows": 70000}]}, None),  # not in the answer
        ({"tables": [{"rows": 5}]}, None),
        ({}, None),
    ],
)
def test_rows_are_those_in_the_answer_over_all_result_sets(content: dict[str, object], rows: int | None) -> None:
    """A session's count so far, and a catalogue's count of a table, are no rows of the answer."""
    assert rows_in(content) == rows
