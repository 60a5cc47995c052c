"""What a benchmark finds: one figure beside its floor, and whether it keeps its target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from itertools import pairwise


class Judged(str, Enum):
    """What of a figure is held against its limit."""

    RATIO = "ratio"  # ours / floor, at most the limit
    SHARE = "share"  # ours / floor, at least the limit
    ADDED = "added"  # ours - floor, at most the limit
    VALUE = "value"  # ours, at most the limit; no floor, or one that only stands beside it
    TOLD = "told"  # nothing: for those who ask


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``ours`` and ``floor`` in ``unit``, medians of interleaved runs unless the name says otherwise."""

    name: str
    ours: float
    unit: str
    limit: float = 0.0
    judged: Judged = Judged.RATIO
    floor: float | None = None
    floor_is: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by the floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def held(self) -> float:
        """What is held against the limit."""
        if self.judged is Judged.VALUE:
            return self.ours
        assert self.floor is not None, self.name
        return self.ours - self.floor if self.judged is Judged.ADDED else self.ours / self.floor

    @property
    def met(self) -> bool:
        """Whether the target is met; true without one."""
        if self.judged is Judged.TOLD:
            return True
        return self.held >= self.limit if self.judged is Judged.SHARE else self.held <= self.limit

    @property
    def target(self) -> str:
        """The target in words; empty without one."""
        if self.judged is Judged.TOLD:
            return ""
        if self.judged is Judged.RATIO:
            return f"<= {self.limit:g}x"
        if self.judged is Judged.SHARE:
            return f">= {self.limit:.0%}" if self.limit < 1 else f">= {self.limit:g}x"
        if self.judged is Judged.ADDED:
            return f"<= + {self.limit:g} {self.unit}"
        return f"<= {self.limit:g} {self.unit}"

    def as_json(self) -> dict[str, object]:
        """The figure with all that follows from it."""
        return {**asdict(self), "judged": self.judged.value, "ratio": self.ratio, "target": self.target, "met": self.met}


STEP = 10
MOST_PER_STEP = 12.0
"""Ten times as much may take ten times as long; the rest is room for a machine that others use, too."""


@dataclass(frozen=True)
class Growth:
    """How a value in ``unit`` grows with a number of something (``of``), in steps of ten: (number, value), ascending."""

    name: str
    of: str
    unit: str
    points: list[tuple[int, float]]

    @property
    def steps(self) -> list[float]:
        """The factor of each step."""
        return [later / sooner for (_, sooner), (_, later) in pairwise(self.points)]

    @property
    def met(self) -> bool:
        """Whether it grows in proportion or slower."""
        return all(step <= MOST_PER_STEP for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """The growth with all that follows from it."""
        return {**asdict(self), "steps": self.steps, "met": self.met}

    def __str__(self) -> str:
        told = ", ".join(f"{number:,}: {shown(value, self.unit)}" for number, value in self.points)
        steps = ", ".join(f"{step:.1f}x" for step in self.steps)
        return f"{self.name} by {self.of}: {told} (each step of ten: {steps}){'' if self.met else ' FASTER THAN LINEAR'}"


@dataclass(frozen=True)
class Profile:
    """Milliseconds by function, the most first."""

    name: str
    lines: list[tuple[float, str]]
    met: bool = True

    def as_json(self) -> dict[str, object]:
        """The profile."""
        return {"name": self.name, "lines": self.lines}

    def __str__(self) -> str:
        return "\n".join([f"{self.name}:", *(f"{ms:8.2f} ms  {function}" for ms, function in self.lines)])


HEAD = ("measure", "ours", "floor", "ratio", "target", "")


def as_table(figures: Iterable[Figure]) -> str:
    """Figures as aligned text, the floor named in the last column."""
    rows = [HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def shown(number: float | None, unit: str = "") -> str:
    """A number with three digits that count, and its unit."""
    if number is None:
        return "-"
    text = f"{number:,.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"
    return f"{text} {unit}".strip()


def _row(figure: Figure) -> tuple[str, ...]:
    ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f}x"
    judged = "" if not figure.target else "met" if figure.met else "MISSED"
    verdict = judged.ljust(6) + (f"   floor: {figure.floor_is}" if figure.floor_is else "")
    return (figure.name, shown(figure.ours, figure.unit), shown(figure.floor, figure.unit), ratio, figure.target, verdict)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:5], widths[1:5], strict=True)), row[5]]
    return "  ".join(cells).rstrip()
