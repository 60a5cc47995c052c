"""Where the next page of a structured read begins, as a text that a client hands back: the last row's key values.

The text is base64url of JSON and no secret; a digest of the request stands in it, so that it is not used with another one,
where it would skip rows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

MOST_CHARACTERS = 8000


def digest(*parts: object) -> str:
    """A short fingerprint of what a request asks for."""
    text = json.dumps(parts, default=str, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def encoded(fingerprint: str, values: Sequence[object]) -> str | None:
    """The cursor behind a row with these key values; None when one of them cannot be written down exactly."""
    written = [_portable(value) for value in values]
    if any(value is None for value in written):
        return None
    text = json.dumps([fingerprint, *written], ensure_ascii=False, separators=(",", ":"))
    cursor = base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")
    return cursor if len(cursor) <= MOST_CHARACTERS else None


def decoded(cursor: str) -> tuple[str, list[object]] | None:
    """The fingerprint and the key values; None for what is no cursor."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        read = json.loads(raw.decode("utf-8"))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(read, list) or not read or not isinstance(read[0], str):
        return None
    values = read[1:]
    return (read[0], values) if all(isinstance(value, (str, int, float)) for value in values) else None


def _portable(value: object) -> object:
    """A value as JSON keeps it, and as ``type_mapper`` reads it again."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "0x" + bytes(value).hex()
    return None
