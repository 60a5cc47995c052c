"""Columns of times made ISO 8601 at once: the same as one by one, whatever stands among them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mssqlclient_mcp.dialects.postgresql.values import iso_timestamps, iso_timestamps_with_zone

WRITTEN = {
    "2024-01-01 10:00:00": "2024-01-01T10:00:00",
    "2024-01-01 10:00:00.123456": "2024-01-01T10:00:00.123456",
    "0044-03-15 12:00:00 BC": "0044-03-15T12:00:00 BC",
    "12024-01-01 00:00:00": "12024-01-01T00:00:00",
    "infinity": "infinity",
    "-infinity": "-infinity",
    None: None,
}
WITH_ZONE = {
    "2024-01-01 10:00:00+02": "2024-01-01T10:00:00+02:00",
    "2024-01-01 10:00:00.5-03:30": "2024-01-01T10:00:00.5-03:30",
    "0044-03-15 12:00:00+00 BC": "0044-03-15T12:00:00+00:00 BC",
    "1850-01-01 10:00:00+00:53:28": "1850-01-01T10:00:00+00:53:28",
    "infinity": "infinity",
    None: None,
}


@given(some.lists(some.sampled_from(list(WRITTEN)), min_size=1, max_size=6))
def test_timestamps_of_a_column_are_each_made_iso(texts: list[str | None]) -> None:
    """NULLs, infinity and years before Christ among them change nothing for the others."""
    assert list(iso_timestamps(tuple(texts))) == [WRITTEN[text] for text in texts]


@pytest.mark.parametrize("text", WITH_ZONE)
def test_offsets_are_written_in_full(text: str | None) -> None:
    """PostgreSQL leaves out the minutes of an offset where they are nought; ISO 8601's extended form has them."""
    assert list(iso_timestamps_with_zone((text, None))) == [WITH_ZONE[text], None]
