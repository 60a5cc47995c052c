"""What a check finds: one finding a step, and the report of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Mark(str, Enum):
    """How a step went."""

    OK = "ok"
    WARNING = "warning"  # it works, but look at it
    FAILED = "failed"
    SKIPPED = "skipped"  # does not apply here
    NOT_TRIED = "not_tried"  # a step before it failed


@dataclass(frozen=True)
class Advice:
    """Something to think about that is no failure, and what to do about it."""

    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """What one step found. ``cause`` and ``remedy`` belong to a failure; ``facts`` are the same as data."""

    mark: Mark
    text: str
    cause: str = ""
    remedy: str = ""
    warnings: tuple[Advice, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckedStep:
    """A step that was taken, or left out."""

    name: str
    title: str
    finding: Finding
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckReport:
    """All steps in order. ``configured`` False: the configuration itself cannot be used."""

    subject: str
    steps: tuple[CheckedStep, ...]
    seconds: float
    configured: bool = True

    @property
    def exit_code(self) -> int:
        """0 all well (warnings aside), 1 a step failed, 2 the configuration cannot be used."""
        if not self.configured:
            return 2
        return int(any(step.finding.mark is Mark.FAILED for step in self.steps))


def well(text: str, *warnings: Advice, **facts: object) -> Finding:
    """A step that went well, perhaps with something to think about."""
    return Finding(Mark.WARNING if warnings else Mark.OK, text, warnings=warnings, facts=facts)


def failed(text: str, *, cause: str = "", remedy: str = "", **facts: object) -> Finding:
    """A step that failed."""
    return Finding(Mark.FAILED, text, cause, remedy, facts=facts)


def skipped(text: str, *warnings: Advice) -> Finding:
    """A step that does not apply."""
    return Finding(Mark.SKIPPED, text, warnings=warnings)
