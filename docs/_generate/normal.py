"""What differs from run to run, made the same: ids, times, durations, versions, counters."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

TIME = "2026-01-15T09:30:00+00:00"
_IDS = ("3f7c1f0e-5d0b-4c1e-9a55-0c6f6f6f2b11", "8a52c9d4-71c3-4e9b-b0f0-5b1f4f0f7a22", "c41d7a90-2a6e-4f35-8d2c-9e7d3c5b1a33")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b")
_STAMP = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)")
_WORDS = (
    (re.compile(r"<(/?)data-[0-9a-f]+>"), r"<\1data-5e1f0a37>"),
    (re.compile(r"\brequestId: [0-9a-f]+"), "requestId: 5d6ff74d541b"),
    (re.compile(r"\buntil \d\d:\d\d:\d\d UTC"), "until 09:45:00 UTC"),
    (re.compile(r"\b\d+\.\d+ s\b"), "0.1 s"),
    (re.compile(r"\bscans \d+(, last used)?"), r"scans 12\1"),
    (re.compile(r"\b\d+ changes since"), "0 changes since"),
    (re.compile(r"\bPostgreSQL (\d+)\.\d+( on [^\"\n]*)?"), r"PostgreSQL \1.4"),
    (re.compile(r"^version: (\d+)\.\d+$", re.MULTILINE), r"version: \1.4"),
    (re.compile(r"^host OS: \w+$", re.MULTILINE), "host OS: Linux"),
)
_NUMBERS = {
    "durationSeconds": 0.1,
    "scans": 12,
    "modifications": 0,
    "resultBytes": 1_000_000,
    "minor": 4,
}
_TEXTS = {"version": "18.4", "requestId": "5d6ff74d541b"}
_NULL_WHEN_UNKNOWN = {"scans", "modifications"}


class Normal:
    """Makes the answers of one run comparable; the ids it has met keep their stand-ins."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._now = datetime.now(timezone.utc)

    def of(self, value: Any, name: str = "") -> Any:
        """A structured answer, an argument or a text with nothing in it that depends on the run."""
        if isinstance(value, dict):
            return {key: self.of(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item, name) for item in value]
        if isinstance(value, str):
            return _TEXTS.get(name) or self._text(value)
        known = name in _NUMBERS and not (value is None and name in _NULL_WHEN_UNKNOWN)
        return _NUMBERS[name] if known else value

    def _text(self, text: str) -> str:
        text = _STAMP.sub(lambda found: TIME if self._recent(found[0]) else found[0], _UUID.sub(self._id, text))
        for pattern, stand_in in _WORDS:
            text = pattern.sub(stand_in, text)
        return text

    def _id(self, found: re.Match[str]) -> str:
        if found[0].startswith("00000000"):
            return found[0]
        return self._ids.setdefault(found[0], _IDS[len(self._ids) % len(_IDS)])

    def _recent(self, stamp: str) -> bool:
        when = datetime.fromisoformat(re.sub(r"\.\d+", "", stamp).replace("Z", "+00:00"))
        return abs(when - self._now) < timedelta(days=2)
