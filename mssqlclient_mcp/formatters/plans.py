"""An estimated plan as text and structured content: what it costs, what it reads, what the optimizer missed, and the plan."""

from __future__ import annotations

from ..plan_models import MissingIndex, Plan, PlanOperator
from .rows import fenced

MOST_OPERATORS = 200
CUT_MARK = "\n… [the plan was cut: {length} characters in all]"

PLAN_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "cost": {"type": ["number", "null"]},
        "rows": {"type": ["number", "null"]},
        "operators": {"type": "array", "items": {"type": "object"}},
        "scans": {"type": "array", "items": {"type": "string"}},
        "missingIndexes": {"type": "array", "items": {"type": "object"}},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "planFormat": {"enum": ["json", "xml"]},
        "plan": {"type": "string"},
        "truncated": {"type": "boolean"},
    },
    "required": ["cost", "rows", "operators", "scans", "missingIndexes", "warnings", "planFormat", "plan", "truncated"],
}


def plan_report(plan: Plan, *, max_chars: int) -> tuple[str, dict[str, object]]:
    """The summary in words with the operators as a tree; the structured content also holds the plan itself, cut to
    ``max_chars``."""
    operators = plan.operators[:MOST_OPERATORS]
    document = plan.document
    truncated = len(document) > max_chars or len(operators) < len(plan.operators)
    if len(document) > max_chars:
        document = document[:max_chars] + CUT_MARK.format(length=len(plan.document))
    structured: dict[str, object] = {
        "cost": plan.cost,
        "rows": plan.rows,
        "operators": [_operator(operator) for operator in operators],
        "scans": list(plan.scans),
        "missingIndexes": [_missing(index) for index in plan.missing_indexes],
        "warnings": list(plan.warnings),
        "planFormat": plan.format.value,
        "plan": document,
        "truncated": truncated,
    }
    return _text(plan, operators, max_chars), structured


def _text(plan: Plan, operators: tuple[PlanOperator, ...], budget: int) -> str:
    lines = [_line(operator) for operator in operators]
    lines.append("read whole: " + (", ".join(plan.scans) or "nothing"))
    lines += [f"missing index on {index.table}: {_index_words(index)}" for index in plan.missing_indexes]
    lines += [f"warning: {warning}" for warning in plan.warnings]
    if len(operators) < len(plan.operators):
        lines.append(f"{len(plan.operators) - len(operators)} further operators are not shown")
    body = "\n".join(lines)
    if len(body) > budget:
        body = body[:budget] + CUT_MARK.format(length=len(body))
    head = f"Estimated plan (the statement was not run): cost {_number(plan.cost)}, about {_number(plan.rows)} rows."
    return f"{head}\n{fenced(body)}"


def _line(operator: PlanOperator) -> str:
    parts = [operator.name, f"on {operator.object}" if operator.object else ""]
    parts.append(f"[rows {_number(operator.rows)}, cost {_number(operator.cost)}]")
    text = "  " * operator.depth + " ".join(filter(None, parts))
    return f"{text} {operator.detail}" if operator.detail else text


def _index_words(index: MissingIndex) -> str:
    keys = ", ".join([*index.equality, *index.inequality]) or "no keys"
    include = f" INCLUDE ({', '.join(index.include)})" if index.include else ""
    impact = f", would save about {index.impact:.0f} % of the cost" if index.impact is not None else ""
    return f"({keys}){include}{impact}"


def _operator(operator: PlanOperator) -> dict[str, object]:
    return {
        "depth": operator.depth,
        "name": operator.name,
        "object": operator.object,
        "detail": operator.detail,
        "rows": operator.rows,
        "cost": operator.cost,
    }


def _missing(index: MissingIndex) -> dict[str, object]:
    return {
        "table": index.table,
        "equality": list(index.equality),
        "inequality": list(index.inequality),
        "include": list(index.include),
        "impactPercent": index.impact,
    }


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.6g}"
