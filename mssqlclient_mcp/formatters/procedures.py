"""What procedures take and what their calls brought back, as text and structured content."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ..errors import DatabaseMcpError, ErrorCode
from ..models import Column, QueryResult, ResultSet, StoredProcedureParameter, TruncatedBy
from ..procedure_models import ProcedureResult, ProcedureSignature
from .queries import messages_text, result_set
from .rows import fenced, table
from .values import plain_text

PARAMETERS_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"signatures": {"type": "array", "items": {"type": "object"}}},
    "required": ["signatures"],
}
CALL_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "procedure": {"type": "string"},
        "outputs": {"type": "array", "items": {"type": "object"}},
        "returnValue": {},
        "resultSets": {"type": "array", "items": {"type": "object"}},
        "rowsAffected": {"type": "array", "items": {"type": "integer"}},
        "messages": {"type": "array"},
        "notes": {"type": "array"},
        "durationSeconds": {"type": "number"},
        "sessionId": {"type": "string"},
    },
}
ARRIVED = ("returnValue", "outputs", "resultSets", "rowsAffected", "messages")
"""What of an answer an error's details hold too."""
WENT_ON = "The procedure went on behind the error and came to its end: what it did besides stands."
BROKE_OFF = (
    "Read the definition with get_stored_procedure_definition; what the procedure did before the error may stand, so look "
    "before calling it again."
)
_OF_THE_STATEMENT = (
    ErrorCode.CONSTRAINT_VIOLATION,
    ErrorCode.DATABASE_ERROR,
    ErrorCode.OBJECT_NOT_FOUND,
    ErrorCode.PERMISSION_DENIED,
    ErrorCode.SYNTAX_ERROR,
)
LEAST_FOR_ROWS = 2000
"""Characters that rows get however long the outputs are."""

_HEADER = ("name", "type", "direction", "required", "default")


def sp_parameters(signatures: Sequence[ProcedureSignature]) -> tuple[str, dict[str, object]]:
    """Every signature as a table to read."""
    text = "\n\n".join(map(format_sp_parameters_table, signatures))
    return text, {"signatures": [_signature(one) for one in signatures]}


def sp_call_schemas(
    signatures: Sequence[ProcedureSignature], schemas: Sequence[Mapping[str, object]]
) -> tuple[str, dict[str, object]]:
    """Every signature with the JSON Schema of its call; the text is the schema (a list of them for overloads)."""
    content = [{**_signature(one), "callSchema": dict(schema)} for one, schema in zip(signatures, schemas, strict=True)]
    shown = schemas[0] if len(schemas) == 1 else list(schemas)
    return json.dumps(shown, ensure_ascii=False), {"signatures": content}


def format_sp_parameters_table(signature: ProcedureSignature) -> str:
    """The parameters of one procedure, a line each, in columns."""
    returns = signature.returns
    rows = [_HEADER, *(_cells(one) for one in signature.parameters)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    body = "\n".join(lines) if signature.parameters else "It has no parameters."
    head = f"{signature.kind} {signature.name}" + (f", returns {returns.sql_type}" if returns is not None else "")
    return "\n".join([head, body, *(f"Note: {note}" for note in signature.notes)])


def _cells(one: StoredProcedureParameter) -> tuple[str, ...]:
    required = {True: "yes", False: "no", None: "unknown"}[one.required]
    return one.name, one.sql_type, one.direction.value, required, "" if one.default is None else one.default


def _signature(signature: ProcedureSignature) -> dict[str, object]:
    content: dict[str, object] = {
        "schema": signature.name.schema,
        "name": signature.name.name,
        "kind": signature.kind,
        "signature": str(signature),
        "parameters": [_parameter(one) for one in signature.parameters],
    }
    if signature.returns is not None:
        content["returns"] = signature.returns.sql_type
    if signature.notes:
        content["notes"] = list(signature.notes)
    return content


def _parameter(one: StoredProcedureParameter) -> dict[str, object]:
    content: dict[str, object] = {
        "name": one.name,
        "ordinal": one.ordinal,
        "type": one.sql_type,
        "direction": one.direction.value,
        "required": one.required,
        "nullable": one.nullable,
    }
    if one.default is not None:
        content["default"] = one.default
    if one.type.fields:
        content["columns"] = [{"name": field.name, "type": field.type.text} for field in one.type.fields]
    return content


def procedure_result(result: ProcedureResult, *, max_chars: int, background: str = "") -> tuple[str, dict[str, object]]:
    """Outputs and return value first, for they are never cut away; then the result sets, counts and messages. ``background``:
    the tool, when it is open, that keeps all rows to be paged."""
    texts, structured = _outcome(result, max_chars)
    said = sum(len(message.text) for message in result.result.messages)
    left = max(max_chars - sum(map(len, texts)) - said, LEAST_FOR_ROWS)
    set_texts, sets = _result_sets(result.result, left, background)
    if sets:
        structured["resultSets"] = sets
    counts = _counts(result.result)
    if counts:
        structured["rowsAffected"] = counts
        texts.append(f"Rows affected: {', '.join(map(str, counts))}")
    texts += set_texts
    if result.result.messages:
        structured["messages"] = [message.text for message in result.result.messages]
        texts.append(messages_text(result.result.messages))
    if result.result.notes:
        structured["notes"] = list(result.result.notes)
        texts += result.result.notes
    structured["durationSeconds"] = round(result.result.duration_seconds, 4)
    return "\n".join([*texts, f"{result.result.duration_seconds:.3f} s"]), structured


def _outcome(result: ProcedureResult, budget: int) -> tuple[list[str], dict[str, object]]:
    structured: dict[str, object] = {"procedure": str(result.procedure)}
    texts = [f"{result.procedure} was called."]
    if result.return_type is not None:
        values = _shortened([result.return_value], budget)
        structured["returnValue"] = values[0]
        texts.append(f"Return value ({result.return_type}): {_shown(values[0])}")
    if result.outputs:
        values = _shortened([one.value for one in result.outputs], budget)
        structured["outputs"] = [
            {"name": one.name, "type": one.sql_type, "value": value} for one, value in zip(result.outputs, values, strict=True)
        ]
        lines = (f"{one.name} = {_shown(value)}" for one, value in zip(result.outputs, values, strict=True))
        texts.append("Outputs:\n" + fenced("\n".join(lines)))
    return texts, structured


def _shortened(values: Sequence[object], budget: int) -> list[object]:
    """The values as JSON; only when they alone would fill the answer, the longest are cut, visibly."""
    columns = [Column("", "")] * len(values)
    return list(table(columns, [tuple(values)], budget=budget).rows[0])


def _shown(value: object) -> str:
    return "NULL" if value is None else plain_text(value)


def _counts(result: QueryResult) -> list[int]:
    counts = (part.rows_affected for part in result.result_sets if not part.columns)
    return [count for count in counts if count is not None and count >= 0]


def _result_sets(result: QueryResult, budget: int, background: str) -> tuple[list[str], list[dict[str, object]]]:
    """The result sets as far as the budget goes, the first in any case."""
    rest = f": {background} keeps them all, to be paged" if background else ""
    advice = {
        TruncatedBy.ROWS: "cut at {rows} rows" + rest,
        TruncatedBy.BYTES: "cut at {rows} rows, the answer being full" + rest,
    }
    texts: list[str] = []
    sets: list[dict[str, object]] = []
    parts: list[ResultSet] = [part for part in result.result_sets if part.columns]
    for place, part in enumerate(parts, start=1):
        if sets and not budget:
            texts.append(f"{len(parts) - len(sets)} further result sets are not shown, the answer being full{rest}.")
            break
        text, structured, used = result_set(part, budget=budget, advice=advice)
        budget = max(0, budget - used)
        texts.append(f"Result set {place}: {text}" if len(parts) > 1 else text)
        sets.append(structured)
    return texts, sets


def with_what_arrived(error: DatabaseMcpError, *, max_chars: int) -> DatabaseMcpError:
    """An error of a call, with the result sets and messages that came before it, as they would be in an answer."""
    arrived = error.details.pop("arrived", None)
    came_to_its_end = isinstance(arrived, ProcedureResult) and arrived.return_type is not None
    if isinstance(arrived, ProcedureResult):
        _, structured = procedure_result(arrived, max_chars=max_chars)
        told = {key: structured[key] for key in ARRIVED if key in structured}
        _put_messages_together(error.details, told)
        error.with_details(**told)
    if not error.next_step and error.code in _OF_THE_STATEMENT and error.details.get("outcome") == "unknown":
        error.next_step = WENT_ON if came_to_its_end else BROKE_OFF
    return error


def _put_messages_together(details: Mapping[str, object], told: dict[str, object]) -> None:
    """What was said before the first answer stands with the error already, what came later with the answer."""
    before, after = details.get("messages"), told.get("messages")
    if isinstance(before, list) and isinstance(after, list) and before != after[: len(before)]:
        told["messages"] = [*before, *after]
