"""A procedure as it is called, and all that a call brings back, as frozen dataclasses that travel between rooms."""

from __future__ import annotations

from dataclasses import dataclass

from .models import ObjectName, OutputValue, QueryResult, StoredProcedureParameter


@dataclass(frozen=True)
class ProcedureSignature:
    """A procedure or function as it is called. ``handle`` is the dialect's own way to find it again."""

    name: ObjectName
    kind: str
    parameters: tuple[StoredProcedureParameter, ...]
    returns: StoredProcedureParameter | None = None
    notes: tuple[str, ...] = ()
    handle: str = ""

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parameters))})"


@dataclass(frozen=True)
class ProcedureResult:
    """All that a call brought back: result sets in ``result``, and beside them the outputs and the return value.
    ``return_type`` is None where the procedure has no return value."""

    procedure: ObjectName
    result: QueryResult
    outputs: tuple[OutputValue, ...] = ()
    return_value: object = None
    return_type: str | None = None
