"""Answers about the server itself."""

from __future__ import annotations

COMMAND_TIMEOUT_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"timeoutSeconds": {"type": "number"}, "previousTimeoutSeconds": {"type": "number"}},
    "required": ["timeoutSeconds"],
}


def command_timeout(seconds: float, *, before: float | None) -> tuple[str, dict[str, object]]:
    """The command timeout of the caller, and the one before when it was just changed."""
    if before is None:
        return f"Statements of this client may take {seconds:g} s.", {"timeoutSeconds": seconds}
    text = f"Statements of this client may now take {seconds:g} s (before: {before:g} s)."
    return text, {"timeoutSeconds": seconds, "previousTimeoutSeconds": before}
