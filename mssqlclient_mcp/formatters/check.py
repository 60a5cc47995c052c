"""The report of a check as text, one line a step, and as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from ..check_models import CheckedStep, CheckReport, Mark

WIDTH = 118

PLAIN: Mapping[Mark, str] = {
    Mark.OK: "ok",
    Mark.WARNING: "ok",
    Mark.FAILED: "!!",
    Mark.SKIPPED: "--",
    Mark.NOT_TRIED: "--",
}
PRETTY: Mapping[Mark, str] = {
    **PLAIN,
    Mark.OK: "✓ ",
    Mark.WARNING: "✓ ",
    Mark.FAILED: "✗ ",
}
"""The same for a terminal that has these signs."""


def format_step(step: CheckedStep, marks: Mapping[Mark, str] = PLAIN) -> str:
    """One step: its line, and below it what to think about, the likely cause and the remedy."""
    finding = step.finding
    lines = _wrapped(f"{marks[finding.mark]} {step.title:<13} {_one_line(finding.text)}", " " * 17)
    if finding.cause:
        lines += _below("cause", finding.cause)
    if finding.remedy:
        lines += _below("do", finding.remedy)
    for advice in finding.warnings:
        lines += _below("note", advice.text)
        if advice.remedy:
            lines += _below("do", advice.remedy)
    return "\n".join(lines)


def format_verdict(report: CheckReport) -> str:
    """The last line: how it went."""
    failures = sum(step.finding.mark is Mark.FAILED for step in report.steps)
    notes = sum(len(step.finding.warnings) for step in report.steps)
    noted = f", {notes} {'note' if notes == 1 else 'notes'}" if notes else ""
    if failures:
        word = "step failed" if failures == 1 else "steps failed"
        return f"{failures} {word}{noted} ({report.seconds:.1f} s)"
    return f"All well{noted} ({report.seconds:.1f} s)"


def check_content(report: CheckReport) -> dict[str, object]:
    """The report as data: ``ok``, ``exitCode``, ``subject``, ``seconds``, and the steps with mark, text, cause and remedy."""
    return {
        "ok": report.exit_code == 0,
        "exitCode": report.exit_code,
        "subject": report.subject,
        "seconds": round(report.seconds, 3),
        "steps": [_step_content(step) for step in report.steps],
    }


def _step_content(step: CheckedStep) -> dict[str, object]:
    finding = step.finding
    return {
        "name": step.name,
        "mark": finding.mark.value,
        "text": finding.text,
        "cause": finding.cause or None,
        "remedy": finding.remedy or None,
        "warnings": [{"text": advice.text, "remedy": advice.remedy or None} for advice in finding.warnings],
        "seconds": round(step.seconds, 4),
        "facts": dict(finding.facts),
    }


def _below(word: str, text: str) -> Iterator[str]:
    """A paragraph under a step's line. A line of the text that is a command stays whole, so that it can be copied."""
    head, indent = f"     {word + ':':<7}", " " * 12
    for line in text.splitlines():
        if line.startswith("  "):
            yield indent + line
        else:
            yield from _wrapped(head + line, indent)
        head = indent


def _wrapped(text: str, indent: str) -> list[str]:
    """The lines of a paragraph; a word is never broken."""
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())
