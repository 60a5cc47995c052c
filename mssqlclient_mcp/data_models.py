"""What a structured read brings back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .models import ObjectName, ResultSet


@dataclass(frozen=True)
class DataPage:
    """A page of rows. ``cursor_after`` makes the cursor behind the row of that place, None where there cannot be one: the page
    may be shown in part only, and then the next one begins earlier. Durations are seconds."""

    table: ObjectName
    result: ResultSet
    offset: int
    duration_seconds: float
    cursor_after: Callable[[int], str | None]
    by_offset: bool = True  # whether offset goes on from here (not from a cursor's page)
    notes: tuple[str, ...] = ()
